"""What the trainer was given and cannot be made."""

from __future__ import annotations

import re
from typing import Any

from lightning.fabric.utilities.exceptions import MisconfigurationException

from modgrok.errors import InputError


def explained(error: ValueError, trainer: dict[str, Any]) -> Exception:
    """Return, for an error of the parser at making what the config names, one whose message is a line.

    Args:
        error: the parser's; where it is not about the trainer's section it is returned as it is.
        trainer: that section by field.
    """
    if isinstance(error.__cause__, MisconfigurationException):
        return error.__cause__
    failed = re.search(r"Problem with given class_path '([\w.]+)':\s*(.+)", str(error))
    if failed is None:
        return error
    class_path, reason = failed.groups()
    field = next(name for name, value in trainer.items() if class_path in str(value))
    if missing := re.search(r"pip install -U '([\w-]+)", reason):
        reason = f"needs {missing[1]}: pip install {missing[1]}"
    return InputError(f"trainer.{field}: {class_path}: {reason}")
