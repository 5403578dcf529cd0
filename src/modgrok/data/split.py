"""The split into training pairs and held-out pairs."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from modgrok.errors import InputError

SplitMethod = Literal["torch", "python"]


def split(counts: Sequence[int], train_fraction: float, seed: int, method: SplitMethod) -> list[Tensor]:
    """Draw the training pairs of each task.

    `torch` permutes with `torch.manual_seed(seed); torch.randperm(n)`, `python` with
    `random.seed(seed); random.shuffle(pairs)`; the first ⌊n·f⌋ pairs of the permutation are trained on. Several tasks
    draw from the one generator in their order, so that the first is split as if it were alone.

    Args:
        counts: the number of pairs n of each task; pairs are numbered in row-major order.
        train_fraction: f, the fraction of each task's pairs that are trained on.
        seed: the seed of the generator.
        method: which generator permutes the pairs, torch's or Python's.

    Returns:
        The numbers of each task's training pairs, in the order drawn.

    Raises:
        InputError: if the fraction is not between 0 and 1 or leaves one side empty.
    """
    if not 0 < train_fraction < 1:
        raise InputError(f"train_fraction: {train_fraction} is not between 0 and 1")
    for n in counts:
        if not 0 < int(n * train_fraction) < n:
            side = "training" if int(n * train_fraction) == 0 else "held-out"
            raise InputError(f"train_fraction: {train_fraction} of {n} pairs leaves no {side} pairs")
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
    return [permutation[: int(len(permutation) * train_fraction)] for permutation in permutations]


def fingerprint(training: Sequence[Tensor]) -> str:
    """Return a digest of the sets of training pairs; two splits have the same digest only if they are equal."""
    digest = hashlib.sha256()
    for numbers in training:
        digest.update(numbers.sort().values.numpy().tobytes())
        digest.update(b";")
    return digest.hexdigest()
