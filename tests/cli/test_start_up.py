"""What a command imports, counted: what takes seconds to import is imported only by what needs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from modgrok.analysis import BasisName
from modgrok.cli import main
from modgrok.cli.analyze import BASES

SLOW = (
    "torch",
    "torch._dynamo",
    "lightning",
    "torchmetrics",
    "matplotlib",
    "pandas",
    "scipy",
    "rich",
)
COMMAND = """
import contextlib, io, json, sys
from modgrok.cli import main

code, said = 0, io.StringIO()
with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
    try:
        main(sys.argv[1:])
    except SystemExit as stopped:
        code = stopped.code or 0
print(json.dumps([code, said.getvalue(), [name for name in sys.modules]]))
"""
TASK = ("--data.task", "x + y", "--data.modulus", "11")


@pytest.fixture
def imported(tmp_path):
    """Run a command in a process of its own; return its exit code, what it said, and the slow modules it imported."""

    def run(*args):
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, *map(str, args)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        code, said, modules = json.loads(done.stdout)
        return code, said, [name for name in SLOW if name in modules]

    return run


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["tasks"], 0, "x2_xy_y2"),
        (["describe", *TASK], 0, "held out"),
        (["--version"], 0, "modgrok "),
        (["reproduce"], 0, "mainline"),
        (["configs"], 0, "sweeps/powers_29"),
        (["analyze", "nowhere"], 2, "nowhere: no such run or checkpoint"),
        (["export", "nowhere", "weights.pt"], 2, "nowhere: no such file"),
        (["capacity", "measure", "nowhere"], 2, "nowhere: no such file"),
        (["fti"], 2, "did you mean 'fit'"),
        (["fit", "--config", "nowhere.yaml"], 2, "nowhere.yaml: no such config file"),
        (["fit", "--data.task", "x +", "--data.modulus", "11"], 2, "task"),
        (["fit", *TASK, "--ckpt_path", "nowhere"], 2, "nowhere: no such file"),
        (["test", "--ckpt_path", "nowhere"], 2, "nowhere: no such file"),
        (["predict", "--ckpt_path", "nowhere"], 2, "nowhere: no such file"),
        (["describe", *TASK, "--model.engine", "eager"], 2, "unrecognized arguments: --model.engine"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_needs_no_network_imports_nothing_slow(imported, args, code, said):
    got, words, slow = imported(*args)
    assert said in words
    assert (got, [name for name in slow if name != "rich"]) == (code, [])


def test_data_of_the_second_wing_are_described_without_a_trainer(imported):
    code, said, slow = imported("capacity", "describe", "--n", "20")
    assert "bits by scheme, at zero loss" in said
    assert (code, set(slow) - {"torch", "rich"}) == (0, set())


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["analyze", "RUN", "--output", "report"], "report: "),
        (["test", "--ckpt_path", "RUN"], "held-out pairs"),
        (["predict", "--ckpt_path", "RUN", "--predictions.file", "pairs.csv"], "wrote 121 pairs"),
        (["export", "RUN", "weights.safetensors"], "wrote the weights"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_what_looks_at_a_network_imports_no_trainer(imported, small_run, args, said):
    code, words, slow = imported(*(small_run if arg == "RUN" else arg for arg in args))
    assert said in words
    assert (code, set(slow) - {"torch", "plotly", "rich"}) == (0, set())


def test_scores_and_predictions_are_those_of_a_trainer(small_run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["test", "--ckpt_path", str(small_run)])
    alone = capsys.readouterr().out
    main(["test", "--ckpt_path", str(small_run), "--trainer.accelerator", "cpu"])
    assert capsys.readouterr().out == alone
    predict = ["predict", "--ckpt_path", str(small_run), "--predictions.file"]
    main([*predict, "alone.csv"])
    main([*predict, "trainer.csv", "--trainer.accelerator", "cpu"])
    assert Path("alone.csv").read_text() == Path("trainer.csv").read_text()


def test_the_bases_of_analyze_are_those_of_the_analysis():
    assert get_args(BasisName) == BASES


def test_fit_says_what_it_trains_before_it_imports_what_trains(tmp_path):
    script = """
import sys
from modgrok.cli import main

class Reader:
    def write(self, text):
        if "pairs are trained on" in text:
            print(text.strip(), "torch" in sys.modules, sep="\\n", file=sys.stderr)
    def flush(self):
        pass

sys.stdout = Reader()
main(sys.argv[1:])
"""
    options = [*TASK, "--trainer.max_steps", "1", "--model.engine", "eager"]
    done = subprocess.run(
        [sys.executable, "-c", script, "fit", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[:4] == [
        "x + y mod 11: 36 of 121 pairs are trained on",
        "modgrok.Transformer, engine eager",
        "run: lightning_logs/version_0",
        "False",
    ]
    assert (tmp_path / "lightning_logs" / "version_0" / "findings.json").is_file()
