"""What a notebook shows of a run: the network itself, its findings as a table, and a line while it trains."""

import re
import sys
from types import SimpleNamespace

import pytest
import torch

import modgrok
from modgrok import ModularDataModule, Transformer
from modgrok.report.network_page import network_page
from modgrok.runs import History, Snapshot

CONFIG = {
    "data": {"task": "x + y", "modulus": 7},
    "trainer": {"max_steps": 40},
    "model": {"evaluate_every": 10, "engine": "eager"},
}


class ZMQInteractiveShell:
    """What a notebook's kernel calls its shell."""


@pytest.fixture
def run(tmp_path):
    return modgrok.fit(CONFIG, directory=tmp_path / "run")


def test_the_network_runs_inside_a_notebook(run, tmp_path, show):
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html><title>notebook</title><body>{run._repr_html_()}")
    page = show(notebook)
    frame = page.frame_locator("iframe")
    frame.locator("#network[data-state=ready]").wait_for(timeout=60_000)
    before = frame.locator("#network dl").inner_text()
    frame.get_by_role("checkbox", name="head 0").uncheck()
    frame.locator("#network[data-state=ready]").wait_for(timeout=60_000)
    assert frame.locator("#network dl").inner_text() != before
    assert frame.get_by_text("from weights rounded to 11 bits").is_visible()
    assert page.problems == []
    assert page.url == notebook.as_uri()


def test_the_network_of_the_mainline_is_below_a_megabyte():
    data = ModularDataModule("x + y", 113)
    torch.manual_seed(0)
    page = network_page(Snapshot(Transformer(**data.network_shape), data, 100, History()), "run")
    assert len(page.replace("&", "&amp;").replace('"', "&quot;")) < 1_000_000


def test_findings_are_a_table_with_numbers_as_a_reader_wants_them(run):
    table = run.findings._repr_html_()
    cells = dict(re.findall(r"<th[^>]*>(.*?)</th><td[^>]*>(.*?)</td>", table))
    assert cells["task"] == "x + y"
    assert cells["finished"] == "yes"
    assert cells["train accuracy"].endswith("%")
    assert cells["parameters"] == f"{run.findings.parameters:,}"
    assert not re.search(r"\d\.\d{5}", table)


def test_a_run_from_python_shows_its_line_where_it_is_asked_to(tmp_path, capsys, monkeypatch):
    modgrok.fit(CONFIG, directory=tmp_path / "silent")
    modgrok.fit(CONFIG, directory=tmp_path / "silent too", progress=False)
    assert capsys.readouterr().out == ""
    notebook = SimpleNamespace(get_ipython=ZMQInteractiveShell)
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    modgrok.fit(CONFIG, directory=tmp_path / "shown")
    lines = capsys.readouterr().out.split("\r")
    assert lines[-1].startswith("40/40")
    assert lines[-1].endswith("\n")
    modgrok.fit(CONFIG, directory=tmp_path / "not shown", progress=False)
    assert capsys.readouterr().out == ""
