"""The page, as text and in a real browser."""

import json
import re
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest
import torch
from browser import Page
from clock_network import clock_network, save_run

from modgrok import ModularDataModule, Transformer
from modgrok.analysis import additive_clock, analyze_network
from modgrok.cli import main
from modgrok.figures.palette import DARK, LIGHT
from modgrok.report import write_report
from modgrok.runs import History, Snapshot

MALICE = "<img src=x onerror=alert(1)>"


def panels(page: str) -> dict[str, dict]:
    return json.loads(re.search(r'id="panels">(.*?)</script>', page, re.DOTALL)[1])


def painted(value, palette):
    if isinstance(value, str) and value.startswith("$"):
        return palette[value[1:]]
    if isinstance(value, list):
        return [painted(item, palette) for item in value]
    if isinstance(value, dict):
        return {key: painted(item, palette) for key, item in value.items()}
    return value


def panels_without_ink(browser: Page) -> list[str]:
    """The panels in which no bar, line or map was drawn."""
    ink = ".bars path, .lines path, image"
    panels = "[...document.querySelectorAll('.panel > .plot')]"
    return browser.evaluate(f"{panels}.filter(p => !p.querySelector('{ink}')).map(p => p.id)")


@pytest.fixture
def page(adding: Path) -> Path:
    main(["analyze", str(adding)])
    return adding / "report" / "index.html"


def test_every_figure_is_one_that_plotly_knows(page: Path) -> None:
    found = panels(page.read_text())
    assert len(found) > 25
    for panel in found.values():
        go.Figure(data=painted(panel["traces"], LIGHT), layout=painted(panel["layout"], LIGHT))


def test_light_and_dark_have_the_same_colors() -> None:
    assert list(LIGHT) == list(DARK)


def test_nothing_on_the_page_is_loaded_from_elsewhere(page: Path) -> None:
    text = page.read_text()
    head, script = text.split("<script>", 1)
    assert "default-src 'none'" in head
    assert "unsafe-eval" not in head
    assert not re.findall(r"(?:src|href)=\"(?!#|data:,)", head)
    assert page.stat().st_size < 8_000_000 + len(script)


def test_the_page_stays_small_for_a_large_modulus(tmp_path: Path) -> None:
    data = ModularDataModule("x + y", 211)
    torch.manual_seed(0)
    network = Transformer(**data.network_shape, d_model=16, d_mlp=32)
    main(["analyze", str(save_run(tmp_path / "version_0", data, {0: network}))])
    beyond_plotly = (tmp_path / "version_0" / "report" / "index.html").read_text().split("<script>")[0]
    assert len(beyond_plotly) < 8_000_000


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_every_figure_draws_without_an_error(width, scheme, page, browser) -> None:
    browser.look(width, scheme)
    browser.requests.clear()
    browser.problems.clear()
    browser.open(page)
    count = len(panels(page.read_text()))
    assert browser.evaluate(f"document.querySelectorAll('.plot[data-drawn={scheme}]').length") == count
    assert panels_without_ink(browser) == []
    assert browser.problems == []
    assert browser.evaluate("document.documentElement.dataset.errors ?? ''") == ""
    assert {url.partition(":")[0] for url in browser.requests} <= {"file", "data"}
    assert [url for url in browser.requests if url.startswith("file")] == [page.absolute().as_uri()]
    assert browser.evaluate("document.documentElement.scrollWidth") == width


def test_the_figures_follow_the_theme_live(page, browser) -> None:
    browser.look(1280, "light")
    browser.open(page)
    color = "getComputedStyle(document.querySelector('.bars path')).fill"
    light = browser.evaluate(color)
    browser.look(1280, "dark")
    browser.wait_for(
        "document.documentElement.dataset.state === 'drawn' && !document.querySelector('[data-drawn=light]')"
    )
    assert browser.evaluate(color) != light
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"


def test_what_the_user_wrote_is_not_executed(tmp_path, browser) -> None:
    data = ModularDataModule("x + y", 11, template=["x", MALICE, "y", "</script><script>alert(2)</script>"])
    network = clock_network(data, additive_clock(11), [2, 3])
    run = save_run(tmp_path / MALICE, data, {0: network, 200: network})
    main(["analyze", str(run)])
    browser.look(1280, "light")
    browser.problems.clear()
    browser.open(run / "report" / "index.html")
    assert browser.problems == []
    assert browser.evaluate("document.querySelectorAll('img[src=x]').length") == 0
    assert MALICE in browser.evaluate("document.querySelector('.source').textContent")
    assert MALICE in browser.evaluate(
        "document.querySelector('.legend').parentElement.parentElement.textContent"
    ) or (
        MALICE in browser.evaluate("[...document.querySelectorAll('.legend')].map(e => e.textContent).join()")
    )


def test_names_that_no_formula_can_have_are_not_executed(tmp_path, browser) -> None:
    """The parser refuses such names; the page would escape them all the same."""
    script = "</title></script><script>document.documentElement.dataset.sprung = 1</script>"
    data = ModularDataModule(["x + y", "x - y"], 11)
    data.tasks = [replace(task, name=name) for task, name in zip(data.tasks, (MALICE, script), strict=True)]
    torch.manual_seed(0)
    network = Transformer(**data.network_shape, d_model=16, d_mlp=16)
    findings = analyze_network(Snapshot(network, data, 0, History()), f"<b>{script}")
    write_report(findings, tmp_path / "report")
    browser.look(1280, "light")
    browser.problems.clear()
    browser.open(tmp_path / "report" / "index.html")
    assert browser.problems == []
    assert browser.evaluate("document.documentElement.dataset.sprung ?? 'no'") == "no"
    assert browser.evaluate("document.querySelectorAll('img[src=x], .source b').length") == 0
    assert browser.evaluate("document.querySelectorAll('h2')[0].parentElement.textContent").count(MALICE)
    assert script in browser.evaluate("document.title")


def test_a_broken_page_is_noticed(page, browser) -> None:
    """The browser's tests can fail: a request and a panel that cannot be drawn are both seen."""
    browser.look(1280, "light")
    text = page.read_text().replace("<main", '<img src="http://127.0.0.1:9/x.png"><main', 1)
    broken = page.with_name("broken.html")
    broken.write_text(re.sub(r'"bdata":"[^"]*"', '"bdata":"?"', text, count=2))
    browser.problems.clear()
    browser.open(broken)
    assert any("Content Security Policy" in problem for problem in browser.problems)
    assert panels_without_ink(browser) == ["plot-0"]
