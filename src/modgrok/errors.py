"""The two errors a user meets, and how they are worded."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from typing import get_args


class InputError(ValueError):
    """Something the user gave is wrong: a formula, a field, a file. Exit code 2.

    The message is one or two lines: what is wrong, where, and what would be right.
    """


class RunStoppedError(RuntimeError):
    """A run could not continue. Exit code 1.

    The message says at which update, why, and what is left of the run.
    """


def brief(value: object) -> str:
    """Quote a value, shortened to what fits in a line."""
    quoted = repr(value)
    return quoted if len(quoted) <= 60 else f"{quoted[:40]} … {quoted[-15:]}"


def integer(n: int) -> str:
    """Write an integer of any size so that a person can read it."""
    return f"{n:,}" if abs(n) < 10**15 else f"about {'-' if n < 0 else ''}10^{round(math.log10(abs(n)))}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that looks most like a mistyped one."""
    typed = name.lower()
    return max(known, key=lambda candidate: SequenceMatcher(None, typed, candidate).ratio())


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for a known name close to a mistyped one, or nothing."""
    close = get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def check_choice(field: str, value: object, choices: object) -> None:
    """Check a word against the `Literal` that its type hint is.

    Raises:
        InputError: if it is none of them; the message names the field and the choices.
    """
    known = get_args(choices)
    if value not in known:
        hint = did_you_mean(value, known) if isinstance(value, str) else ""
        raise InputError(f"{field}: {brief(value)} is not one of {', '.join(map(str, known))}{hint}")


def install_hint(extra: str) -> str:
    """Say how the packages of an extra are installed: modgrok is not on PyPI."""
    return f"pip install '.[{extra}]' in the checkout of modgrok"
