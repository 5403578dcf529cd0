"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from modgrok.errors import InputError

PARTIAL = ".partial"
"""What the name of a file ends in while it is written."""
_PARTIAL_NAME = re.compile(rf"\..+\.\d+{re.escape(PARTIAL)}")


@contextmanager
def whole_file(path: Path, *, replace: bool = True, sync: bool = False) -> Iterator[BinaryIO]:
    """Open a file under another name beside `path`, and give it its own name when the block ends.

    If the block raises, nothing of the file is left, and what was at `path` before stays.

    Args:
        path: the file; its directory is made where it is missing.
        replace: whether a file at `path` may be replaced.
        sync: whether the file is on the disk, and not only in the system's memory, before it gets its name.

    Raises:
        OSError: if the file cannot be written, or exists and must not be replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    try:
        with partial.open("w+b") as file:
            yield file
            if sync:
                file.flush()
                os.fsync(file.fileno())
        if not replace and path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes, *, replace: bool = True) -> None:
    """Write a file, whole or not at all; text is written as UTF-8.

    Raises:
        OSError: if it cannot be written; what was there before stays.
    """
    with whole_file(path, replace=replace) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def check_writable(field: str, directory: Path) -> Path:
    """Check that files can be written in a directory, which need not exist yet.

    Args:
        field: the name of the directory's field in messages.
        directory: the directory.

    Returns:
        The nearest directory above it that exists, or itself.

    Raises:
        InputError: if nothing can be written there.
    """
    directory = directory.absolute()
    there = next(each for each in (directory, *directory.parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(f"{field}: cannot write in {there}: {error.strerror}") from None
    return there


def remove_partial_files(directory: Path) -> None:
    """Remove what processes that were killed have left half-written in a directory; nobody may be writing there."""
    for file in directory.glob(f".*{PARTIAL}"):
        if _PARTIAL_NAME.fullmatch(file.name):
            file.unlink(missing_ok=True)
