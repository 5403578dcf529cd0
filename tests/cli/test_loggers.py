"""Loggers that the config names, beside the run's own."""

import csv

import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from modgrok import load_run
from modgrok.callbacks import budgeted
from modgrok.cli import main

FIT = [
    *("fit", "--data.task", "x + y", "--data.modulus", "7", "--trainer.max_steps", "20"),
    *("--model.network.d_model", "16", "--model.network.d_mlp", "16", "--model.evaluate_every", "10"),
    *("--model.engine", "eager"),
]
CSV = ["--trainer.logger", "CSVLogger", "--trainer.logger.save_dir", "tables"]


@pytest.fixture(autouse=True)
def empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_second_logger_gets_what_tensorboard_gets(tmp_path):
    penalty = "[{class_path: modgrok.training.LpPenalty, init_args: {strength: 0.5}}]"
    options = (
        "--model.gradient_filters",
        penalty,
        "--model.frozen",
        "[unembedding]",
        "--seed_everything",
        "5",
    )
    main([*FIT, *CSV, *options])
    run = tmp_path / "lightning_logs" / "version_0"
    assert load_run(run).updates == [0, 20]
    table = tmp_path / "tables" / "lightning_logs" / "version_0"
    rows = list(csv.DictReader((table / "metrics.csv").open()))
    events = EventAccumulator(str(run)).Reload()
    for tag in ("heldout/loss", "norm/total", "norm_l1/embed.W_E", "final/heldout_accuracy"):
        logged = {int(row["step"]): float(row[tag]) for row in rows if row[tag]}
        assert logged == pytest.approx({event.step: event.value for event in events.Scalars(tag)}), tag
    hyperparameters = yaml.safe_load((table / "hparams.yaml").read_text())
    assert hyperparameters["modulus"] == 7
    told = {
        "optimizer.weight_decay": 1.0,
        "gradient_filter.strength": 0.5,
        "frozen": "['unembedding']",
        "precision": "32-true",
        "engine": "eager",
        "seed": "5",
        "pretrained": "None",
    }
    assert {name: hyperparameters[name] for name in told} == told


def test_a_run_with_a_second_logger_is_resumed_in_its_own_directory(tmp_path):
    (tmp_path / "both.yaml").write_text(
        "trainer: {logger: [{class_path: lightning.pytorch.loggers.CSVLogger, init_args: {save_dir: tables}}]}"
    )
    main([*FIT, "--config", "both.yaml"])
    run = tmp_path / "lightning_logs" / "version_0"
    main([*FIT, "--config", "both.yaml", "--trainer.max_steps", "30", "--ckpt_path", str(run)])
    assert load_run(run).updates == [0, 20, 30]
    events = EventAccumulator(str(run)).Reload()
    assert [event.step for event in events.Scalars("heldout/loss")] == [0, 10, 20, 30]
    table = tmp_path / "tables" / "lightning_logs" / "version_1" / "metrics.csv"
    assert {int(row["step"]) for row in csv.DictReader(table.open()) if row["heldout/loss"]} == {30}


def test_without_logging_each_run_still_has_its_directory(tmp_path):
    for number in (0, 1):
        main([*FIT, "--trainer.logger", "false"])
        run = tmp_path / "lightning_logs" / f"version_{number}"
        assert load_run(run).updates == [0, 20]
        assert {path.name for path in run.iterdir()} == {
            *("config.yaml", "checkpoints", "curves.png", "findings.json")
        }
    assert [path.name for path in tmp_path.iterdir()] == ["lightning_logs"]


def test_no_step_is_logged_where_none_is_wanted(tmp_path):
    main([*FIT, "--trainer.log_every_n_steps", "0"])
    events = EventAccumulator(str(tmp_path / "lightning_logs" / "version_0")).Reload()
    assert [event.step for event in events.Scalars("train/loss")] == [0, 10, 20]


def test_a_logger_that_cannot_begin_ends_the_command_before_the_run(tmp_path, capsys):
    (tmp_path / "tables").write_text("a file where the logger wants a directory")
    with pytest.raises(SystemExit) as stopped:
        main([*FIT, *CSV])
    assert stopped.value.code == 2
    assert "trainer.logger: CSVLogger failed to start: " in capsys.readouterr().err
    assert not (tmp_path / "lightning_logs").exists()


def test_weights_and_biases_offline(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="Weights & Biases is not installed")
    monkeypatch.setattr(budgeted, "TIME_SHARE", float("inf"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    main(
        [*FIT, "--weights.every", "10", "--trainer.logger", "WandbLogger", "--trainer.logger.offline", "true"]
    )
    summary, config = dict(wandb.run.summary), dict(wandb.run.config)
    files = tmp_path / "wandb" / "latest-run" / "files" / "media" / "images"
    wandb.finish()
    history = load_run(tmp_path / "lightning_logs" / "version_0").snapshot().history
    assert summary["heldout/loss"] == pytest.approx(history.heldout_loss[-1])
    assert summary["trainer/global_step"] == 20
    assert config["modulus"] == 7
    assert config["lr"] == 1e-3
    for name in ("curves_*.png", "circuit_*.png", "weights_*.png", "principal_components/embed.W_E_*.png"):
        assert list(files.glob(name)), name
