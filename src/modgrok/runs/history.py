"""What was measured over a run, and the phases that it shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

THRESHOLD = 0.99
"""Accuracy from which a side of the split counts as learned."""


@dataclass(frozen=True)
class Score:
    """What was measured over some pairs: mean loss, accuracy, and mean probability of the right answer."""

    loss: float
    accuracy: float
    probability: float


@dataclass
class History:
    """The scores of both sides of the split, an entry for each evaluation.

    For mixtures, `of_task` holds one `History` per formula.
    """

    update: list[int] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    heldout_loss: list[float] = field(default_factory=list)
    heldout_accuracy: list[float] = field(default_factory=list)
    train_probability: list[float] = field(default_factory=list)
    heldout_probability: list[float] = field(default_factory=list)
    of_task: dict[str, History] = field(default_factory=dict)
    threshold: float = THRESHOLD

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> History:
        """Build the history that `asdict` took apart."""
        of_task = {task: cls.from_record(each) for task, each in record.get("of_task", {}).items()}
        return cls(**{**record, "of_task": of_task})

    def append(self, update: int, train: Score, heldout: Score) -> None:
        """Add an evaluation."""
        self.update.append(update)
        for side, score in (("train", train), ("heldout", heldout)):
            for name, value in asdict(score).items():
                getattr(self, f"{side}_{name}").append(value)

    def latest(self) -> dict[str, float]:
        """Return the last evaluation, under the names its figures are logged by."""
        return {
            f"{side}/{name}": getattr(self, f"{side}_{name}")[-1]
            for side in ("train", "heldout")
            for name in ("loss", "accuracy", "probability")
        }

    def learned(self, side: Literal["train", "heldout"], threshold: float | None = None) -> list[bool]:
        """Return for each evaluation whether the accuracy was at `threshold`: of a mixture, that of each formula."""
        threshold = self.threshold if threshold is None else threshold
        curves = [getattr(history, f"{side}_accuracy") for history in (*self.of_task.values(),) or (self,)]
        return [min(accuracies) >= threshold for accuracies in zip(*curves, strict=True)]

    @property
    def memorised_at(self) -> int | None:
        """The first update evaluated at which the training accuracy reaches the threshold."""
        return self._first(self.learned("train"))

    @property
    def grokked_at(self) -> int | None:
        """The first update evaluated at which the held-out accuracy reaches the threshold."""
        return self._first(self.learned("heldout"))

    def _first(self, learned: list[bool]) -> int | None:
        return next((update for update, yes in zip(self.update, learned, strict=True) if yes), None)
