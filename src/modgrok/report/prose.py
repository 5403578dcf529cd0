"""The findings in words: the paragraphs that open the report."""

from __future__ import annotations

from modgrok.analysis import GroupMeasures, Measures
from modgrok.analysis.neurons import KEY_SHARE, TUNED
from modgrok.analysis.run_analysis import RunAnalysis, TaskAnalysis
from modgrok.figures.numbers import listed, number, percent
from modgrok.report.group_prose import group_method, group_opening
from modgrok.runs import Snapshot


def opening(analysis: RunAnalysis, task: TaskAnalysis) -> str:
    """The paragraph on one task, as plain text: its circuit, the evidence, when it was learned.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.runs import History, Snapshot
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> snapshot = Snapshot(network, data, update=0, history=History())
        >>> from modgrok.analysis import analyze_network
        >>> from modgrok.report import opening
        >>> analysis = analyze_network(snapshot, source="my network")
        >>> len(opening(analysis, analysis.tasks[0])) > 0
        True
    """
    measures = task.last.measures
    circuit = (
        group_opening(task.circuit, task.last, measures)
        if isinstance(measures, GroupMeasures)
        else [*_circuit(task), *_evidence(task, measures)]
    )
    return " ".join([*circuit, *_learning(analysis, task), *_start(analysis.snapshot)])


def method(analysis: RunAnalysis, task: TaskAnalysis) -> str:
    """The paragraph on the method: the basis of the analysis, and its limits."""
    view, snapshot = task.circuit.view, analysis.snapshot
    sentences = [
        view.reason,
        f"A neuron is tuned to a frequency that explains {percent(TUNED)} of its variance or more; the key "
        f"frequencies are those that {percent(KEY_SHARE)} of the active neurons, and at least two, are tuned to."
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
    circuit, view = task.circuit, task.circuit.view
    keys = circuit.key_frequencies
    active = int(circuit.tuning.active.sum())
    if not keys:
        initial = ", as in every network that has only been initialized" if task.last.update == 0 else ""
        return [
            f"No key frequencies: too few of the {active} active neurons are tuned to any one frequency of the "
            f"{view.clocked_pairs.clock.law} clock{initial}.",
        ]
    frequencies = f"{len(keys)} frequenc{'y' if len(keys) == 1 else 'ies'}: {listed([str(k) for k in keys])}"
    law = view.clocked_pairs.clock.law
    if works(task):
        return [f"{law.capitalize()} clock on {frequencies}."]
    return [f"Neurons tuned to {frequencies}, but no {law} clock that does the task."]


def works(task: TaskAnalysis) -> bool:
    """Whether the key frequencies alone do most of the task: the restricted loss is below half that of a guess."""
    view, last = task.circuit.view, task.last
    return bool(
        task.circuit.key_frequencies
        and view.clocked_pairs.separates
        and last.measures.restricted_loss < task.circuit.guess / 2
    )


def _evidence(task: TaskAnalysis, measures: Measures) -> list[str]:
    """Say how sure the circuit is: whether the key frequencies are enough, and whether they are needed."""
    circuit, guess = task.circuit, task.circuit.guess
    if not circuit.key_frequencies:
        return []
    needed = (
        "without them the network is worse than a guess"
        if measures.excluded_loss > guess
        else f"without them the loss is {number(measures.excluded_loss)}, where a guess has {number(guess)}"
    )
    if works(task):
        return [f"These frequencies alone do the task; {needed}."]
    alone = number(measures.restricted_loss)
    return [f"With these frequencies alone the loss is {alone}; {needed}."]


def _start(snapshot: Snapshot) -> list[str]:
    sentences = [f"Training started with the {snapshot.pretrained_from}."] if snapshot.pretrained_from else []
    if snapshot.frozen:
        sentences.append(f"These parts were frozen: {listed(list(snapshot.frozen))}.")
    return sentences


def _learning(analysis: RunAnalysis, task: TaskAnalysis) -> list[str]:
    last, history = task.last, analysis.history(task)
    if last.heldout_accuracy is None or last.train_accuracy is None:
        return [f"The network gets {percent(last.accuracy)} of all pairs right."]
    memorised, grokked = history.memorised_at, history.grokked_at
    if memorised is None:
        known = f"It has not memorised: {percent(last.train_accuracy)} of the training pairs are right"
    else:
        known = f"It memorised at update {memorised:,}"
    if grokked is not None:
        return [f"{known} and grokked at update {grokked:,}."]
    return [
        f"{known} and has not grokked: {percent(last.heldout_accuracy)} of the held-out pairs are right after "
        f"{last.update:,} updates."
    ]


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
