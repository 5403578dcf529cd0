"""What is said on a terminal: as wide as it is, and broken between words."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import TextIO

COMMANDS = ("modgrok ", "tensorboard ")
"""What a line to be copied begins with."""


def columns(stream: TextIO | None = None) -> int | None:
    """The width of the terminal that standard output, or a stream, goes to; None for a file or a pipe."""
    stream = stream or sys.stdout
    isatty = getattr(stream, "isatty", None)  # what stands in for a stream may have no more than `write`
    return shutil.get_terminal_size().columns if isatty and isatty() else None


def say(text: str = "", end: str = "\n", stream: TextIO | None = None) -> None:
    """Print a text, on a terminal broken between words.

    The rest of a line is indented as far as what it says, which begins after its indentation, or after its first word
    where a gap of two spaces or more follows. Commands are left whole, to be copied.
    """
    width = columns(stream)
    print("\n".join(wrapped(text, width)) if width else text, end=end, file=stream, flush=True)


def wrapped(text: str, width: int) -> list[str]:
    """Break the lines of a text between words, so that none is wider than `width`."""
    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) <= width or line.lstrip().startswith(COMMANDS):
            lines.append(line)
            continue
        label = re.match(r"\s*\S+\s{2,}|\s*", line)
        indent = " " * min(len(label[0]) if label else 0, width // 2)
        lines += textwrap.wrap(
            line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    return lines
