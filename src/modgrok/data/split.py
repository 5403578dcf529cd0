"""The split into training pairs and held-out pairs."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Literal

import numpy as np

from modgrok.errors import InputError, check_choice
from modgrok.tasks.residues import Integers

SplitMethod = Literal["torch", "python"]
SplitBy = Literal["pairs", "classes"]


def draw_pairs(
    counts: Sequence[int], train_fraction: float, seed: int, method: SplitMethod
) -> list[Integers]:
    """Draw the training pairs of each task: the first ⌊n·f⌋ of a permutation.

    Args:
        counts: the number of pairs n of each task; pairs are numbered in row-major order.
        train_fraction: f, the fraction of each task's pairs that are trained on.
        seed: the seed of the generator.
        method: which generator permutes the pairs; see `permutations`.

    Returns:
        The numbers of each task's training pairs, in the order drawn.

    Raises:
        InputError: if the fraction is not between 0 and 1 or leaves one side empty.
    """
    _check_fraction(train_fraction)
    trained = [int(n * train_fraction) for n in counts]
    for n, k in zip(counts, trained, strict=True):
        _check_sides(n, k, train_fraction)
    return [order[:k] for order, k in zip(permutations(counts, seed, method), trained, strict=True)]


def draw_classes(
    classes: Sequence[Integers], train_fraction: float, seed: int, method: SplitMethod
) -> list[Integers]:
    """Draw whole classes of pairs to train on, so that every held-out pair is new.

    Of a permutation of the classes, as many of the first are drawn as bring the number of pairs nearest to n·f.

    Args:
        classes: the class of each pair, (n,) for each task, from 0; see `tasks.symmetries`.
        train_fraction: f, the fraction of each task's pairs that are trained on, as near as classes allow.
        seed: the seed of the generator.
        method: which generator permutes the classes; see `permutations`.

    Returns:
        The numbers of each task's training pairs, ascending.

    Raises:
        InputError: if the fraction is not between 0 and 1, a single class has more pairs than the fraction, or one
            side is left empty.
    """
    _check_fraction(train_fraction)
    sizes = [np.bincount(of_pair) for of_pair in classes]
    for size in sizes:
        n, largest = int(size.sum()), int(size.max())
        if largest > n * train_fraction:
            raise InputError(
                f"train_fraction: {train_fraction} of {n:,} pairs is less than a single class, which has {largest:,}; "
                "with split: classes, give more"
            )
    orders = permutations([len(size) for size in sizes], seed, method)
    training = []
    for of_pair, size, order in zip(classes, sizes, orders, strict=True):
        reached = size[order].cumsum()  # pairs in the first 1, 2, … classes
        last = int(np.abs(reached - len(of_pair) * train_fraction).argmin())
        _check_sides(len(of_pair), int(reached[last]), train_fraction)
        training.append(np.flatnonzero(np.isin(of_pair, order[: last + 1])))
    return training


def permutations(counts: Sequence[int], seed: int, method: SplitMethod) -> list[Integers]:
    """Permute 0 … n − 1 for each n of `counts`, all with one generator: the first is permuted as if it were alone.

    `torch` permutes as `torch.manual_seed(seed); torch.randperm(n)` does, `python` as
    `random.seed(seed); random.shuffle(list(range(n)))` does. PyTorch's generator is MT19937, whose stream NumPy has
    too: element i changes places with a later one, i + r mod (n − i), for the next 32-bit number r.
    """
    check_choice("split_method", method, SplitMethod)
    orders = [list(range(n)) for n in counts]
    if method == "python":
        shuffler = random.Random(seed)
        for order in orders:
            shuffler.shuffle(order)
    else:
        source = np.random.RandomState(seed)
        for order in orders:
            n = len(order)
            drawn = source.randint(1 << 32, size=n - 1, dtype=np.uint32).astype(np.int64)
            places = np.arange(n - 1) + drawn % np.arange(n, 1, -1)
            for place, other in enumerate(places.tolist()):
                order[place], order[other] = order[other], order[place]
    return [np.array(order, dtype=np.int64) for order in orders]


def fingerprint(training: Sequence[Integers]) -> str:
    """Return a digest of the sets of training pairs; two splits have the same digest only if they are equal."""
    digest = hashlib.sha256()
    for numbers in training:
        digest.update(np.sort(numbers).tobytes())
        digest.update(b";")
    return digest.hexdigest()


def _check_fraction(train_fraction: float) -> None:
    if not 0 < train_fraction < 1:
        raise InputError(f"train_fraction must be between 0 and 1, got {train_fraction}")


def _check_sides(n: int, trained: int, train_fraction: float) -> None:
    if not 0 < trained < n:
        side = "training" if trained == 0 else "held-out"
        raise InputError(f"train_fraction: {train_fraction} of {n} pairs leaves no {side} pairs")
