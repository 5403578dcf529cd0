"""Where the last position attends to, and by which frequencies."""

from __future__ import annotations

import torch

from modgrok.analysis import Attention, Circuit, TaskView, spectrum
from modgrok.figures.figure import Axis, Figure, Heatmap, Panel
from modgrok.figures.operand_maps import map_panel, map_slice, pair_maps

MOST_HEADS = 8
"""Heads drawn as maps."""


def attention_figures(circuit: Circuit) -> list[Figure]:
    """The figures of the attention pattern and scores; none of a network without attention.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import read_circuit, task_views
        >>> from modgrok.figures import attention_figures
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> circuit = read_circuit(network, task_views(data)[0])
        >>> len(attention_figures(circuit)) > 0
        True
    """
    view, attention = circuit.view, circuit.attention
    if attention is None:
        return []
    place = view.words.index("x")
    maps = pair_maps(attention.pattern[:, :MOST_HEADS, place], view)
    return [
        Figure(
            "Attention to x, over the pairs",
            [
                map_panel(
                    f"Head {head}: {_shares(attention, view, head)}{map_slice(view).at}",
                    values,
                    view,
                    "attention",
                )
                for head, values in enumerate(maps)
            ],
            "In the titles what each head gives to each word on average: in a grokked network usually about half to "
            "each operand. Stripes and waves: a head that moves its attention with an operand does so periodically, in "
            "the key frequencies. A head of one color attends in the same way whatever the operands are.",
        ),
        Figure(
            "Frequencies of the attention scores",
            [_score_spectrum(attention, view)],
            "The score that a head gives x before the softmax, averaged over the other operands, frequency by "
            "frequency. Few frequencies, and the same ones as in the neurons, are the circuit's.",
        ),
    ]


def _shares(attention: Attention, view: TaskView, head: int) -> str:
    """What a head gives to each word on average, as far as it gives it anything: x 46%, y 54%."""
    mean = attention.pattern[:, head].double().mean(dim=0)
    return ", ".join(
        f"{word} {share:.0%}" for word, share in zip(view.words, mean.tolist(), strict=True) if share >= 0.005
    )


def _score_spectrum(attention: Attention, view: TaskView) -> Panel:
    heads = attention.scores.shape[1]
    symbols = view.clocked_pairs.operands[:, 0]
    totals = torch.zeros(view.task.n_symbols, heads, dtype=torch.float64)
    totals.index_add_(0, symbols, attention.scores[:, :, view.words.index("x")].double())
    counts = torch.bincount(symbols, minlength=view.task.n_symbols)
    mean = totals / counts.clamp(min=1)[:, None]  # (s, h)
    basis = view.clocked_pairs.operand_bases[0]
    norms = torch.stack([spectrum(mean[:, [head]], basis)[1:] for head in range(heads)])
    names = view.distinct_bases[0][0]
    return Panel(
        f"Scores of x in the characters of {names}",
        [Heatmap(norms, "norm", y=[f"head {head}" for head in range(heads)], x0=1)],
        Axis("frequency"),
        Axis(reversed=True),
        "wide",
    )
