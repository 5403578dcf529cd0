"""Dropout in a run: it acts on updates alone, and a resumed run draws what the whole one drew."""

import pytest
import torch
from lightning.pytorch import Trainer

from modgrok import GrokkingModule, ModularDataModule, Transformer


def fit(directory, max_steps, ckpt_path=None, module=None, dropout=0.2):
    torch.manual_seed(0)
    data = ModularDataModule("x + y", 11, train_fraction=0.5)
    network = Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24, dropout=dropout)
    module = module or GrokkingModule(network, evaluate_every=10)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = Trainer(max_steps=max_steps, default_root_dir=directory, accelerator="cpu", devices=1, **quiet)
    trainer.fit(module, data, ckpt_path=ckpt_path)
    trainer.save_checkpoint(directory / f"{max_steps}.ckpt")
    return module


def test_a_run_with_dropout_is_resumed_bit_for_bit(tmp_path):
    whole = fit(tmp_path, 40)
    fit(tmp_path, 20)
    torch.rand(7)  # whatever else the process draws
    resumed = fit(tmp_path, 40, tmp_path / "20.ckpt")
    assert all(map(torch.equal, whole.network.parameters(), resumed.network.parameters()))
    assert resumed.history == whole.history
    without = fit(tmp_path, 40, dropout=0.0)
    assert not torch.equal(without.network.embed.W_E, whole.network.embed.W_E)


def test_scores_are_those_of_the_network_without_dropout(tmp_path):
    module = fit(tmp_path, 20)
    pairs = ModularDataModule("x + y", 11, train_fraction=0.5).heldout_pairs
    with torch.no_grad():
        logits = module.network.eval()(pairs.tokens).double()
    loss = torch.nn.functional.cross_entropy(logits, pairs.answers).item()
    assert module.history.heldout_loss[-1] == pytest.approx(loss, rel=1e-6)


def test_a_module_that_was_read_back_trains_with_its_dropout(tmp_path):
    fit(tmp_path, 10)
    read = GrokkingModule.load_from_checkpoint(tmp_path / "10.ckpt")
    start = read.network.embed.W_E.detach().clone()
    fit(tmp_path, 5, module=read)
    again = GrokkingModule.load_from_checkpoint(tmp_path / "10.ckpt")
    again.network.blocks[0].drop.rate = 0.0
    fit(tmp_path, 5, module=again)
    assert not torch.equal(read.network.embed.W_E, start)
    assert not torch.equal(read.network.embed.W_E, again.network.embed.W_E)
