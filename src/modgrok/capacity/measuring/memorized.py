"""The measurement of one run, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from modgrok.capacity.estimators.schemes import TwoHopBits
from modgrok.capacity.questions.two_hops import HELD_OUT, INFERRED
from modgrok.runs.findings import read_record, write_record

CONVERGED, ALL = 0.02, 0.99
"""A run counts as converged if its second half added at most 2% of its bits, or 99% of all there is are known."""

FULL = 0.95
"""A network that knows this share of its data or more is not full: it could have held more than it was given."""

SIZES = ("n", "seed", "batch_size", "sample")
"""Arguments of data that do not make them another kind of data."""


@dataclass(frozen=True)
class WhatIsLeft:
    """What a network that was trained on with other people knows of those before.

    Attributes:
        name: The name of the set of people in the history.
        run: The run that was trained on them.
        n: The number of people.
        bits: Bits of them that the network knows.
        reachable: Bits of them that a network which knows everything is seen to have memorized.
        loss: Bits per answer.
        accuracy: The share of right answers.
        shared_names: How many of the later people have a name of theirs.
    """

    name: str
    run: str
    n: int
    bits: float
    reachable: float
    loss: float
    accuracy: float
    shared_names: int


@dataclass(frozen=True)
class Measurement:
    """The bits that one run has memorized, and the scores they come from.

    Attributes:
        run: The run's directory.
        data: The arguments of its data.
        n: The number of people.
        relations: The number of relations of a profile.
        notation: The notation of the questions.
        parameters: The number of all parameters.
        parameters_without_embeddings: The same but for the embedding and the readout.
        updates: The number of updates that the network has had.
        exposures: How often each one-hop fact has been trained on.
        bits: Memorized bits, by part.
        bits_error: The standard error of their total, 0 where every fact was scored.
        reachable: Bits that a network which knows everything is seen to have memorized, by part.
        entropy: log2 of the number of data sets that the source could have drawn.
        gain: What the second half of the run added, as a share of the bits at its end; None if that was not logged.
        losses: Bits per answer of every scored set.
        errors: Standard errors of the losses, 0 where every question was scored.
        accuracies: The share of right answers of every scored set.
        threshold: The accuracy that `memorised_at` and `composed_at` refer to.
        published: Capacity in bits by the published estimators.
        corrected: Capacity in bits by the corrected estimators.
        two_hops: What there is to store of two-hop questions, as plain data; None where there are none.
        phi: Trained questions of two facts per fact in distribution; None where facts are all that is trained on.
        allen_zhu: The capacity ratio, and the highest there can be; where names are scored and hops are one.
        history: The scores of every validation.
        surprise: Memorized bits person by person, as Morris et al. count them; of biographies with scored names.
        seconds: Wall time of the training.
        earlier: What is left of the people that the network was trained on before, in the order of training, as the
            plain data of `WhatIsLeft`.
    """

    run: str
    data: dict[str, Any]
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
    allen_zhu: tuple[float, float] | None
    history: list[dict[str, float]]
    seconds: float
    bits_error: float = 0.0
    errors: dict[str, float] = field(default_factory=dict)
    threshold: float = 0.99
    two_hops: dict[str, Any] | None = None
    phi: float | None = None
    surprise: float | None = None
    earlier: list[dict[str, Any]] = field(default_factory=list)

    @property
    def bits_per_parameter(self) -> float:
        """Memorized bits per parameter."""
        return self.bits["total"] / self.parameters

    @property
    def left(self) -> list[WhatIsLeft]:
        """What is left of the people that the network was trained on before."""
        return [WhatIsLeft(**one) for one in self.earlier]

    @property
    def facts_alone(self) -> bool:
        """Whether one-hop facts of these people are all that the network was ever trained on."""
        return self.phi is None and not self.earlier

    @property
    def full(self) -> bool:
        """Whether there was more to know than the network came to know."""
        return self.bits["total"] < FULL * self.reachable["total"]

    @property
    def kind(self) -> str:
        """The kind of data, their sizes and seeds apart: runs of one kind can be compared."""
        return str({name: value for name, value in self.data.items() if name not in SIZES})

    @property
    def stored(self) -> TwoHopBits | None:
        """The bits of two-hop questions to store; None where there are none."""
        return TwoHopBits(**self.two_hops) if self.two_hops else None

    @property
    def inferred(self) -> str | None:
        """The set of questions of two facts that were trained on, if there are any."""
        return next((name for name in INFERRED if name in self.losses), None)

    def reached_at(self, name: str, accuracy: float) -> int | None:
        """Return the first validation at which a share of a set's answers were right; None before that."""
        scores = ((entry["update"], entry[f"{name}/accuracy"]) for entry in self.history)
        return next((int(update) for update, found in scores if found >= accuracy), None)

    @property
    def memorised_at(self) -> int | None:
        """The first validation at which the answers that were trained on were right; None before that."""
        return self.reached_at(self.inferred or "one_hop", self.threshold)

    @property
    def composed_at(self) -> dict[str, int | None]:
        """The first validation at which the answers of each held-out set were right; None before that."""
        return {name: self.reached_at(name, self.threshold) for name in self.losses if name in HELD_OUT}

    @property
    def censored_at(self) -> int | None:
        """The last update if some held-out set was not answered by then: it would have been later, or never."""
        return self.updates if None in self.composed_at.values() else None

    @property
    def converged(self) -> bool | None:
        """Whether a longer run would add little; None if that is not known."""
        if self.bits["total"] >= ALL * self.reachable["total"]:
            return True
        return None if self.gain is None else self.gain <= CONVERGED

    def plain(self) -> dict[str, Any]:
        """Return everything as plain data."""
        named = ("bits_per_parameter", "converged", "memorised_at", "composed_at", "censored_at")
        return {**asdict(self), **{name: getattr(self, name) for name in named}}

    def write(self, directory: Path) -> None:
        """Write `findings.json` into a run's directory, whole or not at all."""
        write_record(self.plain(), directory)


def read_measurement(directory: Path) -> Measurement:
    """Read the `findings.json` that a run of this wing wrote at its end.

    Raises:
        InputError: if there is none, or it is damaged.
    """
    known = {one.name for one in fields(Measurement)}

    def build(content: Mapping[str, Any]) -> Measurement:
        return Measurement(**{name: value for name, value in content.items() if name in known})

    return read_record(directory, build)
