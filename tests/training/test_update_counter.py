"""What Lightning's counters say of the numbers that they are set to: a new Lightning that moves them fails here."""

import csv

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.optim import SGD
from torch.utils.data import DataLoader

from modgrok.training.update_counter import (
    evaluate_now,
    log_at,
    set_epochs,
    set_updates,
    skip_batches,
    skip_validation,
    stop_now,
)


class Plain(LightningModule):
    """A module of somebody else's, of ten batches an epoch."""

    def __init__(self, automatic=True):
        super().__init__()
        self.automatic_optimization = automatic
        self.layer = nn.Linear(1, 1)
        self.evaluated, self.batches = [], []

    def training_step(self, batch, batch_idx):
        self.batches.append(batch_idx)
        self.log("loss", float(self.global_step))
        return self.layer(batch.float()[:, None]).sum()

    def validation_step(self, batch, batch_idx):
        return None

    def on_validation_end(self):
        self.evaluated.append(self.global_step)

    def configure_optimizers(self):
        return SGD(self.parameters(), lr=0.0)

    def train_dataloader(self):
        return DataLoader(range(10))

    def val_dataloader(self):
        return DataLoader(range(1))


class At(Callback):
    """Calls a function in a hook."""

    def __init__(self, hook, function):
        setattr(self, hook, lambda trainer, module, *args: function(trainer, module, *args))


def fit(tmp_path, *callbacks, module=None, **arguments):
    trainer = Trainer(
        callbacks=[*callbacks],
        accelerator="cpu",
        default_root_dir=tmp_path,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        num_sanity_val_steps=0,
        **{"logger": False, "max_steps": 20, "max_epochs": -1, **arguments},
    )
    module = module or Plain()
    trainer.fit(module)
    return trainer, module


def test_updates_and_epochs_go_on_from_where_they_are_set(tmp_path):
    begun = []

    def begin(trainer, module):
        set_updates(trainer, 10)
        set_epochs(trainer, 3)

    def note(trainer, module, *args):
        begun.append((trainer.global_step, trainer.current_epoch))

    logger = CSVLogger(tmp_path, "", "")
    trainer, _ = fit(
        tmp_path,
        At("on_fit_start", begin),
        At("on_train_batch_start", note),
        logger=logger,
        log_every_n_steps=1,
    )
    assert begun == [(update, 3) for update in range(10, 20)]
    assert (trainer.global_step, trainer.current_epoch) == (20, 4)
    with (tmp_path / "metrics.csv").open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [*range(10, 20)]


def test_updates_of_manual_optimization_are_set_too(tmp_path):
    def several(trainer, module, *args):
        set_updates(trainer, trainer.global_step + 3)

    trainer, _ = fit(tmp_path, At("on_train_batch_end", several), module=Plain(automatic=False), max_steps=12)
    assert trainer.global_step == 12


def test_an_epoch_is_shorter_by_the_batches_that_are_skipped(tmp_path):
    def skip(trainer, module, batch, batch_idx):
        if batch_idx == 0 and trainer.global_step == 0:
            skip_batches(trainer, 6)

    trainer, module = fit(tmp_path, At("on_train_batch_start", skip), max_epochs=2, max_steps=-1)
    assert module.evaluated == [4, 14]
    assert trainer.current_epoch == 2


def test_the_axis_of_logs_is_set_and_returned(tmp_path):
    before = []

    def axis(trainer, module, *args):
        before.append(log_at(trainer, 100 * trainer.global_step))

    logger = CSVLogger(tmp_path, "", "")
    fit(tmp_path, At("on_train_batch_start", axis), logger=logger, log_every_n_steps=1, max_steps=3)
    assert before == [0, 1, 101]
    with (tmp_path / "metrics.csv").open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [0, 100, 200]


def test_a_validation_is_run_and_another_is_left_out(tmp_path):
    def skip(trainer, module, *args):
        if trainer.global_step == 10:
            skip_validation(trainer)

    _, module = fit(
        tmp_path,
        At("on_train_start", lambda trainer, module: evaluate_now(trainer)),
        At("on_train_batch_end", skip),
    )
    assert module.evaluated == [0, 20]
    assert module.training


def test_a_run_stops_at_once_whatever_its_minimum(tmp_path):
    def stop(trainer, module, *args):
        if trainer.global_step == 5:
            stop_now(trainer)

    trainer, _ = fit(tmp_path, At("on_train_batch_end", stop), min_steps=15, min_epochs=2)
    assert trainer.global_step == 5
