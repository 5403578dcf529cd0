"""How a command says what is wrong."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from typing import NoReturn


def nearest(name: str, known: Sequence[str] | dict[str, str]) -> str:
    """Return the question whether a known name was meant, if one is near."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def fail(error: object, code: int) -> NoReturn:
    """Print an error and exit."""
    print(f"modgrok: error: {error}", file=sys.stderr)
    sys.exit(code)
