"""The cyclic group around which a task's answers turn."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from modgrok.errors import InputError
from modgrok.tasks import discrete_logarithms, is_prime

Law = Literal["additive", "multiplicative"]


@dataclass(frozen=True, eq=False)
class Clock:
    """The cyclic group ℤ/q in which a task's answer is a sum, and where each residue mod p stands on it.

    The additive clock is ℤ/p itself. The multiplicative clock is (ℤ/p)*, on which c stands at its discrete
    logarithm and products are sums ("The Discrete-Log Clock", arXiv 2606.17399); 0 is not on it.

    Attributes:
        law: the operation that the clock turns into addition.
        modulus: p.
        size: q, the order of the group: p, or p − 1.
        position: (p,) int64, where each residue stands, 0…q−1; −1 off the clock.

    Example:
        >>> from modgrok.analysis import multiplicative_clock
        >>> clock = multiplicative_clock(7)
        >>> clock.size, clock.residues.tolist()  # the powers of 3
        (6, [1, 3, 2, 6, 4, 5])
    """

    law: Law
    modulus: int
    size: int
    position: Tensor

    @property
    def top_frequency(self) -> int:
        """⌊q/2⌋: the characters' frequencies are 1…⌊q/2⌋, and 0 for the constant."""
        return self.size // 2

    @property
    def residues(self) -> Tensor:
        """(q,) int64: the residue that stands at each position."""
        on = (self.position >= 0).nonzero().squeeze(1)
        return on[self.position[on].argsort()]

    def waves(self, positions: Tensor) -> Tensor:
        """cos and sin of w_k·s for k = 0…⌊q/2⌋, with w_k = 2πk/q.

        Args:
            positions: (n,) int64; −1 off the clock.

        Returns:
            (⌊q/2⌋+1, 2, n) float64: cos and sin of each frequency, 0 where the position is off the clock.
        """
        k = torch.arange(self.top_frequency + 1, device=positions.device)
        # reduced mod q as integers, so that the angle is as exact for the last frequency as for the first
        turns = k[:, None] * positions % self.size
        angles = turns.double() * (2 * torch.pi / self.size)
        sines = angles.sin()
        if self.size % 2 == 0:
            sines[-1] = 0.0  # sin(πs) vanishes; in floating point it is 1e-16, which has a direction
        sines[0] = 0.0
        return torch.stack([angles.cos(), sines], dim=1) * (positions >= 0)


def additive_clock(modulus: int) -> Clock:
    """Return the clock ℤ/p, on which every residue stands at its own value.

    Raises:
        InputError: if the modulus is below 2.

    Example:
        >>> from modgrok.analysis import additive_clock
        >>> additive_clock(113).top_frequency
        56
    """
    if modulus < 2:
        raise InputError(f"modulus {modulus}: a clock needs a modulus of at least 2")
    return Clock("additive", modulus, modulus, torch.arange(modulus))


def multiplicative_clock(modulus: int) -> Clock:
    """Return the clock (ℤ/p)*, on which c stands at its discrete logarithm to the smallest primitive root.

    0 is off the clock.

    Raises:
        InputError: if the modulus is not a prime.

    Example:
        >>> from modgrok.analysis import multiplicative_clock
        >>> multiplicative_clock(7).position.tolist()  # logarithms to 3; 0 is off the clock
        [-1, 0, 2, 1, 4, 5, 3]
    """
    if not is_prime(modulus):
        raise InputError(f"modulus {modulus}: multiplicative characters need a prime modulus")
    return Clock("multiplicative", modulus, modulus - 1, torch.from_numpy(discrete_logarithms(modulus)))
