"""A mixture of formulas in one network, and the runs on each alone that it is compared with."""

import json

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from modgrok import load_run
from modgrok.cli import main

FORMULAS = ("x + y", "x / y")


@pytest.fixture(scope="module")
def mixture(tmp_path_factory):
    root = tmp_path_factory.mktemp("mixture")
    main(
        [
            *("fit", "--data.task", json.dumps(FORMULAS), "--data.modulus", "11"),
            *("--data.train_fraction", "0.5", "--model.network.d_model", "32", "--model.network.d_mlp", "64"),
            *("--trainer.max_steps", "150", "--model.evaluate_every", "50", "--model.threshold", "0.2"),
            *("--trainer.default_root_dir", str(root), "--model.engine", "eager"),
        ]
    )
    return load_run(root / "lightning_logs" / "version_0")


def test_every_score_is_also_each_formulas_own(mixture):
    events = EventAccumulator(str(mixture.path), size_guidance={"scalars": 0}).Reload()
    snapshot = mixture.snapshot()
    losses = 0.0
    for number, formula in enumerate(FORMULAS):
        pairs = snapshot.data.heldout_pairs
        mine = pairs.select(pairs.task_index == number)
        with torch.no_grad():
            logits = snapshot.network(mine.tokens).double()
        probability = logits.softmax(-1).gather(1, mine.answers[:, None])
        expected = {
            "loss": -probability.log().mean(),
            "accuracy": (logits.argmax(-1) == mine.answers).double().mean(),
            "probability": probability.mean(),
        }
        for name, value in expected.items():
            curve = events.Scalars(f"heldout/{name}/{formula}")
            assert [event.step for event in curve] == [0, 50, 100, 150]
            assert curve[-1].value == pytest.approx(value.item(), rel=1e-5)
            assert len(events.Scalars(f"train/{name}/{formula}")) == 4
        losses += expected["loss"].item()
    assert events.Scalars("heldout/loss")[-1].value == pytest.approx(losses, rel=1e-5)


def test_phases_are_also_each_formulas_own(mixture):
    found, history = vars(mixture.findings), mixture.snapshot().history
    for formula in FORMULAS:
        own = history.of_task[formula]
        assert found["tasks"][formula]["memorised_at"] == own.memorised_at
        assert found["tasks"][formula]["heldout_accuracy"] == own.heldout_accuracy[-1]
    memorised = [found["tasks"][formula]["memorised_at"] for formula in FORMULAS]
    assert None not in memorised
    assert found["memorised_at"] >= max(memorised)


def when(grokked_at):
    return "not within 150 updates" if grokked_at is None else f"at update {grokked_at:,}"


def test_report_compares_the_mixture_with_each_formula_alone(mixture, small_run, capsys):
    main(["analyze", str(mixture.path), "--alone", str(small_run)])
    out = capsys.readouterr().out
    alone = load_run(small_run).snapshot().history
    summary = json.loads((mixture.path / "report" / "summary.json").read_text())
    addition, division = summary["tasks"]
    grokked = [task["grokked_at"] for task in summary["tasks"]]
    said = (
        f"{2 - grokked.count(None)} of 2 formulas grokked in one network"
        if mixture.findings.grokked_at is None
        else f"All 2 formulas grokked in one network, the last of them at update {mixture.findings.grokked_at:,}"
    )
    assert out.startswith(f"{said}: x + y {when(grokked[0])}")
    assert addition["alone"]["grokked_at"] == alone.grokked_at
    assert addition["alone"]["train_fraction"] == 0.5
    assert "alone, from 50% of its pairs" in out
    assert "alone" not in division
    page = (mixture.path / "report" / "index.html").read_text()
    assert "Grokking together" in page
    assert "x + y, alone" in page


@pytest.mark.parametrize("wrong", ["another formula", "no mixture"])
def test_runs_that_cannot_be_compared_are_refused(mixture, small_run, tmp_path, capsys, wrong):
    main(
        [
            *("fit", "--data.task", "x * y", "--data.modulus", "11", "--trainer.max_steps", "1"),
            *("--model.network.d_model", "16", "--model.network.d_mlp", "16", "--model.engine", "eager"),
            *("--trainer.default_root_dir", str(tmp_path)),
        ]
    )
    other = str(tmp_path / "lightning_logs" / "version_0")
    run = str(mixture.path if wrong == "another formula" else small_run)
    with pytest.raises(SystemExit) as stopped:
        main(["analyze", run, "--alone", other])
    assert stopped.value.code == 2
    said = "not on one of x + y, x / y mod 11" if wrong == "another formula" else "only a mixture"
    assert said in capsys.readouterr().err
