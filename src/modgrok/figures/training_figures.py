"""The training curves."""

from __future__ import annotations

from collections.abc import Sequence

from modgrok.analysis import Phase
from modgrok.figures.figure import Axis, Figure, Line
from modgrok.figures.timeline import timeline
from modgrok.runs import History

EARLY = 30
"""A run that memorised in less than 1/30 of its updates is drawn over a logarithmic axis."""


def training_figures(history: History, phases: Sequence[Phase] = ()) -> list[Figure]:
    """The figures of a run's scores; none of fewer than two evaluations.

    Example:
        >>> from modgrok.figures import training_figures
        >>> from modgrok.runs import History, Score
        >>> history = History()
        >>> for update, accuracy in ((0, 0.1), (100, 0.3), (200, 0.995)):
        ...     history.append(update, Score(0.5, 1.0, 0.9), Score(0.5, accuracy, 0.9))
        >>> len(training_figures(history))
        1
    """
    return [curves_figure(history, "Training curves", phases)] if len(history.update) > 1 else []


def curves_figure(history: History, title: str, phases: Sequence[Phase] = ()) -> Figure:
    """Losses (log axis) and accuracies over the updates, with memorisation, grokking and phases marked.

    Example:
        >>> from modgrok.figures import curves_figure
        >>> from modgrok.runs import History, Score
        >>> history = History()
        >>> for update, accuracy in ((0, 0.1), (100, 0.3), (200, 0.995)):
        ...     history.append(update, Score(0.5, 1.0, 0.9), Score(0.5, accuracy, 0.9))
        >>> curves_figure(history, "x + y mod 7").title
        'x + y mod 7'
    """

    def curves(train: list[float], heldout: list[float]) -> list[Line]:
        return [
            Line(history.update, train, "train", "training pairs"),
            Line(history.update, heldout, "heldout", "held-out pairs"),
        ]

    new = _new_pairs(history)
    events = {"memorised": history.memorised_at, "grokked": history.grokked_at}
    if new and history.grokked_new_at != history.grokked_at:
        events["new pairs"] = history.grokked_new_at
    marks, first = (history.update[-1], phases, events), _first_shown(history)
    return Figure(
        title,
        [
            timeline(
                "Loss",
                curves(history.train_loss, history.heldout_loss),
                Axis("loss", log=True),
                *marks,
                first=first,
            ),
            timeline(
                "Accuracy",
                [*curves(history.train_accuracy, history.heldout_accuracy), *new],
                Axis("accuracy", range=(-0.02, 1.02)),
                *marks,
                first=first,
            ),
        ],
        "Memorisation first: the training loss falls while the held-out loss stays high. Grokking is the late, "
        "sudden fall of the held-out loss."
        + (
            " New held-out pairs are those that no symmetry of the task carries a training pair to: only they need the "
            "rule."
            if new
            else ""
        ),
    )


def _first_shown(history: History) -> int:
    """The update at which a logarithmic axis begins; 0 for a linear one, where memorisation is not lost at its edge."""
    if not history.memorised_at or history.memorised_at * EARLY > history.update[-1]:
        return 0
    return next((update for update in history.update if update > 0), 0)


def _new_pairs(history: History) -> list[Line]:
    """Return the accuracy over the new held-out pairs; none where all or no held-out pairs are new."""
    columns = (history.update, history.heldout_accuracy_new, history.heldout_accuracy_known)
    apart = {
        update: new
        for update, new, known in zip(*columns, strict=True)
        if new is not None and known is not None
    }
    return [Line([*apart], [*apart.values()], "new", "new held-out pairs")] if apart else []
