"""Running Lightning without what it says of itself."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning
from lightning.fabric.utilities.exceptions import MisconfigurationException

from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import shortened

LOGGERS = ("lightning", "lightning.pytorch", "lightning.fabric")
"""The loggers that Lightning gives handlers, besides the root logger's."""

UNASKED = ("pytorch/trainer", "pytorch/loops", "pytorch/accelerators", "pytorch/strategies", "fabric")
"""The parts of Lightning whose messages are about settings that nobody chose.

What callbacks and profilers say was asked for.
"""

ADVICE = (
    "`isinstance.treespec, LeafSpec.`",
    "The `srun` command is available",
    "Checkpoint directory .* exists and is not empty",
)
"""How warnings begin that are about Lightning's own code, or about what a run does on purpose."""


class _Unasked(logging.Filter):
    """Drops the messages, but no warnings, that come from `UNASKED`."""

    def filter(self, record: logging.LogRecord) -> bool:
        path, package = Path(record.pathname), Path(lightning.__file__).parent
        if record.levelno >= logging.WARNING or not path.is_relative_to(package):
            return True
        return not path.relative_to(package).as_posix().startswith(UNASKED)


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence what Lightning says of settings that the user did not choose.

    Raises:
        InputError: for what Lightning refuses as a wrong configuration.
    """
    loggers = [logging.getLogger(name) for name in (None, *LOGGERS)]
    handlers, unasked = [handler for logger in loggers for handler in logger.handlers], _Unasked()
    for handler in handlers:
        handler.addFilter(unasked)
    try:
        with warnings.catch_warnings():
            for message in ADVICE:
                warnings.filterwarnings("ignore", message)
            yield
    except MisconfigurationException as error:
        raise InputError(f"trainer: {shortened(error)}") from error
    finally:
        for handler in handlers:
            handler.removeFilter(unasked)
