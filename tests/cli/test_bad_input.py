"""Wrong input: one or two lines, exit code 2, nothing written."""

import pickle
import zipfile

import pytest
import torch
from lightning.pytorch.loggers import wandb
from lightning_utilities.core.imports import RequirementCache

from modgrok.cli import main

FIT = ("fit", "--data.task", "x + y", "--data.modulus", "11", "--trainer.max_steps", "2")


class Trap:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), "w")


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run `modgrok` with wrong input in an empty directory; return what it said."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(SystemExit) as stopped:
            main([str(arg) for arg in args])
        said = capsys.readouterr()
        assert stopped.value.code == 2
        assert said.err.startswith("modgrok: error: ")
        assert said.err.count("\n") <= 2
        assert "Traceback" not in said.err
        assert sorted(tmp_path.rglob("*")) == before
        return said.err

    return run


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--data.task", "x +"], "task"),
        (["--data.task", "__import__('os').system('true')"], "task"),
        (["--data.task", "x + w"], "did you mean 'x'"),
        (["--data.task", "x2_y3"], "the nearest name there is 'x2_y'"),
        (["--data.task", "9**9**9"], "task"),
        (["--data.task", "(" * 10_000 + "x" + ")" * 10_000], "task"),
        (["--data.task", "x" + " + x" * 25_000], "task"),
        (["--data.modulus", "1"], "modulus"),
        (["--weights.every", "0"], "every must be a positive integer"),
        (["--data.modulus", "7.5"], "data.modulus"),
        (["--data.modulus", "1000003"], "GiB"),
        (["--data.train_fraction", "0"], "train_fraction: 0"),
        (["--data.train_fraction", "2"], "train_fraction: 2"),
        (["--data.train_fraction", "0.0001"], "leaves no training pairs"),
        (["--data.split_method", "numpy"], "split_method"),
        (["--model.network.n_heads", "3"], "3 heads do not divide"),
        (["--model.network.n_head", "4"], "did you mean 'n_heads'"),
        (["--model.optimizer.lr", "-1"], "model.optimizer: Invalid learning rate: -1"),
        (["--model.optimizer.lr", "fast"], "model.optimizer"),
        (["--model.evaluate_every", "0"], "evaluate_every"),
        (["--model.engine", "warp"], "engine"),
        (["--model.engine", "cuda_graph"], "needs CUDA"),
        (["--trainer.max_stepz", "3"], "did you mean 'trainer.max_steps'"),
        (["--checkpoint.every", "0"], "every must be a positive integer"),
        (["--model.threshold", "2"], "threshold must be an accuracy"),
        (["--config", "missing.yaml"], "missing.yaml"),
        (["--ckpt_path", "missing.ckpt"], "missing.ckpt: no such file"),
        (["--trainer.default_root_dir", "/proc/nowhere"], "cannot write"),
        (["--trainer.precision", "16-mixed"], "precision"),
        (["--trainer.devices", "2"], "trainer.devices: 2 devices for one network; it trains on one"),
        (["--trainer.max_steps", "-1"], "the run would never end"),
        (["--trainer.max_epochs", "5"], "trainer.max_epochs: 5 epochs, but a run counts updates"),
        (["--model.updates_per_step", "7"], "updates_per_step must divide evaluate_every = 100, got 7"),
        (["--model.optimizer", "torch.optim.SGD", "--model.optimizer.momentum", "-1"], "Invalid momentum"),
        (["--model.optimizer", "torch.optim.SGD", "--model.optimizer.speed", "1"], "speed"),
        (["--model.lr", "1e-3"], "model.lr is now model.optimizer.lr"),
        (["--phases.threshold", "0.9"], "phases.threshold is now model.threshold"),
        (["--stop.heldout_loss", "1"], "stop.heldout_loss is now"),
        (["--model.network.normalisation", "true"], "normalization"),
        (["--traner.max_steps", "3"], "did you mean 'trainer.max_steps'"),
    ],
)
def test_wrong_field_is_named(refused, wrong, message):
    assert message in refused(*FIT, *wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--data.task", "x - y"], "MLP does not see the order of its tokens, and x - y depends on it"),
        (["--model.network.d_mlp", "0"], "d_mlp: 0 is not a positive integer"),
        (["--model.network.n_heads", "4"], "'n_heads' is not accepted"),
    ],
)
def test_what_an_mlp_cannot_be_or_do(refused, wrong, message):
    assert message in refused(*FIT, "--model.network", "modgrok.MLP", *wrong)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_that_is_not_there(refused):
    assert "CUDA" in refused(*FIT, "--trainer.accelerator", "cuda")


def test_config_file_with_an_unknown_key(refused, tmp_path):
    (tmp_path / "a.yaml").write_text("data: {task: x + y, modulus: 11}\ntrainer: {max_stepz: 2}\n")
    assert "max_stepz" in refused("fit", "--config", "a.yaml")


def test_config_file_that_is_no_yaml(refused, tmp_path):
    (tmp_path / "a.yaml").write_text("data: {task: [x + y\n")
    assert "a.yaml, line 2" in refused("fit", "--config", "a.yaml")
    (tmp_path / "a.yaml").write_text("just words")
    assert "a.yaml: not a configuration" in refused("fit", "--config", "a.yaml")


def test_a_logger_whose_package_is_missing_names_it(refused, monkeypatch):
    monkeypatch.setattr(wandb, "_WANDB_AVAILABLE", RequirementCache("wandb>=99999"))
    said = refused(*FIT, "--trainer.logger", "WandbLogger", "--trainer.logger.offline", "true")
    assert "trainer.logger: lightning.pytorch.loggers.WandbLogger: needs wandb: pip install wandb\n" in said


@pytest.mark.parametrize("command", ["test", "validate", "predict"])
def test_commands_that_need_a_network_say_so(refused, command):
    assert "--ckpt_path RUN_OR_CKPT" in refused(command)


def test_unknown_command(refused):
    assert "did you mean 'fit'" in refused("fti")


@pytest.mark.parametrize("command", ["test", "predict", "fit"])
def test_files_that_are_no_checkpoints(refused, tmp_path, small_run, command):
    whole = (small_run / "checkpoints" / "update=000090.ckpt").read_bytes()
    marker = tmp_path / "marker"
    files = {
        "empty.ckpt": b"",
        "text.ckpt": b"not a checkpoint",
        "cut.ckpt": whole[: len(whole) // 2],
        "pickle.ckpt": pickle.dumps(Trap(marker)),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    torch.save({"state_dict": {}, "hyper_parameters": {"lr": 1}}, tmp_path / "others.ckpt")
    torch.save({"modgrok": Trap(marker)}, tmp_path / "trap.ckpt")
    marker.unlink(missing_ok=True)
    with zipfile.ZipFile(tmp_path / "zip.ckpt", "w") as archive:
        archive.writestr("hello", "world")
    (tmp_path / "empty_run").mkdir()
    options = FIT[1:] if command == "fit" else ()
    for name in [*files, "others.ckpt", "trap.ckpt", "zip.ckpt", "empty_run"]:
        assert name in refused(command, *options, "--ckpt_path", name)
    assert not marker.exists()
