"""The findings in words: the paragraphs that open the report."""

from __future__ import annotations

import math

from modgrok.analysis import GroupMeasures, restricted_accuracy
from modgrok.analysis.neurons import KEY_SHARE, TUNED
from modgrok.analysis.run_analysis import RunAnalysis, TaskAnalysis
from modgrok.figures.numbers import listed, number, percent
from modgrok.report.group_prose import group_method, group_opening, neurons_by_irrep
from modgrok.runs import Snapshot

CLOCK = 0.9
"""A network is called a clock from this share of right pairs upwards with its key frequencies alone in the logits."""


def opening(analysis: RunAnalysis, task: TaskAnalysis) -> str:
    """The paragraph on one task, as plain text: its circuit, the evidence, when it was learned.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import analyze_network
        >>> from modgrok.report import opening
        >>> from modgrok.runs import History, Snapshot
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> snapshot = Snapshot(network, data, update=0, history=History())
        >>> analysis = analyze_network(snapshot, source="my network")
        >>> len(opening(analysis, analysis.tasks[0])) > 0
        True
    """
    measures = task.last.measures
    circuit = (
        group_opening(task.circuit, task.last, measures)
        if isinstance(measures, GroupMeasures)
        else _circuit(task)
    )
    return " ".join([*circuit, *_learning(analysis, task), *_start(analysis.snapshot)])


def method(analysis: RunAnalysis, task: TaskAnalysis) -> str:
    """The paragraph on the method: the basis of the analysis, and its limits."""
    view, snapshot, measures = task.circuit.view, analysis.snapshot, task.last.measures
    sentences = [
        view.reason,
        *(neurons_by_irrep(task.circuit, measures) if isinstance(measures, GroupMeasures) else ()),
        f"A neuron is tuned to a frequency that explains {percent(TUNED)} of its variance or more; the key "
        f"frequencies are those that {percent(KEY_SHARE)} of the active neurons, and at least two, are tuned to. The "
        f"network is called a clock if they alone, in the logits, get {percent(CLOCK)} of all pairs right."
        if task.circuit.group is None
        else group_method(),
    ]
    for names, basis in view.distinct_bases if task.circuit.group is None else ():
        if basis.indistinguishable:
            sentences.append(f"In {names}: {basis.describe()}. In the logits every frequency is distinct.")
    if not snapshot.split_known:
        sentences.append(
            "The split that these weights were trained on is not known; measures that depend on it are left out."
        )
    config, layer = snapshot.network.config, task.circuit.paths.layer
    if config["n_layers"] > 1:
        sentences.append(
            f"The analysis reads the last of the {config['n_layers']} {layer}s; "
            + (
                "W_neur is its direct path from the embedding."
                if task.circuit.W_neur is not None
                else "the path to it from the embedding is not linear, so W_neur is left out."
            )
        )
    if config.get("normalization"):
        sentences.append("The products of weight matrices ignore normalization.")
    if view.task.n_operands > 2:
        sentences.append("Maps over the operands show one slice, at a fixed z.")
    sentences += _symmetry(task)
    return " ".join(sentences)


def _circuit(task: TaskAnalysis) -> list[str]:
    """Name the circuit, and say what the network is with the key frequencies alone and without them."""
    circuit, measures = task.circuit, task.last.measures
    keys, clock = circuit.key_frequencies, f"{circuit.clock.law} clock"
    if not keys:
        active = int(circuit.tuning.active.sum())
        return [
            f"No key frequencies: too few of the {active} active neurons are tuned to any one frequency of the {clock}."
        ]
    frequencies = f"{len(keys)} frequenc{'y' if len(keys) == 1 else 'ies'}"
    numbers, (these, them) = (
        listed([str(k) for k in keys]),
        ("this", "it") if len(keys) == 1 else ("these", "them"),
    )
    alone = restricted_accuracy(circuit.classes, keys)
    pairs = "all pairs" if circuit.view.training is None else "the training pairs"
    is_clock = circuit.view.clocked_pairs.separates and alone >= CLOCK
    return [
        f"{clock.capitalize()} on {frequencies}: {numbers}."
        if is_clock
        else f"Neurons tuned to {frequencies} of the {clock}: {numbers}.",
        f"With {these} alone in the logits {percent(alone)} of all pairs are right; without {them} the loss of {pairs} "
        f"is {number(measures.excluded_loss)}, where a guess has {number(circuit.guess)}.",
    ]


def _start(snapshot: Snapshot) -> list[str]:
    sentences = [f"Training started with the {snapshot.pretrained_from}."] if snapshot.pretrained_from else []
    if snapshot.frozen:
        sentences.append(f"These parts were frozen: {listed(list(snapshot.frozen))}.")
    return sentences


def _learning(analysis: RunAnalysis, task: TaskAnalysis) -> list[str]:
    last, history = task.last, analysis.history(task)
    if last.heldout_accuracy is None or last.train_accuracy is None:
        return [f"The network gets {percent(last.accuracy)} of all pairs right."]
    if not history.update:
        known, held_out = percent(last.train_accuracy), percent(last.heldout_accuracy)
        return [f"The network gets {known} of the training pairs and {held_out} of the held-out pairs right."]
    memorised, grokked = history.memorised_at, history.grokked_at
    if memorised is None:
        known = f"It has not memorised: {percent(last.train_accuracy)} of the training pairs are right"
    else:
        known = f"It memorised at update {memorised:,}"
    share = percent(last.heldout_accuracy)
    if share == percent(history.threshold) and last.heldout_accuracy < history.threshold:
        share = f"{math.floor(1e4 * last.heldout_accuracy) / 100}%"  # 98.96%, which is not yet 99%
    held_out = f"{share} of the held-out pairs are right after {last.update:,} updates"
    if grokked is None:
        return [f"{known} and has not grokked: {held_out}."]
    lost = f", but {held_out}" if last.heldout_accuracy < history.threshold else ""
    return [f"{known} and grokked at update {grokked:,}{lost}."]


def _symmetry(task: TaskAnalysis) -> list[str]:
    """Say how many of the held-out pairs had to be new to the network, and how many of these are right."""
    view, last = task.circuit.view, task.last
    if view.training is None or view.known is None:
        return []
    new, held_out = int((~view.known).sum()), int((~view.training).sum())
    if last.heldout_accuracy_new is None:
        return [f"None of the {held_out:,} held-out pairs is new: symmetries of the task give all of them."]
    if last.heldout_accuracy_known is None:
        return [f"All {held_out:,} held-out pairs are new: no symmetry of the task gives them."]
    return [
        f"Symmetries of the task give {held_out - new:,} of the {held_out:,} held-out pairs, "
        f"{percent(last.heldout_accuracy_known)} of them right; {new:,} are new, "
        f"{percent(last.heldout_accuracy_new)} of them right."
    ]
