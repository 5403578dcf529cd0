"""Measures that need no clock: margins, the rank of the read-out, and how few frequencies it has."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True)
class GeneralMeasures:
    """Measures of any network with neurons that are read out.

    Attributes:
        least_margin: over all pairs, the right answer's logit less the largest other one; below 0 for a wrong answer.
        median_margin: likewise.
        effective_rank: the effective rank of W_logit; see `effective_rank`.
        inverse_participation: the mean over the rows of W_logit, one for each neuron; see `inverse_participation`.

    Example:
        >>> import torch
        >>> from modgrok.analysis.general_measures import general_measures
        >>> general_measures(torch.tensor([0.5, 2.0]), torch.eye(4)).effective_rank
        4.0
    """

    least_margin: float
    median_margin: float
    effective_rank: float | None
    inverse_participation: float | None

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of `scalars`."""
        return tuple(field.name for field in fields(cls))

    def scalars(self) -> dict[str, float | None]:
        """One name and number for each."""
        return dict(vars(self))


def general_measures(margins: Tensor, W_logit: Tensor) -> GeneralMeasures:
    """Measure a network.

    Args:
        margins: (n,), of the pairs.
        W_logit: (m, p), from the neurons to the answers, the columns in the order of the clock where there is one.
    """
    return GeneralMeasures(
        least_margin=float(margins.min()),
        median_margin=float(margins.median()),
        effective_rank=effective_rank(W_logit),
        inverse_participation=inverse_participation(W_logit),
    )


def effective_rank(matrix: Tensor) -> float | None:
    """exp(−Σ q ln q) with q = s²/Σs² of the singular values s; None for a matrix of zeros.

    It counts the directions that a matrix uses without a basis for them: two for each frequency of a circuit.
    """
    squares = torch.linalg.svdvals(matrix.double()).square()
    if not float(squares.sum()) > 0:
        return None
    shares = squares / squares.sum()
    return float(torch.special.entr(shares).sum().exp())


def inverse_participation(rows: Tensor) -> float | None:
    """The mean over rows of Σ|F|⁴ / (Σ|F|²)², F being the discrete Fourier transform of a row, constant included.

    All p coefficients count, so that a cosine alone, which has two of equal size, gives ½, and white noise about 2/p
    (Doshi et al. 2024, arXiv 2310.13061). Rows of zeros are left out; None if there are no others.

    Args:
        rows: (m, p).
    """
    power = torch.fft.fft(rows.double(), dim=1).abs().square()
    total = power.sum(1)
    live = total > 0
    if not live.any():
        return None
    return float((power[live].square().sum(1) / total[live].square()).mean())
