"""Refuse tables that do not fit in the memory of this machine."""

from pathlib import Path

import psutil

from modgrok.errors import InputError, integer

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Where Linux keeps the limit of a container or of a scheduler's job (cgroup v2)."""


def check_memory(modulus: int, n_pairs: int, n_columns: int) -> None:
    """Refuse a table that would take more than half of the machine's memory.

    Its size is n·(c + 1) int64, with c operands or tokens and the answer, and twice as much again for working
    copies while it is made.

    Raises:
        InputError: if it is larger; the message gives the modulus, the memory needed and the memory available.
    """
    needed = 3 * n_pairs * (n_columns + 1) * 8
    physical = physical_memory()
    if needed > physical // 2:
        raise InputError(
            f"modulus: {integer(modulus)} makes {integer(n_pairs)} pairs, which need {_gibibytes(needed)} of "
            f"memory; this machine has {_gibibytes(physical)}, and a table may take half of it"
        )


def physical_memory() -> int:
    """Return the bytes of memory that this process may use: the machine's, or its container's where that is less."""
    limit = CGROUP_LIMIT.read_text().strip() if CGROUP_LIMIT.is_file() else "max"
    physical = psutil.virtual_memory().total
    return min(physical, int(limit)) if limit.isdecimal() else physical


def _gibibytes(n: int) -> str:
    return f"{n / 2**30:,.1f} GiB" if n < 2**60 else f"{integer(n // 2**30)} GiB"
