import pytest
import torch
from lightning.pytorch import Trainer

from modgrok import GrokkingModule, ModularDataModule, Transformer


@pytest.fixture
def fit(tmp_path):
    """Train a small Transformer on x + y mod 11, and keep its last checkpoint; return the module."""

    def run(max_steps, resumed_at=None, module=None, dropout=0.0, **arguments):
        torch.manual_seed(0)
        data = ModularDataModule("x + y", 11, train_fraction=0.5)
        network = Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24, dropout=dropout)
        module = module or GrokkingModule(network, evaluate_every=10, **arguments)
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        trainer = Trainer(
            max_steps=max_steps, default_root_dir=tmp_path, accelerator="cpu", devices=1, **quiet
        )
        checkpoint = None if resumed_at is None else tmp_path / f"{resumed_at}.ckpt"
        trainer.fit(module, data, ckpt_path=checkpoint)
        trainer.save_checkpoint(tmp_path / f"{max_steps}.ckpt")
        return module

    return run
