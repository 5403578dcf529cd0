"""Every figure, drawn by both renderers from the same data."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from torch.nn import Parameter

from modgrok import MLP, ModularDataModule, Transformer, figures
from modgrok.analysis.run_analysis import analyze_network
from modgrok.figures.parameter_figure import as_matrix
from modgrok.runs import History, Score, Snapshot


def scores(accuracies=(0.0, 0.5, 1.0)):
    found = History()
    for place, accuracy in enumerate(accuracies):
        found.append(100 * place, Score(10.0**-place, 1.0, 1.0), Score(5.0 - place, accuracy, accuracy))
    return found


def every_figure(network_class, task):
    data = ModularDataModule(task, 7)
    torch.manual_seed(0)
    network = network_class(**data.network_shape, d_model=16, d_mlp=24)
    history = scores()
    history.of_task = {formula: scores() for formula in ("x + y", "x * y")}
    circuit = analyze_network(Snapshot(network, data, 200, history), "").tasks[0].circuit
    vocabulary = data.template.vocabulary
    return [
        *figures.embedding_figures(circuit),
        *figures.attention_figures(circuit),
        *figures.neuron_figures(circuit, 4),
        *figures.weight_figures(circuit),
        *figures.logit_figures(circuit),
        *figures.training_figures(history),
        *figures.mixture_figures(history, {"x + y": scores((0.0, 0.1))}),
        figures.circuit_figure(circuit, "circuit"),
        figures.parameter_figure(network, "update 200"),
        figures.components_figure(network.embed.W_E, vocabulary.n_symbols, vocabulary.special, "W_E"),
    ]


def numbers_in(drawn):
    """Every coordinate of a drawing."""
    for element in drawn.iter():
        for name in ("points", "x", "y", "width", "height"):
            yield from map(float, re.findall(r"[^\s,]+", element.get(name, "")))


@pytest.mark.parametrize("network_class", [Transformer, MLP])
@pytest.mark.parametrize("task", ["x + y", "x * y", "x + y + z"])
def test_every_figure_is_drawn_by_both_renderers(network_class, task):
    for figure in every_figure(network_class, task):
        picture = figures.render(figure)
        titles = {(axes.get_title(loc="left") or axes.get_title()) for axes in picture.axes} - {""}
        assert {" ".join(title.split()) for title in titles} == {
            " ".join(panel.title.split()) for panel in figure.panels
        }
        canvas = FigureCanvasAgg(picture)
        canvas.draw()
        assert np.asarray(canvas.buffer_rgba()).std() > 0
        for panel in figure.panels:
            drawn = ElementTree.fromstring(f"<div>{figures.svg_panel(panel, panel.title)}</div>")
            assert all(math.isfinite(value) for value in numbers_in(drawn))
            ink = ("polyline", "rect", "image", "path")
            assert sum(element.tag in ink for element in drawn.iter()) >= len(panel.traces)


def test_curves_mark_memorisation_and_grokking():
    figure = figures.curves_figure(scores(), "x + y mod 7")
    assert figure.panels[0].events == [("memorised at 0", 0), ("grokked at 200", 200)]
    losses, accuracies = figures.render(figure).axes
    assert losses.get_yscale() == "log"
    assert accuracies.lines[-1].get_ydata()[-1] == pytest.approx(1.0)


def test_a_run_that_memorised_at_once_is_drawn_over_a_logarithmic_axis():
    found = History()
    for update in (0, 100, 200, 4000):
        found.append(update, Score(0.1, float(update > 0), 1.0), Score(1.0, 0.2, 0.2))
    figure = figures.curves_figure(found, "x + y mod 7")
    assert (figure.panels[0].x.log, figure.panels[0].x.range) == (True, (100, 4000))
    assert not figures.curves_figure(scores(), "x + y mod 7").panels[0].x.log
    losses, _ = figures.render(figure).axes
    assert losses.get_xscale() == "log"
    assert "NaN" not in figures.svg_panel(figure.panels[0], "losses").replace("nan", "NaN")


def test_what_happened_is_said_above_the_curves():
    for axes in figures.render(figures.curves_figure(scores(), "x + y mod 7")).axes:
        assert [text.get_text() for text in axes.texts] == ["grokked at 200 ↓", "↓ memorised at 0"]
        assert all(text.xyann[1] > 0 for text in axes.texts), "points above the upper edge of the axes"


def test_bars_are_as_high_as_their_values():
    bars = [figures.Bars(["a", "b"], [1.0, 3.0], "key0"), figures.Bars(["a", "b"], [2.0, 1.0], "key1")]
    for stacked, tops in ((False, [1, 3, 2, 1]), (True, [1, 3, 3, 4])):
        (axes,) = figures.render(figures.Figure("", [figures.Panel("", bars, stacked=stacked)])).axes
        paths = [path for bar in axes.collections for path in bar.get_paths()]
        assert [path.vertices[:, 1].max() for path in paths] == tops


def test_the_names_of_rows_are_in_the_picture_and_run_as_the_axis_says():
    rows = ["2-hop-big-hash, independent", "optimal"]
    trace = figures.Intervals(rows, [1.0, 2.0], [3.0, 4.0], [5.0, 6.0], "key0")
    panel = figures.Panel("", [trace], figures.Axis(from_zero=True), figures.Axis(reversed=True))
    picture = figures.render(figures.Figure("", [panel]))
    picture.draw_without_rendering()
    (axes,) = picture.axes
    first, second = (label.get_window_extent() for label in axes.get_yticklabels())
    assert min(first.x0, second.x0) >= 0
    assert first.y0 > second.y1
    assert axes.get_xlim()[0] == 0


def test_a_picture_displays_itself():
    assert figures.render(figures.curves_figure(scores(), ""))._repr_png_().startswith(b"\x89PNG")


def test_heads_are_laid_out_as_one_square():
    weight = torch.arange(2 * 3 * 6).view(2, 3, 6)
    assert torch.equal(as_matrix(weight), weight.view(6, 6))  # W_O: one head under another
    assert torch.equal(as_matrix(weight.mT), weight.view(6, 6).T)  # W_Q: one head beside another
    assert torch.equal(as_matrix(weight[0]), weight[0])


def test_every_matrix_is_drawn_on_its_own_scale():
    data = ModularDataModule("x + y", 7)
    network = Transformer(**data.network_shape, d_model=16, d_mlp=24, n_layers=2, biases=True)
    network.further = Parameter(torch.tensor([[0.5, -2.0]]))
    picture = figures.render(figures.parameter_figure(network, "title"))
    images = {axes.get_title().split("\n")[0]: axes.images[0] for axes in picture.axes}
    assert set(images) == {name for name, weight in network.named_parameters() if weight.dim() > 1}
    assert images["further"].get_array().tolist() == [[0.5, -2.0]]
    assert images["further"].get_clim() == (-2.0, 2.0)
    assert images["blocks.1.attn.b_Q"].get_clim() == (-1.0, 1.0), "zeros are in the middle of the scale"


@pytest.mark.parametrize("modulus", [2, 3, 11])
def test_components_show_operands_in_order_and_other_tokens_apart(modulus):
    data = ModularDataModule(["x + y", "x * y"], modulus)
    network = Transformer(**data.network_shape, d_model=16, d_mlp=24)
    vocabulary = data.template.vocabulary
    figure = figures.components_figure(network.embed.W_E, modulus, vocabulary.special, "title")
    for panel in figure.panels:
        operands, *others = panel.traces
        assert operands.labels == [str(symbol) for symbol in range(modulus)]
        assert [point.name for point in others] == ["op:x + y", "op:x * y", "="]


def test_letters_are_larger_beside_the_curves_of_a_narrow_picture() -> None:
    """In a card of TensorBoard, 350 pixels wide, a letter has at least 7 pixels; no title or legend runs over."""
    title = "Neurons by the share of variance explained"
    names = ("training pairs", "held-out pairs", "new held-out pairs")
    lines = [figures.Line([0, 1], [0, 1], "train", name) for name in names]
    figure = figures.Figure("title", [figures.Panel(title, lines, shape="half")] * 4)
    picture = figures.render(figure, 4.8)
    pixels = picture.get_figwidth() * picture.dpi
    FigureCanvasAgg(picture).draw()
    for axes in picture.axes:
        assert min(label.get_fontsize() for label in axes.get_xticklabels()) / 72 / 4.8 * 350 >= 7
        drawn = next(text for text in (axes._left_title, axes.title) if text.get_text())
        assert drawn.get_text().replace("\n", " ") == title
        box = drawn.get_window_extent()
        assert box.width <= pixels / 2
        assert box.y0 >= axes.get_window_extent().y1
        named = [text.get_window_extent() for text in axes.get_legend().get_texts()]
        assert max(name.x1 for name in named) <= box.x0 // (pixels / 2) * (pixels / 2) + pixels / 2
        assert max(name.y1 for name in named) <= box.y0
