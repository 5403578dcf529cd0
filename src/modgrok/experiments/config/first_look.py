"""What options and config files say of a run, read without PyTorch.

What is wrong with the task is refused, and what begins is said, before what trains is imported: that takes seconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonargparse import ActionConfigFile, Namespace  # type: ignore[attr-defined]

from modgrok.data.task_tables import TaskTables
from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import CommandParser, check_null, option_values, parse
from modgrok.experiments.config.config_file import read_config, with_configs_as_data
from modgrok.runs.directory import RunDirectory, find_checkpoint, newest_run, next_version, run_of, update_of


@dataclass(frozen=True)
class FirstLook:
    """What is known of a run before it is built.

    Attributes:
        tables: its tasks; None where only a checkpoint tells them.
        network: the class path of its network.
        engine: the engine that was asked for.
        directory: the directory that it is written into; None for a run that writes nothing.
    """

    tables: TaskTables | None
    network: str
    engine: str
    directory: Path | None

    def __str__(self) -> str:
        """Say it in a few lines."""
        lines = [f"{self.network}, engine {self.engine}"]
        lines += [f"run: {os.path.relpath(self.directory)}"] if self.directory else []
        if self.tables is not None:
            pairs = sum(len(table.answers) for table in self.tables.tables)
            trained = sum(self.tables.training_counts)
            lines.insert(0, f"{self.tables.title}: {trained:,} of {pairs:,} pairs are trained on")
        return "\n".join(lines)


def first_look(args: Sequence[str]) -> FirstLook:
    """Look at the options of `modgrok fit`.

    Raises:
        InputError: if a file that they name is not there or is no config, or the data section is wrong.
    """
    args, configs = with_configs_as_data(args)
    checkpoint, resumed = given_checkpoint(args, configs), None
    if checkpoint is not None and (run := run_of(checkpoint)):
        if given := RunDirectory(run).config(update_of(checkpoint)):
            own = read_config(given)
            args, configs = ["--config", json.dumps(own), *args], {str(given): own, **configs}
        resumed = run if RunDirectory(run).last_checkpoint.samefile(checkpoint) else None
    tables = None
    if checkpoint is None or resumed is not None:
        tables = read_tables("modgrok fit", _of_data(args), configs)
    root = _root(args, configs) / "lightning_logs"
    is_trial = option_values(args, "--trainer.fast_dev_run")[-1:] not in ([], ["false"], ["0"])
    return FirstLook(
        tables,
        _chosen("model.network", args, configs) or "modgrok.Transformer",
        _chosen("model.engine", args, configs) or "auto",
        None if is_trial else resumed or root / f"version_{next_version(root)}",
    )


def given_checkpoint(args: Sequence[str], configs: Mapping[str, Mapping[str, Any]]) -> Path | None:
    """Return the checkpoint that options or configs name; `last` and `best` are those of the newest run.

    Raises:
        InputError: if it is not there.
    """
    in_configs = [config["ckpt_path"] for config in configs.values() if config.get("ckpt_path") is not None]
    if not all(isinstance(path, str) for path in in_configs):
        raise InputError("ckpt_path: not a path; it names a run's directory or a checkpoint file")
    given = [*in_configs, *option_values(args, "--ckpt_path")][-1:]
    if not given:
        return None
    if given[0] not in ("last", "best") or Path(given[0]).exists():
        return find_checkpoint(given[0])
    run = newest_run(_root(args, configs))
    if given[0] == "last":
        return RunDirectory(run).last_checkpoint
    from modgrok.runs.best_checkpoint import best_checkpoint

    return best_checkpoint(run)


def read_tables(
    prog: str,
    args: Sequence[str],
    configs: Mapping[str, Mapping[str, Any]],
    recorded: Mapping[str, Any] | None = None,
) -> TaskTables:
    """Read the data section of configs and options, on top of what a checkpoint has recorded of its data.

    Args:
        prog: the command, for its help.
        args: its options, with the content of config files in the place of their paths.
        configs: the content of the config files by path; only their data sections are looked at.
        recorded: the arguments of a run's data.

    Raises:
        InputError: if an option is unknown, or a value of the section is wrong.
    """
    parser = CommandParser(prog=prog, description="What a task is: its pairs, its split, its structure.")
    parser.add_argument(
        "-c", "--config", action=ActionConfigFile, help="a config file; its data section is read"
    )
    parser.add_argument(
        "--ckpt_path", type=str | None, default=None, help="a run or a checkpoint whose task it is"
    )
    parser.add_class_arguments(TaskTables, "data")
    if recorded is not None:
        parser.set_defaults({f"data.{name}": value for name, value in recorded.items()})
    data_alone = {
        json.dumps(config): json.dumps({name: value for name, value in config.items() if name == "data"})
        for config in configs.values()
    }
    given = parse(parser, [data_alone.get(arg, arg) for arg in args])
    if not isinstance(given.data, Namespace):
        raise InputError("data: not a section with fields of its own, such as data.FIELD")
    check_null("data", TaskTables, given.data)
    return TaskTables(**vars(given.data))


def _of_data(args: Sequence[str]) -> list[str]:
    """Return the configs and the options of the data section, with their values."""
    options, taken = [], False
    for arg in args:
        if arg.startswith("--") or arg == "-c":
            taken = arg.startswith(("--data.", "--data=")) or arg in ("--data", "--config", "-c")
        options += [arg] if taken else []
    return options


def _root(args: Sequence[str], configs: Mapping[str, Mapping[str, Any]]) -> Path:
    """Return the directory of `lightning_logs`."""
    return Path(_chosen("trainer.default_root_dir", args, configs) or ".").expanduser()


def _chosen(field: str, args: Sequence[str], configs: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the text of a field, or the class path that it names; None where nothing is said of it."""
    values = []
    for config in configs.values():
        value: Any = config
        for name in field.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        values.append(value.get("class_path") if isinstance(value, Mapping) else value)
    values += [value for value in option_values(args, f"--{field}") if value[:1] != "{"]
    values += option_values(args, f"--{field}.class_path")
    return next((value for value in reversed(values) if isinstance(value, str)), None)
