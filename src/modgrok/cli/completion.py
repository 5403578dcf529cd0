"""`modgrok completion`: a script that completes commands and options in a shell."""

from __future__ import annotations

import argparse

import shtab

from modgrok.experiments.config.command_parser import CommandParser

AS_FIT = ("fit", "test", "validate", "predict")
"""The commands that take the options of a run."""

OF_A_RUN = ("--data.task", "x + y", "--data.modulus", "7", "--trainer.max_steps", "1")


def completion(options: list[str]) -> None:
    """Print the script; `eval "$(modgrok completion bash)"` loads it."""
    parser = CommandParser(prog="modgrok completion", description="A script that completes commands.")
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS, help="whose script it is")
    shell = parser.parse_args(options).shell
    print(shtab.complete(_all_commands(), shell))


def _all_commands() -> argparse.ArgumentParser:
    """Return a parser with every command, and with the options of those that take a config."""
    from modgrok.cli.commands import COMMANDS
    from modgrok.experiments import Experiment

    of_a_run = [
        option
        for action in Experiment("fit", OF_A_RUN).parser._actions
        for option in action.option_strings
        if option.startswith("--") and not option.endswith("+")
    ]
    parser = argparse.ArgumentParser("modgrok")
    commands = parser.add_subparsers()
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=command.help.partition(":  ")[0].replace("%", "%%"))
        for option in of_a_run if name in AS_FIT else ():
            if option != "--help":
                one.add_argument(option).complete = shtab.FILE  # type: ignore[attr-defined]
    return parser
