"""What each command does."""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
import warnings

from lightning.fabric.utilities.exceptions import MisconfigurationException

from modgrok.cli.analyze import analyze, export
from modgrok.cli.capacity import capacity
from modgrok.cli.lightning import Cli
from modgrok.cli.parser import shortened
from modgrok.cli.saying import fail
from modgrok.errors import InputError, RunStoppedError
from modgrok.report.description import describe, list_tasks
from modgrok.tasks.wording import brief


def run(command: str, options: list[str]) -> None:
    """Run a command; exit with 2 where the user's input is wrong, with 1 where the run could not go on."""
    try:
        if command == "tasks":
            print(list_tasks())
        elif command == "describe":
            quiet()
            print(describe(Cli(options, run=False).datamodule))
        elif command == "analyze":
            analyze(options)
        elif command == "export":
            export(options)
        elif command == "capacity":
            quiet()
            capacity(options)
        else:
            quiet()
            Cli([command, *options])
    except InputError as error:
        fail(error, 2)
    except MisconfigurationException as error:
        fail(f"trainer: {shortened(error)}", 2)
    except BrokenPipeError:  # whoever read the output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        fail(f"{brief(error.filename)}: too long for the name of a file", 2)
    except RunStoppedError as error:
        fail(error, 1)


def quiet() -> None:
    """Silence Lightning where it speaks of what a user of modgrok did not choose, and threads that repeat an error."""
    # the thread that writes TensorBoard's events hands its error on to the run
    threading.excepthook = lambda error: (
        None if issubclass(error.exc_type, OSError) else threading.__excepthook__(error)
    )
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    for message in (
        "Total length of `list` across ranks",
        "`isinstance.treespec, LeafSpec.`",
        ".*does not have many workers",
    ):
        warnings.filterwarnings("ignore", message)
