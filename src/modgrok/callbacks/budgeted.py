"""Looking at the network while it trains: at certain updates, and only where there is time."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any

from lightning.pytorch import Callback, Trainer

from modgrok.callbacks.graceful_interrupt import GracefulInterrupt
from modgrok.errors import InputError
from modgrok.training import GrokkingModule
from modgrok.training.warm_up import next_multiple

SHARE = 0.05
"""Of the run's time that an observer may take; where the next look would take more, it is left out."""

FIRST = 0.5
"""Seconds that the first look is expected to take; the next is expected to take as long as the last."""


class BudgetedCallback(Callback, ABC):
    """Looks at the network every so many updates, and at the end of the run.

    So that a fast machine does not spend its time on looking, a look is left out where it would take more than 5% of
    the run's time so far.

    Args:
        every: updates between looks; null for none.

    Raises:
        InputError: if `every` is not positive.
    """

    def __init__(self, every: int | None) -> None:
        if every is not None and every < 1:
            raise InputError(f"every: {every} is not a positive number of updates; null stands for never")
        self.every = every

    @abstractmethod
    def look(self, trainer: Trainer, module: GrokkingModule) -> None:
        """Look at the network and log what there is to see."""

    def next_update(self, after: int) -> int | None:
        """Return the first update later than `after` at which the network may be looked at."""
        return None if self.every is None else next_multiple(after, self.every)

    def on_train_start(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Start the clock."""
        self._started, self._spent, self._cost = time.perf_counter(), 0.0, FIRST

    def on_train_batch_end(self, trainer: Trainer, pl_module: GrokkingModule, *args: Any) -> None:  # type: ignore[override]
        """Look if it is time."""
        if trainer.global_step == self.next_update(trainer.global_step - 1):
            self._look_in_time(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Look at the finished network, unless it was time for that anyway, or somebody waits for the run to end."""
        callbacks = trainer.callbacks  # type: ignore[attr-defined]
        interrupted = any(isinstance(other, GracefulInterrupt) and other.received for other in callbacks)
        if self.every is not None and trainer.global_step % self.every and not interrupted:
            self._look_in_time(trainer, pl_module)

    def _look_in_time(self, trainer: Trainer, module: GrokkingModule) -> None:
        start = time.perf_counter()
        if self._spent + self._cost <= SHARE * (start - self._started):
            self.look(trainer, module)
            self._cost = time.perf_counter() - start
            self._spent += self._cost
