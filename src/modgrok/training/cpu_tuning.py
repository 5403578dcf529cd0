"""How the process computes on a CPU: threads, denormal numbers, freed memory."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

MULTIPLICATIONS_OF_A_LARGE_UPDATE = 1e8
"""Multiplications of an update from which more threads than one pay.

Below it a second thread gains little on an idle machine, and on a busy one makes an update several times slower.
"""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # mallopt's parameters, from glibc's malloc.h
MOST = (1 << 31) - 1  # bytes, as a C int


def threads_for(multiplications: float) -> int:
    """Return the CPU threads for updates of so many multiplications: one, or all that PyTorch may use."""
    return torch.get_num_threads() if multiplications >= MULTIPLICATIONS_OF_A_LARGE_UPDATE else 1


@contextmanager
def cpu_tuning(threads: int) -> Iterator[None]:
    """Compute on so many threads and flush denormal numbers to zero, then leave the process as it was.

    A confident network's gradients are denormal; unflushed, an update takes five times as long.
    """
    before, flushing = torch.get_num_threads(), _flushes_denormals()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(flushing)


def _flushes_denormals() -> bool:
    return (torch.tensor(2.0**-120, device="cpu") * 2.0**-20).item() == 0.0


def keep_freed_memory() -> None:
    """Tell glibc, where that is the C library, not to give freed blocks back to the system, for the whole process.

    Every update allocates the activations of the one before anew. Given back in between, their pages are mapped in
    again one fault at a time: a fifth of an update on x + y mod 113, two fifths of one at p = 397. It takes tensors
    that start on a page of their own, as `modgrok/__init__.py` asks. Otherwise kept blocks leave holes that later ones
    do not fit in: 0.5 GiB at p = 599.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        # glibc before 2.35 refuses more than 32 MiB
        libc.mallopt(M_MMAP_THRESHOLD, MOST) or libc.mallopt(M_MMAP_THRESHOLD, 1 << 25)
        libc.mallopt(M_TRIM_THRESHOLD, MOST)
