"""`modgrok analyze`."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from modgrok.cli.foreign_weights import add_foreign_options, read_foreign
from modgrok.cli.terminal import say
from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import CommandParser
from modgrok.runs.directory import source_name

BASES = ("auto", "additive", "multiplicative")
"""`analysis.BasisName`, which takes PyTorch."""


def analyze(options: list[str]) -> None:
    """Analyze a run, a checkpoint or other people's weights; write the report and print its opening."""
    parser = CommandParser(
        prog="modgrok analyze", description="Open the network, as one HTML page and tables."
    )
    parser.add_argument(
        "path", type=Path, metavar="RUN_OR_CKPT", help="a run, a checkpoint, or a file of weights"
    )
    parser.add_argument(
        "--basis", choices=BASES, default="auto", help="the basis that the task is looked at in"
    )
    parser.add_argument(
        "--output", type=Path | None, help="directory of the report; in the run's unless given"
    )
    parser.add_argument(
        "--alone",
        type=Path,
        nargs="+",
        default=[],
        metavar="RUN",
        help="runs on single formulas of a mixture, to compare the mixture with",
    )
    parser.add_argument(
        "--learning_coefficient",
        action="store_true",
        help="estimate the local learning coefficient of each checkpoint, 10 to 40 s each",
    )
    parser.add_argument(
        "--sgld",
        type=dict[str, float] | None,
        help="its settings, {step: 1e-4, pull: 300, burn_in: 100, draws: 200, chains: 2, seed: 0} unless given",
    )
    add_foreign_options(parser)
    given = parser.parse_args(options)
    if not given.path.exists():
        raise InputError(f"{given.path}: no such run or checkpoint")

    from rich.console import Console
    from rich.progress import track

    from modgrok.analysis import analyze_checkpoints, analyze_network
    from modgrok.analysis.learning_coefficient import read_sgld
    from modgrok.certificate import proved_sentences
    from modgrok.report import (
        beside,
        check_output,
        find_target,
        mixture_summary,
        opening,
        write_report,
    )

    sgld = read_sgld(given.sgld or {}) if given.learning_coefficient else None
    if given.sgld and sgld is None:
        raise InputError("--sgld needs --learning_coefficient")
    foreign = read_foreign(given)
    if foreign is not None:
        if given.alone:
            raise InputError("--alone needs a run on a mixture, not other people's weights")
        output = given.output or beside(given.path)
        check_output(output)
        for note in foreign.notes:
            say(note)
        analysis = analyze_network(
            foreign.snapshot, source_name(given.path), given.basis, foreign.earlier, foreign.notes, sgld
        )
    else:
        subject = find_target(given.path)
        output = given.output or subject.output
        check_output(output)
        console = Console(stderr=True)
        bar = partial(
            track, description="checkpoints", console=console, transient=True, disable=not console.is_terminal
        )
        try:
            analysis = analyze_checkpoints(
                subject.checkpoints, subject.source, given.basis, given.alone, bar, sgld
            )
        except InputError as error:
            file = given.path.is_file() and given.path.suffix != ".ckpt"
            raise InputError(
                f"{error}; other people's weights need --formula and --modulus" if file else error
            ) from None
    if proved := proved_sentences(given.path, analysis.snapshot.network):
        analysis = replace(analysis, notes=(*analysis.notes, *proved))
    write_report(analysis, output)
    if words := mixture_summary(analysis):
        say(f"{words}\n")
    for task in analysis.tasks:
        say(f"{task.circuit.task.title}: {opening(analysis, task)}\n")
    for update, coefficient in analysis.learning_coefficients.items():
        say(f"learning coefficient after {update:,} updates: {coefficient}")
    print(f"report: {os.path.relpath(output)}/index.html")
