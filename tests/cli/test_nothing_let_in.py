"""Every file that a command opens is data: what is more is refused in a line, unexecuted, in bounded memory."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import traps

from modgrok.cli import main

FIT = ("fit", "--data.task", "x + y", "--data.modulus", "11", "--data.train_fraction", "0.5")
FIT = (*FIT, "--model.network.d_model", "32", "--model.network.d_mlp", "64", "--trainer.max_steps", "100")
COMMANDS = {
    "test": ("test", "--ckpt_path", "FILE"),
    "predict": ("predict", "--ckpt_path", "FILE", "--predictions.file", "pairs.csv"),
    "analyze": ("analyze", "FILE"),
    "export": ("export", "FILE", "weights.pt"),
    "fit": (*FIT, "--ckpt_path", "FILE"),
}
WEIGHTS = {"analyze weights": ("analyze", "FILE", "--formula", "x + y", "--modulus", "11")}
MOST_MEGABYTES = 150
"""What opening a bad file may take; each of the bombs would be several times this."""


def most_memory() -> int:
    """The most memory in MB that the process has had since it was last forgotten."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
    return int(line.split()[1]) // 1000


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Let a command open a file that it must refuse; return what it said."""
    monkeypatch.chdir(tmp_path)

    def run(command, content, name):
        Path(name).write_bytes(content)
        before = sorted(Path().rglob("*"))
        Path("/proc/self/clear_refs").write_text("5")  # forget the most memory so far
        base = most_memory()
        with pytest.raises(SystemExit) as stopped:
            main([option.replace("FILE", name) for option in command])
        said = capsys.readouterr().err
        assert stopped.value.code == 2
        assert said.startswith("modgrok: error: ")
        assert name in said
        assert said.count("\n") == 1
        assert "Traceback" not in said
        assert len(said) < 500
        assert most_memory() - base < MOST_MEGABYTES
        assert sorted(Path().rglob("*")) == before
        return said

    return run


@pytest.fixture(scope="module")
def whole(small_run):
    return torch.load(small_run / "checkpoints" / "update=000090.ckpt", weights_only=True)


@pytest.fixture(scope="module")
def marker(tmp_path_factory):
    """A file that is there once something was executed."""
    return tmp_path_factory.mktemp("trap") / "marker"


@pytest.fixture(scope="module")
def files(marker):
    return traps.files(marker)


@pytest.mark.parametrize("command", [*COMMANDS, *WEIGHTS])
def test_files_that_hold_more_than_data_are_refused(command, refused, files, marker):
    name = "update=000009.ckpt" if command in COMMANDS else "theirs.pth"
    for content in files.values():
        refused((COMMANDS | WEIGHTS)[command], content, name)
        assert not marker.exists()


@pytest.fixture(scope="module")
def checkpoints(whole):
    return traps.checkpoints(whole)


@pytest.mark.parametrize("command", COMMANDS)
def test_checkpoints_that_contradict_themselves_are_refused(command, refused, checkpoints):
    for what, content in checkpoints.items():
        print(what)
        refused(COMMANDS[command], content, "update=000009.ckpt")


def test_a_run_does_not_go_on_from_a_crafted_optimizer(refused, whole):
    for what, content in traps.optimizers(whole).items():
        print(what)
        refused(COMMANDS["fit"], content, "update=000009.ckpt")


def test_a_run_does_not_go_on_from_crafted_loops(whole, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    torch.save({**whole, "loops": {"fit_loop": {"epoch_progress": 3}}}, "crafted.ckpt")
    with pytest.raises(SystemExit) as stopped:
        main([option.replace("FILE", "crafted.ckpt") for option in COMMANDS["fit"]])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        "modgrok: error: crafted.ckpt: no run can go on from it: its trainer's state is damaged\n"
    )


@pytest.mark.parametrize("command", [*COMMANDS, *WEIGHTS])
def test_a_file_larger_than_the_memory_is_refused(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with open("large.ckpt", "wb") as file:
        file.truncate(1 << 40)  # of which nothing is on the disk
    with pytest.raises(SystemExit) as stopped:
        main([option.replace("FILE", "large.ckpt") for option in (COMMANDS | WEIGHTS)[command]])
    assert stopped.value.code == 2
    assert "GiB" in capsys.readouterr().err
