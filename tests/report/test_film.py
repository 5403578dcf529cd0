"""The film of checkpoints that travels in a page."""

import gzip

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from modgrok.report.film import make_film


def walk(steps: int, seed: int = 0) -> list[dict[str, torch.Tensor]]:
    """Weights that move a little with every checkpoint, and one that stays 0."""
    generator = torch.Generator().manual_seed(seed)
    W, b = torch.randn(30, 20, generator=generator), torch.randn(7, generator=generator)
    found = []
    for _ in range(steps):
        W = W + 0.05 * torch.randn(30, 20, generator=generator)
        b = 1.1 * b
        found.append({"W": W, "b": b, "zero": torch.zeros(3)})
    return found


@given(steps=st.integers(1, 12), seed=st.integers(0, 5))
def test_the_film_is_the_weights_but_for_half_a_step(steps, seed) -> None:
    checkpoints = walk(steps, seed)
    film = make_film(checkpoints)
    assert film.kept == tuple(range(steps))
    differences = np.frombuffer(gzip.decompress(film.differences), np.int8).reshape(steps, -1)
    codes = np.cumsum(differences, axis=0, dtype=np.int8)
    at = 0
    for name, shape, scale in zip(film.names, film.shapes, film.scales, strict=True):
        size = int(np.prod(shape))
        for weights, row in zip(checkpoints, codes, strict=True):
            error = np.abs(row[at : at + size] * scale - weights[name].numpy().ravel())
            assert error.max() <= 0.5001 * scale
        at += size
    expected = np.concatenate([weight.numpy().ravel() for weight in checkpoints[-1].values()])
    assert np.array_equal(np.frombuffer(gzip.decompress(film.last), np.float32), expected)
    halved = make_film(checkpoints, last_as="float16")
    assert np.array_equal(
        np.frombuffer(gzip.decompress(halved.last), np.float16), expected.astype(np.float16)
    )


def test_a_film_that_is_too_large_keeps_fewer_checkpoints_and_those_that_matter() -> None:
    checkpoints = walk(40)
    whole = make_film(checkpoints)
    for size in (len(whole.differences) // 2, len(whole.differences) // 4):
        film = make_film(checkpoints, always=(17,), size=size)
        assert len(film.differences) <= size
        assert {0, 17, 39} <= set(film.kept)
        assert 3 <= len(film.kept) < 40
    assert make_film(checkpoints, size=0).kept == (39,)
    assert make_film(checkpoints, size=0).differences == b""


def test_the_checkpoints_kept_are_evenly_spaced_in_weights_and_not_in_time() -> None:
    """Of a run that stands still for long, the standing still is not what fills the film."""
    generator = torch.Generator().manual_seed(0)
    still = [{"W": torch.randn(400, generator=torch.Generator().manual_seed(1))}] * 30
    moving = [{"W": still[0]["W"] + 0.2 * step * torch.randn(400, generator=generator)} for step in range(10)]
    checkpoints = [*still, *moving]
    film = make_film(checkpoints, size=len(make_film(moving).differences))
    assert len([place for place in film.kept if place >= 30]) > len(film.kept) / 2
