"""The commands of the second wing."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from modgrok.cli.commands import Command, run_command
from modgrok.cli.terminal import say
from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import CommandParser
from modgrok.experiments.config.config_file import with_configs_as_data
from modgrok.runs.directory import find_checkpoint, together

COMMANDS = {
    "describe": Command(
        "bits in the data, by scheme, before any training:  modgrok capacity describe --n 10000 --relations 4",
        "modgrok.cli.capacity:describe",
    ),
    "fit": Command("train:  modgrok capacity fit --config capacity/plateau", "modgrok.cli.capacity:fit"),
    "measure": Command(
        "bits memorized, a table and a page:  modgrok capacity measure RUN [RUN ...]",
        "modgrok.cli.capacity:measure",
    ),
    "probe": Command(
        "what each layer and position knows:  modgrok capacity probe RUN [--json FILE]",
        "modgrok.cli.capacity:probe",
    ),
}


def capacity(options: list[str]) -> None:
    """Run one of the commands.

    Raises:
        InputError: if there is no such command, or what it is given is wrong.
    """
    run_command("modgrok capacity", COMMANDS, options)


def describe(options: list[str]) -> None:
    """Print what a data set is."""
    from modgrok.capacity.estimators.corrected_estimators import difference_in_words
    from modgrok.capacity.measuring.describe_profiles import describe, show
    from modgrok.capacity.questions.profiles_data import ProfilesData

    parser = CommandParser(
        prog="modgrok capacity describe", description="Bits in the data, before any training."
    )
    parser.add_class_arguments(ProfilesData, None)
    parser.add_argument("--write", type=Path | None, help="a Parquet file to write the profiles to")
    parser.add_argument(
        "--show", type=int, default=0, help="print this many profiles and questions about them"
    )
    given = parser.parse_args(options).as_dict()
    file, shown = given.pop("write"), given.pop("show")
    check_new(file)
    if shown < 0:
        raise InputError(f"show must be ≥ 0, got {shown}")
    data = ProfilesData(**given)
    found = describe(data)
    say(f"{found.title}\n\nbits of the source")
    draw(found.bits)
    say(f"\n{found.questions}")
    if found.sets:
        say(f"\n{found.inferred}")
        draw(found.sets)
    print()
    draw(found.schemes, ("bits by scheme, at zero loss", "published", "corrected"))
    say(f"\n{difference_in_words()}")
    for block in show(data, shown):
        say(f"\n{block}")
    if file:
        from modgrok.capacity.people.parquet import write_profiles

        write_profiles(data.people, file)
        print(f"\nprofiles: {file}")


def fit(options: list[str]) -> None:
    """Train, and say what was learned and what to type next."""
    with_configs_as_data(options)

    from modgrok.capacity.measuring.measure_page import opening
    from modgrok.capacity.measuring.memorized import read_measurement
    from modgrok.cli.fit import no_update
    from modgrok.experiments.assembly.capacity_experiment import CapacityExperiment
    from modgrok.runs.findings import FINDINGS

    experiment = CapacityExperiment(options)
    path, signal = experiment.fit(), experiment.interrupt.received
    for people in experiment.model.earlier:
        shared = people.shared_names(experiment.datamodule)
        print(
            f"started with the network of {people.run}, update {people.update:,}, trained on "
            f"{len(people.data.people):,} people; {shared:,} names here are theirs too"
        )
    if not experiment.writes:
        print("the run can be trained; nothing was written")
        return
    shown = shlex.quote(os.path.relpath(path))
    print(f"run: {shown}")
    if signal:
        print(f"stopped by {signal.name}; to resume:\n  modgrok capacity fit --ckpt_path {shown}", flush=True)
        sys.exit(128 + signal)
    if not (path / FINDINGS).exists():  # it was told to keep no checkpoint
        return
    if experiment.resumed and not experiment.updates_made:
        print(no_update(experiment))
    found = read_measurement(path)
    memorised = found.memorised_at
    print(
        f"memorised at update {memorised:,}"
        if memorised is not None
        else f"not memorised within {found.updates:,} updates"
    )
    for name, at in found.composed_at.items():
        learned = (
            f"composed at update {at:,}"
            if at is not None
            else f"not composed within {found.updates:,} updates"
        )
        print(f"{name}: {learned}, {found.accuracies[name]:.1%} right at the end")
    for name in sorted(found.losses.keys() - {"one_hop", found.inferred, *found.composed_at}):
        print(
            f"{name}: {found.losses[name]:.3f} bits per answer, {found.accuracies[name]:.1%} right at the end"
        )
    say(f"{opening([found])}\n  modgrok capacity measure {shown}")


def measure(options: list[str]) -> None:
    """Print the bits that runs have memorized, and write the page."""
    parser = CommandParser(prog="modgrok capacity measure", description="Bits memorized.")
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="a run, or a checkpoint")
    parser.add_argument("--exact", action="store_true", help="score every question, no samples")
    parser.add_argument("--probe", action="store_true", help="probe every layer and position too")
    parser.add_argument(
        "--output",
        type=Path | None,
        help="directory of the page; unless given report in the run, or measurements beside several",
    )
    parser.add_argument("--figures", type=Path | None, help="a directory for every figure as PNG and SVG")
    parser.add_argument(
        "--questions", type=Path | None, help="a Parquet file for the loss of every question of a run"
    )
    given = parser.parse_args(options)
    for run in given.runs:
        find_checkpoint(run)

    from modgrok.capacity import load_capacity_run
    from modgrok.capacity.measuring.figure_files import write_figures
    from modgrok.capacity.measuring.measure import measure_run
    from modgrok.capacity.measuring.measure_page import FILES, opening, sections, write_measurements
    from modgrok.capacity.measuring.measure_table import RUN_TITLES, SET_TITLES, run_rows, set_rows
    from modgrok.capacity.measuring.probe import probe_run
    from modgrok.capacity.measuring.question_table import write_questions
    from modgrok.report import check_output, find_target

    places = {find_target(run).output for run in given.runs}
    output = given.output or (places.pop() if len(places) == 1 else together(given.runs) / "measurements")
    check_output(output, FILES)
    check_new(given.questions)
    if given.questions and len(given.runs) > 1:
        raise InputError(f"questions: the table is of one run, got {len(given.runs)} runs")
    runs = [load_capacity_run(run) for run in given.runs]
    measurements = [measure_run(run, given.exact) for run in runs]
    draw(run_rows(measurements), RUN_TITLES)
    for m in measurements:
        if len(m.losses) > 1 or m.earlier:
            print(f"\n{m.run}")
            draw(set_rows(m), SET_TITLES)
    probes = {run.name: probe_run(run) for run in runs if given.probe}
    write_measurements(measurements, probes, output)
    say(f"\n{opening(measurements)}\n\npage: {os.path.relpath(output)}/index.html")
    if given.figures:
        figures = [figure for section in sections(measurements, probes) for figure in section.figures]
        print(f"figures: {len(write_figures(figures, given.figures))} files in {given.figures}")
    if given.questions:
        print(f"questions: {write_questions(runs[0], given.questions, given.exact):,} in {given.questions}")


def probe(options: list[str]) -> None:
    """Print what each layer and position knows."""
    parser = CommandParser(
        prog="modgrok capacity probe", description="Linear probes of every layer and position."
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run, or a checkpoint")
    parser.add_argument("--json", type=Path | None, help="a file for everything found, as JSON")
    given = parser.parse_args(options)
    check_new(given.json)
    find_checkpoint(given.run)

    from modgrok.capacity import load_capacity_run
    from modgrok.capacity.measuring.probe import probe_run
    from modgrok.runs.whole_files import write_whole

    probes = probe_run(load_capacity_run(given.run))
    for one in probes:
        control = max(map(max, one.control))
        print(f"{one.target}: bits known of {one.entropy:.2f}; control at most {control:.2f}")
        rows = [
            (str(layer), *(f"{bits:.2f}" for bits in of_layer)) for layer, of_layer in enumerate(one.bits)
        ]
        draw(rows, ("layer", *map(str, one.positions)))
        print()
    if given.json:
        write_whole(given.json, json.dumps([p.plain() for p in probes], indent=1), replace=False)
        print(given.json)


def check_new(file: Path | None) -> None:
    """Raise an InputError if a file to be written exists, or its folder does not."""
    if file and file.exists():
        raise InputError(f"{file}: exists already")
    if file and not file.parent.is_dir():
        raise InputError(f"{file}: there is no folder {file.parent}")


def draw(rows: Sequence[Sequence[str]], titles: Sequence[str] = ()) -> None:
    """Print rows as a table, their first column to the left and the others to the right."""
    table = Table(box=None, pad_edge=False, show_header=bool(titles))
    for column in range(len(titles or rows[0])):
        title = titles[column] if titles else ""
        table.add_column(title, justify="right" if column else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False)
    Console(width=console.width if console.is_terminal else 200, highlight=False, markup=False).print(table)
