"""Where the last position attends to, and by which frequencies."""

from __future__ import annotations

import torch

from modgrok.analysis import Attention, Circuit, TaskView, spectrum
from modgrok.figures.figure import Axis, Bars, Figure, Heatmap, Line, Panel
from modgrok.figures.operand_maps import clock_order, map_panel, map_slice, pair_maps

MOST_HEADS = 8
"""Heads drawn as maps and lines."""


def attention_figures(circuit: Circuit) -> list[Figure]:
    """The figures of the attention pattern and scores; none of a network without attention."""
    view, attention = circuit.view, circuit.attention
    if attention is None:
        return []
    place = view.words.index("x")
    maps = pair_maps(attention.pattern[:, :MOST_HEADS, place], view)
    return [
        Figure(
            "Attention from the last position, on average",
            [_mean(attention, view)],
            "Where the answer is read from: in a grokked network usually about half from each operand, and little "
            "from elsewhere.",
        ),
        Figure(
            "Attention to x, over the pairs",
            [
                map_panel(f"Head {head}{map_slice(view).at}", values, view, "attention")
                for head, values in enumerate(maps)
            ],
            "Stripes and waves: a head that moves its attention with an operand does so periodically, in the key "
            "frequencies. A head of one color attends in the same way whatever the operands are.",
        ),
        Figure(
            "Attention scores of the symbols",
            _scores(attention, view),
            "The score that a head gives x before the softmax, averaged over the other operands, as the symbol "
            "turns around the clock; and its spectrum, head by head. Few frequencies, and the same ones as in the "
            "neurons, are the circuit's.",
        ),
    ]


def _mean(attention: Attention, view: TaskView) -> Panel:
    mean = attention.pattern.double().mean(dim=0)  # (h, t)
    heads = [f"head {head}" for head in range(len(mean))]
    traces = [
        Bars(heads, mean[:, place], f"key{place % 8}", f"{place + 1}: {word}")
        for place, word in enumerate(view.words)
    ]
    return Panel(
        "Mean attention pattern", traces, y=Axis("attention", range=(0, 1)), shape="wide", stacked=True
    )


def _scores(attention: Attention, view: TaskView) -> list[Panel]:
    heads = attention.scores.shape[1]
    symbols = view.domain.pairs[:, 0]
    totals = torch.zeros(view.task.n_symbols, heads, dtype=torch.float64)
    totals.index_add_(0, symbols, attention.scores[:, :, view.words.index("x")].double())
    counts = torch.bincount(symbols, minlength=view.task.n_symbols)
    mean = totals / counts.clamp(min=1)[:, None]  # (s, h)
    order = clock_order(view, 0)
    order = order[counts[order] > 0]
    turning = [str(symbol) for symbol in order.tolist()]
    basis = view.domain.operand_bases[0]
    norms = torch.stack([spectrum(mean[:, [head]], basis)[1:] for head in range(heads)])
    names = view.distinct_bases[0][0]
    return [
        Panel(
            "Mean score of x",
            [
                Line(turning, mean[order, head], f"key{head % 8}", f"head {head}")
                for head in range(min(heads, MOST_HEADS))
            ],
            Axis("symbol x, around the clock", ticks=12),
            Axis("score"),
            "wide",
        ),
        Panel(
            f"Spectrum of the scores, in the characters of {names}",
            [Heatmap(norms, "norm", y=[f"head {head}" for head in range(heads)], x0=1)],
            Axis("frequency"),
            Axis(reversed=True),
            "wide",
        ),
    ]
