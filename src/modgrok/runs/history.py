"""The scores of a run, evaluation by evaluation, and when it memorised and grokked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

THRESHOLD = 0.99
"""Accuracy from which a side of the split counts as learned, unless a run sets another."""

SYMMETRY_COLUMNS = ("heldout_accuracy_new", "heldout_accuracy_known")

YOUNGER_COLUMNS = (*SYMMETRY_COLUMNS, "train_zero_losses")
"""Columns that older histories have not, and whose entries may be None."""

COLUMNS = (
    *(f"{side}_{name}" for side in ("train", "heldout") for name in ("loss", "accuracy", "probability")),
    *YOUNGER_COLUMNS,
)


class Score(NamedTuple):
    """What was measured over some pairs.

    Example:
        >>> from modgrok.runs import Score
        >>> Score(loss=0.1, accuracy=0.99, probability=0.9).accuracy
        0.99
    """

    loss: float
    """The mean loss."""
    accuracy: float
    """The share that is right."""
    probability: float
    """The mean probability of the right answer."""
    accuracy_new: float | None = None
    """The accuracy over the held-out pairs that are new; None where there are none."""
    accuracy_known: float | None = None
    """The same over those that are known by symmetry."""
    zero_losses: float | None = None
    """Of training pairs, the share whose loss is exactly zero, so that it has no gradient."""

    def measured(self) -> dict[str, float]:
        """Return what was measured, by its name."""
        return {name: value for name, value in self._asdict().items() if value is not None}


@dataclass
class History:
    """The scores of both sides of the split, an entry for each evaluation.

    For mixtures, `of_task` holds one `History` per formula, and the mixture has memorised or grokked when every
    formula has.

    Attributes:
        threshold: the accuracy at which a side of the split counts as learned.
        update: (e,) the updates that were evaluated, ascending; the other columns have one score for each.
        memorised_at: the first evaluated update at which the training accuracy reached the threshold.
        grokked_at: the same for the held-out accuracy.
        grokked_since: the evaluated update since when the held-out accuracy, and that over the new held-out pairs, have
            stayed at the threshold: known pairs alone may reach it, without the rule.
        grokked_new_at: the first evaluated update at which the accuracy over the new held-out pairs reached the
            threshold. A mixture's formulas without new pairs do not count.
        heldout_accuracy_new: over the held-out pairs that no symmetry gives; None where there are none, or where it
            was not measured: before this column was there.
        heldout_accuracy_known: the same over those known by symmetry.
        train_zero_losses: the share of the training pairs whose loss is exactly zero; None where it was not measured.

    Example:
        >>> from modgrok.runs import History, Score
        >>> history = History()
        >>> for update, accuracy in ((0, 0.1), (100, 0.3), (200, 0.995)):
        ...     history.append(update, Score(0.5, 1.0, 0.9), Score(0.5, accuracy, 0.9))
        >>> history.memorised_at, history.grokked_at
        (0, 200)
    """

    threshold: float = THRESHOLD
    update: list[int] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    train_probability: list[float] = field(default_factory=list)
    heldout_loss: list[float] = field(default_factory=list)
    heldout_accuracy: list[float] = field(default_factory=list)
    heldout_probability: list[float] = field(default_factory=list)
    heldout_accuracy_new: list[float | None] = field(default_factory=list)
    heldout_accuracy_known: list[float | None] = field(default_factory=list)
    train_zero_losses: list[float | None] = field(default_factory=list)
    of_task: dict[str, History] = field(default_factory=dict)
    memorised_at: int | None = None
    grokked_at: int | None = None
    grokked_since: int | None = None
    grokked_new_at: int | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> History:
        """Build the history that `asdict` took apart.

        Raises:
            ValueError: if it is not one, or its columns differ in length.
        """
        try:
            of_task = {task: cls.from_record(own) for task, own in record["of_task"].items()}
            unmeasured = {name: [None] * len(record["update"]) for name in YOUNGER_COLUMNS}
            history = cls(**{**unmeasured, **record, "of_task": of_task})
            lengths = {len(getattr(history, name)) for name in ("update", *COLUMNS)}
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("not a history") from error
        if len(lengths) > 1:
            raise ValueError("a history with columns of different lengths")
        return history

    def append(
        self,
        update: int,
        train: Score,
        heldout: Score,
        of_task: Mapping[str, tuple[Score, Score]] | None = None,
    ) -> None:
        """Add an evaluation, for mixtures with the scores (train, held-out) of each formula."""
        self.update.append(update)
        for name in COLUMNS:
            side, _, score = name.partition("_")
            getattr(self, name).append(getattr(train if side == "train" else heldout, score))
        for task, scores in (of_task or {}).items():
            self.of_task.setdefault(task, History(self.threshold)).append(update, *scores)
        parts = [*self.of_task.values()] or [self]
        if self.memorised_at is None and all(part.train_accuracy[-1] >= self.threshold for part in parts):
            self.memorised_at = update
        grokked = all(part.heldout_accuracy[-1] >= self.threshold for part in parts)
        if self.grokked_at is None and grokked:
            self.grokked_at = update
        measured = [part.heldout_accuracy_new[-1] for part in parts]
        new = [accuracy for accuracy in measured if accuracy is not None]
        new_grokked = all(accuracy >= self.threshold for accuracy in new)
        if self.grokked_new_at is None and new and new_grokked:
            self.grokked_new_at = update
        if not (grokked and new_grokked):
            self.grokked_since = None
        elif self.grokked_since is None:
            self.grokked_since = update

    @property
    def delay(self) -> int | None:
        """Updates from memorising to grokking."""
        if self.memorised_at is None or self.grokked_at is None:
            return None
        return self.grokked_at - self.memorised_at

    def latest(self) -> dict[str, float]:
        """Return the last evaluation, under the names its scores are logged by."""
        columns = {name: column for name, column in self.columns().items() if name != "update"}
        return {name: column[-1] for name, column in columns.items() if column[-1] is not None}

    def columns(self) -> dict[str, list[Any]]:
        """Return the history as columns under the names they are logged by, as a data frame wants them."""
        return {"update": self.update} | {name.replace("_", "/", 1): getattr(self, name) for name in COLUMNS}
