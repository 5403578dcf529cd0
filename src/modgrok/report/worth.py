"""What each part of a network is worth, as a table and in sentences whose links switch the part off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from modgrok.analysis import Worth
from modgrok.analysis.run_analysis import CheckpointScores, RunAnalysis, TaskAnalysis
from modgrok.figures.numbers import percent

_SIDES = {"trained": "training pairs", "known": "pairs known by symmetry", "new": "new pairs"}


@dataclass(frozen=True)
class WorthTable:
    """The table of a task.

    Attributes:
        columns: the pairs that each accuracy is over.
        rows: what is done in words, with its link, and the accuracies as text and as numbers to sort by.
        sentences: what stands out in it.
        of_every: "of every z" where the pairs have a third operand, of which the page shows one value; else empty.
    """

    columns: Sequence[str]
    rows: Sequence[tuple[Markup, Sequence[tuple[str, float]]]]
    sentences: Sequence[Markup]
    of_every: str


def worth_table(
    analysis: RunAnalysis, task: TaskAnalysis, shown_updates: Sequence[int] | None
) -> WorthTable | None:
    """Lay out the causal worth of a task's parts; None where it was not measured.

    Args:
        analysis: the analysis of the run.
        task: one of its tasks.
        shown_updates: the checkpoints that the page can show; None if it cannot run the network.
    """
    if not task.worth:
        return None
    number = analysis.tasks.index(task)
    of_every = "".join(f"of every {operand}" for operand in task.circuit.view.operands[2:])
    every = f" {of_every}" if of_every else ""

    def link(address: str, words: str) -> Markup:
        if shown_updates is None:
            return Markup("{}").format(words)
        return Markup('<a href="#{}{}">{}</a>').format(
            address, f"&task={number + 1}" if number else "", words
        )

    def without(part: Worth, words: str) -> Markup:
        return link(f"off={_switch(analysis, part)}", words)

    whole, *parts = task.worth
    if not any(part.kind == "neurons" and part.number is not None for part in parts):
        # without groups the "other" neurons are all of them, and nothing is learned by taking them away
        parts = [part for part in parts if part.kind != "neurons"]
    sides = [side for side in _SIDES if getattr(whole, side) is not None] or ["accuracy"]
    rows = [
        (
            link("off=", "everything on") if part is whole else without(part, f"without {_words(part)}"),
            [(percent(getattr(part, side)), getattr(part, side)) for side in sides],
        )
        for part in (whole, *parts)
    ]
    sentences = []
    if needed := _most_needed(whole, parts, sides[-1]):
        words = without(needed, f"Without {_words(needed)}")
        left, all_on = (percent(getattr(part, sides[-1])) for part in (needed, whole))
        pairs = _SIDES.get(sides[-1], "pairs") + every
        sentences.append(Markup("{}, {} of the {} are right; with it {}.").format(words, left, pairs, all_on))
    if idle := [without(part, _words(part)) for part in parts if part.accuracy >= whole.accuracy]:
        names = Markup(" and ").join(filter(None, [Markup(", ").join(idle[:-1]), idle[-1]]))
        how = "Each of these can go by itself" if len(idle) > 1 else "This part can go"
        over = f" over the pairs{every}" if every else ""
        sentences.append(Markup("{} without one more wrong answer{}: {}.").format(how, over, names))
    if before := _before(analysis, task, shown_updates or ()):
        words = link(f"update={before.update}", f"At update {before.update:,}")
        known, held_out = percent(before.train_accuracy or 0), percent(before.heldout_accuracy or 0)
        said = "{} it knew {} of the training pairs and {} of the held-out pairs{}."
        sentences.append(Markup(said).format(words, known, held_out, every))
    return WorthTable([_SIDES.get(side, "all pairs") for side in sides], rows, sentences, of_every)


def _switch(analysis: RunAnalysis, part: Worth) -> str:
    """The name of a part in the page's address."""
    if part.kind == "head":
        return f"head-{analysis.snapshot.network.config['n_layers'] - 1}.{part.number}"
    if part.kind == "neurons":
        return f"group-{'others' if part.number is None else part.number}"
    return f"{part.kind}-{part.number}"


def _words(part: Worth) -> str:
    """The part with its size: frequency 17, head 2, the 41 neurons of frequency 17."""
    return part.part if part.size is None else f"the {part.size} {part.part}"


def _most_needed(whole: Worth, parts: Sequence[Worth], side: str) -> Worth | None:
    worst = min(parts, key=lambda part: getattr(part, side), default=None)
    return worst if worst and getattr(worst, side) < getattr(whole, side) else None


def _before(
    analysis: RunAnalysis, task: TaskAnalysis, shown_updates: Sequence[int]
) -> CheckpointScores | None:
    """The checkpoint at which the network had memorised and knew the least of what was held out."""
    threshold = analysis.snapshot.history.threshold
    found = [
        moment
        for moment in task.moments[:-1]
        if moment.update in shown_updates
        and moment.train_accuracy is not None
        and moment.heldout_accuracy is not None
        and moment.heldout_accuracy < threshold <= moment.train_accuracy
    ]
    return min(found, key=lambda moment: moment.heldout_accuracy or 0.0, default=None)
