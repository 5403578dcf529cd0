"""A table of integers as a task, on the command line."""

import json

import pytest
import torch

from modgrok import load_run
from modgrok.cli import main

SMALL = [
    *("--data.train_fraction", "0.5", "--model.network.d_model", "16", "--model.network.d_mlp", "24"),
    *("--model.evaluate_every", "10", "--checkpoint.every", "20", "--trainer.max_steps", "40"),
    *("--measures.every", "null", "--weights.every", "null"),
]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """The file of 3·x + 5·y mod 11, in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "table.csv"
    path.write_text("".join(",".join(str((3 * x + 5 * y) % 11) for y in range(11)) + "\n" for x in range(11)))
    return path


def test_a_table_is_described_trained_tested_resumed_and_analyzed_without_its_file(table, tmp_path, capsys):
    main(["describe", "--data.task", "table.csv"])
    assert "additive: Every answer is f(x) + g(y) mod 11" in capsys.readouterr().out
    main(["fit", "--data.task", "table.csv", *SMALL])
    run = load_run("lightning_logs/version_0")
    assert run.snapshot().data.title == "table.csv"
    table.unlink()
    main(["test", "--ckpt_path", str(run.path)])
    assert "table.csv" in capsys.readouterr().out
    middle = run.checkpoints[20]
    main(["fit", "--ckpt_path", str(middle), "--trainer.default_root_dir", str(tmp_path / "again")])
    again = load_run("again/lightning_logs/version_0").snapshot().network.state_dict()
    assert all(
        torch.equal(weight, again[name]) for name, weight in run.snapshot().network.state_dict().items()
    )
    main(["analyze", str(run.path)])
    (task,) = json.loads((run.path / "report" / "summary.json").read_text())["tasks"]
    assert task["structure"] == "additive"


def test_a_table_that_changed_is_noticed_where_a_run_is_resumed_with_another_config(table, tmp_path, capsys):
    main(["fit", "--data.task", "table.csv", *SMALL])
    rows = table.read_text().splitlines()
    (tmp_path / "other.csv").write_text("\n".join([*rows[1:], rows[0]]))
    with pytest.raises(SystemExit) as stopped:
        main(["fit", "--ckpt_path", "lightning_logs/version_0", "--data.task", "other.csv", *SMALL[:-6]])
    assert stopped.value.code == 2
    assert "task" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0,1\n1,\n", "row 2, column 2 is empty"),
        ("0,1\n1,0.5\n", "row 2, column 2"),
        ("x,y,answer\n0,0,1\n0,0,1\n", "row 3 repeats x = 0, y = 0 of row 2"),
        ("0,1\n", "at least two symbols"),
        ("0,1\n1\n", "row 2 has 1 cells"),
    ],
)
@pytest.mark.parametrize("command", ["describe", "fit"])
def test_a_wrong_table_is_refused_in_a_line(refused, tmp_path, command, text, words):
    (tmp_path / "table.csv").write_text(text)
    assert words in refused(command, "--data.task", "table.csv")
