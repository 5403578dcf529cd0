"""The formulas of a mixture side by side."""

from __future__ import annotations

from collections.abc import Mapping

from modgrok.figures.figure import Axis, Figure, Line
from modgrok.figures.timeline import timeline
from modgrok.runs import History


def mixture_figures(history: History, alone: Mapping[str, History]) -> list[Figure]:
    """The held-out accuracy of each formula; no figure of a single formula.

    Args:
        history: the history of the mixture.
        alone: the histories of runs on one formula of the mixture each, by the formula.

    Example:
        >>> from modgrok.figures import mixture_figures
        >>> from modgrok.runs import History, Score
        >>> history = History()
        >>> for update, accuracy in ((0, 0.1), (100, 0.3), (200, 0.995)):
        ...     history.append(update, Score(0.5, 1.0, 0.9), Score(0.5, accuracy, 0.9))
        >>> mixture_figures(history, {})  # one formula is no mixture
        []
    """
    if not history.of_task:
        return []
    curves, last = [], history.update[-1]
    for place, (task, own) in enumerate(history.of_task.items()):
        color = f"key{place % 8}"
        curves.append(Line(own.update, own.heldout_accuracy, color, task))
        if (single := alone.get(task)) is not None:
            curves.append(Line(single.update, single.heldout_accuracy, color, f"{task}, alone", dotted=True))
            last = max(last, single.update[-1])
    accuracy = Axis("accuracy of the held-out pairs", range=(-0.02, 1.02))
    return [
        Figure(
            "Grokking together",
            [timeline("Accuracy of each formula", curves, accuracy, last)],
            "Formulas that share a circuit grok at the same time. A run on one formula alone is dotted: the mixture "
            "helped a formula whose solid curve rises to the left of its dotted one.",
        )
    ]
