"""A progress bar for long runs."""

from __future__ import annotations

import time
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar as LightningProgressBar
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

SECONDS_BETWEEN_LINES = 10.0


def duration(seconds: float) -> str:
    """Write a time as 0:42 or 1:02:03."""
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


class ProgressBar(LightningProgressBar):
    """Shows update, updates per second, losses, held-out accuracy and time left.

    On a terminal a bar; elsewhere (a file, a scheduler's log) a line every ten seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._progress: Progress | None = None

    def disable(self) -> None:
        """Show nothing."""
        self._enabled = False

    def enable(self) -> None:
        """Show progress again."""
        self._enabled = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock and, on a terminal, the bar."""
        self._first, self._start, self._line = trainer.global_step, time.monotonic(), time.monotonic()
        console = Console()
        if self._enabled and console.is_terminal:
            columns = (
                TextColumn("update {task.fields[update]}"),
                BarColumn(6),
                TextColumn("{task.description}"),
            )
            self._progress = Progress(*columns, console=console)
            self._progress.start()
            total = trainer.max_steps if trainer.max_steps > 0 else None
            self._task = self._progress.add_task("", total=total, update="0", completed=trainer.global_step)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        """Show where the run is."""
        if self._progress is not None:
            self._progress.update(
                self._task,
                completed=trainer.global_step,
                update=f"{trainer.global_step:,}",
                description=self.describe(trainer),
            )
        elif self._enabled and time.monotonic() - self._line >= SECONDS_BETWEEN_LINES:
            self._line = time.monotonic()
            print(f"update {trainer.global_step:,}  {self.describe(trainer)}", flush=True)  # noqa: T201

    def describe(self, trainer: Trainer) -> str:
        """Return the figures of a moment in one line that with the bar fits a terminal of 80 columns."""
        latest = trainer.callback_metrics
        done = trainer.global_step - self._first
        rate = done / (time.monotonic() - self._start)
        shown = {"train": "train/loss", "held-out": "heldout/loss", "accuracy": "heldout/accuracy"}
        figures = [
            f"{name} {float(latest[metric]):.{'3f' if name == 'accuracy' else '1e'}}"
            for name, metric in shown.items()
            if metric in latest
        ]
        left = (trainer.max_steps - trainer.global_step) / rate if rate else 0.0
        return f"{rate:,.0f}/s {' '.join(figures)}" + (
            f" {duration(left)} left" if trainer.max_steps > 0 and rate else ""
        )

    def _close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the bar."""
        self._close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Close the bar."""
        self._close()
