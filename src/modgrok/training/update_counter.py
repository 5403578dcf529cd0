"""Lightning's counters: the one place that knows what they are called.

Lightning counts optimizer steps, batches and epochs; a run counts updates. Lightning's own counting serves wherever one
update is one step. Where it does not (a step of several updates, a run that is resumed, an evaluation outside the
training loop), these functions tell Lightning.
"""

from __future__ import annotations

from lightning.pytorch import Trainer


def set_updates(trainer: Trainer, update: int) -> None:
    """Set `trainer.global_step`, and the x axis of what a training step logs, to the updates made."""
    loop = trainer.fit_loop.epoch_loop
    for steps in (
        loop.automatic_optimization.optim_progress.optimizer.step.total,
        loop.manual_optimization.optim_step_progress.total,
    ):
        steps.ready = steps.completed = update
    loop._batches_that_stepped = update


def set_epochs(trainer: Trainer, epochs: int) -> None:
    """Set `trainer.current_epoch` to the epochs completed."""
    progress = trainer.fit_loop.epoch_progress
    for each in (progress.total, progress.current):
        each.reset()
        each.increment_by(epochs)


def skip_batches(trainer: Trainer, batches: int) -> None:
    """Count batches of this epoch that were seen before this fit; in `on_train_batch_start` of the epoch's first."""
    trainer.fit_loop.epoch_loop.batch_progress.increment_by(batches)


def log_at(trainer: Trainer, update: int) -> int:
    """Set the x axis of what is logged from now on; return what it was."""
    loop = trainer.fit_loop.epoch_loop
    before, loop._batches_that_stepped = loop._batches_that_stepped, update
    return before


def evaluate_now(trainer: Trainer) -> None:
    """Run Lightning's validation loop outside of the training loop."""
    trainer.validating = True
    trainer.fit_loop.epoch_loop.val_loop.run()
    trainer.training = True


def skip_validation(trainer: Trainer) -> None:
    """Leave out the validation that Lightning would run after this step."""
    trainer.fit_loop.epoch_loop._skip_next_val = True


def stop_now(trainer: Trainer) -> None:
    """End the run after the step in hand, whatever `min_steps` and `min_epochs` say."""
    trainer.should_stop = True
    trainer.fit_loop.epoch_loop.min_steps = None
    trainer.fit_loop.min_epochs = 0
