"""Runs listed, compared and opened, from their files alone; a formula before all options."""

import csv
import io
import json
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest

from modgrok.cli import main
from modgrok.experiments.config.formula_first import formula_first, with_an_end

SMALL = [
    *("--data.train_fraction", "0.6", "--model.network.d_model", "16", "--model.network.d_mlp", "16"),
    *("--model.network.n_heads", "2", "--model.evaluate_every", "10", "--trainer.max_steps", "20"),
    *("--measures.every", "null", "--weights.every", "null"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A directory with three runs, of which the third has not ended."""
    path = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        for rate in ("1e-3", "3e-3", "1e-2"):
            main(["fit", "x + y", "11", *SMALL, "--model.optimizer.lr", rate])
    (path / "lightning_logs" / "version_2" / "findings.json").unlink()
    return path


@pytest.fixture(autouse=True)
def in_the_lab(lab, monkeypatch):
    monkeypatch.chdir(lab)


def said(capsys, *arguments):
    capsys.readouterr()
    main([*arguments])
    return capsys.readouterr().out


def rows(capsys, *options):
    return json.loads(said(capsys, "runs", "--json", *options))


def test_the_table_names_what_differs_and_what_was_found(capsys):
    table = said(capsys, "runs")
    assert [line.split()[0] for line in table.splitlines() if "x + y" in line] == [
        "version_0",
        "version_1",
        "version_2",
    ]
    assert "lr=0.003" in table
    assert "not ended" in table
    assert "d_model" not in table, "all have the same"


def test_rows_equal_the_files(capsys):
    for row in rows(capsys)[:2]:
        found = json.loads(Path(row["run"], "findings.json").read_text())
        assert {name: row[name] for name in ("updates", "heldout_accuracy", "seconds")} == {
            name: found[name] for name in ("updates", "heldout_accuracy", "seconds")
        }
    assert [row["model.optimizer.lr"] for row in rows(capsys)] == [0.001, 0.003, 0.01]
    table = list(csv.DictReader(io.StringIO(said(capsys, "runs", "--csv"))))
    assert [float(row["model.optimizer.lr"]) for row in table] == [0.001, 0.003, 0.01]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("model.optimizer.lr=0.003", [1]),
        ("optimizer.lr>=3e-3", [1, 2]),
        ("modulus!=11", []),
        ("updates=20", [0, 1]),
        ("updates!=20", [2]),
        ("task=x + y", [0, 1, 2]),
        ("grokked_at<5000", []),
    ],
)
def test_conditions(capsys, condition, kept):
    shown = [int(row["run"].rpartition("_")[2]) for row in rows(capsys, "--where", condition)]
    assert shown == kept


def test_sorting_puts_the_unknown_last(capsys):
    sorts = ("--sort", "updates", "--descending")
    assert rows(capsys, *sorts)[-1]["updates"] is None
    rates = [row["model.optimizer.lr"] for row in rows(capsys, "--sort", "optimizer.lr", "--descending")]
    assert rates == [0.01, 0.003, 0.001]


def test_two_runs_side_by_side(lab, capsys):
    text = said(capsys, "compare", "lightning_logs/version_0", "lightning_logs/version_1")
    differs, found = text.split("What they found")
    assert "0.001" in differs
    assert "0.003" in differs
    assert "data.task" not in differs
    accuracy = json.loads((lab / "lightning_logs/version_1/findings.json").read_text())["heldout_accuracy"]
    assert f"{accuracy:.4g}" in found
    page = (lab / "lightning_logs/version_0/comparison.html").read_text()
    assert "2 runs side by side" in page


def test_the_page_opens(lab, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    page = lab / "lightning_logs" / "version_1" / "report" / "index.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text("a page")
    for arguments in (["open"], ["open", "lightning_logs/version_1"]):
        assert said(capsys, *arguments).strip() == "lightning_logs/version_1/report/index.html"
    assert opened == [page.as_uri()] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runs", "nowhere"], "nowhere: no such directory"),
        (["runs", "--where", "modulus"], "NAME=VALUE"),
        (["runs", "--where", "modulu=3"], "no run has such a field"),
        (["runs", "--sort", "grokkd_at"], "did you mean 'grokked_at'"),
        (["compare", "lightning_logs/version_0"], "two or more"),
        (["compare", "lightning_logs/version_0", "lightning_logs"], "not the directory of a run"),
        (["open", "lightning_logs/version_0"], "modgrok analyze"),
        (["tasks", "ad"], "did you mean 'add'"),
    ],
)
def test_wrong_input_is_a_line(capsys, arguments, message):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_listing_loads_nothing_that_trains():
    code = (
        "import sys; from modgrok.cli import main; main(['runs']); "
        "print(sorted({'torch', 'lightning', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_formula_before_the_options_is_the_task():
    assert formula_first(["x + y", "97", "--a", "b"]) == [
        "--data.task",
        "x + y",
        "--data.modulus",
        "97",
        "--a",
        "b",
    ]
    assert formula_first(["x * y in S4"]) == ["--data.task", "x * y in S4"]
    assert formula_first(["--data.task", "x"]) == ["--data.task", "x"]


def test_an_end_is_added_only_where_none_is_named():
    assert "--trainer.max_steps" in with_an_end(["x + y", "97"])
    for own in (["--stop.grokked_for", "3"], ["--trainer.max_steps=9"], ["--config", "some.yaml"]):
        assert with_an_end(["x + y", "97", *own]) == ["x + y", "97", *own]
    assert with_an_end(["--data.task", "x + y"]) == ["--data.task", "x + y"]


def test_describe_takes_a_formula_first(capsys):
    assert said(capsys, "describe", "x + y", "97").startswith("x + y mod 97")


def test_an_operation_is_explained(capsys):
    text = said(capsys, "tasks", "addition")
    assert text.startswith("add: x + y")
    assert "modgrok fit add 97" in text


def test_a_config_of_a_run_is_no_sweep_file(capsys):
    with pytest.raises(SystemExit):
        main(["sweep", "--config", "lightning_logs/version_0/config.yaml"])
    error = capsys.readouterr().err
    assert "says what varies" in error
    assert "vary:" in error


def test_the_help_is_short_and_its_long_form_has_every_option(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = {}
    for form, options in (("short", ["--help"]), ("all", ["--help", "all"])):
        with pytest.raises(SystemExit) as end:
            main(["fit", *options])
        assert not end.value.code
        shown[form] = capsys.readouterr().out
    assert "--trainer.max_steps" in shown["short"]
    assert "--trainer.sync_batchnorm" not in shown["short"]
    assert shown["short"].index("--data.task") < shown["short"].index("--trainer.max_steps")
    assert max(map(len, shown["short"].splitlines())) <= 80
    for option in ("--trainer.sync_batchnorm", "--data.task", "--stop.grokked_for"):
        assert option in shown["all"]


def test_a_shell_completes_commands_and_options(capsys, tmp_path):
    script = tmp_path / "completion"
    script.write_text(said(capsys, "completion", "bash"))
    for typed, completed in (("des", "describe"), ("fit --data.mod", "--data.modulus")):
        words = typed.split()
        shell = (
            f"source {script}; COMP_WORDS=(modgrok {typed}); COMP_CWORD={len(words)}; "
            "COMPREPLY=(); $(complete -p modgrok | sed 's/.*-F //; s/ modgrok//'); printf '%s\\n' ${COMPREPLY[@]}"
        )
        done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
        assert completed in done.stdout.split()
