"""The command line: LightningCLI, and the commands that are not Trainer methods."""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
import warnings
from collections.abc import Sequence
from typing import NoReturn

from lightning.fabric.utilities.exceptions import MisconfigurationException

from modgrok.cli.analyze import analyze, export
from modgrok.cli.lightning import Cli
from modgrok.cli.parser import nearest, shortened
from modgrok.errors import InputError, RunStoppedError
from modgrok.report.description import describe, list_tasks
from modgrok.tasks.wording import brief

__all__ = ["main"]

COMMANDS = {
    "fit": "train:  modgrok fit --config configs/poly.yaml",
    "test": "loss and accuracy on the held-out pairs:  modgrok test --ckpt_path RUN_OR_CKPT",
    "validate": "the same, through Lightning's validation loop",
    "predict": "a table of every pair:  modgrok predict --ckpt_path RUN_OR_CKPT --predictions.file pairs.csv",
    "describe": "what a task is, before any training:  modgrok describe --config configs/poly.yaml",
    "tasks": "list the operations that have a name",
    "analyze": "open the network, as one HTML page and tables:  modgrok analyze RUN_OR_CKPT",
    "export": "write the weights for TransformerLens:  modgrok export RUN_OR_CKPT weights.safetensors",
}
USAGE = (
    "usage: modgrok COMMAND [options]        (modgrok COMMAND --help lists a command's options)\n\n"
    + "".join(f"  {name:<10}{text}\n" for name, text in COMMANDS.items())
    + "\nRUN_OR_CKPT is a run's directory, lightning_logs/version_N, or a checkpoint file.\n"
)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line on `args`, or on the process's own; exit with 2 where the user's input is wrong."""
    command, *options = list(sys.argv[1:] if args is None else args) or ["--help"]
    try:
        if command in ("-h", "--help"):
            print(USAGE, end="")
        elif command == "tasks":
            print(list_tasks())
        elif command == "describe":
            quiet()
            print(describe(Cli(options, run=False).datamodule))
        elif command == "analyze":
            analyze(options)
        elif command == "export":
            export(options)
        elif command in COMMANDS:
            quiet()
            Cli([command, *options])
        else:
            raise InputError(
                f"unknown command {command!r}{nearest(command, COMMANDS)} (modgrok --help lists them)"
            )
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


def fail(error: object, code: int) -> NoReturn:
    """Print an error and exit."""
    print(f"modgrok: error: {error}", file=sys.stderr)
    sys.exit(code)


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
