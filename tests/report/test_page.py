"""The page, as text and in a real browser."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from clock_network import clock_network, save_run

from modgrok import ModularDataModule, Transformer
from modgrok.analysis import additive_clock
from modgrok.analysis.run_analysis import analyze_network
from modgrok.cli import main
from modgrok.report import write_report
from modgrok.runs import History, Snapshot

MALICE = "<img src=x onerror=alert(1)>"
INK = "polyline, rect, image, path.points, path.joined"


@pytest.fixture
def page(adding: Path) -> Path:
    main(["analyze", str(adding)])
    return adding / "report" / "index.html"


def ready(page) -> None:
    page.wait_for_selector("#network[data-state=ready]", timeout=60_000)


def test_nothing_on_the_page_is_loaded_from_elsewhere(page) -> None:
    text = page.read_text()
    head = text.split("<script", 1)[0]
    assert "default-src 'none'" in head
    assert "'unsafe-eval'" not in head
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)", text.split("<script>", 1)[0])
    assert page.stat().st_size < 1_000_000


def test_the_page_stays_small_for_a_large_modulus(tmp_path: Path) -> None:
    data = ModularDataModule("x + y", 211)
    torch.manual_seed(0)
    network = Transformer(**data.network_shape, d_model=16, d_mlp=32)
    main(["analyze", str(save_run(tmp_path / "version_0", data, {0: network}))])
    assert (tmp_path / "version_0" / "report" / "index.html").stat().st_size < 4_000_000


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_figure_draws_without_an_error(width, scheme, page, show) -> None:
    shown = show(page, width, scheme)
    ready(shown)
    panels = shown.locator(".panel")
    assert panels.count() > 15
    empty = f"[...document.querySelectorAll('.panel')].filter(p => !p.querySelector('{INK}')).length"
    assert shown.evaluate(empty) == 0
    assert shown.problems == []
    assert {url.partition(":")[0] for url in shown.requests} <= {"file", "data", "blob"}
    assert [url for url in shown.requests if url.startswith("file")] == [page.absolute().as_uri()]
    assert shown.evaluate("document.documentElement.scrollWidth") == width


def test_the_page_follows_the_theme_live(page, show) -> None:
    shown = show(page)
    color = "getComputedStyle(document.querySelector('.panel rect')).fill"
    light = shown.evaluate(color)
    shown.emulate_media(color_scheme="dark")
    assert shown.evaluate(color) != light
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"


def test_the_value_under_the_pointer_is_said(page, show) -> None:
    shown = show(page)
    shown.locator("#training-progress, .panel:has(polyline) .area").first.hover()
    assert re.search(r"^[\d,.]+\n(.+: )?[\d.e+-]+", shown.locator(".tip").inner_text())
    map_ = shown.locator(".panel:has(image) .area").first
    map_.hover(position={"x": 10, "y": 10})
    shown.wait_for_timeout(50)  # the picture is read once, then every cell is known
    map_.hover(position={"x": 12, "y": 12})
    assert re.search(r"^x \d+, y \d+\nattention: 0\.\d+$", shown.locator(".tip").inner_text())


def test_the_page_prints_on_three_sheets(page, show) -> None:
    shown = show(page)
    ready(shown)
    printed = shown.pdf(prefer_css_page_size=True, print_background=True)
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 3
    shown.emulate_media(media="print")
    shown.set_viewport_size({"width": 725, "height": 1050})  # A4 within its margins
    assert shown.evaluate("document.documentElement.scrollWidth") == 725
    titles = "[...document.querySelectorAll('.y-title')].filter(title => title.scrollHeight > title.clientHeight + 1)"
    assert shown.evaluate(f"{titles}.map(title => title.textContent)") == []


def test_sentences_and_rows_switch_parts_off(page, show) -> None:
    shown = show(page)
    ready(shown)
    row = shown.locator("#numbers tr", has_text="without frequency 5")
    expected = row.locator("td").last.inner_text()
    row.get_by_role("link").click()
    ready(shown)
    assert "off=frequency-5" in shown.url
    assert expected in shown.locator("#network dl").inner_text()
    shown.locator(".act a").first.click()
    ready(shown)
    said = shown.locator(".act").first.inner_text()
    share = re.search(r"[\d.]+%", said)[0]
    assert share in shown.locator("#network dl").inner_text()


def test_what_the_user_wrote_is_not_executed(tmp_path, show) -> None:
    data = ModularDataModule("x + y", 11, template=["x", MALICE, "y", "</script><script>alert(2)</script>"])
    network = clock_network(data, additive_clock(11), [2, 3])
    run = save_run(tmp_path / MALICE, data, {0: network, 200: network})
    main(["analyze", str(run)])
    shown = show(run / "report" / "index.html")
    ready(shown)
    assert shown.problems == []
    assert shown.locator("img[src=x]").count() == 0
    assert MALICE in shown.locator(".source").inner_text()
    assert MALICE in shown.locator(".shares").first.get_attribute("aria-label")


def test_names_that_no_formula_can_have_are_not_executed(tmp_path, show) -> None:
    """The parser refuses such names; the page would escape them all the same."""
    script = "</title></script><script>document.documentElement.dataset.sprung = 1</script>"
    data = ModularDataModule(["x + y", "x - y"], 11)
    assert data.pairs.size == 242
    data.tasks = [replace(task, name=name) for task, name in zip(data.tasks, (MALICE, script), strict=True)]
    torch.manual_seed(0)
    network = Transformer(**data.network_shape, d_model=16, d_mlp=16)
    findings = analyze_network(Snapshot(network, data, 0, History()), f"<b>{script}")
    write_report(findings, tmp_path / "report")
    shown = show(tmp_path / "report" / "index.html")
    ready(shown)
    assert shown.problems == []
    assert shown.evaluate("document.documentElement.dataset.sprung ?? 'no'") == "no"
    assert shown.locator("img[src=x], .source b").count() == 0
    assert MALICE in shown.locator("body").inner_text()
    assert script in shown.title()


def test_a_broken_page_is_noticed(page, show) -> None:
    """The browser's tests can fail: a request and a script that cannot read its data are both seen."""
    text = page.read_text().replace("<main", '<img src="http://127.0.0.1:9/x.png"><main', 1)
    broken = page.with_name("broken.html")
    broken.write_text(re.sub(r'id="network-last">.{9}', 'id="network-last">?', text, count=1))
    shown = show(broken)
    shown.wait_for_timeout(300)
    assert any("Content Security Policy" in problem for problem in shown.problems)
    assert shown.locator("#network[data-state=ready]").count() == 0
