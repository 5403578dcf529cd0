"""Which encoding explains the losses of two-hop questions over data sets of different sizes?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modgrok.capacity.estimators.published_estimators import Encoding

SCHEMES: tuple[Encoding, ...] = ("optimal", "2-hop-double", "2-hop-big-hash")


@dataclass(frozen=True)
class SchemeFit:
    """How well an encoding predicts losses.

    Attributes:
        encoding: what the network is supposed to store.
        bits_per_parameter: of the capacity that fits best.
        predicted: two-hop losses of every run, bits per question.
        misfit: root of the mean squared difference to the measured losses, bits per question.
    """

    encoding: Encoding
    bits_per_parameter: float
    predicted: list[float]
    misfit: float


def fit_scheme(
    encoding: Encoding,
    entropies: Sequence[float],
    parameters: Sequence[int],
    guesses: Sequence[float],
    losses: Sequence[float],
) -> SchemeFit:
    """Fit one capacity per parameter to the two-hop losses of runs.

    A network that has room for a share s of what the encoding stores answers with a loss of (1 − s) of a guess's.

    Args:
        encoding: the name of the scheme.
        entropies: bits that the encoding stores of each run's data.
        parameters: of each run's network.
        guesses: two-hop loss of a guess, bits per question.
        losses: measured two-hop losses, trained questions only, bits per question.
    """
    needed = np.array(entropies) / np.array(parameters)  # bits per parameter at which all would be stored
    guess, measured = np.array(guesses), np.array(losses)

    def predict(bits_per_parameter: float) -> NDArray[np.float64]:
        return guess * np.maximum(0.0, 1 - bits_per_parameter / needed)

    candidates = np.linspace(0, needed.max(), 2001)
    misfits = [float(np.sqrt(((predict(c) - measured) ** 2).mean())) for c in candidates]
    best = int(np.argmin(misfits))
    return SchemeFit(encoding, float(candidates[best]), predict(candidates[best]).tolist(), misfits[best])
