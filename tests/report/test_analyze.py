"""`modgrok analyze` on networks whose circuit is known, and on what cannot be analyzed."""

import csv
import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from clock_network import save

from modgrok import ModularDataModule, Transformer, load_run
from modgrok.analysis import analyze
from modgrok.cli import main
from modgrok.models import Network
from modgrok.report import write as write_module

FILES = ["index.html", "measures.csv", "summary.json"]


def contents(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(directory.iterdir())}


@pytest.mark.parametrize(
    ("run", "basis", "frequencies"),
    [("adding", "additive", [2, 5, 13]), ("multiplying", "multiplicative", [1, 6, 11])],
)
def test_a_network_built_by_hand_comes_out_as_it_was_built(run, basis, frequencies, request, capsys) -> None:
    directory = request.getfixturevalue(run)
    main(["analyze", str(directory)])
    assert sorted(path.name for path in (directory / "report").iterdir()) == FILES
    found = json.loads((directory / "report" / "summary.json").read_text())
    (task,) = found["tasks"]
    assert (task["basis"], task["structure"], task["fallback"]) == (basis, basis, False)
    assert task["key_frequencies"] == frequencies
    assert task["tuned_fraction"] == 1.0
    assert task["neurons_of_each"] == {str(k): 12 for k in frequencies}
    # on a clock of even size, operands half a turn apart cancel every odd frequency, and even ones cannot tell c
    # from c + q/2: 30 of the 900 products are ties
    assert task["accuracy"] == (1.0 if basis == "additive" else pytest.approx(1 - 30 / 900, abs=0.005))
    assert task["restricted_loss"] <= task["loss"] < 0.5
    assert task["excluded_loss"] >= math.log(31)
    assert (found["memorised_at"], found["grokked_at"]) == (100, 1000)
    words = capsys.readouterr().out
    listed = f"{frequencies[0]}, {frequencies[1]} and {frequencies[2]}"
    assert f"{basis.capitalize()} clock on 3 frequencies: {listed}. With these alone in the logits" in words
    assert task["restricted_accuracy"] > 0.9
    assert "grokked at update 1,000" in words


def test_the_table_has_a_row_for_each_checkpoint_by_the_last_ones_frequencies(adding) -> None:
    main(["analyze", str(adding)])
    rows = list(csv.DictReader((adding / "report" / "measures.csv").open()))
    assert [int(row["update"]) for row in rows] == [0, 500, 1000]
    assert {row["task"] for row in rows} == {"x + y"}
    snapshot = load_run(adding).snapshot(500)
    (circuit,) = analyze(snapshot)
    expected = circuit.measures([2, 5, 13]).scalars()
    assert {name: float(rows[1][name]) for name in expected} == pytest.approx(expected)
    assert float(rows[1]["heldout_loss"]) == pytest.approx(circuit.loss(~snapshot.data.trained_on))
    assert float(rows[1]["train_accuracy"]) == pytest.approx(circuit.accuracy(snapshot.data.trained_on))


def test_initial_weights_have_no_circuit_and_the_report_says_so(adding, capsys) -> None:
    main(["analyze", str(adding / "checkpoints" / "update=000000.ckpt")])
    assert "No key frequencies" in capsys.readouterr().out
    found = json.loads((adding / "report" / "summary.json").read_text())
    assert (found["update"], found["tasks"][0]["key_frequencies"]) == (0, [])


def test_a_checkpoint_of_a_run_is_the_run_up_to_there(adding) -> None:
    main(["analyze", str(adding / "checkpoints" / "update=000500.ckpt")])
    rows = list(csv.DictReader((adding / "report" / "measures.csv").open()))
    assert [int(row["update"]) for row in rows] == [0, 500]


def test_a_checkpoint_elsewhere_has_its_report_beside_it(adding, tmp_path) -> None:
    alone = shutil.copy(adding / "checkpoints" / "update=001000.ckpt", tmp_path / "grokked.ckpt")
    main(["analyze", str(alone)])
    assert sorted(path.name for path in (tmp_path / "grokked-report").iterdir()) == FILES
    assert not (adding / "report").exists()


def test_a_later_analysis_replaces_an_earlier_one(adding) -> None:
    main(["analyze", str(adding), "--basis", "multiplicative"])
    earlier = contents(adding / "report")
    main(["analyze", str(adding)])
    later = contents(adding / "report")
    assert list(later) == FILES
    assert all(later[name] != earlier[name] for name in FILES)
    assert not [path for path in adding.iterdir() if path.name.startswith(".")]


def test_a_basis_chosen_by_hand_is_called_so(adding) -> None:
    main(["analyze", str(adding), "--basis", "multiplicative"])
    (task,) = json.loads((adding / "report" / "summary.json").read_text())["tasks"]
    assert (task["basis"], task["structure"], task["fallback"]) == ("multiplicative", "additive", True)
    assert "chosen by hand" in task["reason"]
    assert task["key_frequencies"] == []


def test_a_failure_leaves_the_earlier_report(adding, monkeypatch) -> None:
    main(["analyze", str(adding)])
    earlier = contents(adding / "report")

    def fails(findings: object) -> str:
        raise RuntimeError("no disk")

    monkeypatch.setattr(write_module, "summary_json", fails)
    with pytest.raises(RuntimeError, match="no disk"):
        main(["analyze", str(adding)])
    assert contents(adding / "report") == earlier
    assert sorted(path.name for path in adding.iterdir()) == ["checkpoints", "report"]


def test_a_disk_that_fills_up_leaves_the_earlier_report(adding, monkeypatch, capsys) -> None:
    main(["analyze", str(adding)])
    earlier = contents(adding / "report")
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        if path.name == "fresh":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(SystemExit) as exit_:
        main(["analyze", str(adding)])
    assert exit_.value.code == 2
    assert "No space left on device" in capsys.readouterr().err
    assert contents(adding / "report") == earlier
    assert sorted(path.name for path in adding.iterdir()) == ["checkpoints", "report"]


@pytest.fixture
def composite(tmp_path) -> Path:
    torch.manual_seed(0)
    data = ModularDataModule("x + y", 12)
    return save(Transformer(**data.network_shape, d_model=8, n_heads=2), data, 7, tmp_path / "composite.ckpt")


class WithoutPaths(Network):
    """A user's network that does not say where its circuit is."""

    def __init__(self, vocabulary_size: int, n_answers: int, context_length: int) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(vocabulary_size, n_answers)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.embed(tokens).sum(dim=1)


def test_a_network_without_readout_paths_is_refused_in_one_line(tmp_path, capsys) -> None:
    data = ModularDataModule("x + y", 11)
    path = save(WithoutPaths(**data.network_shape), data, 7, tmp_path / "own.ckpt")
    with pytest.raises(SystemExit) as exit_:
        main(["analyze", str(path)])
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "WithoutPaths" in line
    assert "no readout_paths" in line
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nowhere"], "nowhere: no such run or checkpoint"),
        ([], "path"),
        (["{run}", "--basis", "circular"], "basis: "),
        (["{run}", "--formula", "x + y"], "--formula needs --modulus"),
        (["{run}", "--outptu", "x"], "did you mean 'output'?"),
        (
            ["{run}", "--output", "{run}/checkpoints"],
            "contains 'update=000000.ckpt', which is not part of a report",
        ),
        (["{run}", "--output", "{run}/checkpoints/update=000000.ckpt"], "is a file; choose a directory"),
        (["{composite}", "--basis", "multiplicative"], "modulus 12: multiplicative characters need a prime"),
        (["{text}"], "other people's weights need --formula and --modulus"),
    ],
)
def test_wrong_input_is_one_or_two_lines(options, message, adding, composite, tmp_path, capsys) -> None:
    text = tmp_path / "notes.pt"
    text.write_text("not weights")
    before = sorted(tmp_path.rglob("*"))
    places = {"run": adding, "composite": composite, "text": text}
    with pytest.raises(SystemExit) as exit_:
        main(["analyze", *(option.format(**places) for option in options)])
    assert exit_.value.code == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert len(shown.err.strip().splitlines()) <= 2
    assert shown.out == ""
    assert sorted(tmp_path.rglob("*")) == before
