"""Checkpoints beside those of other callbacks."""

import datetime
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from modgrok import GrokkingModule, ModularDataModule, Transformer
from modgrok.callbacks import Checkpoints
from modgrok.errors import RunStoppedError
from modgrok.report import find_target
from modgrok.runs import RunDirectory
from modgrok.runs.checkpoint_io import AtomicCheckpointIO


def train(root: Path, *callbacks: Callback) -> Trainer:
    data = ModularDataModule("x + y", 7)
    torch.manual_seed(0)
    network = Transformer(**data.network_shape, d_model=16, d_mlp=16)
    trainer = Trainer(
        accelerator="cpu",
        max_steps=60,
        callbacks=[*callbacks],
        plugins=[AtomicCheckpointIO()],
        default_root_dir=root,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(GrokkingModule(network, engine="eager", evaluate_every=10), data)
    return trainer


def test_thinning_deletes_no_checkpoint_of_another_callback(tmp_path):
    best = ModelCheckpoint(tmp_path / "checkpoints", monitor="heldout/loss", mode="max", save_top_k=3)
    train(tmp_path, Checkpoints(every=10, keep=3), best)
    assert len(best.best_k_models) == 3
    assert all(Path(kept).is_file() for kept in (*best.best_k_models, best.best_model_path))
    own = sorted(path.name for path in (tmp_path / "checkpoints").glob("update=*.ckpt"))
    assert (own[0], own[-1]) == ("update=000000.ckpt", "update=000060.ckpt")
    assert len(own) <= 4  # the last one is written when the run ends


def test_a_checkpoint_of_another_callback_can_be_analyzed(tmp_path):
    """Also where both callbacks wrote one at the same update."""
    own, other = Checkpoints(every=10), ModelCheckpoint(tmp_path / "checkpoints", every_n_train_steps=20)
    train(tmp_path, own, other)
    path = Path(other.best_model_path)
    assert path.is_file()
    target = find_target(path)
    assert target.checkpoints == [
        *(tmp_path / "checkpoints" / f"update={update:06d}.ckpt" for update in range(0, 60, 10)),
        path,
    ]
    assert list(RunDirectory(tmp_path).checkpoints) == [0, 10, 20, 30, 40, 50, 60]


class Clock(Callback):
    def state_dict(self):
        return {"began": datetime.datetime(2026, 1, 1)}


def test_a_checkpoint_that_could_not_be_read_back_ends_the_run_at_once(tmp_path):
    with pytest.raises(RunStoppedError, match=r"could not be read back: it holds datetime\.datetime"):
        train(tmp_path, Checkpoints(every=10), Clock())
    assert not list(tmp_path.rglob("*.ckpt"))
