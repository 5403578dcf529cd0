"""Midpoint-radius arithmetic: each operation returns a ball that holds every value its result may have.

A value is computed by an arithmetic of unit roundoff u from operands that lie in their balls: by exact arithmetic where
u is 0, or by any IEEE arithmetic of that u, sums taken in any order, with or without fused products. The error of a sum
of n products is at most γₙ(u) = nu/(1 − nu) times the sum of their sizes (Higham 2002, sections 3.1 and 4.2). Midpoints
are computed in float64, whose own error is part of the radius, and so are radii, which are then enlarged for it.
Several u are carried at once: they share the midpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

FLOAT64 = 2.0**-53
"""Unit roundoff of the midpoints and the radii."""

FLOAT32 = 2.0**-24
"""Unit roundoff of the networks' own arithmetic."""

UNDERFLOW = 2.0**-120
"""Added for each operation whose result may be too small for float32 to round it relatively."""

_EXP = 4
"""An exponential is taken to be within so many u of the true one: less than faithfully rounded."""


def gamma(n: int, u: float) -> float:
    """γₙ(u), the relative error of a sum of n products in any order."""
    return n * u / (1 - n * u)


@dataclass(frozen=True, eq=False)
class Ball:
    """Values of shape S, known up to a radius in each of several arithmetics.

    Attributes:
        mid: S float64, the midpoint.
        radius: (a, *S) float64, for each arithmetic.
        units: the unit roundoff of each of the a arithmetics; 0 for exact arithmetic.
    """

    mid: Tensor
    radius: Tensor
    units: tuple[float, ...]

    @property
    def size(self) -> Tensor:
        """(a, *S): a bound on the absolute value."""
        return self.mid.abs() + self.radius

    def __getitem__(self, index: Tensor) -> Ball:
        """Select along the first axis of S."""
        return Ball(self.mid[index], self.radius[:, index], self.units)

    def enlarged(self, mid: Tensor, radius: Tensor, operations: int) -> Ball:
        """A ball of a computed midpoint and radius, enlarged for the rounding of so many operations on the radius."""
        underflow = torch.tensor([UNDERFLOW if u else 0.0 for u in self.units], dtype=torch.float64)
        radius = radius * (1 + 4 * gamma(operations + 4, FLOAT64))
        return Ball(mid, radius + operations * underflow.view(-1, *[1] * mid.dim()), self.units)

    def errors(self, n: int) -> Tensor:
        """γₙ of each arithmetic and of the midpoint together, (a, 1, …)."""
        both = [gamma(n, u) + gamma(n, FLOAT64) for u in self.units]
        return torch.tensor(both, dtype=torch.float64).view(-1, *[1] * self.mid.dim())


def exact(values: Tensor, units: Sequence[float]) -> Ball:
    """A ball of radius 0: weights as they are stored."""
    mid = values.detach().double()
    return Ball(mid, mid.new_zeros(len(units), *mid.shape), tuple(units))


def matmul(x: Ball, W: Tensor) -> Ball:
    """x·W of x, (…, n), with exact weights W, (n, k)."""
    n, W = len(W), W.detach().double()
    spread = x.radius + x.errors(n) * x.size
    return x.enlarged(x.mid @ W, spread @ W.abs(), n)


def dot(x: Ball, y: Ball) -> Ball:
    """Σ x·y over the last axis, of n products."""
    n = x.mid.shape[-1]
    a, b = x.mid.abs(), y.mid.abs()
    spread = a * y.radius + x.radius * b + x.radius * y.radius + x.errors(n) * x.size * y.size
    return x.enlarged((x.mid * y.mid).sum(-1), spread.sum(-1), n)


def total(balls: Sequence[Ball]) -> Ball:
    """The sum of n balls of one shape, in any order."""
    first, n = balls[0], len(balls)
    if n == 1:
        return first
    mid = torch.stack([ball.mid for ball in balls]).sum(0)
    radius = torch.stack([ball.radius for ball in balls]).sum(0)
    size = torch.stack([ball.size for ball in balls]).sum(0)
    return first.enlarged(mid, radius + first.errors(n) * size, n)


def relu(x: Ball) -> Ball:
    """max(x, 0), which is exact and brings no two values further apart."""
    return Ball(x.mid.clamp(min=0), x.radius, x.units)


def divided(x: Ball, divisor: float) -> Ball:
    """x / divisor, where the divisor is rounded too, or its inverse multiplied with."""
    return x.enlarged(x.mid / divisor, (x.radius + x.errors(4) * x.size) / abs(divisor), 4)


def softmax(x: Ball) -> Ball:
    """The softmax over the last axis, of t values.

    If every value moves by at most R, the result changes by a factor of at most e^{2R}. A difference d from the largest
    value is rounded once, which moves its exponential by a factor of at most e^{u|d|}; the exponentials, their sum and
    the quotient have relative errors of their own.
    """
    t = x.mid.shape[-1]
    R = x.radius.amax(-1, keepdim=True)
    apart = (x.mid.amax(-1, keepdim=True) - x.mid.amin(-1, keepdim=True)) + 2 * R
    units = torch.tensor([u + FLOAT64 for u in x.units], dtype=torch.float64).view(-1, *[1] * x.mid.dim())
    factor = torch.expm1(2 * R + 2 * units * apart + (2 * _EXP + t + 8) * units)
    mid = x.mid.softmax(-1)
    return x.enlarged(mid, mid * factor, t + 8)


def mixed_with_one(x: Ball, rate: float) -> Ball:
    """rate·x + (1 − rate)."""
    if rate == 1:
        return x
    one = torch.ones_like(x.mid)
    if rate == 0:
        return Ball(one, torch.zeros_like(x.radius), x.units)
    mid = rate * x.mid + (1 - rate)
    radius = rate * x.radius + x.errors(5) * (rate * x.size + (1 - rate))
    return x.enlarged(mid, radius, 5)
