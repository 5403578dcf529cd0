"""What is done to a run between two updates: a change of the loss, of the labels, of the weights or their decay."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.optim import Optimizer

from modgrok.data import Examples
from modgrok.errors import InputError
from modgrok.models.losses import Loss


class Intervention:
    """Changes the updates from number `first` to number `last`, counted from 0.

    Args:
        first: the first update that is changed.
        last: the last one; to the end of the run unless given.

    Raises:
        InputError: if the window is empty.

    Example:
        >>> from modgrok.training import OutputTemperature
        >>> OutputTemperature(2.0, first=10, last=19).changes(10)
        True
    """

    def __init__(self, first: int = 0, last: int | None = None) -> None:
        if first < 0:
            raise InputError(f"first must be ≥ 0, got {first}")
        if last is not None and last < first:
            raise InputError(f"last must not be before first = {first}, got {last}")
        self.first, self.last = first, last

    def changes(self, update: int) -> bool:
        """Whether it changes update number `update`."""
        return self.first <= update and (self.last is None or update <= self.last)

    def check(self, optimizers: Sequence[Optimizer]) -> None:
        """Raise an InputError if there is nothing that it could change."""

    def batch(self, batch: Examples, n_answers: int) -> Examples:
        """Return the batch to train on. The same batch must give the same result."""
        return batch

    def loss(self, loss: Loss) -> Loss:
        """Return the loss to descend."""
        return loss

    @contextmanager
    def step(self, optimizers: Sequence[Optimizer], weights: list[Tensor]) -> Iterator[None]:
        """Run around the optimizers' steps, which change the weights."""
        yield


class WeightNormClamp(Intervention):
    """Rescales all trained weights together to one L2 norm after each update (Liu et al. 2023, arXiv 2210.01117,
    section 3).

    Args:
        norm: the norm, logged as `norm/total`.
        first: the first update after which they are rescaled.
        last: the last one; to the end of the run unless given.

    Raises:
        InputError: if the norm is not positive, or the window is empty.

    Example:
        >>> from modgrok.training import WeightNormClamp
        >>> WeightNormClamp(norm=30.0).norm
        30.0
    """

    def __init__(self, norm: float, first: int = 0, last: int | None = None) -> None:
        if not 0 < norm < math.inf:
            raise InputError(f"norm must be > 0, got {norm}")
        super().__init__(first, last)
        self.norm = norm

    @contextmanager
    def step(self, optimizers: Sequence[Optimizer], weights: list[Tensor]) -> Iterator[None]:
        """Rescale after the step."""
        yield
        with torch.no_grad():
            total = torch.stack([weight.norm() for weight in weights]).norm()
            for weight in weights:
                weight.mul_(self.norm / total)


class WeightDecayOff(Intervention):
    """Trains without weight decay; the optimizers must have it as `weight_decay` of their groups.

    Example:
        >>> from modgrok.training import WeightDecayOff
        >>> WeightDecayOff(first=500).changes(499)
        False
    """

    def check(self, optimizers: Sequence[Optimizer]) -> None:
        """Raise an InputError if no optimizer has weight decay."""
        if not any(group.get("weight_decay") for one in optimizers for group in one.param_groups):
            raise InputError("model.interventions: WeightDecayOff: no optimizer has weight decay")

    @contextmanager
    def step(self, optimizers: Sequence[Optimizer], weights: list[Tensor]) -> Iterator[None]:
        """Set it to zero for the step alone, so that a checkpoint holds what comes back."""
        groups = [group for one in optimizers for group in one.param_groups if "weight_decay" in group]
        decays = [group["weight_decay"] for group in groups]
        for group in groups:
            group["weight_decay"] = 0.0
        try:
            yield
        finally:
            for group, decay in zip(groups, decays, strict=True):
                group["weight_decay"] = decay


class OutputTemperature(Intervention):
    """Divides the logits by a temperature before the loss; evaluations see them as they are.

    Args:
        temperature: below 1 the network is trained as if it were more confident.
        first: the first update that is changed.
        last: the last one; to the end of the run unless given.

    Raises:
        InputError: if the temperature is not positive, or the window is empty.

    Example:
        >>> from modgrok.training import OutputTemperature
        >>> OutputTemperature(2.0, first=100).temperature
        2.0
    """

    def __init__(self, temperature: float, first: int = 0, last: int | None = None) -> None:
        if not 0 < temperature < math.inf:
            raise InputError(f"temperature must be > 0, got {temperature}")
        super().__init__(first, last)
        self.temperature = temperature

    def loss(self, loss: Loss) -> Loss:
        """Return the loss of the divided logits."""
        return _Tempered(loss, self.temperature)


class _Tempered(Loss):
    def __init__(self, loss: Loss, temperature: float) -> None:
        self.of, self.temperature = loss, temperature

    def __call__(self, logits: Tensor, answers: Tensor) -> Tensor:
        return self.of(logits / self.temperature, answers)

    def probabilities(self, logits: Tensor) -> Tensor:
        return self.of.probabilities(logits / self.temperature)


class LabelNoise(Intervention):
    """Trains a share of the pairs on a wrong answer each, the same at every update (Doshi et al. 2024, arXiv
    2310.13061). Evaluations know the right answers.

    Args:
        share: the share of the training pairs, in (0, 1]; each is chosen by itself.
        seed: the seed of the choice and of the wrong answers.
        first: the first update that is changed.
        last: the last one; to the end of the run unless given.

    Raises:
        InputError: if the share is out of its range, or the window is empty.

    Example:
        >>> from modgrok.training import LabelNoise
        >>> LabelNoise(share=0.1, seed=0, last=99).changes(100)
        False
    """

    def __init__(self, share: float, seed: int = 0, first: int = 0, last: int | None = None) -> None:
        if not 0 < share <= 1:
            raise InputError(f"share must be in (0, 1], got {share}")
        super().__init__(first, last)
        self.share, self.seed = share, seed

    def batch(self, batch: Examples, n_answers: int) -> Examples:
        """Return the batch with the wrong answers."""
        key = torch.full_like(batch.answers, self.seed)
        for column in batch.tokens.unbind(1):  # a pair's noise must not depend on the batch that it is in
            key = _mixed(key ^ _mixed(column))
        chosen = (key & 0xFFFFFFFF).double() / 2**32 < self.share
        wrong = (batch.answers + 1 + _mixed(key).remainder(n_answers - 1)) % n_answers
        return batch._replace(answers=torch.where(chosen, wrong, batch.answers))


def _mixed(x: Tensor) -> Tensor:
    """Scramble int64 numbers: the finalizer of splitmix64 (Steele et al. 2014), in wrapping arithmetic."""
    x = x + -0x61C8864680B583EB
    x = (x ^ (x >> 30)) * -0x40A7B892E31B1A47
    x = (x ^ (x >> 27)) * -0x6B2FB644ECCEEE15
    return x ^ (x >> 31)
