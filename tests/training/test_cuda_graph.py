"""The CUDA engine where there is no CUDA: what its graph would replay is called again instead."""

from contextlib import contextmanager, nullcontext
from functools import partial
from unittest.mock import Mock

import pytest
import torch
from lightning.pytorch import Trainer
from torch.utils._pytree import tree_map_only

from modgrok import GrokkingModule, ModularDataModule, Transformer
from modgrok.runs.checkpoint import DataCheckpointIO
from modgrok.training import engine as engine_module
from modgrok.training.engine import CudaGraphEngine, Engine, shares


@pytest.fixture
def by_hand(monkeypatch):
    class Graph:
        replay = None

    @contextmanager
    def capture(graph):
        def update_and_note(engine):
            graph.replay = partial(update, engine)
            update(engine)

        update = CudaGraphEngine._update_in_place
        with monkeypatch.context() as patch:
            patch.setattr(CudaGraphEngine, "_update_in_place", update_and_note)
            yield

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", capture)
    monkeypatch.setattr(torch.cuda, "Stream", Mock())
    monkeypatch.setattr(torch.cuda, "current_stream", Mock())
    monkeypatch.setattr(torch.cuda, "stream", nullcontext)
    monkeypatch.setattr(engine_module, "check_engine", lambda *_: None)


def fit(root, updates, engine, going_on_from=None, warmup_updates=10):
    torch.manual_seed(0)
    data = ModularDataModule("x + y", 11, train_fraction=0.5)
    module = GrokkingModule(
        Transformer(**data.network_shape, d_model=32, d_mlp=64), engine=engine, warmup_updates=warmup_updates
    )
    trainer = Trainer(
        accelerator="cpu",
        max_steps=updates,
        default_root_dir=root,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        plugins=[DataCheckpointIO()],
    )
    trainer.fit(module, data, ckpt_path=going_on_from)
    checkpoint = root / f"update={updates}.ckpt"
    trainer.save_checkpoint(checkpoint)
    return module, checkpoint


def test_warming_the_graph_up_is_undone(by_hand, tmp_path):
    expected, _ = fit(tmp_path, 5, "eager", warmup_updates=0)
    module, _ = fit(tmp_path, 5, "cuda_graph", warmup_updates=0)
    for weight, weight_expected in zip(module.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(weight, weight_expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("engine_after", ["cuda_graph", "eager"])
def test_a_run_of_the_graph_is_gone_on_from(by_hand, tmp_path, engine_after):
    expected, _ = fit(tmp_path, 30, "cuda_graph")
    _, checkpoint = fit(tmp_path, 17, "cuda_graph")
    module, _ = fit(tmp_path, 30, engine_after, going_on_from=checkpoint)
    for weight, weight_expected in zip(module.parameters(), expected.parameters(), strict=True):
        if engine_after == "cuda_graph":
            assert torch.equal(weight, weight_expected)
        else:
            torch.testing.assert_close(weight, weight_expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("variant", [{}, {"n_layers": 2, "normalization": True, "biases": True}], ids=str)
def test_gradients_ask_nothing_of_the_host(variant):
    """On the meta device no value can be read, and no tensor of another device be used: as in a graph's capture."""
    data = ModularDataModule(["x + y", "x * y"], 11)
    network = Transformer(**data.network_shape, **variant)
    (share,) = tree_map_only(
        torch.Tensor,
        lambda tensor: tensor.to("meta"),
        shares(data.training_pairs, network, len(data.tasks)),
    )
    engine = Engine.__new__(Engine)
    engine.network = network.to("meta")
    loss = engine.backward(share)
    assert loss.is_meta
    assert all(weight.grad.is_meta for weight in network.parameters() if weight.grad is not None)
