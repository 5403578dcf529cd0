"""The split into training pairs and held-out pairs."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from modgrok.errors import InputError, check_choice

if TYPE_CHECKING:
    from torch import Tensor

SplitMethod = Literal["torch", "python"]


def training_counts(counts: Sequence[int], train_fraction: float) -> list[int]:
    """Return how many of the n pairs of each task are trained on, ⌊n·f⌋.

    Args:
        counts: n for each task.
        train_fraction: f.

    Raises:
        InputError: if the fraction is not between 0 and 1 or leaves one side empty.
    """
    if not 0 < train_fraction < 1:
        raise InputError(f"train_fraction: {train_fraction} is not between 0 and 1")
    trained = [int(n * train_fraction) for n in counts]
    for n, k in zip(counts, trained, strict=True):
        if not 0 < k < n:
            side = "training" if k == 0 else "held-out"
            raise InputError(f"train_fraction: {train_fraction} of {n} pairs leaves no {side} pairs")
    return trained


def split(counts: Sequence[int], trained: Sequence[int], seed: int, method: SplitMethod) -> list[Tensor]:
    """Draw the training pairs of each task.

    `torch` permutes with `torch.manual_seed(seed); torch.randperm(n)`, `python` with
    `random.seed(seed); random.shuffle(pairs)`; the first pairs of the permutation are trained on. Several tasks
    draw from the one generator in their order, so that the first is split as if it were alone.

    Args:
        counts: the number of pairs n of each task; pairs are numbered in row-major order.
        trained: how many of each are drawn; see `training_counts`.
        seed: the seed of the generator.
        method: which generator permutes the pairs, torch's or Python's.

    Returns:
        The numbers of each task's training pairs, in the order drawn.

    Raises:
        InputError: if there is no such method.
    """
    import torch

    check_choice("split_method", method, SplitMethod)
    if method == "torch":
        generator = torch.Generator().manual_seed(seed)
        permutations = [torch.randperm(n, generator=generator) for n in counts]
    else:
        shuffler = random.Random(seed)
        permutations = []
        for n in counts:
            pairs = list(range(n))
            shuffler.shuffle(pairs)
            permutations.append(torch.tensor(pairs))
    return [permutation[:k] for permutation, k in zip(permutations, trained, strict=True)]


def fingerprint(training: Sequence[Tensor]) -> str:
    """Return a digest of the sets of training pairs; two splits have the same digest only if they are equal."""
    digest = hashlib.sha256()
    for numbers in training:
        digest.update(numbers.sort().values.numpy().tobytes())
        digest.update(b";")
    return digest.hexdigest()
