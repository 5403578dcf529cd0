"""The commands: which there are, and how their errors end the process.

What takes seconds to import is imported by the command that needs it.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pkgutil import resolve_name
from typing import NamedTuple, NoReturn

import modgrok
from modgrok.cli import terminal
from modgrok.cli.terminal import say
from modgrok.errors import InputError, RunStoppedError, brief, did_you_mean


class Command(NamedTuple):
    """A command.

    Attributes:
        help: its line in the help.
        function: the function that takes its options, as `module:name`.
    """

    help: str
    function: str


COMMANDS = {
    "fit": Command("train:  modgrok fit --config poly", "modgrok.cli.fit:fit"),
    "test": Command(
        "loss and accuracy on the held-out pairs:  modgrok test --ckpt_path RUN_OR_CKPT",
        "modgrok.cli.evaluate:test",
    ),
    "validate": Command("the same, through Lightning's validation loop", "modgrok.cli.evaluate:validate"),
    "predict": Command(
        "a table of every pair:  modgrok predict --ckpt_path RUN_OR_CKPT --predictions.file out.csv",
        "modgrok.cli.evaluate:predict",
    ),
    "describe": Command(
        "what a task is, before any training:  modgrok describe --config poly",
        "modgrok.cli.describe:describe",
    ),
    "tasks": Command(
        "list the operations that have a name, or explain one:  modgrok tasks NAME",
        "modgrok.cli.describe:tasks",
    ),
    "analyze": Command(
        "open the network, as one HTML page and tables:  modgrok analyze RUN_OR_CKPT",
        "modgrok.cli.analyze:analyze",
    ),
    "certify": Command(
        "what is proved of the network's answers:  modgrok certify RUN_OR_CKPT",
        "modgrok.cli.certify:certify",
    ),
    "sweep": Command(
        "many runs, one table, one page:  modgrok sweep --config sweeps/powers",
        "modgrok.cli.sweep:run_sweep",
    ),
    "reproduce": Command(
        "a published figure, ours beside theirs:  modgrok reproduce CLAIM (without one: a list)",
        "modgrok.cli.reproduce:run_reproduce",
    ),
    "export": Command(
        "write the weights for TransformerLens:  modgrok export RUN_OR_CKPT weights.safetensors",
        "modgrok.cli.export:export",
    ),
    "configs": Command(
        "the configs that --config finds by name:  modgrok configs --copy DIR", "modgrok.cli.configs:configs"
    ),
    "runs": Command(
        "the runs in a directory, one row each:  modgrok runs --sort grokked_at",
        "modgrok.cli.runs:print_runs",
    ),
    "compare": Command(
        "runs side by side, and their curves:  modgrok compare RUN RUN", "modgrok.cli.compare:compare"
    ),
    "open": Command("a run's page in the browser:  modgrok open RUN", "modgrok.cli.open_page:open_page"),
    "completion": Command(
        'completes commands in a shell:  eval "$(modgrok completion bash)"',
        "modgrok.cli.completion:completion",
    ),
    "capacity": Command(
        "how many bits a small language model remembers:  modgrok capacity --help",
        "modgrok.cli.capacity:capacity",
    ),
}


def run_command(prog: str, commands: Mapping[str, Command], args: Sequence[str], note: str = "") -> None:
    """Run one of the commands of `prog`, or print which there are.

    Raises:
        InputError: if there is no such command.
    """
    name, *options = args or ["--help"]
    if name in ("-h", "--help"):
        print(f"usage: {prog} COMMAND [options]\n       {prog} COMMAND --help lists a command's options\n")
        for each, command in commands.items():
            line, width = f"  {each:<12}{command.help}", terminal.columns()
            print(line if not width or len(line) <= width else line.replace(":  ", f"\n{'':14}"))
        if note:
            say(note)
    elif name in commands:
        resolve_name(commands[name].function)(options)
    else:
        known = did_you_mean(name, commands)
        raise InputError(f"unknown command {brief(name)}{known} ({prog} --help lists them)")


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line on `args`, or on the process's own.

    Exits with 2 where the user's input is wrong, with 1 where a run could not continue, and with 130 after Ctrl-C.
    """
    args = sys.argv[1:] if args is None else args
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file on Windows has an encoding without ℤ or ⁻
            stream.reconfigure(errors="replace")
    if list(args) == ["--version"]:
        print(f"modgrok {modgrok.__version__}")
        return
    hook = threading.excepthook
    # the thread that writes TensorBoard's events hands its error on to the run
    threading.excepthook = lambda error: None if issubclass(error.exc_type, OSError) else hook(error)
    note = "\nRUN_OR_CKPT is a run's directory, lightning_logs/version_N, or a checkpoint file."
    try:
        run_command("modgrok", COMMANDS, args, note)
    except InputError as error:
        _fail(error, 2)
    except BrokenPipeError:  # whoever read the output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        _fail(f"{brief(error.filename)}: too long for the name of a file", 2)
    except RunStoppedError as error:
        _fail(error, 1)
    except KeyboardInterrupt:
        _fail("interrupted", 128 + signal.SIGINT)
    finally:
        threading.excepthook = hook


def _fail(error: object, code: int) -> NoReturn:
    say(f"modgrok: error: {error}", stream=sys.stderr)
    sys.exit(code)
