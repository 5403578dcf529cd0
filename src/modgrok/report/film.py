"""The checkpoints of a run as a film: few enough, and small enough, to travel inside a page."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from torch import Tensor

FILM_BYTES = 2_400_000
"""Size of a film, at most; the last checkpoint comes on top."""


@dataclass(frozen=True, eq=False)
class Film:
    """Weights of checkpoints.

    Attributes:
        kept: which of the checkpoints are in the film, ascending; the last always is.
        names: the names of the weights.
        shapes: the shapes of the weights.
        scales: what one step of a weight's codes stands for.
        differences: gzip of int8, checkpoint by checkpoint the codes' differences modulo 256 to the checkpoint before;
            the first from zero. Empty where only the last checkpoint is kept.
        last: gzip of the last checkpoint, in float32 or what it was asked for in.
    """

    kept: tuple[int, ...]
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    scales: tuple[float, ...]
    differences: bytes
    last: bytes


def make_film(
    checkpoints: Sequence[Mapping[str, Tensor]],
    always: Sequence[int] = (),
    size: int = FILM_BYTES,
    last_as: npt.DTypeLike = np.float32,
) -> Film:
    """Keep as many checkpoints as fit, evenly spaced along the way that the weights took.

    Args:
        checkpoints: the weights of each by name, in the order of training.
        always: checkpoints to keep besides the last, such as that at which the network grokked.
        size: the size of the film in bytes, at most; the last checkpoint is kept whatever its size.
        last_as: the numbers of the last checkpoint; in float32 they are the network's own.
    """
    last = checkpoints[-1]
    names, shapes = tuple(last), tuple(tuple(weight.shape) for weight in last.values())
    rows = [
        np.concatenate([weights[name].float().numpy().ravel() for name in names]) for weights in checkpoints
    ]
    ends = np.cumsum([0, *(last[name].numel() for name in names)])
    scales = [
        max(float(np.abs(row[start:end]).max()) for row in rows) / 127 or 1.0 for start, end in pairwise(ends)
    ]
    steps = np.repeat(np.array(scales, np.float32), np.diff(ends))
    codes = np.stack([np.round(row / steps).astype(np.int8) for row in rows])
    way = np.cumsum([0.0, *(float(np.linalg.norm(b - a)) for a, b in pairwise(rows))])
    count = len(rows)
    while True:
        kept = _evenly(way, count, always)
        differences = _differences(codes[list(kept)])
        if len(differences) <= size:
            break
        if count == 1:
            kept, differences = (len(rows) - 1,), b""
            break
        count = max(1, min(count - 1, int(count * size / len(differences))))
    return Film(kept, names, shapes, tuple(scales), differences, _compressed(rows[-1].astype(last_as)))


def _evenly(way: npt.NDArray[np.float64], count: int, always: Sequence[int]) -> tuple[int, ...]:
    """Choose about `count` places that divide the way evenly, its ends and those of `always` among them."""
    if count >= len(way):
        return tuple(range(len(way)))
    places = np.abs(way[None] - np.linspace(0, way[-1], count)[:, None]).argmin(axis=1)
    return tuple(sorted({*places.tolist(), *always, len(way) - 1}))


def _differences(codes: npt.NDArray[np.int8]) -> bytes:
    return _compressed(np.diff(codes.view(np.uint8), axis=0, prepend=np.zeros_like(codes[:1], np.uint8)))


def _compressed(values: npt.NDArray[np.generic]) -> bytes:
    return gzip.compress(values.tobytes(), mtime=0)
