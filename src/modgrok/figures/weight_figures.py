"""The weight products: from the symbols to the neurons, and from the neurons to the answers."""

from __future__ import annotations

import torch
from torch import Tensor

from modgrok.analysis import Basis, Circuit
from modgrok.figures.figure import Axis, Figure, Heatmap, Panel
from modgrok.figures.spectrum_panel import spectrum_panel


def weight_figures(circuit: Circuit) -> list[Figure]:
    """The figures of W_neur, where the network has one, and of W_logit.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import read_circuit, task_views
        >>> from modgrok.figures import weight_figures
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> circuit = read_circuit(network, task_views(data)[0])
        >>> len(weight_figures(circuit)) > 0
        True
    """
    view, keys = circuit.view, circuit.key_frequencies
    return [
        *_symbols_to_neurons(circuit),
        Figure(
            f"W_logit = {' '.join(circuit.paths.to_logits)}, from the neurons to the answers",
            [
                spectrum_panel(
                    circuit.W_logit.T, view.clocked_pairs.answer_basis, keys, "Spectrum of W_logit"
                ),
                _blocks(
                    "W_logit, neuron by neuron", circuit.W_logit, view.clocked_pairs.answer_basis, circuit
                ),
            ],
            "The read-out in the characters of the answer: the same frequencies again, and each neuron writes to the "
            "frequency that it reads.",
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
            [
                _blocks(f"W_neur in the characters of {names}", rows, basis, circuit, len(W_neur))
                for names, basis in circuit.view.distinct_bases
            ],
            "Neurons are sorted by the frequency that they are tuned to, untuned ones last. Blocks along a staircase "
            "mean that the weights alone, without any input, assign each neuron its frequency.",
        )
    ]


def _blocks(title: str, rows: Tensor, basis: Basis, circuit: Circuit, heads: int = 1) -> Panel:
    """The norm of each frequency in rows (h·m, s), over heads, as a map: frequencies by sorted neurons."""
    waves = torch.einsum("kws,ms->kwm", basis.planes, rows.double())[1:]
    norms = torch.unflatten(waves, 2, (heads, -1)).square().sum(dim=(1, 2)).sqrt()  # (k, m)
    clusters = circuit.tuning.clusters
    last = torch.iinfo(clusters.dtype).max
    order = torch.where(clusters > 0, clusters, last).argsort(stable=True)
    trace = Heatmap(norms[:, order], "norm", y0=1)
    return Panel(title, [trace], Axis("neuron (sorted by frequency)"), Axis("frequency"), "wide")
