"""What the README and the tutorials show is run, in its order; trainings are shortened and made small."""

import re
import shlex
from pathlib import Path

import pytest

from modgrok import ModularDataModule, Transformer
from modgrok.cli import main
from modgrok.experiments import Experiment
from modgrok.experiments.config.formula_first import formula_first, with_an_end
from modgrok.interop import write_weights

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "tutorials").glob("*.md"))]
README = PAGES[0].read_text()
NOT_RUN = (
    ". .venv",
    "python3 -m venv ",
    "pip install ",
    "tensorboard ",
    ".venv/bin/pip ",
    ".venv/bin/pytest",
)
SMALL = [
    *("--data.modulus", "11", "--model.network.d_model", "16", "--model.network.d_mlp", "16"),
    *("--model.evaluate_every", "10"),
]
SMALL_CAPACITY = [
    *("--data.n", "20", "--model.compile", "false", "--trainer.max_steps", "20"),
    *("--trainer.val_check_interval", "10"),
]
SAYS = {
    "describe": "held out",
    "tasks": "multiply",
    "fit": "after 30 updates",
    "test": "held-out pairs",
    "predict": "wrote 121 pairs",
    "analyze": "report: ",
    "certify": "proved",
    "runs": "grokked",
    "export": "wrote the weights",
    "sweep": "cells",
    "reproduce": "verdict",
    "capacity": "bits",
}
"""What a command has said when it has done its work."""

RUNS = ["x + y", "x - y", "x * y", "[x + y, x - y, x * y]"]
"""The tasks of the runs that `lightning_logs/version_0` to `version_3` stand for."""


def blocks(text: str) -> list[str]:
    """A page's blocks of shell commands and of indented code."""
    found = re.findall(
        r"```bash\n[^`]*```|(?<=\n\n)(?:    .*\n)+", re.sub(r"```python\n.*?```", "", text, flags=re.S)
    )
    return [re.sub(r"^    |```bash\n|```$", "", block, flags=re.M) for block in found]


def shell_lines(text: str) -> list[str]:
    """The lines of a page's blocks of shell commands, each with its continuation lines."""
    code = "".join(block for block in blocks(text) if not block.startswith("import "))
    return code.replace("\\\n", " ").replace(" && ", "\n").splitlines()


def commands() -> list[tuple[str, str]]:
    """Every shell command with its continuation lines, and the page that shows it first."""
    found: dict[str, str] = {}
    for page in PAGES:
        for line in shell_lines(page.read_text()):
            if line and not line.startswith(NOT_RUN):
                found.setdefault(line.removeprefix(".venv/bin/"), page.stem)
    return [(page, command) for command, page in found.items()]


def python_blocks() -> dict[str, str]:
    """The Python of every page that has some, by the page's name."""
    found = {page.stem: re.findall(r"```python\n(.*?)```", page.read_text(), re.S) for page in PAGES}
    return {name: "".join(code) for name, code in found.items() if code}


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
    write_weights(network, path / "FILE.pth", ["x", "y", "="])
    rows = [[(3 * x + 5 * y) % 11 for y in range(11)] for x in range(11)]
    (path / "table.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


@pytest.fixture(autouse=True)
def working_directory(request, tmp_path, monkeypatch):
    shared = "directory" in request.fixturenames
    monkeypatch.chdir(request.getfixturevalue("directory") if shared else tmp_path)


@pytest.fixture(scope="module")
def remembering(tmp_path_factory):
    """What a reader of the tutorial on memory has: a run of the second wing."""
    path = tmp_path_factory.mktemp("remembering")
    (path / "configs").symlink_to(ROOT / "configs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        main(["capacity", "fit", "--config", "configs/capacity/plateau.yaml", *SMALL_CAPACITY])
    return path


@pytest.mark.parametrize("command", [command for page, command in commands() if page == "memory"])
def test_command_of_the_second_wing(remembering, command, capsys, monkeypatch):
    monkeypatch.chdir(remembering)
    _, *arguments = shlex.split(command)
    main([*arguments, *(SMALL_CAPACITY if arguments[1] == "fit" else ())])
    assert {"fit": "capacity measure"}.get(arguments[1], "bits") in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        command
        for page in ("capacity", "composition")
        for command in shell_lines((ROOT / "docs" / f"{page}.md").read_text())
        if command.startswith("modgrok capacity describe ")
    ],
)
def test_description_of_data_of_the_second_wing(command, capsys):
    main([*shlex.split(command, comments=True)[1:], "--n", "30"])
    said = capsys.readouterr().out
    assert "bits of the source" in said
    assert ("reads: " in said) == ("--show" in command)


@pytest.mark.parametrize("command", [command for page, command in commands() if page != "memory"])
def test_command_does_what_it_should(directory, command, capsys):
    program, name, *options = shlex.split(command)
    assert program == "modgrok", "name it in NOT_RUN if no test can run it"
    if name == "fit" and "--ckpt_path" in options:
        options += ["--trainer.max_steps", "30"]
    elif name == "fit":
        options += SMALL
        Experiment(
            "fit", formula_first(with_an_end(options))
        ).check()  # it ends without what shortens it here
        options += ["--trainer.max_steps", "30"]
    main([name, *options])
    assert SAYS[name] in capsys.readouterr().out
    for file in options:
        assert Path(file).suffix not in (".csv", ".safetensors") or Path(file).stat().st_size > 200


def test_a_run_from_python(directory):
    (code,) = [block for block in blocks(README) if block.startswith("import modgrok\n")]
    assert "{" in code
    namespace = {}
    exec(code.replace("{", '{"trainer.max_steps": 20, "model.network.d_model": 16, '), namespace)
    run = namespace["run"]
    assert (run.findings.modulus, run.findings.updates) == (59, 20)
    for shown in re.findall(r"`run\.([a-z_]+)", README):
        assert hasattr(run, shown), shown


@pytest.mark.parametrize("page", python_blocks())
def test_python_of_a_tutorial_runs(page, capsys):
    exec(compile(python_blocks()[page], page, "exec"), {})
    assert "tensor" in capsys.readouterr().out


def test_quick_start_has_two_blocks_and_every_file_named_is_there():
    quick = README.split("## Quick start")[1].split("\n## ")[0]
    assert len(re.findall(r"```bash\n", quick)) == 2
    for page in PAGES:
        for path in re.findall(r"(?<![/\w])(?:configs|docs|src|benchmarks)/[\w./-]*\w", page.read_text()):
            assert (ROOT / path).exists(), f"{page.name}: {path}"
