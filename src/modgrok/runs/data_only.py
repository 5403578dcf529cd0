"""PyTorch's files, read as data: numbers, text, lists, dictionaries and dense tensors, and nothing else.

`torch.load(weights_only=True)` executes nothing, but takes what a file declares at its word: how much there is to
unpack, how large a tensor is, how often a function that makes bytes is called. Here a file may hold only what
`torch.save` writes for data, none of it larger than the file itself, before `torch.load` sees it.
"""

from __future__ import annotations

import io
import pickletools
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from modgrok.errors import InputError
from modgrok.tasks.memory import physical_memory

MOST_VALUES = 200_000
"""Values of a file that are not numbers; a checkpoint has some hundreds."""

DEEPEST = 50
"""Levels of lists and dictionaries inside each other; a checkpoint has about ten."""

_ITEM_BYTES = {
    **dict.fromkeys(["torch BoolStorage", "torch ByteStorage", "torch CharStorage"], 1),
    **dict.fromkeys(["torch ShortStorage", "torch HalfStorage", "torch BFloat16Storage"], 2),
    **dict.fromkeys(["torch IntStorage", "torch FloatStorage"], 4),
    **dict.fromkeys(["torch LongStorage", "torch DoubleStorage"], 8),
}
_DICTIONARY = "collections OrderedDict"
_TENSOR = "torch._utils _rebuild_tensor_v2"
_PARAMETER = "torch._utils _rebuild_parameter"
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_NUMBERS = ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT")


class _Name(NamedTuple):
    """What a file names, to make a dictionary, a storage, a tensor or a parameter with."""

    name: str


class _Made(NamedTuple):
    """What it makes."""

    kind: str


class _NotDataError(Exception):
    """What a file holds besides data, or otherwise than it declares."""


def check_size(path: Path) -> None:
    """Raise an InputError if a file, and the tensors in it, would take more than half of the memory."""
    needed, memory = 2 * path.stat().st_size, physical_memory()
    if needed > memory // 2:
        raise InputError(
            f"{path}: reading it takes {needed / 2**30:,.1f} GiB; this machine has {memory / 2**30:,.1f} GiB, "
            "and a file may take half of it"
        )


def load_data(path: Path) -> Any:
    """Read a file that `torch.save` wrote onto the CPU.

    Raises:
        InputError: if it cannot be read, holds anything but data, or would take more than half of the memory.
    """
    check_size(path)
    try:
        # torch sees a copy made of what was checked, since its own reader may find other records in a crafted file
        copy = io.BytesIO()
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as checked:
            for name, content in _records(archive, path.stat().st_size):
                checked.writestr(name, content)
        copy.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch speaks of pickle protocols where the answer is one line
            return torch.load(copy, map_location="cpu", weights_only=True)
    except _NotDataError as error:
        raise InputError(f"{path}: it holds more than data and was not opened ({error})") from None
    except Exception:  # whatever the readers stumble over, it is the file that is wrong
        raise InputError(
            f"{path}: cannot be read; it is damaged, cut short, or no file of PyTorch's"
        ) from None


def _records(archive: zipfile.ZipFile, file_size: int) -> Iterator[tuple[str, bytes]]:
    """Check an archive's directory and pickle, then give its records one by one."""
    entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise _NotDataError("it is compressed, as torch.save never does")
    if sum(entry.file_size for entry in entries) > file_size:
        raise _NotDataError("it declares more than it has")
    if len({entry.filename.lower() for entry in entries}) < len(entries):
        raise _NotDataError("two records have one name")
    folder = entries[0].filename.partition("/")[0]
    sizes = {entry.filename.removeprefix(f"{folder}/data/"): entry.file_size for entry in entries}
    pickled = archive.read(f"{folder}/data.pkl")
    _check_tree(_survey(pickled, sizes), len(pickled))
    for entry in entries:
        yield entry.filename, archive.read(entry)


def _survey(pickled: bytes, sizes: Mapping[str, int]) -> Any:
    """Follow a pickle's instructions without making a tensor or calling anything; return what it would give."""
    stack: list[Any] = []
    marked: list[list[Any]] = []
    memo: dict[int, Any] = {}
    n_values = 0
    argument: Any
    for opcode, argument, _ in pickletools.genops(pickled):
        n_values += opcode.name not in _NUMBERS
        if n_values > MOST_VALUES:
            raise _NotDataError(f"more than {MOST_VALUES:,} values that are not numbers")
        match opcode.name:
            case "PROTO" | "STOP":
                pass
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT" | "BINUNICODE" | "SHORT_BINSTRING":
                stack.append(argument)
            case "NONE" | "NEWTRUE" | "NEWFALSE" | "EMPTY_TUPLE":
                stack.append(_CONSTANTS[opcode.name])
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                n = int(opcode.name[-1])
                stack[-n:] = [tuple(stack[-n:])]
            case "MARK":
                marked.append(stack)
                stack = []
            case "TUPLE":
                items, stack = stack, marked.pop()
                stack.append(tuple(items))
            case "APPEND":
                item = stack.pop()
                stack[-1].append(item)
            case "APPENDS":
                items, stack = stack, marked.pop()
                stack[-1].extend(items)
            case "SETITEM":
                items = [stack.pop(-2), stack.pop()]
                _put(stack[-1], items)
            case "SETITEMS":
                items, stack = stack, marked.pop()
                _put(stack[-1], items)
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                if argument not in (_DICTIONARY, _TENSOR, _PARAMETER, *_ITEM_BYTES):
                    raise _NotDataError(str(argument).replace(" ", "."))
                stack.append(_Name(argument))
            case "BINPERSID":
                stack.append(_storage(stack.pop(), sizes))
            case "REDUCE":
                arguments = stack.pop()
                stack.append(_made(stack.pop(), arguments))
            case "BUILD":
                # the only attribute of a dictionary's: which versions of the modules a state dict is of
                if list(stack.pop()) != ["_metadata"] or not isinstance(stack[-1], dict):
                    raise _NotDataError("attributes")
            case other:
                raise _NotDataError(f"the instruction {other}")
    (content,) = stack
    return content


def _put(dictionary: dict[Any, Any], items: list[Any]) -> None:
    """Set keys and values that alternate; hashing any other key could take for ever."""
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, str) and (not isinstance(key, int) or abs(key) >= 1 << 32):
            raise _NotDataError("a key that is neither text nor a number")
        dictionary[key] = value


def _storage(identity: Any, sizes: Mapping[str, int]) -> _Made:
    """Check that a record has the size that a tensor's storage declares."""
    kind, of, key, _, n_items = identity
    if kind != "storage" or not isinstance(n_items, int) or n_items * _ITEM_BYTES[of.name] != sizes[key]:
        raise _NotDataError(f"a tensor of {n_items} numbers where there are not as many")
    return _Made("storage")


def _made(by: _Name, arguments: tuple[Any, ...]) -> Any:
    """Return what one of the functions that a file may name makes."""
    match by, arguments:
        case _Name(name), () if name == _DICTIONARY:
            return {}
        case _Name(name), (_Made("storage"), int(), tuple(), tuple(), bool(), dict()) if name == _TENSOR:
            return _Made("tensor")
        case _Name(name), (_Made("tensor"), bool(), dict()) if name == _PARAMETER:
            return _Made("tensor")
    raise _NotDataError("a call that makes no tensor")


def _check_tree(content: Any, budget: int) -> None:
    """Refuse what is nested too deeply, or refers to its own parts so often that a walk through it would not end."""
    level = [content]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for node in level:
            if isinstance(node, _Name) or (isinstance(node, _Made) and node.kind != "tensor"):
                raise _NotDataError("parts of a tensor")
            if isinstance(node, dict):
                inner += node.values()
            elif isinstance(node, list) or type(node) is tuple:
                inner += node
            if len(inner) > budget:
                raise _NotDataError("parts that are repeated over and over")
        if not inner:
            return
        budget -= len(inner)
        level = inner
    raise _NotDataError(f"lists inside lists, more than {DEEPEST} of them")
