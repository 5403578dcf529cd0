"""`modgrok configs`: the configs that modgrok comes with."""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.console import Console
from rich.table import Table

from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import CommandParser
from modgrok.experiments.config.shipped import shipped_configs, shipped_root, title


def configs(options: list[str]) -> None:
    """List the configs by the names that `--config` takes, or copy all of them into a directory."""
    parser = CommandParser(prog="modgrok configs", description="The configs that --config finds by name.")
    parser.add_argument("--copy", type=Path | None, metavar="DIR", help="write them into a new directory")
    directory = parser.parse_args(options).copy
    if directory is None:
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, file in shipped_configs().items():
            table.add_row(name, title(file))
        Console(highlight=False, markup=False).print(table)
        return
    if directory.exists():
        raise InputError(f"{directory}: exists already; name a directory that does not")
    try:
        shutil.copytree(shipped_root(), directory)
    except OSError as error:
        raise InputError(f"{directory}: cannot be written: {error.strerror or error}") from None
    print(f"wrote {len(shipped_configs())} configs to {directory}")
