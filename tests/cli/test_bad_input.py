"""Wrong input: one or two lines, exit code 2, nothing written."""

import pytest
import torch
from lightning.pytorch.loggers import wandb
from lightning_utilities.core.imports import RequirementCache

FIT = ("fit", "--data.task", "x + y", "--data.modulus", "11", "--trainer.max_steps", "2")


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
        (["--weights.every", "0"], "weights.every must be a positive integer, or null"),
        (["--data.modulus", "7.5"], "data.modulus"),
        (["--data.modulus", "1000003"], "GiB"),
        (["--data.train_fraction", "0"], "train_fraction must be between 0 and 1, got 0"),
        (["--data.train_fraction", "2"], "train_fraction must be between 0 and 1, got 2"),
        (["--data.train_fraction", "0.0001"], "leaves no training pairs"),
        (["--data.split_method", "numpy"], "split_method"),
        (["--model.network.n_heads", "3"], "3 heads do not divide"),
        (["--model.network.n_head", "4"], "did you mean 'n_heads'"),
        (["--model.optimizer.lr", "-1"], "model.optimizer: Invalid learning rate: -1"),
        (["--model.optimizer.lr", "fast"], "model.optimizer: lr: "),
        (
            ["--model.optimizer", "torch.optim.SGD", "--model.optimizer.betas", "[0, 1]"],
            "model.optimizer: Option",
        ),
        (["--model.optimizer", "torch.optim.SGD", "--model.optimizer.momentum", "-1"], "Invalid momentum"),
        (["--model.optimizer", "torch.nn.ReLU"], "model.optimizer: "),
        (["--model.lr_scheduler", "torch.optim.lr_scheduler.StepLR"], "model.lr_scheduler: the following"),
        (["--model.gradient_filters", "modgrok.training.LpPenalty"], "model.gradient_filters: "),
        (
            [
                "--model.interventions=[{class_path: modgrok.training.WeightDecayOff}]",
                "--model.optimizer.weight_decay=0",
            ],
            "WeightDecayOff: no optimizer has weight decay",
        ),
        (["--model.updates_per_step", "3"], "updates_per_step must divide evaluate_every = 100, got 3"),
        (["--model.evaluate_every", "0"], "evaluate_every"),
        (["--model.engine", "warp"], "engine"),
        (["--model.engine", "cuda_graph"], "needs CUDA"),
        (["--model.engine", "cuda_graph", "--data.batch_size", "8"], "cuda_graph needs the full batch"),
        (
            [
                "--model.lr_scheduler=torch.optim.lr_scheduler.OneCycleLR",
                "--model.lr_scheduler.max_lr=0.01",
                "--model.lr_scheduler.total_steps=30",
                "--trainer.max_steps=31",
            ],
            "OneCycleLR ends after total_steps = 30 updates; trainer.max_steps is 31",
        ),
        (["--trainer.max_stepz", "3"], "did you mean 'trainer.max_steps'"),
        (["--trainer.max_step", "3"], "did you mean 'trainer.max_steps'"),  # no abbreviations
        (
            ["--trainer.max_steps", "-1"],
            "the run would never end; give max_steps, max_epochs, max_time or stop.grokked_for",
        ),
        (["--trainer.limit_val_batches", "1"], "trainer.limit_val_batches: a score counts all pairs"),
        (["--trainer.devices", "2"], "trainer.devices: 2 devices for one network"),
        (["--trainer.overfit_batches", "1"], "trainer.overfit_batches: train on fewer pairs"),
        (["--trainer.val_check_interval", "7"], "trainer.val_check_interval: model.evaluate_every says"),
        (["--traner.max_steps", "3"], "did you mean 'trainer.max_steps'"),
        (["--checkpoint.every", "0"], "checkpoint.every must be a positive integer, got 0"),
        (["--checkpoint.keep", "2"], "checkpoint.keep must be at least 3"),
        (["--stop.grokked_for", "-1"], "stop.grokked_for must be ≥ 0, got -1"),
        (["--model.threshold", "2"], "threshold must be an accuracy in (0, 1], got 2"),
        (["--config", "missing.yaml"], "missing.yaml"),
        (["--ckpt_path", "missing.ckpt"], "missing.ckpt: no such file"),
        (["--trainer.default_root_dir", "/proc/nowhere"], "cannot write"),
        (["--trainer.precision", "16-true"], "trainer.precision: 16-true needs a loss scale"),
    ],
)
def test_wrong_field_is_named(refused, wrong, message):
    assert message in refused(*FIT, *wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--data.task", "x - y"], "MLP does not see the order of its tokens, and x - y depends on it"),
        (["--model.network.d_mlp", "0"], "d_mlp must be a positive integer, got 0"),
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
    assert "'max_stepz'; did you mean 'trainer.max_steps'?" in refused("fit", "--config", "a.yaml")


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
