"""What the README shows is run, in its order; trainings are shortened and made small."""

import re
import shlex
from pathlib import Path

import pytest
import torch

from modgrok import ModularDataModule, Transformer
from modgrok.cli import main
from modgrok.experiments import Experiment
from modgrok.interop.hooked import from_transformer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
NOT_RUN = ("python3 -m venv ", "pip install ", "pytest", "tensorboard ")
SMALL = [
    *("--data.modulus", "11", "--model.network.d_model", "16", "--model.network.d_mlp", "16"),
    *("--model.evaluate_every", "10"),
]
SAYS = {
    "describe": "held out",
    "fit": "after 30 updates",
    "test": "held-out pairs",
    "predict": "wrote 121 pairs",
    "analyze": "report: ",
    "export": "wrote the weights",
    "sweep": "cells",
    "reproduce": "verdict",
    "capacity": "bits",
}
"""What a command has said when it has done its work."""

RUNS = ["x + y", "x - y", "x * y", "[x + y, x - y, x * y]"]
"""The tasks of the runs that `lightning_logs/version_0` to `version_3` stand for."""


def blocks() -> list[str]:
    """The README's blocks of shell commands and of indented code."""
    found = re.findall(r"```bash\n[^`]*```|(?<=\n\n)(?:    .*\n)+", README)
    return [re.sub(r"^    |```bash\n|```$", "", block, flags=re.M) for block in found]


def commands() -> list[str]:
    """Every shell command, with its continuation lines."""
    lines = "".join(block for block in blocks() if not block.startswith("import ")).replace("\\\n", " ")
    return [line for line in lines.splitlines() if line and not line.startswith(NOT_RUN)]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """What a reader has who follows the README: the configs, some runs, somebody's weights mod 113."""
    path = tmp_path_factory.mktemp("reader")
    (path / "configs").symlink_to(ROOT / "configs")
    for task in RUNS:
        options = [
            "--data.task",
            task,
            "--data.train_fraction",
            "0.9",
            "--trainer.default_root_dir",
            str(path),
        ]
        main(["fit", *options, *SMALL, "--trainer.max_steps", "20"])
    network = Transformer(**ModularDataModule("x + y", 113).network_shape, d_model=16, d_mlp=16)
    torch.save(from_transformer(network), path / "FILE.pth")
    return path


@pytest.fixture(autouse=True)
def working_directory(request, tmp_path, monkeypatch):
    shared = "directory" in request.fixturenames
    monkeypatch.chdir(request.getfixturevalue("directory") if shared else tmp_path)


@pytest.mark.parametrize("command", commands())
def test_command_does_what_it_should(directory, command, capsys):
    program, name, *options = shlex.split(command)
    assert program == "modgrok", "name it in NOT_RUN if no test can run it"
    if name == "fit":
        options += SMALL
        Experiment("fit", options).check()  # it ends without what shortens it here
        options += ["--trainer.max_steps", "30"]
    main([name, *options])
    assert SAYS[name] in capsys.readouterr().out
    for file in options:
        assert Path(file).suffix not in (".csv", ".safetensors") or Path(file).stat().st_size > 1000


def test_a_run_from_python(directory):
    (code,) = [block for block in blocks() if block.startswith("import modgrok\n")]
    assert "{" in code
    namespace = {}
    exec(code.replace("{", '{"trainer.max_steps": 20, "model.network.d_model": 16, '), namespace)
    run = namespace["run"]
    assert (run.findings.modulus, run.findings.updates) == (59, 20)
    for shown in re.findall(r"`run\.([a-z_]+)", README):
        assert hasattr(run, shown), shown


def test_python_example_runs(tmp_path, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    namespace = {}
    exec(compile(code, "README.md", "exec"), namespace)
    assert namespace["snapshot"].update == 300
    assert namespace["logits"].shape == (265, 23)
    assert "tensor" in capsys.readouterr().out


def test_quick_start_has_two_blocks_and_every_file_named_is_there():
    quick = README.split("## Quick start")[1].split("\n## ")[0]
    assert len(re.findall(r"```bash\n", quick)) == 2
    for path in re.findall(r"(?:configs|docs|src|benchmarks)/[\w./-]+", README):
        assert (ROOT / path).exists(), path
