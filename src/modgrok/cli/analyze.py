"""`modgrok analyze`."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.progress import track

from modgrok.analysis import BasisName, analyze_checkpoints, analyze_network
from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import CommandParser
from modgrok.interop import read_weights
from modgrok.report import (
    beside,
    check_output,
    find_target,
    mixture_summary,
    opening,
    write_report,
)
from modgrok.runs.directory import source_name


def analyze(options: list[str]) -> None:
    """Analyze a run, a checkpoint or other people's weights; write the report and print its opening."""
    parser = CommandParser(
        prog="modgrok analyze", description="Open the network, as one HTML page and tables."
    )
    parser.add_argument(
        "path", type=Path, metavar="RUN_OR_CKPT", help="a run, a checkpoint, or a file of weights"
    )
    parser.add_argument(
        "--basis", choices=get_args(BasisName), default="auto", help="that the task is looked at in"
    )
    parser.add_argument(
        "--output", type=Path | None, help="directory of the report; in the run's unless given"
    )
    parser.add_argument(
        "--formula", type=str | None, help="of other people's weights: what they were trained on"
    )
    parser.add_argument(
        "--alone",
        type=Path,
        nargs="+",
        default=[],
        metavar="RUN",
        help="of a mixture: runs on its formulas alone, to compare it with",
    )
    parser.add_argument("--modulus", type=int | None, help="of other people's weights")
    parser.add_argument(
        "--template", type=list[str] | None, help='of other people\'s weights; [x, y, "="] unless given'
    )
    given = parser.parse_args(options)
    if given.formula is not None:
        if given.modulus is None:
            raise InputError("--formula needs --modulus")
        output = given.output or beside(given.path)
        check_output(output)
        snapshot = read_weights(given.path, given.formula, given.modulus, given.template)
        analysis = analyze_network(snapshot, source_name(given.path), given.basis)
    else:
        subject = find_target(given.path)
        output = given.output or subject.output
        check_output(output)
        console = Console(stderr=True)
        bar = partial(
            track, description="checkpoints", console=console, transient=True, disable=not console.is_terminal
        )
        try:
            analysis = analyze_checkpoints(subject.checkpoints, subject.source, given.basis, given.alone, bar)
        except InputError as error:
            foreign = given.path.is_file() and given.path.suffix != ".ckpt"
            raise InputError(
                f"{error}; other people's weights need --formula and --modulus" if foreign else error
            ) from None
    write_report(analysis, output)
    if words := mixture_summary(analysis):
        print(f"{words}\n")
    for task in analysis.tasks:
        print(f"{task.circuit.name} mod {task.circuit.task.modulus}: {opening(analysis, task)}\n")
    print(f"report: {os.path.relpath(output)}/index.html")
