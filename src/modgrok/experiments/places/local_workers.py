"""Cells on this machine: worker processes, each with its own threads."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from modgrok.errors import InputError

TICK_SECONDS = 0.5
STOP_SECONDS = 120
"""How long a worker that was asked to stop may take to write its checkpoint; it may be compiling."""


@dataclass(frozen=True)
class LocalWorkers:
    """Worker processes on this machine.

    One thread each is the fastest for small networks: two processes of one thread made more updates than one process
    of two in every measurement.

    Args:
        workers: how many at once; one for each core that this process may use, divided by `threads`, unless given.
        threads: CPU threads of each.
    """

    workers: int | None = None
    threads: int = 1

    def check(self) -> None:
        """Raise an InputError unless both numbers are positive."""
        for name, number in (("workers", self.workers), ("threads", self.threads)):
            if number is not None and number < 1:
                raise InputError(f"{name} must be a positive integer, got {number}")

    def run(self, directory: Path, names: Sequence[str]) -> Generator[None]:
        """Run the cells; see `Place.run`."""
        waiting = deque(names)
        count = min(self.workers or max(1, available_cores() // self.threads), len(names))
        running: dict[int, subprocess.Popen[str]] = {}
        with selectors.DefaultSelector() as answers:

            def start(number: int) -> None:
                worker = self._start(directory, number)
                running[number] = worker
                answers.register(worker.stdout, selectors.EVENT_READ, number)  # type: ignore[arg-type]
                _give(worker, waiting.popleft())

            try:
                for number in range(count):
                    start(number)
                while running:
                    for key, _ in answers.select(TICK_SECONDS):
                        worker = running[key.data]
                        if worker.stdout.readline() and waiting:  # type: ignore[union-attr]
                            _give(worker, waiting.popleft())
                            continue
                        answers.unregister(key.fileobj)
                        _finish(running.pop(key.data))
                        if waiting:  # the worker died, and its cell with it
                            start(key.data)
                    yield
            finally:
                for worker in running.values():
                    worker.terminate()
                try:
                    for worker in running.values():
                        worker.wait(STOP_SECONDS)
                finally:
                    for worker in running.values():
                        worker.kill()

    def _start(self, directory: Path, number: int) -> subprocess.Popen[str]:
        logs = directory / "logs"
        logs.mkdir(exist_ok=True)
        with open(logs / f"worker_{number}.log", "a", encoding="utf-8") as log:
            return subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "modgrok.experiments.places.worker",
                    str(directory),
                    f"--threads={self.threads}",
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is the sweep's to handle
                env=os.environ | {"OMP_NUM_THREADS": str(self.threads)},
            )


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _give(worker: subprocess.Popen[str], name: str) -> None:
    with suppress(BrokenPipeError):  # a dead worker is found by its standard output
        print(name, file=worker.stdin, flush=True)


def _finish(worker: subprocess.Popen[str]) -> None:
    """Let an idle or dead worker end."""
    with suppress(BrokenPipeError):
        worker.stdin.close()  # type: ignore[union-attr]
    worker.wait()
    worker.stdout.close()  # type: ignore[union-attr]
