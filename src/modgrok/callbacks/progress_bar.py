"""The line that is watched while a run trains."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ProgressBar as LightningProgressBar
from rich.console import Console
from rich.live import Live
from rich.text import Text

from modgrok.callbacks.stop_after_grokking import StopAfterGrokking
from modgrok.training import GrokkingModule

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_REWRITINGS = 0.25
BARS = "▁▂▃▄▅▆▇█"
WIDTH_ELSEWHERE = 80
"""Columns of a line that is not shown on a terminal."""


def clock_time(seconds: float) -> str:
    """Write a time as 0:42 or 1:02:03."""
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this program."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and type(ipython.get_ipython()).__name__ == "ZMQInteractiveShell"


class ProgressBar(LightningProgressBar):
    """Shows update, accuracies with the held-out curve so far, and when the run ends.

    On a terminal one line of its whole width, in a notebook one that is written over; elsewhere (a file, a scheduler's
    log) a line every ten seconds.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok.callbacks import ProgressBar
        >>> trainer = Trainer(callbacks=[ProgressBar()])
    """

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._live: Live | None = None

    def disable(self) -> None:
        """Show nothing."""
        self._enabled = False

    def enable(self) -> None:
        """Show progress again."""
        self._enabled = True

    def on_train_start(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Say how updates are made; start the clock and, on a terminal, the line."""
        self._first, self._start, self._line = trainer.global_step, time.monotonic(), time.monotonic()
        if self._enabled:
            compiles = pl_module.used_engine in ("compile", "cuda_graph")
            print(pl_module.how, *["compiling…"] * compiles, sep="\n", flush=True)  # noqa: T201
        console = Console()
        self._over = self._enabled and in_notebook()
        if self._enabled and console.is_terminal and not self._over:
            self._live = Live(console=console, refresh_per_second=4)
            self._live.start()

    def on_train_batch_end(self, trainer: Trainer, pl_module: GrokkingModule, *args: Any) -> None:  # type: ignore[override]
        """Show where the run is."""
        if self._live is not None:
            self._show(trainer, pl_module)
        elif self._over:
            if time.monotonic() - self._line >= SECONDS_BETWEEN_REWRITINGS:
                self._line = time.monotonic()
                self._write_over(trainer, pl_module)
        elif self._enabled and time.monotonic() - self._line >= SECONDS_BETWEEN_LINES:
            self._line = time.monotonic()
            print(self.line(trainer, pl_module, WIDTH_ELSEWHERE), flush=True)  # noqa: T201

    def _show(self, trainer: Trainer, module: GrokkingModule) -> None:
        assert self._live is not None
        width = self._live.console.width
        self._live.update(Text(self.line(trainer, module, width), no_wrap=True, overflow="ellipsis"))

    def _write_over(self, trainer: Trainer, module: GrokkingModule, end: str = "") -> None:
        line = self.line(trainer, module, WIDTH_ELSEWHERE).ljust(WIDTH_ELSEWHERE)
        print(f"\r{line}", end=end, flush=True)  # noqa: T201

    def line(self, trainer: Trainer, module: GrokkingModule, width: int) -> str:
        """Write the moment in one line of at most `width` columns, if the words alone fit."""
        history, most = module.history, trainer.max_steps
        done = f"{trainer.global_step:,}" + (f"/{most:,}" if most > 0 else "")
        words = []
        if history.update:
            scores = (history.train_accuracy[-1], history.heldout_accuracy[-1])
            words = ["train {} held-out {}".format(*map(_percent, scores))]
        if end := self._end(trainer, module):
            words.append(end)
        said = " · ".join(words)
        room = width - len(done) - len(said) - 2
        curve = sparkline(history.heldout_accuracy, room) if room >= 4 else ""
        return " ".join(part for part in (done, curve, said) if part)

    def _end(self, trainer: Trainer, module: GrokkingModule) -> str:
        """Say whether the run has grokked, and when it ends."""
        history, most = module.history, trainer.max_steps
        after = [
            callback.grokked_for
            for callback in trainer.callbacks  # type: ignore[attr-defined]
            if isinstance(callback, StopAfterGrokking) and callback.grokked_for is not None
        ]
        rate = (trainer.global_step - self._first) / (time.monotonic() - self._start)
        grokked = f"grokked at {history.grokked_at:,}" if history.grokked_at is not None else ""
        ends = [most] if most > 0 else []
        if after and history.grokked_since is not None:
            ends.append(history.grokked_since + min(after))
        if not ends or not rate:
            return grokked
        left = clock_time(max(0, min(ends) - trainer.global_step) / rate)
        if after and history.grokked_since is None:
            left = f"at most {left} left"  # the run ends sooner if it groks
        elif after:
            left = f"stops in {left}"
        else:
            left = f"{left} left"
        return f"{grokked}, {left}" if grokked else left

    def _close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def on_train_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Show the last moment, without a time that would be left, and leave it on the screen."""
        if self._live is not None:
            self._first = trainer.global_step
            self._show(trainer, pl_module)
        elif self._over:
            self._first = trainer.global_step
            self._write_over(trainer, pl_module, end="\n")
        self._close()

    def on_exception(self, trainer: Trainer, pl_module: GrokkingModule, exception: BaseException) -> None:  # type: ignore[override]
        """Close the line."""
        self._close()


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw accuracies as a row of at most `width` bars, each the last value of its stretch."""
    columns = min(width, len(values))
    ends = [math.ceil((column + 1) * len(values) / columns) - 1 for column in range(columns)]
    return "".join(BARS[min(int(values[end] * len(BARS)), len(BARS) - 1)] for end in ends)


def _percent(share: float) -> str:
    """Write a share so that only all of it is 100%."""
    return "100%" if share == 1 else f"{math.floor(share * 1000) / 10:.1f}%"
