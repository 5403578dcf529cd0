"""What one run has memorized, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from modgrok.capacity.estimators.published_estimators import Encoding
from modgrok.runs.findings import read_record, write_record

CONVERGED, ALL = 0.02, 0.99
"""A run counts as converged if its second half added at most 2% of its bits, or 99% of all there is are known."""


@dataclass(frozen=True)
class Measurement:
    """What one run has memorized.

    Attributes:
        run: its directory.
        n: people.
        relations: relations of a profile.
        notation: of the questions.
        parameters: all of them.
        parameters_without_embeddings: but for the embedding and the readout.
        updates: that the network has had.
        exposures: how often each one-hop fact has been trained on.
        bits: memorized, by part.
        reachable: bits that a network which knows everything is seen to have memorized, by part.
        entropy: log2 of the number of data sets that the source could have drawn.
        gain: what the second half of the run added, as a share of the bits at its end; None if that was not logged.
        losses: bits per answer of every scored set.
        accuracies: of every scored set.
        published: capacity in bits by the published estimators.
        corrected: the same put right.
        stored: bits that each encoding has to store of the trained questions, by encoding; of two hops.
        guess: two-hop loss of a guess that knows the source, bits per trained question; of two hops.
        allen_zhu: capacity ratio, and the highest there can be; where names are scored and hops are one.
        history: what was logged at every validation.
        morris: memorized bits, person by person; of biographies whose names are scored.
        seconds: wall time of the training.
    """

    run: str
    n: int
    relations: int
    notation: str
    parameters: int
    parameters_without_embeddings: int
    updates: int
    exposures: float
    bits: dict[str, Any]
    reachable: dict[str, Any]
    entropy: float
    gain: float | None
    losses: dict[str, float]
    accuracies: dict[str, float]
    published: dict[str, float]
    corrected: dict[str, float]
    stored: dict[Encoding, float]
    guess: float | None
    allen_zhu: tuple[float, float] | None
    history: list[dict[str, float]]
    morris: float | None
    seconds: float

    @property
    def bits_per_parameter(self) -> float:
        """Memorized bits per parameter."""
        return self.bits["total"] / self.parameters

    def half_right_at(self, name: str) -> int | None:
        """Return the first validation at which half of a set's questions were answered right; None before that."""
        scores = ((entry["update"], entry[f"{name}/accuracy"]) for entry in self.history)
        return next((int(update) for update, accuracy in scores if accuracy >= 0.5), None)

    @property
    def converged(self) -> bool | None:
        """Whether a longer run would add little; None if that is not known."""
        if self.bits["total"] >= ALL * self.reachable["total"]:
            return True
        return None if self.gain is None else self.gain <= CONVERGED

    def plain(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {**asdict(self), "bits_per_parameter": self.bits_per_parameter, "converged": self.converged}

    def write(self, directory: Path) -> None:
        """Write `findings.json` into a run's directory, whole or not at all."""
        write_record(self.plain(), directory)


def read_measurement(directory: Path) -> Measurement:
    """Read the `findings.json` that a run of this wing wrote at its end.

    Raises:
        InputError: if there is none, or it is damaged.
    """
    names = [one.name for one in fields(Measurement)]
    return read_record(directory, lambda content: Measurement(**{name: content[name] for name in names}))
