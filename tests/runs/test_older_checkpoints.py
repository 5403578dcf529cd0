"""Checkpoints that were written before some options, and some columns of the history, were there."""

import pytest
import torch

from modgrok import load_run
from modgrok.cli import main
from modgrok.runs import load_snapshot
from modgrok.runs.history import YOUNGER_COLUMNS
from modgrok.runs.snapshot import YOUNGER_OPTIONS


@pytest.fixture
def older(small_run, tmp_path):
    """The checkpoint at update 40 of a run, as it would have been written before."""
    checkpoint = torch.load(small_run / "checkpoints" / "update=000040.ckpt", weights_only=True)
    record = checkpoint["modgrok"]
    for options in (record["data"], record["network"]["config"], record["hyperparameters"]):
        for name in YOUNGER_OPTIONS:
            options.pop(name, None)
    for name in (*YOUNGER_COLUMNS, "grokked_new_at"):
        del record["history"][name]
    path = tmp_path / "older.ckpt"
    torch.save(checkpoint, path)
    return path


def test_an_older_checkpoint_is_read(older, small_run):
    snapshot, now = load_snapshot(older), load_snapshot(small_run / "checkpoints" / "update=000040.ckpt")
    assert snapshot.data.config == now.data.config
    assert snapshot.network.config == now.network.config
    assert snapshot.history.heldout_accuracy == now.history.heldout_accuracy
    assert snapshot.history.heldout_accuracy_new == [None] * len(snapshot.history.update)


def test_an_older_run_is_resumed(older, small_run, tmp_path):
    config = str(small_run / "config.yaml")
    main(["fit", "--config", config, "--ckpt_path", str(older), "--trainer.default_root_dir", str(tmp_path)])
    resumed, whole = (
        load_run(path).snapshot() for path in (tmp_path / "lightning_logs/version_0", small_run)
    )
    weights = whole.network.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in resumed.network.state_dict().items())
    measured = [accuracy for accuracy in resumed.history.heldout_accuracy_new if accuracy is not None]
    assert measured == whole.history.heldout_accuracy_new[-len(measured) :]
    assert len(measured) == 3  # at 60, 80 and 90
