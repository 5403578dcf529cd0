"""Every callback, optimizer and schedule that the help offers, by its name alone: a run, or a line or two."""

import re

import pytest

from modgrok.cli import main

FIT = [
    *("fit", "--data.task", "x + y", "--data.modulus", "7", "--data.train_fraction", "0.5"),
    *("--model.network.d_model", "8", "--model.network.d_mlp", "8", "--model.network.n_heads", "1"),
    *("--weights.every", "null", "--measures.every", "null", "--curves.draw", "false"),
    *("--model.evaluate_every", "2", "--trainer.max_steps", "4"),
]


@pytest.fixture
def offered(monkeypatch, capsys):
    """Return the classes that `modgrok fit --help all` names for an option, but for those of other tests."""
    monkeypatch.setenv("COLUMNS", "100000")
    with pytest.raises(SystemExit):
        main(["fit", "--help", "all"])
    entries = re.sub(r"\s+", " ", capsys.readouterr().out).split(" --")

    def of(option):
        # "--trainer.callbacks CALLBACKS, --trainer.callbacks+ CALLBACKS What they are. (known subclasses: …)"
        (entry,) = (e for e in entries if re.match(rf"{re.escape(option)}\+? .*known subclasses: ", e))
        names = re.search(r"known subclasses: ([\w., ]+)", entry)[1].split(", ")
        return [name for name in names if name.startswith(("lightning.", "torch.", "modgrok."))]

    return of


@pytest.mark.parametrize(
    ("option", "append", "some"),
    [
        (
            "trainer.callbacks",
            "+",
            {"lightning.pytorch.callbacks.EMAWeightAveraging", "modgrok.callbacks.LogNorms"},
        ),
        ("model.optimizer", "", {"torch.optim.LBFGS", "torch.optim.SparseAdam", "torch.optim.SGD"}),
        ("model.lr_scheduler", "", {"torch.optim.lr_scheduler.ConstantLR", "modgrok.training.WarmUp"}),
    ],
)
def test_every_class_that_is_offered_runs_or_is_refused_in_a_line(
    tmp_path, capsys, offered, option, append, some
):
    names = offered(option)
    assert some <= set(names)
    ran, wrong = set(), {}
    for number, name in enumerate(names):
        root = tmp_path / str(number)
        try:
            main([*FIT, "--trainer.default_root_dir", str(root), f"--{option}{append}", name])
            ran.add(name)
        except SystemExit as stopped:
            said = capsys.readouterr().err
            if stopped.code != 2 or said.count("\n") > 2 or "Traceback" in said or root.exists():
                wrong[name] = said or stopped.code
        except Exception as error:
            wrong[name] = repr(error)
    assert not wrong
    assert some & ran


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--model.optimizer", "torch.optim.LBFGS"],
            "model.optimizer: LBFGS makes no update of this network",
        ),
        (["--model.optimizer", "torch.optim.SparseAdam"], "SparseAdam does not support dense gradients"),
        (
            ["--trainer.callbacks+", "{class_path: ModelPruning, init_args: {pruning_fn: l1_unstructured}}"],
            "trainer.callbacks: ModelPruning: it replaces weights by masks",
        ),
        (
            ["--trainer.callbacks+", "{class_path: EarlyStopping, init_args: {monitor: val_loss}}"],
            "EarlyStopping",
        ),
        (["--trainer.limit_val_batches", "1"], "trainer.limit_val_batches: a score counts all pairs"),
        (["--trainer.limit_val_batches", "0"], "trainer.limit_val_batches: a score counts all pairs"),
        (
            ["--trainer.limit_train_batches", "1"],
            "trainer.limit_train_batches: an epoch is an evaluation period",
        ),
        (["--trainer.overfit_batches", "1"], "trainer.overfit_batches: train on fewer pairs"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else None,
)
def test_what_a_run_cannot_do_is_refused_before_anything_is_written(refused, options, said):
    assert said in refused(*FIT, *options)


@pytest.mark.parametrize("method", ["test", "predict"])
def test_part_of_the_pairs_is_neither_scored_nor_predicted(small_run, refused, tmp_path, method):
    asked = [method, "--ckpt_path", small_run, f"--trainer.limit_{method}_batches", "1"]
    assert f"trainer.limit_{method}_batches" in refused(*asked)
