"""A run that is resumed: from where, with what, and what may change."""

import shutil

import pytest
import torch
import yaml

from modgrok import load_run
from modgrok.cli import main
from modgrok.training import engine_choice


@pytest.fixture
def run(small_run, tmp_path, monkeypatch):
    """A run of 90 updates in the working directory, to be resumed at 100."""
    monkeypatch.chdir(tmp_path)
    return load_run(shutil.copytree(small_run, tmp_path / "lightning_logs" / "version_0"))


def resume(run, *options):
    main(["fit", "--ckpt_path", str(run.path), "--trainer.max_steps", "100", *options])


def test_the_runs_own_config_holds_where_nothing_else_is_said(run, small_run):
    resume(run)
    assert run.updates == [0, 40, 80, 90, 100]
    history = run.snapshot().history
    assert history.update == [0, 20, 40, 60, 80, 90, 100]  # every 20, and where it had ended
    config = yaml.safe_load((run.path / "config_from_000090.yaml").read_text())
    first = yaml.safe_load((small_run / "config.yaml").read_text())
    assert config["model"]["network"] == first["model"]["network"]
    assert config["model"]["optimizer"] == first["model"]["optimizer"]
    assert (config["trainer"]["max_steps"], config["checkpoint"]["every"]) == (100, 40)
    assert (run.path / "config.yaml").read_bytes() == (small_run / "config.yaml").read_bytes()


def test_a_finished_run_that_is_resumed_stays_as_it_is(run):
    before = run.snapshot().history
    main(["fit", "--ckpt_path", str(run.path)])
    assert (run.updates, run.snapshot().history) == ([0, 40, 80, 90], before)


@pytest.mark.parametrize("inherited", [False, True])
def test_a_config_names_the_checkpoint(run, tmp_path, capsys, inherited):
    (tmp_path / "resume.yaml").write_text(f"ckpt_path: {run.path}")
    (tmp_path / "inheriting.yaml").write_text("config: resume.yaml\ntrainer: {max_steps: 100}")
    config = "inheriting.yaml" if inherited else "resume.yaml"
    main(["fit", "--config", config, "--trainer.max_steps", "100"])
    assert run.updates[-1] == 100
    assert not (tmp_path / "lightning_logs" / "version_1").exists()
    capsys.readouterr()
    main(["test", "--config", "resume.yaml"])
    assert f"{run.findings.heldout_loss:.4g}" in capsys.readouterr().out


def test_a_checkpoint_that_is_no_path_is_refused(refused, tmp_path):
    (tmp_path / "a.yaml").write_text("ckpt_path: [1, 2]")
    assert "ckpt_path: not a path" in refused("fit", "--config", "a.yaml")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            ["--model.optimizer.lr", "1e-4"],
            "optimizer.lr is 0.0001 here and 0.001 there; set model.allow_changes",
        ),
        (["--model.optimizer.weight_decay", "0"], "optimizer.weight_decay is 0.0 here and 1.0 there"),
        (["--model.lr_scheduler.updates", "0"], "lr_scheduler.updates is 0 here and 10 there"),
        (["--model.evaluate_every", "10"], "evaluate_every is 10 here and 20 there"),
        (["--model.threshold", "0.9"], "threshold is 0.9 here and 0.05 there"),
        (["--model.frozen", "[embedding]"], "frozen is ['embedding'] here and [] there"),
        (["--data.batch_size", "16"], "batch_size is 16 here and None there"),
        (
            [
                "--model.gradient_filters",
                "[{class_path: modgrok.training.LpPenalty, init_args: {strength: 1}}]",
            ],
            "gradient_filter is LpPenalty here and None there",
        ),
        (
            [
                "--model.optimizer",
                "torch.optim.SGD",
                "--model.optimizer.lr",
                "1",
                "--model.allow_changes",
                "true",
            ],
            "optimizer is SGD here and GrokkingAdamW there; start a new run from its weights with model.pretrained",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_hyperparameter_that_changed_is_refused_by_name(run, capsys, changed, said):
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    with pytest.raises(SystemExit) as stopped:
        resume(run, *changed)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


def test_a_change_that_is_allowed_holds(run):
    resume(run, "--model.optimizer.lr", "1e-4", "--model.allow_changes", "true")
    main(["fit", "--ckpt_path", str(run.path), "--trainer.max_steps", "110", "--model.optimizer.lr", "1e-4"])
    for update in (100, 110):
        state = torch.load(run.checkpoints[update], weights_only=True)
        assert state["optimizer_states"][0]["param_groups"][0]["lr"] == pytest.approx(1e-4)


def test_a_run_keeps_its_engine_when_it_is_extended(run, monkeypatch):
    """A longer run would be compiled, but half of it was not, and the two round differently."""
    config = yaml.safe_load((run.path / "config.yaml").read_text())
    config["model"]["engine"] = "auto"
    (run.path / "config.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.setattr(engine_choice, "MIN_MULTIPLICATIONS_TO_COMPILE", 0.0)
    monkeypatch.setattr(engine_choice.shutil, "which", lambda name: name)
    resume(run)
    assert run.findings.engine == "eager"


def test_other_files_beside_the_checkpoints_are_left_alone(run, capsys):
    last = run.path / "checkpoints" / "update=000090.ckpt"
    for name in ("update=best.ckpt", "best.ckpt", "update=.ckpt", "notes.txt", "update=000099.ckpt.partial"):
        shutil.copy(last, last.with_name(name))
    assert run.updates == [0, 40, 80, 90]
    main(["analyze", str(run.path)])
    rows = (run.path / "report" / "measures.csv").read_text().splitlines()
    assert len(rows) == 1 + 4
    main(["analyze", str(last.with_name("update=best.ckpt")), "--output", "of_best"])
    main(["test", "--ckpt_path", str(last.with_name("best.ckpt"))])
    resume(run)
    assert run.updates == [0, 40, 80, 90, 100]
