"""The sweep command: many runs, one table, one page."""

from __future__ import annotations

import math
import os
import sys
import time
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from modgrok.cli.terminal import say
from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import CommandParser
from modgrok.experiments.places.local_workers import LocalWorkers, available_cores
from modgrok.experiments.places.place import Place
from modgrok.experiments.places.ray_tasks import RayTasks
from modgrok.experiments.places.slurm_arrays import SlurmArrays
from modgrok.experiments.plans.plan import Plan
from modgrok.experiments.sweeps.run_sweep import Standing, check_sweep, default_directory, sweep

if TYPE_CHECKING:
    import pandas as pd

LINE_SECONDS = 10
MOST_SHOWN = 12


def run_sweep(options: list[str]) -> None:
    """Run a sweep file, or say what it would run."""
    parser = CommandParser(prog="modgrok sweep", description="Many runs, one table, one page.")
    parser.add_argument("--config", type=Path, required=True, help="the sweep file")
    parser.add_argument(
        "--on", type=Literal["local", "slurm", "ray"], default="local", help="where the cells run"
    )
    parser.add_argument("--workers", type=int | None, help="local: processes; one for each core unless given")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of each cell")
    parser.add_argument("--dry_run", action="store_true", help="list the cells and what they cost; run none")
    parser.add_argument("--directory", type=Path | None, help="lightning_logs/sweeps/NAME unless given")
    parser.add_class_arguments(SlurmArrays, "slurm", skip={"threads"})
    given = parser.parse_args(options)
    directory = given.directory or default_directory(given.config)
    place = _place(given)
    if given.dry_run:
        plan = check_sweep(given.config, place, directory)
        _print_plan(plan, given.workers or max(1, available_cores() // given.threads))
        return
    shown = os.path.relpath(directory)
    with SweepView() as view:
        try:
            table = sweep(given.config, place=place, directory=directory, watch=view.show)
        except KeyboardInterrupt:
            print(f"stopped; the same command resumes {shown}", file=sys.stderr)
            sys.exit(130)
    _print_groups(given.config, table)
    counts = Counter(table["status"])
    finished = counts["finished"]
    print(
        f"{finished:,} cell{'' if finished == 1 else 's'} finished, {counts['failed']:,} failed\n\nsweep: {shown}"
    )
    for reason, count in Counter(table.loc[table["status"] == "failed", "reason"]).most_common(3):
        print(f"  failed ({count:,}): {reason}")
    print(f"  {shown}/results.csv\n  {shown}/report/index.html\n  tensorboard --logdir {shown}/cells")


def _print_groups(path: Path, table: pd.DataFrame) -> None:
    """Print the page's tables of times to grok, one for each way to group the cells."""
    from modgrok.experiments.plans.sweep_file import read_plan
    from modgrok.experiments.sweeps.sweep_analysis import SweepAnalysis
    from modgrok.experiments.sweeps.sweep_page import group_row

    plan = read_plan(path)
    if plan.command != "fit" or (analysis := SweepAnalysis(plan, table)).of_random_answers:
        return
    for grouping in analysis.groupings:
        shown = Table(box=None, pad_edge=False)
        shown.add_column(overflow="fold")
        for heading in ("cells", "learned", "95% interval", "median update", "95% interval"):
            shown.add_column(heading, justify="right")
        for group in grouping.groups:
            shown.add_row(*group_row(group).values())
        say(f"{grouping.milestone.pairs.capitalize()}, by {grouping.name}")
        Console().print(shown)
        print()


def _place(given: Any) -> Place:
    """Return where the cells run.

    Raises:
        InputError: if an option is given that belongs to another place.
    """
    if given.on != "local" and given.workers is not None:
        raise InputError(f"--workers needs --on local; with --on {given.on} leave it out")
    if given.on != "slurm" and (
        chosen := [name for name, value in vars(given.slurm).items() if value != getattr(SlurmArrays, name)]
    ):
        raise InputError(f"--slurm.{chosen[0]} needs --on slurm; with --on {given.on} leave it out")
    match given.on:
        case "slurm":
            return SlurmArrays(**vars(given.slurm), threads=given.threads)
        case "ray":
            return RayTasks(given.threads)
    return LocalWorkers(given.workers, given.threads)


def _print_plan(plan: Plan, workers: int) -> None:
    """Print the cells and the time that they take at most."""
    from modgrok.experiments.plans.cost import measure_cost

    table = Table(box=None, pad_edge=False)
    for heading in ("cell", *plan.cells[0].overrides):
        table.add_column(heading)
    for cell in plan.cells[:MOST_SHOWN]:
        table.add_row(cell.name, *(str(value) for value in cell.overrides.values()))
    console = Console()
    console.print(table)
    if len(plan.cells) > MOST_SHOWN:
        print(f"… and {len(plan.cells) - MOST_SHOWN:,} more, up to {plan.cells[-1].name}")
    cost = measure_cost(plan)
    print(
        f"\n{len(plan.cells):,} cells, at most {cost.updates:,} updates\n"
        f"{cost.seconds_per_update * 1e3:.2g} ms per update of {plan.cells[0].name} on one thread of this machine: "
        f"at most {duration(cost.updates * cost.seconds_per_update / workers)} on {workers} "
        f"worker{'s' if workers > 1 else ''}"
    )


class SweepView(AbstractContextManager["SweepView"]):
    """Shows where a sweep stands: live on a terminal, a line every ten seconds elsewhere."""

    def __init__(self) -> None:
        console = Console()
        self._live = (
            Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None
        )
        self._next_line = -math.inf

    def __enter__(self) -> SweepView:
        (self._live or nullcontext()).__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        (self._live or nullcontext()).__exit__(*error)

    def show(self, standing: Standing) -> None:
        """Show the sweep's standing."""
        if self._live:
            self._live.update(_panel(standing))
        elif time.monotonic() >= self._next_line:
            print(_line(standing), flush=True)
            self._next_line = time.monotonic() + LINE_SECONDS


def _line(standing: Standing) -> str:
    words = [
        f"{standing.finished:,} finished",
        f"{len(standing.running):,} running",
        f"{standing.waiting:,} waiting",
        f"{standing.failed:,} failed",
    ]
    if standing.seconds_left is not None:
        # until a cell has ended, nothing says how long before its limit one stops
        bound = "about" if standing.finished else "at most about"
        words.append(f"{bound} {duration(standing.seconds_left)} left")
    return ", ".join(words)


def _panel(standing: Standing) -> Group:
    ended = standing.finished + standing.failed
    total = ended + len(standing.running) + standing.waiting
    table = Table(box=None, pad_edge=False)
    table.add_column("running")
    table.add_column("update", justify="right")
    table.add_column("held-out accuracy", justify="right")
    for name, progress in list(standing.running.items())[:MOST_SHOWN]:
        accuracy = "" if progress.heldout_accuracy is None else f"{progress.heldout_accuracy:.3f}"
        table.add_row(name, f"{progress.update:,}", accuracy)
    if len(standing.running) > MOST_SHOWN:
        table.add_row(f"… and {len(standing.running) - MOST_SHOWN:,} more", "", "")
    return Group(Text(_line(standing)), ProgressBar(total=max(total, 1), completed=ended), table)


def duration(seconds: float) -> str:
    """Write a duration in its two largest units."""
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if hours < 48 else f"{seconds / 86400:.1f} days"
