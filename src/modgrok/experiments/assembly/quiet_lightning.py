"""Running Lightning without what it says on its own."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import shortened


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence what Lightning says about settings that the user did not choose.

    Raises:
        InputError: for what Lightning refuses as a wrong configuration.
    """
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    except Exception as error:
        if "lightning" in sys.modules:  # a command that needs no Lightning imports none
            from lightning.fabric.utilities.exceptions import MisconfigurationException

            if isinstance(error, MisconfigurationException):
                raise InputError(f"trainer: {shortened(error)}") from error
        raise
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
