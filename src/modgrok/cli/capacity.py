"""The commands of the second wing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import CommandParser

USAGE = """usage: modgrok capacity COMMAND [options]

  describe  bits in the data, by scheme, before any training:  modgrok capacity describe --n 10000 --relations 4
  fit       train:  modgrok capacity fit --config configs/capacity/plateau.yaml
  measure   bits memorized, a table and a page:  modgrok capacity measure RUN [RUN ...]
  probe     what each layer and position knows:  modgrok capacity probe RUN [--json FILE]
"""


def capacity(options: list[str]) -> None:
    """Run one of the commands.

    Raises:
        InputError: if there is no such command, or what it is given is wrong.
    """
    command, *rest = options or ["--help"]
    commands = {"describe": describe, "fit": fit, "measure": measure, "probe": probe}
    if command in ("-h", "--help"):
        print(USAGE, end="")
    elif command in commands:
        commands[command](rest)
    else:
        raise InputError(f"capacity: unknown command {command!r}; there are {', '.join(commands)}")


def describe(options: list[str]) -> None:
    """Print what a data set is."""
    from modgrok.capacity import ProfilesDataModule
    from modgrok.capacity.measuring.describe_profiles import describe

    parser = CommandParser(
        prog="modgrok capacity describe", description="Bits in the data, before any training."
    )
    parser.add_class_arguments(ProfilesDataModule, None)
    parser.add_argument("--write", type=Path | None, help="a Parquet file to write the profiles to")
    given = parser.parse_args(options).as_dict()
    file = given.pop("write")
    data = ProfilesDataModule(**given)
    print(describe(data))
    if file:
        from modgrok.capacity.people.parquet import write_profiles

        write_profiles(data.people, file)
        print(f"\nprofiles: {file}")


def fit(options: list[str]) -> None:
    """Train, and say what to type next."""
    from modgrok.experiments.assembly.capacity_experiment import CapacityExperiment

    experiment = CapacityExperiment(options)
    directory, signal = os.path.relpath(experiment.fit()), experiment.interrupt.received
    print(f"run: {directory}")
    if signal:
        print(f"stopped by {signal.name}; to resume, give the same options and --ckpt_path {directory}")
        sys.exit(128 + signal)
    print(f"  modgrok capacity measure {directory}")


def measure(options: list[str]) -> None:
    """Print the bits that runs have memorized, and write the page."""
    from modgrok.capacity import load_run
    from modgrok.capacity.measuring.measure import measure_run, sets_table, table
    from modgrok.capacity.measuring.measure_page import FILES, opening, write_measurements
    from modgrok.capacity.measuring.probe import probe_run
    from modgrok.report import check_output

    parser = CommandParser(prog="modgrok capacity measure", description="Bits memorized, every fact scored.")
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="a run, or a checkpoint")
    parser.add_argument("--probe", action="store_true", help="probe every layer and position too")
    parser.add_argument("--output", type=Path, default=Path("capacity_report"), help="directory of the page")
    given = parser.parse_args(options)
    check_output(given.output, FILES)
    runs = [load_run(run) for run in given.runs]
    measurements = [measure_run(run) for run in runs]
    print(table(measurements))
    for m in measurements:
        if len(m.losses) > 1:
            print(f"\n{m.run}\n{sets_table(m)}")
    write_measurements(measurements, {run.name: probe_run(run) for run in runs if given.probe}, given.output)
    print(f"\n{opening(measurements)}\n\npage: {given.output}/index.html")


def check_new(file: Path | None) -> None:
    """Raise an InputError if a file to be written exists, or its folder does not."""
    if file and file.exists():
        raise InputError(f"{file}: exists already")
    if file and not file.parent.is_dir():
        raise InputError(f"{file}: there is no folder {file.parent}")


def probe(options: list[str]) -> None:
    """Print what each layer and position knows."""
    from modgrok.capacity import load_run
    from modgrok.capacity.measuring.probe import probe_run, probe_table
    from modgrok.runs.whole_files import write_whole

    parser = CommandParser(
        prog="modgrok capacity probe", description="Linear probes of every layer and position."
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run, or a checkpoint")
    parser.add_argument("--json", type=Path | None, help="a file for everything found, as JSON")
    given = parser.parse_args(options)
    check_new(given.json)
    probes = probe_run(load_run(given.run))
    print(probe_table(probes))
    if given.json:
        write_whole(given.json, json.dumps([p.plain() for p in probes], indent=1), replace=False)
        print(f"\n{given.json}")
