"""Whose an error is: a setting's, which is told in one line, or the user's own code's, which keeps its traceback."""

from __future__ import annotations

import inspect
import re
import site
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from traceback import walk_tb
from types import FrameType
from typing import Any

from jsonargparse import Namespace
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers import Logger
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import shortened

_HERE = str(Path(__file__).parents[2])
_INSTALLED = (
    *site.getsitepackages(),
    site.getusersitepackages(),
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
)

FIELDS: Mapping[type, str] = {
    Callback: "trainer.callbacks",
    Logger: "trainer.logger",
    Optimizer: "model.optimizer",
    LRScheduler: "model.lr_scheduler",
}
"""The field that names an object of each of these classes."""


def one_line(error: BaseException) -> str:
    """Return what an error says, shortened to a line, after its class where that is not understood without."""
    text = shortened(error)
    kind = type(error)
    plain = isinstance(error, InputError | MisconfigurationException) or kind in (
        ValueError,
        TypeError,
        RuntimeError,
    )
    return text if plain and text else f"{kind.__name__}: {text}"


def is_of_own_code(error: BaseException) -> bool:
    """Whether an error passed through code that is neither installed nor modgrok's: the user's own."""
    return any(not frame.f_code.co_filename.startswith(("<", _HERE, *_INSTALLED)) for frame in _frames(error))


def culprit(error: BaseException) -> str | None:
    """Return the field and the class of the callback, logger, optimizer or schedule that an error came out of.

    None for an error of modgrok's own, which wants its traceback.
    """
    for frame in reversed(list(_frames(error))):
        owner = frame.f_locals.get("self")
        ours = frame.f_code.co_filename.startswith(_HERE)
        field = next((field for kind, field in FIELDS.items() if isinstance(owner, kind)), None)
        if field and not ours:
            return f"{field}: {type(owner).__name__}"
        if ours and field not in (None, "trainer.callbacks", "trainer.logger"):
            return None
        if ours and not _called_by_callback(error, frame):
            return None
    return None


def _called_by_callback(error: BaseException, inner: FrameType) -> bool:
    """Whether a callback or logger that is not modgrok's is at work around a frame."""
    for frame in _frames(error):
        if frame is inner:
            return False
        owner = frame.f_locals.get("self")
        if isinstance(owner, Callback | Logger) and not frame.f_code.co_filename.startswith(_HERE):
            return True
    return False


def of_building(error: Exception, config: Namespace) -> Exception:
    """Return the error to raise for one that came of building what a config names.

    Args:
        error: the parser's. What a class of the user's own raised is returned as it is: its traceback is theirs to
            read.
        config: the config.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, InputError):
            return cause
        if isinstance(cause, MisconfigurationException):
            return InputError(f"trainer: {shortened(cause)}")
    for cause in causes:
        if is_of_own_code(cause):
            return causes[1] if len(causes) > 1 and isinstance(causes[1], Exception) else error
    failed = re.search(r"Problem with given class_path '([\w.]+)':\s*(.+)", str(error))
    if failed is None:
        return error
    class_path, reason = failed.groups()
    field = next((name for name, value in config.items() if class_path in str(value)), class_path)
    if missing := re.search(r"pip install -U '([\w-]+)", reason):
        reason = f"needs {missing[1]}: pip install {missing[1]}"
    return InputError(f"{field.removesuffix('.class_path')}: {class_path}: {shortened(reason)}")


def wrong_option(settings: Mapping[str, Any], error: Exception) -> str:
    """Return the name of the trainer's option that alone makes it fail in the same way; `trainer` if none does."""
    parameters = inspect.signature(Trainer).parameters
    for name, value in settings.items():
        if name in ("callbacks", "logger", "plugins") or value == parameters[name].default:
            continue
        try:
            Trainer(
                **{"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, name: value}
            )
        except Exception as again:
            if type(again) is type(error) and str(again) == str(error):
                return name
    return "trainer"


def _frames(error: BaseException) -> Iterator[FrameType]:
    """The frames that an error passed through, from the outermost on."""
    return (frame for frame, _ in walk_tb(error.__traceback__))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
