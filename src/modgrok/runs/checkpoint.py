"""The file of a checkpoint, read as plain data and weights."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from modgrok.errors import InputError
from modgrok.memory import physical_memory


def load_data(path: Path) -> Any:
    """Read a file that `torch.save` wrote onto the CPU, without executing anything in it.

    Raises:
        InputError: if there is no such file, it cannot be read, holds anything but data, or declares more than it
            holds or than half of the memory.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        check_size(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch speaks of pickle protocols where the answer is one line
            return torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except Exception as error:  # whatever the reader stumbles over, it is the file that is wrong
        reason = (
            "it holds more than data and was not opened"
            if "weights_only" in str(error).lower()
            else "cannot be read; it is damaged, cut short, or not a file that torch.save wrote"
        )
        raise InputError(f"{path}: {reason}") from None


def check_size(path: Path) -> None:
    """Raise an InputError unless a file holds what it declares and reading it takes at most half of the memory.

    Raises:
        zipfile.BadZipFile: if it is not a zip, as all files of `torch.save` and no safetensors files are.
    """
    size, memory = path.stat().st_size, physical_memory()
    if 2 * size > memory // 2:
        raise InputError(
            f"{path}: reading it takes {2 * size / 2**30:,.1f} GiB; this machine has {memory / 2**30:,.1f} GiB, "
            "and a file may take half of it"
        )
    if path.suffix != ".safetensors":
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > size:
                raise InputError(f"{path}: declares more than it holds")
