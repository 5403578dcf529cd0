"""The weight products: from the symbols to the neurons, and from the neurons to the answers."""

from __future__ import annotations

import torch
from torch import Tensor

from modgrok.analysis import Basis, Circuit
from modgrok.figures.figure import Figure, Panel, axis, heatmap
from modgrok.figures.spectrum_panel import spectrum_panel


def weight_figures(circuit: Circuit) -> list[Figure]:
    """The figures of W_neur, if there is one, and of W_logit."""
    view, keys = circuit.view, circuit.key_frequencies
    return [
        *_symbols_to_neurons(circuit),
        Figure(
            f"W_logit = {' '.join(circuit.paths.to_logits)}, from the neurons to the answers",
            "The read-out in the characters of the answer: the same frequencies again, and each neuron writes to the "
            "frequency that it reads.",
            [
                spectrum_panel(circuit.W_logit.T, view.domain.answer_basis, keys, "Spectrum of W_logit"),
                Panel(
                    "W_logit, neuron by neuron",
                    [_blocks(circuit.W_logit, view.domain.answer_basis, circuit, 1)],
                    {"xaxis": axis("neuron, sorted by frequency"), "yaxis": axis("frequency")},
                    "wide",
                ),
            ],
        ),
    ]


def _symbols_to_neurons(circuit: Circuit) -> list[Figure]:
    W_neur = circuit.W_neur  # (h, s, m)
    if W_neur is None:
        return []
    through = "through the heads " if circuit.attention else ""
    rows = W_neur.transpose(1, 2).flatten(0, 1)
    return [
        Figure(
            f"W_neur, from the symbols {through}to the neurons",
            "Neurons are sorted by the frequency that they are tuned to, untuned ones last. Blocks along a staircase "
            "mean that the weights alone, without any input, assign each neuron its frequency.",
            [
                Panel(
                    f"W_neur in the characters of {names}",
                    [_blocks(rows, basis, circuit, len(W_neur))],
                    {"xaxis": axis("neuron, sorted by frequency"), "yaxis": axis("frequency")},
                    "wide",
                )
                for names, basis in circuit.view.distinct_bases
            ],
        )
    ]


def _blocks(rows: Tensor, basis: Basis, circuit: Circuit, heads: int) -> dict[str, object]:
    """The norm of each frequency in rows (h·m, s), over heads, as a map: frequencies by sorted neurons."""
    waves = torch.einsum("kws,ms->kwm", basis.planes, rows.double())[1:]
    norms = torch.unflatten(waves, 2, (heads, -1)).square().sum(dim=(1, 2)).sqrt()  # (k, m)
    clusters = circuit.tuning.clusters
    last = torch.iinfo(clusters.dtype).max
    order = torch.where(clusters > 0, clusters, last).argsort(stable=True)
    hover = "frequency %{y}<br>norm"
    return heatmap(norms[:, order], hover=hover, y0=1, dy=1)
