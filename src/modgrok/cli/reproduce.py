"""`modgrok reproduce`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from modgrok.cli.sweep import SweepView, duration
from modgrok.cli.terminal import say
from modgrok.errors import InputError
from modgrok.experiments.claims.claim import read_claim
from modgrok.experiments.claims.reproduce import (
    DEFAULT_ROOT,
    VERDICT,
    claim_files,
    find_claim,
    last_verdict,
    reproduce,
)
from modgrok.experiments.claims.verdict import Reproduction, interval_words
from modgrok.experiments.config.command_parser import CommandParser
from modgrok.experiments.places.local_workers import LocalWorkers


def run_reproduce(options: list[str]) -> None:
    """Test a published claim, or list the claims with their last verdicts."""
    parser = CommandParser(
        prog="modgrok reproduce", description="Test a published claim; without one, list the claims."
    )
    parser.add_argument("claim", type=str | None, nargs="?", help="the name of a claim, or its file")
    parser.add_argument("--directory", type=Path | None, help="lightning_logs/claims/NAME unless given")
    parser.add_argument("--workers", type=int | None, help="processes; one for each core unless given")
    given = parser.parse_args(options)
    if given.claim is None:
        if given.workers is not None:
            raise InputError("--workers needs a claim to run; name one")
        _list(given.directory or DEFAULT_ROOT)
        return
    claim, path = find_claim(given.claim)
    if given.workers is not None and claim.weights is not None:
        raise InputError(f"--workers: {claim.name} is about other people's weights, and runs nothing")
    directory = (given.directory or DEFAULT_ROOT / claim.name).absolute()
    with SweepView() as view:
        try:
            done = reproduce(claim, path, directory, LocalWorkers(given.workers), view.show)
        except KeyboardInterrupt:
            print("stopped; the same command resumes it", file=sys.stderr)
            sys.exit(130)
    _print(done, Path(os.path.relpath(directory)))


def _print(done: Reproduction, shown: Path) -> None:
    from modgrok.figures.numbers import number

    say(f"{done.claim.says}\n({done.claim.source})\n")
    if done.reason:
        say(f"{done.verdict}: {done.reason}")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("figure", "published", "ours (95% interval)", "verdict"):
        table.add_column(heading)
    for result in done.results:
        figure = result.figure
        published = f"{number(figure.published)} ± {number(figure.tolerance)}"
        table.add_row(figure.name, published, interval_words(result), result.verdict)
    Console().print(table)
    print(
        f"\n{done.verdict}; {done.cells} run{'s' if done.cells > 1 else ''}, {duration(done.seconds)} of training"
    )
    say(f"left out: {done.claim.left_out}\n  {shown / VERDICT}\n  {shown}/report/claim.html")


def _list(root: Path) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("claim", "says", "verdict"):
        table.add_column(heading)
    for name, path in claim_files().items():
        claim = read_claim(path)
        done = last_verdict(claim, root / name)
        table.add_row(name, claim.says, "no run" if done is None else done.verdict)
    Console().print(table)
