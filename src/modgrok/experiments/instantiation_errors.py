"""Turn the errors of building what a config names into one-line input errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lightning.fabric.utilities.exceptions import MisconfigurationException

from modgrok.errors import InputError


def as_input_error(error: ValueError, fields: Mapping[str, Any]) -> Exception:
    """Return the error whose message is a line, for an error of the parser at building what the config names.

    Args:
        error: the parser's. An error in a class of the user's own comes back as it is: its traceback is theirs to read.
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
        return error
    if missing := re.search(r"pip install -U '([\w-]+)", reason):
        reason = f"needs {missing[1]}: pip install {missing[1]}"
    return InputError(f"{field}: {class_path}: {reason}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
