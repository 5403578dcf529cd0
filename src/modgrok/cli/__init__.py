"""The command line."""

from modgrok.cli.commands import main

__all__ = ["main"]
