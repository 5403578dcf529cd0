"""Which scheme of storing facts explains the losses of runs, given the capacity of their network?

Each scheme says how many bits of the data there are to store. With a capacity that was measured on other data, the
one-hop questions, it predicts the loss of every run, and nothing is fitted but the size of the error.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray

from modgrok.capacity.estimators.published_estimators import Encoding, Selection

Prediction = Mapping[str, NDArray[np.float64]]
STEPS = np.linspace(-3, 3, 41)
"""Capacities that a scheme is tried with, in standard deviations from the measured one."""
ERRORS = np.geomspace(0.01, 0.5, 25)  # of predictions, as shares of a guess's loss; each scale equally likely
SURE = 0.95


@dataclass(frozen=True)
class TwoHopBits:
    """The bits of one-hop facts and trained two-hop questions that there are to store.

    Attributes:
        facts: Bits of all one-hop facts, and of the names that their answers show.
        copies: Bits of the facts that are the first hop of one trained question and the second hop of another.
        answers: Bits of the answers of all trained two-hop questions.
        guess: The two-hop loss of a guess that knows the source, bits per question.
        facts_first: Whether a fact is asked more often than a two-hop question, so that it pays to store it first.
    """

    facts: float
    copies: float
    answers: float
    guess: float
    facts_first: bool

    @property
    def stored(self) -> dict[Encoding, float]:
        """Bits that each encoding has to store for all questions to be answered."""
        return {
            "optimal": self.facts,
            "2-hop-double": self.facts + self.copies,
            "2-hop-big-hash": self.facts + self.answers,
        }

    def loss(self, encoding: Encoding, capacity: float) -> float:
        """Return the two-hop loss of a network that can store `capacity` bits, bits per question.

        A network that looks up two hops and knows a share s of the facts can answer s² of the questions and guesses
        the rest. One that stores every answer by itself stores first what is asked most often.
        """
        if encoding != "2-hop-big-hash":
            share = min(1.0, capacity / self.stored[encoding])
            return self.guess * (1 - share**2)
        left = max(0.0, capacity - self.facts) if self.facts_first else capacity
        return self.guess * (1 - min(1.0, left / self.answers))


def name_loss(selection: Selection, n: int, names: int, capacity: float) -> float:
    """Return the loss of a name, in bits, where N names out of M are all that there is to store.

    `optimal` stores a set, N·log2(M/N) bits, `enumerate` a list, N·log2 M bits, and `independent` no names.
    """
    all_names, known = log2(names), log2(names / n)
    if selection == "independent":
        return all_names
    if selection == "optimal":
        return all_names - min(known, capacity / n)
    return all_names - known * min(1.0, capacity / (n * all_names))


@dataclass(frozen=True)
class Comparison:
    """How well each scheme predicts the losses of runs.

    Attributes:
        probabilities: The probability of each scheme, if one of them holds and each was equally likely before.
        misfits: The root of the mean squared error of each scheme at the measured capacity, bits.
        sure: The least probability of the most probable scheme when one of the data sets is left out.
    """

    probabilities: dict[str, float]
    misfits: dict[str, float]
    sure: float

    @property
    def best(self) -> str:
        """The most probable scheme."""
        return max(self.probabilities, key=lambda scheme: self.probabilities[scheme])

    @property
    def decided(self) -> bool:
        """Whether the data tell the schemes apart, whichever of them is left out."""
        return min(self.probabilities[self.best], self.sure) >= SURE


def compare(
    predictions: Prediction,
    measured: Sequence[float],
    guesses: Sequence[float],
    groups: Sequence[Hashable],
) -> Comparison:
    """Compare schemes by the likelihood of their predictions, over capacities and sizes of the error.

    Args:
        predictions: The predicted losses by scheme, each (STEPS, runs), bits.
        measured: The measured losses of the runs, bits.
        guesses: The losses of a guess, bits.
        groups: The data set of each run; runs of one group differ in their seeds only.
    """
    scale, log_weights = np.array(guesses), -(STEPS**2) / 2
    likelihood: dict[str, NDArray[np.float64]] = {}  # (runs, capacities, errors)
    for scheme, predicted in predictions.items():
        error = ((predicted - np.array(measured)) / scale).T[:, :, None]
        likelihood[scheme] = -0.5 * (error / ERRORS) ** 2 - np.log(ERRORS)
    found = []
    for left_out in (None, *dict.fromkeys(groups)):
        kept = np.array([group != left_out for group in groups], float)
        evidence = np.array(
            [
                np.logaddexp.reduce((np.tensordot(kept, one, 1) + log_weights[:, None]).ravel())
                for one in likelihood.values()
            ]
        )
        found.append(np.exp(evidence - np.logaddexp.reduce(evidence)))
    best, middle = int(found[0].argmax()), len(STEPS) // 2
    misfits = {
        scheme: float(np.sqrt(((predicted[middle] - np.array(measured)) ** 2).mean()))
        for scheme, predicted in predictions.items()
    }
    return Comparison(
        dict(zip(predictions, found[0].tolist(), strict=True)),
        misfits,
        float(min(one[best] for one in found[1:])),
    )
