"""What a command imports, counted: what takes seconds to import is imported only by what needs it."""

import json
import subprocess
import sys

import pytest

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
