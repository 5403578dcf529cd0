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
COMMANDS = """
import contextlib, io, json, sys
from modgrok.cli import main

answers = []
for args in json.loads(sys.argv[1]):
    code, said = 0, io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main(args)
        except SystemExit as stopped:
            code = stopped.code or 0
    answers.append([code, said.getvalue(), [name for name in sys.modules]])
print(json.dumps(answers))
"""
TASK = ("--data.task", "x + y", "--data.modulus", "11")


def imported(directory, *commands):
    """Run commands, one after the other, in a process of their own.

    Returns:
        For each its exit code, what it said, and the slow modules that it and those before it imported.
    """
    written = json.dumps([[str(arg) for arg in args] for args in commands])
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, written], cwd=directory, capture_output=True, text=True, check=True
    )
    return [
        (code, said, {name for name in SLOW if name in modules})
        for code, said, modules in json.loads(done.stdout)
    ]


WITHOUT_NETWORK = [
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
]
"""Commands that need no network, their exit codes, and a word that they say."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    return imported(tmp_path_factory.mktemp("empty"), *(args for args, _, _ in WITHOUT_NETWORK))


@pytest.mark.parametrize(
    "place", range(len(WITHOUT_NETWORK)), ids=lambda place: " ".join(WITHOUT_NETWORK[place][0])
)
def test_what_needs_no_network_imports_nothing_slow(answers, place):
    _, code, said = WITHOUT_NETWORK[place]
    got, words, slow = answers[place]
    assert said in words
    assert (got, slow - {"rich"}) == (code, set())


def test_data_of_the_second_wing_are_described_without_a_trainer(tmp_path):
    ((code, said, slow),) = imported(tmp_path, ["capacity", "describe", "--n", "20"])
    assert "bits by scheme, at zero loss" in said
    assert (code, slow - {"torch", "rich"}) == (0, set())


def test_what_looks_at_a_network_imports_no_trainer(small_run, tmp_path):
    commands = {
        "report: ": ["analyze", small_run, "--output", "report"],
        "held-out pairs": ["test", "--ckpt_path", small_run],
        "wrote 121 pairs": ["predict", "--ckpt_path", small_run, "--predictions.file", "pairs.csv"],
        "wrote the weights": ["export", small_run, "weights.safetensors"],
    }
    for words, (code, said, slow) in zip(commands, imported(tmp_path, *commands.values()), strict=True):
        assert words in said
        assert (code, slow - {"torch", "rich"}) == (0, set())


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
