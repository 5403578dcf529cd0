"""Cells on a SLURM cluster: job arrays whose elements are workers, each with a batch of cells."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from modgrok.errors import InputError, did_you_mean, install_hint

POLL_SECONDS = 3.0
WARNING_SECONDS = 90
"""How long before its time is over an element is told to write its checkpoint."""


@dataclass(frozen=True)
class SlurmArrays:
    """Job arrays, submitted as a command: nothing is pickled.

    The sweep's directory must be one that all nodes share. Elements that are requeued or run out of time resume their
    cells from the checkpoints. Ctrl-C cancels the arrays; if the sweep dies they continue, and the same command again
    waits for them first.

    Args:
        partition: the cluster's default unless given.
        array_size: the most elements of an array; SLURM's own limit is 1,001 unless the cluster sets another. With
            more cells, an element runs several, one after another.
        parallel: the most elements that run at once.
        minutes: the time limit of an element.
        memory_gb: memory of an element.
        gpus: GPUs of an element.
        setup: a shell command that each element runs first, such as `module load python`.
        threads: CPU threads of each cell.
    """

    partition: str | None = None
    array_size: int = 1000
    parallel: int = 32
    minutes: int = 60
    memory_gb: float = 4
    gpus: int = 0
    setup: str | None = None
    threads: int = 1

    def check(self) -> None:
        """Raise an InputError unless SLURM and submitit are here, the partition exists and the numbers fit."""
        for name in ("array_size", "parallel", "minutes", "memory_gb", "threads"):
            if getattr(self, name) <= 0:
                raise InputError(f"slurm.{name} must be positive, got {getattr(self, name)}")
        if self.gpus < 0:
            raise InputError(f"slurm.gpus must be ≥ 0, got {self.gpus}")
        try:
            import submitit  # noqa: F401
        except ImportError:
            raise InputError(f"on: submitit is not installed; {install_hint('slurm')}") from None
        if not shutil.which("sbatch"):
            raise InputError("on: no sbatch here; give the command on a machine that submits to SLURM")
        if self.partition is not None:
            known = _ask("sinfo", "-h", "-o", "%R").stdout.split()
            if self.partition not in known:
                hint = did_you_mean(self.partition, known) or f"; there are {', '.join(known)}"
                raise InputError(f"slurm.partition: no partition {self.partition!r}{hint}")

    def run(self, directory: Path, names: Sequence[str]) -> Generator[None]:
        """Run the cells, or wait for arrays that an earlier invocation left; see `Place.run`."""
        record = directory / "slurm" / "arrays"
        record.parent.mkdir(exist_ok=True)
        arrays = record.read_text().split() if record.exists() else []
        if not any(map(_alive, arrays)):
            arrays = [self._submit(directory, names)]
            with open(record, "a") as file:
                file.write(f"{arrays[0]}\n")
        try:
            while any(map(_alive, arrays)):
                time.sleep(POLL_SECONDS)
                yield
        except (GeneratorExit, KeyboardInterrupt):
            _ask("scancel", *arrays)  # SLURM asks each element to stop, and waits for its checkpoint
            while any(map(_alive, arrays)):
                time.sleep(POLL_SECONDS)
            raise

    def _submit(self, directory: Path, names: Sequence[str]) -> str:
        """Submit an array and return its number."""
        import submitit

        batches = Path(tempfile.mkdtemp(prefix="batches-", dir=directory / "slurm"))
        size = min(self.array_size, len(names))
        for number in range(size):
            batch = names[number * len(names) // size : (number + 1) * len(names) // size]
            (batches / str(number)).write_text("".join(f"{name}\n" for name in batch), encoding="utf-8")
        logs = directory / "logs"
        logs.mkdir(exist_ok=True)
        executor = submitit.SlurmExecutor(logs)
        executor.update_parameters(
            job_name="modgrok",
            partition=self.partition,
            time=self.minutes,
            mem=f"{self.memory_gb * 1024:.0f}MB",
            cpus_per_task=self.threads,
            gpus_per_node=self.gpus or None,
            array_parallelism=self.parallel,
            setup=[*([self.setup] if self.setup else []), f"export OMP_NUM_THREADS={self.threads}"],
            signal_delay_s=WARNING_SECONDS,
            srun_args=[f"--cpus-per-task={self.threads}"],
            stderr_to_stdout=True,
        )
        executor.parameters["map_count"] = size
        worker = [
            sys.executable,
            "-m",
            "modgrok.experiments.places.worker",
            str(directory),
            f"--threads={self.threads}",
        ]
        command = f"{shlex.join(worker)} --batch={shlex.quote(str(batches))}/$SLURM_ARRAY_TASK_ID"
        try:
            # the public methods pickle a function; the one that they call takes a command
            return executor._submit_command(command).job_id.partition("_")[0]
        except submitit.core.utils.FailedJobError as error:
            raise InputError(f"slurm: {' '.join(str(error).split())[-300:]}") from None


def _alive(array: str) -> bool:
    """Whether an element of the array waits or runs; true also where SLURM does not answer."""
    answer = _ask("squeue", "-h", "-r", "-j", array, "-o", "%i")
    if answer.returncode:
        return "Invalid job id" not in answer.stderr
    return bool(answer.stdout.strip())


def _ask(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
