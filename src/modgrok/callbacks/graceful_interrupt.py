"""Ctrl-C, and what a scheduler sends."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from modgrok.training import GrokkingModule
from modgrok.training.update_counter import stop_now


class GracefulInterrupt(Callback):
    """Ends a run at SIGINT or SIGTERM, after the update in hand; a second signal ends the process at once.

    Outside the main thread, where Python takes no signals, it does nothing.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok.callbacks import GracefulInterrupt
        >>> trainer = Trainer(callbacks=[GracefulInterrupt()])
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._others: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Begin to listen."""
        self.received = None
        if threading.current_thread() is not threading.main_thread():
            return

        def stop(number: int, frame: FrameType | None) -> None:
            self.received = signal.Signals(number)
            pl_module.interrupted = True
            stop_now(trainer)
            self._restore()
            if pl_module.interruptible:
                raise KeyboardInterrupt

        self._others = {wanted: signal.signal(wanted, stop) for wanted in (signal.SIGINT, signal.SIGTERM)}

    def _restore(self) -> None:
        for number, handler in self._others.items():
            signal.signal(number, handler)
        self._others = {}

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the signals to their former handlers."""
        self._restore()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leave the signals to their former handlers."""
        self._restore()


def was_interrupted(trainer: Trainer) -> bool:
    """Return whether a signal is ending the trainer's run."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    return any(isinstance(callback, GracefulInterrupt) and callback.received for callback in callbacks)
