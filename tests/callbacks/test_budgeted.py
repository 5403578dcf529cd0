"""When a budgeted callback observes."""

import os
import signal

import pytest
from lightning.pytorch import Callback, Trainer

from modgrok import GrokkingModule, ModularDataModule, Transformer
from modgrok.callbacks import GracefulInterrupt, budgeted


class Observations(budgeted.BudgetedCallback):
    def __init__(self):
        super().__init__(2)
        self.at = []

    def observe(self, trainer, module):
        self.at.append(trainer.global_step)


class Signal(Callback):
    def on_train_batch_end(self, trainer, *args):
        if trainer.global_step == 5:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(("others", "expected"), [([], [2, 4, 6, 7]), ([Signal()], [2, 4])])
def test_it_observes_on_time_and_at_the_end_but_keeps_nobody_waiting(tmp_path, monkeypatch, others, expected):
    monkeypatch.setattr(budgeted, "TIME_SHARE", float("inf"))
    data = ModularDataModule("x + y", 7)
    observations = Observations()
    trainer = Trainer(
        accelerator="cpu",
        max_steps=7,
        callbacks=[observations, GracefulInterrupt(), *others],
        default_root_dir=tmp_path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    module = GrokkingModule(
        Transformer(**data.network_shape, d_model=16, d_mlp=16), engine="eager", evaluate_every=1
    )
    trainer.fit(module, data)
    assert observations.at == expected


def test_a_short_run_is_observed_at_its_end_whatever_the_budget(tmp_path):
    data, observations = ModularDataModule("x + y", 7), Observations()
    trainer = Trainer(
        accelerator="cpu",
        max_steps=6,
        callbacks=[observations],
        default_root_dir=tmp_path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(
        GrokkingModule(Transformer(**data.network_shape, d_model=16, d_mlp=16), evaluate_every=2), data
    )
    assert observations.at == [6]
