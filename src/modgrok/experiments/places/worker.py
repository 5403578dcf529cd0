"""A worker imports once and runs many cells of a sweep, one after another.

    python -m modgrok.experiments.places.worker DIRECTORY [--threads N] [--batch FILE]

The names of the cells come from the batch file, one a line, or from standard input, and then the worker answers each
with its name when the cell has ended. It stops, with a checkpoint, when standard input ends while a cell runs or waits:
whoever started it is gone.
"""

from __future__ import annotations

import _thread
import argparse
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from modgrok.errors import RunStoppedError
from modgrok.experiments.plans.cell_files import PLAN, TRACEBACK, CellFiles, Outcome
from modgrok.experiments.plans.plan import Cell, Plan
from modgrok.experiments.plans.sweep_file import read_plan
from modgrok.runs.whole_files import write_whole

LOCK_SECONDS = 600
"""How long to wait for a process that runs the cell already: one whose sweep was killed writes its checkpoint."""


def run_cell(directory: Path, name: str, threads: int) -> None:
    """Run or resume a cell, and record what became of it; nothing where it is settled, or its disk is full.

    Raises:
        KeyboardInterrupt: if a signal stopped it; there is a checkpoint.
    """
    import torch

    from modgrok.experiments.places.progress_file import ProgressFile

    files, (plan, cells) = CellFiles(directory), _plan(directory)
    torch.set_num_threads(threads)
    lock = files.lock(name)
    lock.parent.mkdir(exist_ok=True)
    try:
        with FileLock(lock, timeout=LOCK_SECONDS):
            if files.outcome(name) is not None:
                return
            files.begin(name)
            report = ProgressFile(files.progress_file(name))
            try:
                plan.kind.fit(
                    plan.config,
                    cells[name].overrides,
                    directory=files.cell(name),
                    callbacks=[report],
                    alike=plan.alike(cells[name]),
                )
            except BaseException as error:
                # a signal before the first update becomes Lightning's own exit
                if KeyboardInterrupt in (type(error), type(error.__context__)):
                    raise KeyboardInterrupt from None
                try:
                    files.check_space()
                except OSError:
                    return  # the cell did not fail, the disk did: the sweep stops
                if not isinstance(error, RunStoppedError):
                    write_whole(files.cell(name) / TRACEBACK, traceback.format_exc())
                files.settle(name, Outcome("failed", _reason(error, files.cell(name))))
            else:
                files.settle(name, Outcome("finished"))
            finally:
                files.progress_file(name).unlink(missing_ok=True)
    except Timeout:
        return


def _reason(error: BaseException, run: Path) -> str:
    """Say in one line why a cell failed, in the same words wherever its directory is."""
    words = " ".join(str(error).replace(f"{run}{os.sep}", "").split())[:500]
    return words if isinstance(error, RunStoppedError) else f"{type(error).__name__}: {words}"


@cache
def _plan(directory: Path) -> tuple[Plan, dict[str, Cell]]:
    plan = read_plan(directory / PLAN)
    return plan, {cell.name: cell for cell in plan.cells}


class _Names:
    """The names that standard input brings; the end of it stops a running cell."""

    def __init__(self) -> None:
        self.busy, self.ended = threading.Event(), threading.Event()
        self._names: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self._names.put(line.rstrip("\n"))
        self.ended.set()
        self._names.put(None)
        if self.busy.is_set():
            if sys.platform == "win32":  # where a signal to a process ends it at once
                _thread.interrupt_main(signal.SIGTERM)
            else:
                os.kill(os.getpid(), signal.SIGTERM)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.get, None)


def main() -> None:
    """Run the cells that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=Path, help="a file with the names of cells, one a line")
    given = parser.parse_args()
    plan, _ = _plan(given.directory)
    plan.kind.load()  # imports, during which a signal ends the process at once: there is nothing to save yet
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if hasattr(signal, "SIGUSR2"):  # SLURM's warning that the time is nearly over
        signal.signal(signal.SIGUSR2, lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        if given.batch:
            for name in given.batch.read_text(encoding="utf-8").splitlines():
                run_cell(given.directory, name, given.threads)
        else:
            _serve(given.directory, given.threads)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGTERM)


def _serve(directory: Path, threads: int) -> None:
    # what a run prints goes where its errors go, and the answers have standard output to themselves
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    names = _Names()
    for name in names:
        names.busy.set()
        if names.ended.is_set():
            return
        run_cell(directory, name, threads)
        names.busy.clear()
        print(name, file=answers, flush=True)


if __name__ == "__main__":
    main()
