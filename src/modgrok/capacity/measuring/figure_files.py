"""Every figure of the page as a file of its own, PNG and SVG."""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from modgrok.errors import InputError
from modgrok.figures import Figure, render
from modgrok.runs.whole_files import write_whole


def write_figures(figures: Iterable[Figure], directory: Path) -> list[Path]:
    """Write figures into a directory that is new or empty; return the files, two for each figure.

    Raises:
        InputError: if the directory has files in it, or cannot be written.
    """
    if directory.is_file() or (directory.is_dir() and any(directory.iterdir())):
        raise InputError(f"figures: {directory} must be a new or empty directory")
    files = []
    for number, figure in enumerate(figures, start=1):
        name = re.sub(r"[^a-z0-9]+", "-", figure.title.lower()).strip("-")[:60]
        picture = render(figure)
        for suffix in ("png", "svg"):
            content = BytesIO()
            picture.savefig(content, format=suffix)
            files.append(directory / f"{number:02d}-{name}.{suffix}")
            try:
                write_whole(files[-1], content.getvalue())
            except OSError as error:
                raise InputError(f"figures: cannot write {directory}: {error.strerror}") from None
    return files
