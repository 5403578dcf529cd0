"""Every option of Lightning's Trainer is honored, or refused by its name."""

import inspect

import pytest
import torch
from lightning.pytorch import Trainer

from modgrok import GrokkingModule, ModularDataModule, Transformer
from modgrok.errors import InputError
from modgrok.training.trainer_options import OPTIONS


def test_no_option_of_the_installed_lightning_is_missing():
    assert set(OPTIONS) == set(inspect.signature(Trainer.__init__).parameters) - {"self"}


REFUSED = {
    "precision": ["16-true"],
    "overfit_batches": [1, 0.5],
    "limit_train_batches": [0, 1, 0.5],
    "limit_val_batches": [0, 1, 0.5],
    "limit_test_batches": [0, 1, 0.5],
    "limit_predict_batches": [0, 1, 0.5],
    "val_check_interval": [7, 0.5, "00:00:00:10"],
}


@pytest.mark.parametrize(("option", "value"), [(name, each) for name in REFUSED for each in REFUSED[name]])
@pytest.mark.parametrize("method", ["fit", "validate", "test", "predict"])
def test_a_value_that_is_not_honored_is_refused_by_name(tmp_path, monkeypatch, option, value, method):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = Trainer(
        **{"max_steps": 20, "accelerator": "cpu", "default_root_dir": tmp_path, **quiet, option: value}
    )
    data = ModularDataModule("x + y", 7)
    module = GrokkingModule(Transformer(**data.network_shape, d_model=8, n_heads=1, d_mlp=8))
    with pytest.raises(InputError, match=rf"^trainer\.{option}: "):
        getattr(trainer, method)(module, data)
    assert not list(tmp_path.iterdir())


def test_null_for_check_val_every_n_epoch_is_refused_by_name():
    trainer = Trainer(max_steps=20, accelerator="cpu", check_val_every_n_epoch=None, logger=False)
    data = ModularDataModule("x + y", 7)
    module = GrokkingModule(Transformer(**data.network_shape, d_model=8, n_heads=1, d_mlp=8))
    with pytest.raises(InputError, match=r"^trainer\.check_val_every_n_epoch: null"):
        trainer.fit(module, data)
