"""Cells on this machine: worker processes, each with its own threads."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from modgrok.errors import InputError

TICK_SECONDS = 0.5
STOP_SECONDS = 120
"""How long a worker that was asked to stop may take to write its checkpoint; it may be compiling."""

GPU_MEMORY_OF_A_WORKER = 2 << 30
"""Bytes of a GPU that a worker takes: what PyTorch loads there, and a small network."""


@dataclass(frozen=True)
class LocalWorkers:
    """Worker processes on this machine.

    One thread each is the fastest for small networks: two processes of one thread made more updates than one process
    of two in every measurement. Where there are GPUs, each worker has one of them to itself or shares it.

    Args:
        workers: how many at once; unless given, one for each core that this process may use, divided by `threads`, and
            no more than fit in the memory of the GPUs.
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
        waiting, gpus = deque(names), visible_gpus()
        count = min(self.workers or self._fitting(gpus), len(names))
        running: dict[int, subprocess.Popen[str]] = {}
        answers: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()

        def start(number: int) -> None:
            worker = running[number] = self._start(directory, number, gpus)
            # a thread for each worker: on Windows pipes cannot be waited for together
            threading.Thread(target=_read, args=(number, worker, answers), daemon=True).start()
            _give(worker, waiting.popleft())

        try:
            for number in range(count):
                start(number)
            while running:
                for number, answer in _answers(answers):
                    if number not in running:  # it has been told to end
                        continue
                    if answer and waiting:
                        _give(running[number], waiting.popleft())
                        continue
                    _finish(running.pop(number))
                    if waiting:  # the worker died, and its cell with it
                        start(number)
                yield
        finally:
            for worker in running.values():
                _stop(worker)
            try:
                for worker in running.values():
                    worker.wait(STOP_SECONDS)
            finally:
                for worker in running.values():
                    worker.kill()

    def _fitting(self, gpus: Sequence[str]) -> int:
        """Return how many workers the cores take and, where there are GPUs, their memory."""
        cores = max(1, available_cores() // self.threads)
        if not gpus:
            return cores
        import torch

        memory = [torch.cuda.get_device_properties(i).total_memory for i in range(len(gpus))]
        return max(1, min(cores, sum(each // GPU_MEMORY_OF_A_WORKER for each in memory)))

    def _start(self, directory: Path, number: int, gpus: Sequence[str]) -> subprocess.Popen[str]:
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
                # Ctrl-C is the sweep's to handle
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                env=os.environ
                | {"OMP_NUM_THREADS": str(self.threads)}
                | ({"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} if gpus else {}),
            )


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    import torch

    count = torch.cuda.device_count()
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    return named[:count] if named[0] else [str(i) for i in range(count)]


def _read(number: int, worker: subprocess.Popen[str], answers: queue.SimpleQueue[tuple[int, str]]) -> None:
    """Pass a worker's answers on, and an empty one when it has ended."""
    with suppress(ValueError):  # its output was closed
        for line in worker.stdout or ():
            answers.put((number, line))
    answers.put((number, ""))


def _answers(answers: queue.SimpleQueue[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the answers that have come, after waiting a moment for the first."""
    with suppress(queue.Empty):
        yield answers.get(timeout=TICK_SECONDS)
        while True:
            yield answers.get_nowait()


def _stop(worker: subprocess.Popen[str]) -> None:
    """Let a worker write its checkpoint and end."""
    if sys.platform == "win32":  # where a process cannot be asked: the end of its input tells it
        _close(worker)
    else:
        worker.terminate()


def _close(worker: subprocess.Popen[str]) -> None:
    with suppress(BrokenPipeError):
        worker.stdin.close()  # type: ignore[union-attr]


def _give(worker: subprocess.Popen[str], name: str) -> None:
    with suppress(BrokenPipeError):  # a dead worker is found by its standard output
        print(name, file=worker.stdin, flush=True)


def _finish(worker: subprocess.Popen[str]) -> None:
    """Let an idle or dead worker end."""
    _close(worker)
    worker.wait()
