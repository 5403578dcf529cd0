"""Dropout in a run: it acts on updates alone, and a resumed run draws what the whole one drew."""

import pytest
import torch

from modgrok import GrokkingModule, ModularDataModule


def test_a_run_with_dropout_is_resumed_bit_for_bit(fit):
    whole = fit(40, dropout=0.2)
    fit(20, dropout=0.2)
    torch.rand(7)  # whatever else the process draws
    resumed = fit(40, 20, dropout=0.2)
    assert all(map(torch.equal, whole.network.parameters(), resumed.network.parameters()))
    assert resumed.history == whole.history
    without = fit(40)
    assert not torch.equal(without.network.embed.W_E, whole.network.embed.W_E)


def test_scores_are_those_of_the_network_without_dropout(fit):
    module = fit(20, dropout=0.2)
    pairs = ModularDataModule("x + y", 11, train_fraction=0.5).heldout_pairs
    with torch.no_grad():
        logits = module.network.eval()(pairs.tokens).double()
    loss = torch.nn.functional.cross_entropy(logits, pairs.answers).item()
    assert module.history.heldout_loss[-1] == pytest.approx(loss, rel=1e-6)


def test_a_module_that_was_read_back_trains_with_its_dropout(fit, tmp_path):
    fit(10, dropout=0.2)
    read = GrokkingModule.load_from_checkpoint(tmp_path / "10.ckpt")
    start = read.network.embed.W_E.detach().clone()
    fit(5, module=read)
    again = GrokkingModule.load_from_checkpoint(tmp_path / "10.ckpt")
    again.network.blocks[0].drop.rate = 0.0
    fit(5, module=again)
    assert not torch.equal(read.network.embed.W_E, start)
    assert not torch.equal(read.network.embed.W_E, again.network.embed.W_E)
