"""Learning rules named on the command line, from the fit to the analysis."""

import math

import pytest

from modgrok import load_run
from modgrok.analysis import analyze
from modgrok.cli import main
from modgrok.runs import RunDirectory
from modgrok.runs.snapshot import load_snapshot

SMALL = [
    "--data.task=x + y",
    "--data.modulus=11",
    "--data.train_fraction=0.5",
    "--trainer.max_steps=30",
    "--model.evaluate_every=10",
]

FILTER = "[{class_path: modgrok.training.GrokfastEMA, init_args: {alpha: 0.9}}]"
WINDOW = "[{class_path: modgrok.training.WeightNormClamp, init_args: {norm: 20, first: 10, last: 19}}]"


def fit(root, *options):
    main(["fit", *SMALL, f"--trainer.default_root_dir={root}", *options])
    return RunDirectory(root / "lightning_logs" / "version_0")


def test_rules_are_named_on_the_command_line_and_recorded(tmp_path):
    run = fit(
        tmp_path,
        "--model.optimizer=modgrok.training.MuonAdamW",
        "--model.optimizer.lr=0.003",
        f"--model.gradient_filters={FILTER}",
        f"--model.interventions={WINDOW}",
        "--model.loss=modgrok.training.StableMax",
    )
    snapshot = load_snapshot(run.last_checkpoint)
    assert type(snapshot.loss).__name__ == "StableMax"
    config = (run.path / "config.yaml").read_text()
    for name in ("MuonAdamW", "GrokfastEMA", "WeightNormClamp", "StableMax"):
        assert name in config


def test_scores_and_measures_are_those_of_the_runs_own_loss(tmp_path, capsys):
    run = fit(tmp_path, "--model.loss=modgrok.training.MeanSquaredError")
    findings = load_run(run.path).findings
    capsys.readouterr()
    main(["test", "--ckpt_path", str(run.path)])
    assert f"{findings.heldout_loss:.4g}"[:6] in capsys.readouterr().out
    snapshot = load_snapshot(run.last_checkpoint)
    pairs = snapshot.data.heldout_pairs
    logits = snapshot.network(pairs.tokens).double()
    squared = logits.square().sum(-1) - 2 * logits.gather(1, pairs.answers[:, None])[:, 0] + 1
    assert findings.heldout_loss == pytest.approx((squared / 11).mean().item(), rel=1e-4)
    (circuit,) = analyze(snapshot)
    assert circuit.guess == pytest.approx(1 / 11)
    assert circuit.measures([]).trigonometric_loss == pytest.approx(1 / 11)
    assert circuit.measures([]).restricted_loss < math.log(11) / 2


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "--model.interventions=[{class_path: modgrok.training.WeightNormClamp, init_args: {norm: 0}}]",
            "norm must be > 0, got 0",
        ),
        (
            "--model.interventions=[{class_path: modgrok.training.WeightDecayOff, init_args: {first: 5, last: 4}}]",
            "last must not be before first = 5, got 4",
        ),
        (
            "--model.gradient_filters=[{class_path: modgrok.training.GrokfastEMA, init_args: {alpha: 2}}]",
            "alpha must be in [0, 1), got 2",
        ),
        ("--model.frozen=[transformer]", "MuonAdamW needs a matrix to train besides embeddings"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused_in_a_line_and_nothing_is_written(
    tmp_path, capsys, option, message
):
    with pytest.raises(SystemExit) as exit_:
        fit(tmp_path, option, "--model.optimizer=modgrok.training.MuonAdamW")
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) <= 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--model.loss=Nope", "model.loss: Expected a dot import path string: Nope"),
        ("--checkpoint.keep=few", "checkpoint.keep: Expected a <class 'int'>"),
        ("--model.optimizer=Nope", "model.optimizer: Expected a dot import path string: Nope"),
        (
            "--model.loss=modgrok.training.Nope",
            "model.loss: Problem with given class_path 'modgrok.training.Nope': module 'modgrok.training' has no "
            "attribute 'Nope'",
        ),
        (
            "--model.loss=modgrok.training.GrokfastEMA",
            "model.loss: Import path does not correspond to a subclass of Loss",
        ),
        (
            "--model.gradient_filters=[{class_path: modgrok.training.GrokfastEMA, init_args: {alpha: much}}]",
            "model.gradient_filters: alpha: Expected a <class 'float'>. Got value: much",
        ),
        (
            "--model.interventions=[{class_path: modgrok.training.WeightNormClamp, init_args: {least: 1}}]",
            "model.interventions: Option 'least' is not accepted; did you mean 'last'?",
        ),
    ],
)
def test_what_does_not_fit_a_field_is_refused_with_what_is_wrong_and_nothing_else(
    refused, option, message
) -> None:
    assert (
        refused("fit", "--data.task", "x + y", "--data.modulus", "7", option)
        == f"modgrok: error: {message}\n"
    )
