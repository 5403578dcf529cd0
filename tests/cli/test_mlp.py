"""An MLP through the whole command line."""

import csv
import json

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from modgrok import MLP, load_run
from modgrok.analysis import analyze
from modgrok.analysis import circuit as circuit_module
from modgrok.callbacks import budgeted
from modgrok.cli import main
from modgrok.data import Chunks
from modgrok.runs.scores import TaskScores
from modgrok.training import CrossEntropy

FIT = (
    *("fit", "--model.network", "modgrok.MLP", "--data.task", "x + y", "--data.modulus", "11"),
    *("--data.train_fraction", "0.7", "--model.optimizer.lr", "1e-2", "--model.evaluate_every", "100"),
    *("--model.network.d_mlp", "48", "--model.engine", "eager"),
    *("--trainer.max_steps", "300", "--checkpoint.every", "150", "--measures.every", "150"),
    *("--model.evaluate_every", "50"),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("mlp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budgeted, "TIME_SHARE", float("inf"))
        main([*FIT, "--trainer.default_root_dir", str(root)])
    return root / "lightning_logs" / "version_0"


def test_it_trains_and_its_checkpoints_load(run):
    snapshots = [load_run(run).snapshot(update) for update in (0, 150, 300)]
    assert all(type(snapshot.network) is MLP for snapshot in snapshots)
    assert snapshots[-1].network.config["d_mlp"] == 48
    assert snapshots[-1].history.train_accuracy[-1] == 1.0
    assert snapshots[-1].history.train_loss[-1] < 0.1


def test_measures_are_logged(run):
    events = EventAccumulator(str(run), size_guidance={"images": 0}).Reload()
    assert [event.step for event in events.Scalars("progress/restricted_loss")] == [150, 300]
    assert [event.step for event in events.Images("circuit")] == [150, 300]


@pytest.mark.parametrize("command", ["test", "validate"])
def test_the_held_out_pairs_are_scored(run, capsys, command):
    main([command, "--ckpt_path", str(run)])
    history = load_run(run).snapshot().history
    assert f"{history.heldout_loss[-1]:.4g}" in capsys.readouterr().out


def test_predictions(run, tmp_path):
    file = tmp_path / "pairs.csv"
    main(["predict", "--ckpt_path", str(run), "--predictions.file", str(file)])
    trained = [row for row in csv.DictReader(file.open()) if row["split"] == "trained-on"]
    assert len(trained) == 84
    assert all(row["predicted"] == row["answer"] for row in trained)


def test_a_resumed_run_equals_the_uninterrupted_one(run, tmp_path):
    middle = run / "checkpoints" / "update=000150.ckpt"
    config = ["fit", "--config", str(run / "config.yaml"), "--ckpt_path", str(middle)]
    main([*config, "--trainer.default_root_dir", str(tmp_path)])
    resumed = load_run(tmp_path / "lightning_logs" / "version_0").snapshot().network.state_dict()
    weights = load_run(run).snapshot().network.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in resumed.items())


def test_analyze(run, tmp_path, capsys):
    main(["analyze", str(run), "--output", str(tmp_path / "report")])
    assert "x + y mod 11: " in capsys.readouterr().out
    assert "W_logit = W_U" in (tmp_path / "report" / "index.html").read_text()
    rows = list(csv.DictReader((tmp_path / "report" / "measures.csv").open()))
    assert [row["update"] for row in rows] == ["0", "150", "300"]
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert summary["network"]["class"] == "MLP"
    assert summary["tasks"][0]["train_accuracy"] == 1.0


def test_chunks_change_nothing(run, monkeypatch):
    snapshot = load_run(run).snapshot()
    (whole,) = analyze(snapshot)
    monkeypatch.setattr("modgrok.analysis.task_view.CHUNK", 7)
    monkeypatch.setattr(circuit_module, "MAX_KEPT_BYTES", 0)
    (chunked,) = analyze(snapshot)
    for name, value in chunked.measures().scalars().items():
        assert value == pytest.approx(whole.measures().scalars()[name], rel=1e-3, abs=1e-6), name
    torch.testing.assert_close(chunked.neurons([0, 5]), whole.neurons([0, 5]))
    torch.testing.assert_close(chunked.losses, whole.losses, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(chunked.classes.sums, whole.classes.sums, rtol=1e-4, atol=1e-4)
    scores = TaskScores(CrossEntropy(), 1, held_out=False)
    with torch.no_grad():
        for examples in Chunks(snapshot.data.heldout_pairs, 7):
            scores.update(snapshot.network(examples.tokens), examples)
    scored, _ = scores.compute()
    assert scored.loss == pytest.approx(snapshot.history.heldout_loss[-1], rel=1e-5)


def test_export_is_for_transformers(run, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(run), str(tmp_path / "weights.safetensors")])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said == "modgrok: error: TransformerLens has Transformers only; this network is of class MLP\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["concatenation", "two_hot"])
def test_an_mlp_that_sees_the_order_trains_on_a_difference_and_is_analyzed(tmp_path, kind):
    main([*FIT, "--data.task", "x - y", "--model.network.input", kind, "--trainer.max_steps", "100",
          "--model.network.activation", "square", "--trainer.default_root_dir", str(tmp_path)])  # fmt: skip
    run = tmp_path / "lightning_logs" / "version_0"
    assert load_run(run).findings.train_loss < load_run(run).history["train/loss"][0] / 2
    main(["analyze", str(run)])
    assert "x - y" in (run / "report" / "index.html").read_text()
