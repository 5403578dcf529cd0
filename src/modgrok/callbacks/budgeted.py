"""Looking at the network while it trains: at certain updates, and only where there is time."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.trainer.states import TrainerFn

from modgrok.callbacks.graceful_interrupt import was_interrupted
from modgrok.callbacks.observing import observing
from modgrok.callbacks.schedule import is_due
from modgrok.errors import InputError
from modgrok.training import GrokkingModule

TIME_SHARE = 0.02
"""Share of the run's time that a budgeted callback may take."""

FIRST_COST_SECONDS = 0.5
"""What the first observation is expected to take; each later one is expected to take as long as the last."""


class BudgetedCallback(Callback, ABC):
    """Observes the network every so many updates, and always at the end of a run that is not interrupted.

    So that a fast machine does not spend its time on looking, an observation during the run is left out where it
    would take more than 2% of the time so far.

    Args:
        every: updates between observations, each at the first evaluation from then on; null to disable.

    Raises:
        InputError: if `every` is not positive.
    """

    def __init__(self, every: int | None) -> None:
        if every is not None and every < 1:
            raise InputError(f"every must be a positive integer, or null to disable, got {every}")
        self.every = every

    @abstractmethod
    def observe(self, trainer: Trainer, module: GrokkingModule) -> None:
        """Look at the network and log what there is to see."""

    def on_train_start(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Start the clock."""
        self._started, self._spent, self._cost = time.perf_counter(), 0.0, FIRST_COST_SECONDS
        self._observed, self._given_up = -1, False

    def on_validation_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Observe if it is time, and there is time."""
        if trainer.sanity_checking or trainer.state.fn != TrainerFn.FITTING:
            return
        if self._given_up or not is_due(pl_module.history, self.every):
            return
        start = time.perf_counter()
        if self._spent + self._cost <= TIME_SHARE * (start - self._started):
            self._look(trainer, pl_module)
            self._cost = time.perf_counter() - start
            self._spent += self._cost

    def on_train_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Observe the final network, unless it was just observed or the user is interrupting."""
        due = self.every is not None and self._observed != trainer.global_step and not self._given_up
        if due and not was_interrupted(trainer):
            self._look(trainer, pl_module)

    def _look(self, trainer: Trainer, module: GrokkingModule) -> None:
        self._observed, self._given_up = trainer.global_step, True  # unless it comes to an end
        with observing(self):
            self.observe(trainer, module)
            self._given_up = False
