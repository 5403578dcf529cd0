"""Running a sweep: all that is not finished, wherever it runs, however often it is interrupted."""

from __future__ import annotations

import errno
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from filelock import FileLock, Timeout

from modgrok.errors import InputError, RunStoppedError, install_hint
from modgrok.experiments.places.local_workers import LocalWorkers
from modgrok.experiments.places.place import Place
from modgrok.experiments.plans.cell_files import (
    PAGE,
    PLAN,
    CellFiles,
    Outcome,
    Progress,
    writable,
)
from modgrok.experiments.plans.check_cells import check_cells
from modgrok.experiments.plans.plan import Plan
from modgrok.experiments.plans.sweep_file import read_plan
from modgrok.runs.whole_files import write_whole

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_ROOT = Path("lightning_logs", "sweeps")
MOST_DEATHS = 3
"""How often in a row a cell's process may die without a new checkpoint before the cell counts as failed."""
SPACE_CHECK_SECONDS = 5


@dataclass(frozen=True)
class Standing:
    """Where a sweep stands.

    Attributes:
        finished, failed: numbers of cells, those of earlier invocations included.
        waiting: the number of cells that neither run nor have ended.
        running: the progress of each running cell, by name.
        seconds: since this invocation started.
        seconds_left: the time that the rest takes at the speed so far; None before anything is known of it.
    """

    finished: int
    failed: int
    waiting: int
    running: dict[str, Progress] = field(default_factory=dict)
    seconds: float = 0.0
    seconds_left: float | None = None


def sweep(
    path: str | Path,
    *,
    place: Place | None = None,
    directory: Path | None = None,
    watch: Callable[[Standing], None] = lambda standing: None,
) -> pd.DataFrame:
    """Run the cells of a sweep file that have not finished, and return the table.

    The same call again skips the finished cells, resumes the interrupted ones from their checkpoints, and tries each
    failed one once more.

    Args:
        path: the sweep file; see `read_plan`.
        place: the place where the cells run; worker processes on this machine unless given.
        directory: the sweep's directory; `lightning_logs/sweeps/NAME` for NAME.yaml unless given.
        watch: called about once a second with where the sweep stands.

    Returns:
        A row for each cell; see `make_table`.

    Raises:
        InputError: if the plan, the directory or the place is wrong; nothing has started then.
        RunStoppedError: if the disk is full.
        KeyboardInterrupt: after Ctrl-C; every running cell has a checkpoint.

    Example:
        >>> import json
        >>> from pathlib import Path
        >>> import modgrok
        >>> run = {"data": {"task": "x + y", "modulus": 7}, "trainer.max_steps": 10}
        >>> _ = Path("seeds.yaml").write_text(json.dumps({"config": run, "vary": {"seed": [0, 1]}}))
        >>> table = modgrok.sweep("seeds.yaml")
        >>> table["status"].tolist()
        ['finished', 'finished']
    """
    place = place or LocalWorkers()
    directory = (directory or default_directory(path)).absolute()
    plan = check_sweep(path, place, directory)
    writable(directory)
    try:
        with FileLock(directory / "lock", timeout=0):
            if not (directory / PLAN).is_file():
                write_whole(
                    directory / PLAN, yaml.safe_dump(plan.spec(), sort_keys=False, allow_unicode=True)
                )
            try:
                _run_cells(plan, CellFiles(directory), place, watch)
            finally:
                table = write_results(plan, directory)
    except Timeout:
        raise InputError(f"{directory}: another process runs this sweep") from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise RunStoppedError(f"{error}; make room and give the same command again") from error
    return table


def default_directory(path: str | Path) -> Path:
    """Return where the sweep of NAME.yaml is unless it is told: lightning_logs/sweeps/NAME."""
    return DEFAULT_ROOT / Path(path).stem


def check_sweep(path: str | Path, place: Place, directory: Path) -> Plan:
    """Read a sweep file, and check all that can be wrong before a cell starts; nothing is written.

    Raises:
        InputError: naming the cell and the field, if the plan, the place or the directory is wrong.
    """
    for package in ("pandas", "scipy"):
        if find_spec(package) is None:
            raise InputError(f"a sweep needs {package}, which is not installed; {install_hint('sweep')}")
    plan = read_plan(path)
    place.check()
    if not is_of(plan, directory):
        check_cells(plan)
    return plan


def is_of(plan: Plan, directory: Path) -> bool:
    """Whether a sweep's directory holds this plan; False where it is new.

    Raises:
        InputError: if it holds another plan, or no sweep.
    """
    if not (directory / PLAN).is_file():
        if directory.exists() and (not directory.is_dir() or set(directory.iterdir()) - {directory / "lock"}):
            raise InputError(
                f"{directory} exists and is not a sweep's; name another directory with --directory"
            )
        return False
    if difference := plan.difference(read_plan(directory / PLAN)):
        raise InputError(
            f"{directory} is the sweep of another plan: {difference}; name another with --directory"
        )
    return True


def write_results(plan: Plan, directory: Path) -> pd.DataFrame:
    """Write the table and the page from what the cells found; return the table.

    Raises:
        OSError: if they cannot be written; what was there before stays.
    """
    from modgrok.experiments.sweeps.capacity_sweep_page import capacity_sweep_page
    from modgrok.experiments.sweeps.sweep_page import sweep_page
    from modgrok.experiments.sweeps.table import make_table, write_table

    table = make_table(plan, directory)
    write_table(table, directory)
    pages = {"fit": sweep_page, "capacity fit": capacity_sweep_page}
    write_whole(directory / PAGE, pages[plan.command](plan, table, directory))
    return table


def _run_cells(plan: Plan, files: CellFiles, place: Place, watch: Callable[[Standing], None]) -> None:
    names = [cell.name for cell in plan.cells]
    outcomes = {name: files.outcome(name) for name in names}
    for name, outcome in outcomes.items():
        if outcome and outcome.status == "failed":
            files.unsettle(name)
    watched = _Watched(files, names, watch)
    deaths: Counter[str] = Counter()
    while left := files.unsettled(names):
        files.forget_running()
        before = {name: files.last_checkpoint(name) for name in left}
        cells = place.run(files.directory, left)
        try:
            for _ in cells:
                watched.look()
        finally:
            cells.close()
        files.check_space()
        for name in files.unsettled(left):
            deaths[name] = 1 if files.last_checkpoint(name) > before[name] else deaths[name] + 1
            if deaths[name] >= MOST_DEATHS:
                reason = f"its process ended {MOST_DEATHS} times without a result, as when memory runs out; see logs"
                files.settle(name, Outcome("failed", reason))
    watched.look()


class _Watched:
    """Tells somebody where the sweep stands, and stops it when the disk is full."""

    def __init__(self, files: CellFiles, names: Sequence[str], watch: Callable[[Standing], None]) -> None:
        self._files, self._watch = files, watch
        self._left = set(names)
        self._status: Counter[str] = Counter()
        self._count()
        self._before = len(names) - len(self._left)
        self._total = len(names)
        self._start = self._space_checked = time.monotonic()

    def _count(self) -> None:
        for name in self._left - set(self._files.unsettled(self._left)):
            outcome = self._files.outcome(name)
            self._status[outcome.status if outcome else "failed"] += 1
            self._left.discard(name)

    def look(self) -> None:
        now = time.monotonic()
        if now > self._space_checked + SPACE_CHECK_SECONDS:
            self._files.check_space()
            self._space_checked = now
        self._count()
        running = {name: progress for name, progress in self._files.running().items() if name in self._left}
        shares = [max(p.update, 0) / p.max_updates for p in running.values() if p.max_updates > 0]
        ended = self._total - len(self._left) - self._before
        done, left = ended + sum(shares), len(self._left) - sum(shares)
        seconds = now - self._start
        self._watch(
            Standing(
                finished=self._status["finished"],
                failed=self._status["failed"],
                waiting=len(self._left) - len(running),
                running=running,
                seconds=seconds,
                seconds_left=seconds / done * left if done else None,
            )
        )
