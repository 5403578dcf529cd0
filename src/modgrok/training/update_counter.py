"""Lightning's counters: the one place that knows what they are called.

Lightning counts optimizer steps, batches and epochs. A run counts updates. Where the two differ (a step of several
updates, a run that is resumed, an evaluation outside the training loop) these functions say so to Lightning.
"""

from __future__ import annotations

from lightning.pytorch import Trainer


def set_updates(trainer: Trainer, update: int) -> None:
    """Set `trainer.global_step` to the number of updates made."""
    steps = trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
    for progress in (steps.total, steps.current):
        progress.ready = progress.completed = update


def log_at(trainer: Trainer, update: int) -> None:
    """Set the x axis of what is logged from now on."""
    trainer.fit_loop.epoch_loop._batches_that_stepped = update


def begin_at_step(trainer: Trainer, step: int) -> None:
    """Begin at a training step, so that validation stays due every so many of them. A run has one epoch, which never
    ends, whatever `min_steps` makes of its minimum.
    """
    trainer.fit_loop.min_epochs = 0
    trainer.fit_loop.epoch_loop.batch_progress.total.ready = step


def evaluate_now(trainer: Trainer) -> None:
    """Run Lightning's validation loop between two training steps."""
    trainer.validating = True
    trainer.fit_loop.epoch_loop.val_loop.run()
    trainer.training = True


def skip_validation(trainer: Trainer) -> None:
    """Leave out the validation that Lightning would run after this step."""
    trainer.fit_loop.epoch_loop._skip_next_val = True


def stop_now(trainer: Trainer) -> None:
    """End the run after the step in hand, whatever `min_steps` says."""
    trainer.should_stop = True
    trainer.fit_loop.epoch_loop.min_steps = None
