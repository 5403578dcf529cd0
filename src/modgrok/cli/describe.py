"""`modgrok describe` and `modgrok tasks`."""

from __future__ import annotations

from modgrok.cli import terminal
from modgrok.cli.terminal import say
from modgrok.data.describe import describe as describe_tables
from modgrok.data.describe import describe_operation, list_tasks
from modgrok.errors import InputError, did_you_mean
from modgrok.experiments.config.command_parser import CommandParser
from modgrok.experiments.config.config_file import with_configs_as_data
from modgrok.experiments.config.first_look import given_checkpoint, read_tables
from modgrok.experiments.config.formula_first import formula_first
from modgrok.tasks import Group

SECTIONS = (
    *("seed_everything", "trainer", "model", "data", "checkpoint", "stop", "curves", "measures", "weights"),
    *("predictions", "ckpt_path"),
)
"""The sections of a config, and its fields outside them."""


def describe(options: list[str]) -> None:
    """Print what a task is."""
    args, configs = with_configs_as_data(formula_first(options))
    for path, config in configs.items():
        for name in config:
            if name not in SECTIONS:
                raise InputError(f"{path}: unknown section {name}{did_you_mean(str(name), SECTIONS)}")
    checkpoint, recorded = given_checkpoint(args, configs), None
    if checkpoint is not None:
        from modgrok.runs.snapshot import load_snapshot

        recorded = load_snapshot(checkpoint).data.config
    say(describe_tables(read_tables("modgrok describe", args, configs, recorded), _irreps))


def tasks(options: list[str]) -> None:
    """Print the operations that have a name."""
    parser = CommandParser(prog="modgrok tasks", description="The operations that have a name.")
    parser.add_argument("name", type=str | None, nargs="?", help="one of them; all are listed unless given")
    name = parser.parse_args(options).name
    if name is not None:
        say(describe_operation(name))
        return
    listed, width = list_tasks(), terminal.columns()
    if width and max(map(len, listed.splitlines())) > width:
        listed = f"{list_tasks(short=True)}\n\nOperands and source of each: modgrok tasks NAME"
    say(listed)


def _irreps(group: Group) -> str:
    from modgrok.analysis.irreps import list_irreps, real_irreps

    return list_irreps(real_irreps(group))
