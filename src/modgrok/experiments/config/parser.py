"""The parser of whole configs."""

from __future__ import annotations

from lightning.pytorch.cli import LightningArgumentParser

from modgrok.experiments.config.command_parser import CommandParser


class Parser(LightningArgumentParser):
    """LightningCLI's parser, whose errors are those of `CommandParser`."""

    error = CommandParser.error
