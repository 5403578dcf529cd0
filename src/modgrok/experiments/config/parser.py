"""The parser of whole configs."""

from __future__ import annotations

from enum import Enum
from typing import Any

from jsonargparse import Namespace
from lightning.pytorch.cli import LightningArgumentParser

from modgrok.experiments.config.command_parser import CommandParser
from modgrok.experiments.config.short_help import HelpAction


class Parser(LightningArgumentParser):
    """LightningCLI's parser, whose errors are those of `CommandParser`, with a help in a short and a long form."""

    error = CommandParser.error

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, add_help=False, **kwargs)
        self.add_argument("-h", "--help", action=HelpAction)


def plain(value: Any) -> Any:
    """Return a config with words in the place of enumerations of words, which cannot be written to a file."""
    if isinstance(value, Namespace):
        for name, one in vars(value).items():
            value[name] = plain(one)
    elif isinstance(value, list):
        return [plain(one) for one in value]
    elif isinstance(value, Enum) and isinstance(value, str):
        return value.value
    return value
