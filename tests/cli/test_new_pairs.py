"""New held-out pairs, and those known by symmetry: one count of them everywhere that a run is told of."""

import json

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from modgrok import load_run
from modgrok.cli import main
from modgrok.figures import curves_figure


def fit(root, *options):
    main(
        [
            *("fit", "--data.task", "x**2 + y**2", "--data.modulus", "11", *options),
            *("--model.network.d_model", "32", "--model.network.d_mlp", "64", "--model.engine", "eager"),
            *("--model.optimizer.lr", "5e-3", "--model.evaluate_every", "20", "--model.threshold", "0.2"),
            *("--trainer.max_steps", "100", "--measures.every", "null", "--weights.every", "null"),
            *("--trainer.default_root_dir", str(root)),
        ]
    )
    return root / "lightning_logs" / "version_0"


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A run, and what it said."""
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(map(str, words))))
        run = fit(tmp_path_factory.mktemp("new"), "--data.train_fraction", "0.3")
    return run, "\n".join(lines)


def counted(run):
    """Held-out pairs and right ones, new and known, by hand."""
    snapshot = load_run(run).snapshot()
    data, found = snapshot.data, {"new": [], "known": []}
    trained = {tuple(pair) for pair in data.operands[data.training_index].tolist()}
    with torch.no_grad():
        predicted = snapshot.network(data.pairs.tokens).argmax(-1)
    for (x, y), answer, given in zip(
        data.operands.tolist(), data.pairs.answers.tolist(), predicted.tolist(), strict=True
    ):
        orbit = {(a % 11, b % 11) for one, two in ((x, y), (y, x)) for a in (one, -one) for b in (two, -two)}
        if (x, y) not in trained:
            found["known" if orbit & trained else "new"].append(given == answer)
    return found


def test_scores_of_new_and_known_pairs_are_those_counted_by_hand(told):
    run, said = told
    found, history, by_hand = load_run(run).findings, load_run(run).snapshot().history, counted(run)
    assert (found.heldout_new, found.heldout_known) == tuple(map(len, by_hand.values()))
    assert min(found.heldout_new, found.heldout_known) > 0
    for part, right in by_hand.items():
        share = sum(right) / len(right)
        assert getattr(history, f"heldout_accuracy_{part}")[-1] == pytest.approx(share)
        assert getattr(found, f"heldout_accuracy_{part}") == pytest.approx(share)
        assert f"accuracy {share:.4f}" in said
    everything = [*by_hand["new"], *by_hand["known"]]
    assert history.heldout_accuracy[-1] == pytest.approx(sum(everything) / len(everything))


def test_loggers_and_milestones_have_them(told):
    run, said = told
    events = EventAccumulator(str(run)).Reload()
    history = load_run(run).snapshot().history
    for part in ("new", "known"):
        logged = {event.step: event.value for event in events.Scalars(f"heldout/accuracy_{part}")}
        assert logged == pytest.approx(
            dict(zip(history.update, getattr(history, f"heldout_accuracy_{part}"), strict=True))
        )
    assert "train/accuracy_known" not in events.Tags()["scalars"]
    reached = next(
        (u for u, a in zip(history.update, history.heldout_accuracy_new, strict=True) if a >= 0.2), None
    )
    assert json.loads((run / "findings.json").read_text())["grokked_new_at"] == reached
    assert ("milestones/grokked_new_at" in events.Tags()["scalars"]) == (reached is not None)
    assert ("not learned within 100 updates" if reached is None else f"learned at update {reached}") in said


def test_the_curves_have_a_third_line(told):
    history = load_run(told[0]).snapshot().history
    losses, accuracies = curves_figure(history, "run").panels
    assert [line.name for line in losses.traces] == ["training pairs", "held-out pairs"]
    assert [line.name for line in accuracies.traces][2:] == ["new held-out pairs"]
    assert list(accuracies.traces[2].y) == history.heldout_accuracy_new


def test_the_report_says_them(told):
    run, _ = told
    main(["analyze", str(run)])
    (task,) = json.loads((run / "report" / "summary.json").read_text())["tasks"]
    by_hand = counted(run)
    assert task["heldout_accuracy_new"] == pytest.approx(sum(by_hand["new"]) / len(by_hand["new"]))
    page = (run / "report" / "index.html").read_text()
    held_out = sum(map(len, by_hand.values()))
    assert f"Symmetries of the task give {len(by_hand['known'])} of the {held_out} held-out pairs" in page
    assert "Held-out pairs, known by symmetry" in page


def test_where_no_pair_is_known_the_fields_are_null_and_the_text_says_why(tmp_path, capsys):
    run = fit(tmp_path, "--data.split", "classes", "--data.train_fraction", "0.7")
    assert "held-out pairs are new: none is known by symmetry" in capsys.readouterr().out
    found = load_run(run).findings
    assert (found.heldout_known, found.heldout_accuracy_known) == (0, None)
    assert found.heldout_accuracy_new == found.heldout_accuracy
    assert found.grokked_new_at == found.grokked_at
    assert len(curves_figure(load_run(run).snapshot().history, "run").panels[1].traces) == 2
    main(["describe", "--config", str(run / "config.yaml")])
    assert "no training pair is carried to them by x ~ −x, y ~ −y, x ↔ y" in capsys.readouterr().out


def test_where_no_pair_is_new_the_fields_are_null_and_the_text_says_why(tmp_path, capsys):
    run = fit(tmp_path, "--data.train_fraction", "0.97")
    assert "no held-out pair is new: all 4 are known by symmetry" in capsys.readouterr().out
    found = load_run(run).findings
    assert (found.heldout_new, found.heldout_accuracy_new, found.grokked_new_at) == (0, None, None)
    main(["test", "--ckpt_path", str(run)])
    table = capsys.readouterr().out
    assert "of known pairs" in table
    assert "of new pairs" not in table
