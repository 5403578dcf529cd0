"""What is written on the page can be read: on screens and on paper, with many keys and with long names."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from clock_network import clock_mlp, history, save, save_run
from group_network import built
from playwright.sync_api import Page, expect

from modgrok import ModularDataModule, Transformer, load_run
from modgrok.analysis import additive_clock, analyze
from modgrok.cli import main
from modgrok.runs.directory import CHECKPOINTS, checkpoint_name

TOUCHING = """() => {
  const touching = [];
  for (const ticks of document.querySelectorAll(".x-ticks, .y-ticks")) {
    const shown = [...ticks.querySelectorAll("span")].map((span) => [span.textContent, span.getBoundingClientRect()]);
    const labels = shown.filter(([, box]) => box.width > 1 && box.height > 1);
    labels.slice(1).forEach(([text, b], i) => {
      const a = labels[i][1], wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 0.5 && high > 0.5) touching.push(`${labels[i][0]} ${text}`);
    });
  }
  return touching;
}"""
"""The labels of an axis that lie on each other."""

TALL = """() => [...document.querySelectorAll(".events li")]
  .filter((line) => line.getBoundingClientRect().height > 1.9 * parseFloat(getComputedStyle(line).lineHeight))
  .map((line) => line.textContent)"""
"""What happened at an update, where it is broken into lines."""

ASIDE = """() => [...document.querySelectorAll(".plot:has(.events)")].flatMap((plot) => {
  const at = [...plot.querySelectorAll(".event")].map((line) => line.getBoundingClientRect().left);
  return [...plot.querySelectorAll(".events li")].filter((line, i) => {
    const { left, right } = line.getBoundingClientRect();
    return Math.abs((line.className === "left" ? left : right) - at[i]) > 2;
  }).map((line) => line.textContent);
})"""
"""What happened at an update, where it does not begin or end at its line."""

MARKS = """() => [...document.querySelectorAll(".switches .mark")]
  .map((mark) => mark.textContent + getComputedStyle(mark).color)"""


def many_keys(directory: Path) -> Path:
    data = ModularDataModule("x + y", 23)
    network = clock_mlp(data, additive_clock(23), list(range(1, 12)))
    return save_run(directory / "version_0", data, {0: network, 3000: network})


def long_names(directory: Path) -> Path:
    snapshot = built("S4", "standard", "standard·sign", "2")
    run = directory / "version_0"
    for update in (0, 3000):
        path = run / CHECKPOINTS / checkpoint_name(update)
        save(snapshot.network, snapshot.data, update, path, history(2900))
    return run


def opened(run: Path, show: Callable) -> Page:
    main(["analyze", str(run)])
    page = show(run / "report" / "index.html")
    page.wait_for_selector("#network[data-state=ready]", timeout=60_000)
    return page


@pytest.mark.parametrize("make", [many_keys, long_names])
def test_no_two_labels_touch(make: Callable, tmp_path: Path, show: Callable, axe: str) -> None:
    page = opened(make(tmp_path), show)
    for width, medium in ((1280, "screen"), (800, "screen"), (390, "screen"), (725, "print")):
        page.emulate_media(media=medium)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(TOUCHING) == []
        assert page.evaluate(TALL) == []
        assert page.evaluate(ASIDE) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
    marks = page.evaluate(MARKS)
    assert len(marks) == len(set(marks)) > 2
    page.emulate_media(media="screen")
    page.evaluate(axe)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate("axe.run('#numbers', { runOnly: ['color-contrast'] })")["violations"]
        assert [node["html"] for one in found for node in one["nodes"]] == []


def test_the_hands_of_a_pair_have_names_that_do_not_touch(tmp_path: Path, show: Callable) -> None:
    page = opened(many_keys(tmp_path), show)
    names = page.locator(".circle").first.locator("text")
    expect(names).to_have_text(["x", "y"])
    page.evaluate("modgrok.state.read('x=4&y=4')")
    expect(names).to_have_text(["x, y"])


def test_shares_over_every_third_operand_are_said_to_be(tmp_path: Path, show: Callable) -> None:
    """The page runs the pairs of one z; its sentences and its table count all."""
    data = ModularDataModule("x + y + z", 7)
    torch.manual_seed(0)
    network = Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24)
    run = save_run(tmp_path / "version_0", data, {0: network})
    (circuit,) = analyze(load_run(run).snapshot())
    page = opened(run, show)
    assert page.locator("#network .note").inner_text() == "of the pairs with z = 0"
    sentences = page.locator(".act").all_inner_texts()
    assert len(sentences) == 2
    assert all("pairs of every z" in sentence for sentence in sentences)
    assert "over the pairs of every z" in page.locator("#numbers .note").inner_text()
    everything = page.locator("#numbers tr", has_text="everything on").locator("td").nth(1)
    right = circuit.right[data.trained_on].double().mean()
    assert float(everything.get_attribute("data-value")) == pytest.approx(float(right))


def test_a_mixture_is_printed_with_the_figures_of_the_formula_that_is_chosen(
    tmp_path: Path, show: Callable
) -> None:
    data = ModularDataModule(["x + y", "x - y"], 11)
    torch.manual_seed(0)
    network = Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24)
    page = opened(save_run(tmp_path / "version_0", data, {0: network}), show)
    embedding = [page.locator(f"#embedding-{place}") for place in (0, 1)]
    assert all(section.is_visible() for section in embedding), "on the screen all are"
    page.emulate_media(media="print")
    for chosen in (0, 1):
        page.evaluate(f"modgrok.state.read('task={chosen + 1}')")
        assert [section.is_visible() for section in embedding] == [place == chosen for place in (0, 1)]
        shown = page.locator("#numbers h3", has_text="x").all()
        assert [h.inner_text() for h in shown if h.is_visible()] == [["x + y", "x - y"][chosen]]
        assert page.locator("#training").is_visible()
        assert page.get_by_text("those of this formula").is_visible()
