"""Whether the table of a task fits in memory."""

import os

from modgrok.errors import InputError
from modgrok.tasks.wording import number


def check_memory(modulus: int, n_pairs: int, n_columns: int) -> None:
    """Refuse a table that would take more than half of the machine's memory.

    Its size is n·(c + 1) int64, with c operands or tokens and the answer, and twice as much again for working
    copies while it is made.

    Raises:
        InputError: naming the modulus, the memory needed and the memory there is.
    """
    needed = 3 * n_pairs * (n_columns + 1) * 8
    physical = physical_memory()
    if needed > physical // 2:
        raise InputError(
            f"modulus: {number(modulus)} makes {number(n_pairs)} pairs, which need {_gibibytes(needed)} of "
            f"memory; this machine has {_gibibytes(physical)}, and a table may take half of it"
        )


def physical_memory() -> int:
    """The bytes of memory that this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _gibibytes(n: int) -> str:
    return f"{n / 2**30:,.1f} GiB" if n < 2**60 else f"{number(n // 2**30)} GiB"
