"""The neurons: examples over the pairs, what explains them, and their clusters."""

from __future__ import annotations

import torch

from modgrok.analysis import Circuit
from modgrok.analysis.neurons import TUNED
from modgrok.figures.figure import Axis, Bars, Figure, Panel, first_of, key_color
from modgrok.figures.numbers import percent
from modgrok.figures.operand_maps import map_panel, map_slice, pair_maps


def neuron_figures(circuit: Circuit, examples: int) -> list[Figure]:
    """The figures of the neurons, at most `examples` of them as maps.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import read_circuit, task_views
        >>> from modgrok.figures import neuron_figures
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> circuit = read_circuit(network, task_views(data)[0])
        >>> len(neuron_figures(circuit, examples=2)) > 0
        True
    """
    view, tuned = circuit.view, circuit.tuning
    chosen = example_neurons(circuit, examples)
    maps = pair_maps(circuit.neurons(chosen), view)
    fractions = tuned.fractions
    titles = [
        f"Neuron {neuron}: frequency {int(tuned.frequencies[neuron])}, {percent(float(fractions[neuron]))}"
        for neuron in chosen
    ]
    chosen_by = (
        "the best tuned neuron of each key frequency"
        if circuit.key_frequencies
        else "the most active neurons"
    )
    return [
        Figure(
            "Neurons over the pairs",
            [
                map_panel(title + map_slice(view).at, values, view, "activation")
                for title, values in zip(titles, maps, strict=True)
            ],
            f"Here {chosen_by}, with the share of its variance that its best frequency explains. A tuned neuron is "
            f"a wave in both operands, at the same frequency in each.{first_of(circuit.key_frequencies, examples)}",
        ),
        Figure(
            "What the best frequency explains, and the clusters",
            [tuning_panel(circuit), _clusters(circuit)],
            f"Left, the share of each neuron's variance that its best frequency explains: in a clean circuit nearly "
            f"all are at the right, beyond {TUNED}, from where a neuron counts as tuned. Right, how many neurons "
            "are tuned to each frequency; those with 1% of the active neurons or more, and at least two, are the "
            "key frequencies.",
        ),
    ]


def example_neurons(circuit: Circuit, count: int) -> list[int]:
    """The best tuned neuron of each key frequency; without key frequencies the neurons that vary the most."""
    tuned, keys = circuit.tuning, circuit.key_frequencies[:count]
    if keys:
        best = [torch.where(tuned.clusters == k, tuned.fractions, -1.0).argmax() for k in keys]
        return [int(neuron) for neuron in best]
    return tuned.variance.topk(min(count, 4, len(tuned.variance))).indices.tolist()


def tuning_panel(circuit: Circuit) -> Panel:
    """How many active neurons have which share of their variance explained by their best frequency."""
    fractions = circuit.tuning.fractions[circuit.tuning.active]
    counts = torch.histc(fractions.cpu(), bins=20, min=0.0, max=1.0)
    centers = [(bin + 0.5) / 20 for bin in range(20)]
    return Panel(
        "Neurons by the share of variance explained",
        [Bars(centers, counts, ["accent" if center > TUNED else "quiet" for center in centers])],
        Axis("share of variance", range=(0, 1)),
        Axis("neurons"),
    )


def _clusters(circuit: Circuit) -> Panel:
    clusters, keys = circuit.tuning.clusters, circuit.key_frequencies
    found = sorted(set(clusters[clusters > 0].tolist()))
    untuned = int((circuit.tuning.active & (clusters < 0)).sum())
    counts = [int((clusters == k).sum()) for k in found]
    return Panel(
        "Neurons tuned to each frequency",
        [
            Bars(
                [*map(str, found), "none"],
                [*counts, untuned],
                [*(key_color(k, keys) for k in found), "quiet"],
            )
        ],
        Axis("frequency"),
        Axis("neurons"),
    )
