"""A network's circuit at a glance."""

from __future__ import annotations

from modgrok.analysis import Circuit, GroupMeasures
from modgrok.figures.figure import Axis, Figure, Panel
from modgrok.figures.group_figures import group_figure
from modgrok.figures.neuron_figures import tuning_panel
from modgrok.figures.spectrum_panel import frequency_bars, spectrum_panel


def circuit_figure(circuit: Circuit, title: str) -> Figure:
    """The spectra of W_E and W_logit, the neurons' tuning, and the cosines in the logits; on a group, the irreps.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import read_circuit, task_views
        >>> from modgrok.figures import circuit_figure
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> circuit = read_circuit(network, task_views(data)[0])
        >>> circuit_figure(circuit, "x + y mod 11").title
        'x + y mod 11'
    """
    if circuit.group is not None:
        measures = circuit.measures()
        assert isinstance(measures, GroupMeasures)
        return group_figure(measures, title)
    pairs, keys = circuit.view.clocked_pairs, circuit.key_frequencies
    return Figure(
        title,
        [
            spectrum_panel(circuit.W_E, pairs.operand_bases[0], keys, "W_E in the characters of x", "half"),
            spectrum_panel(circuit.W_logit.T, pairs.answer_basis, keys, "Spectrum of W_logit", "half"),
            tuning_panel(circuit),
            Panel(
                "Share of the logits' variance",
                [frequency_bars(circuit.directions.variance_explained, keys)],
                Axis("frequency"),
                Axis("share of variance", from_zero=True),
            ),
        ],
        "A circuit on a clock shows the same few tall frequencies in both spectra and in the logits, and neurons "
        "that one frequency explains.",
    )
