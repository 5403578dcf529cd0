"""The parser of whole configs, and the errors of building what they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.cli import LightningArgumentParser

from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import CommandParser


class Parser(LightningArgumentParser):
    """LightningCLI's parser, whose errors are those of `CommandParser`."""

    error = CommandParser.error


def as_input_error(error: ValueError, fields: Mapping[str, Any]) -> Exception:
    """Return the error whose message is a line, for an error of the parser at building what the config names.

    Args:
        error: the parser's. What a class of the user's own raised is returned as it is: its traceback is
            theirs to read.
        fields: the config's values by field, of those fields whose classes are not the user's own.
    """
    for cause in _causes(error):
        if isinstance(cause, InputError | MisconfigurationException):
            return cause
    failed = re.search(r"Problem with given class_path '([\w.]+)':\s*(.+)", str(error))
    if failed is None:
        return error
    class_path, reason = failed.groups()
    field = next((name for name, value in fields.items() if class_path in str(value)), None)
    if field is None:
        return error.__cause__ if isinstance(error.__cause__, Exception) else error
    if missing := re.search(r"pip install -U '([\w-]+)", reason):
        reason = f"needs {missing[1]}: pip install {missing[1]}"
    return InputError(f"{field}: {class_path}: {reason}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
