"""Every file that a command opens is data: what is more is refused in a line, unexecuted, in bounded memory."""

import io
import pickle
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import traps

from modgrok import Transformer, load_run
from modgrok.cli import main
from modgrok.interop.hooked import from_transformer

FIT = ("fit", "--data.task", "x + y", "--data.modulus", "11", "--data.train_fraction", "0.5")
FIT = (*FIT, "--model.network.d_model", "32", "--model.network.d_mlp", "64", "--trainer.max_steps", "100")
COMMANDS = {
    "test": ("test", "--ckpt_path", "FILE"),
    "predict": ("predict", "--ckpt_path", "FILE", "--predictions.file", "pairs.csv"),
    "analyze": ("analyze", "FILE"),
    "export": ("export", "FILE", "weights.pt"),
    "fit": (*FIT, "--ckpt_path", "FILE"),
    "transfer": (*FIT, "--model.pretrained", "FILE"),
}


def safetensors_file(header: str) -> bytes:
    """A file with four bytes of data, whatever the header declares."""
    return len(header).to_bytes(8, "little") + header.encode() + bytes(4)


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


def test_other_peoples_weights_that_are_no_network_are_refused(refused):
    def save(state):
        file = io.BytesIO()
        torch.save(state, file)
        return file.getvalue()

    sound = from_transformer(Transformer(12, 11, 3, d_model=16, n_heads=2, d_mlp=20))
    for what, state in traps.state_dicts(sound).items():
        print(what)
        for content in (state, {"model": state}):
            refused(WEIGHTS["analyze weights"], save(content), "theirs.pth")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        (1 << 40).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"{}",
        pickle.dumps({"w": 1}),
        safetensors_file('{"w":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'),
        safetensors_file('{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}'),
        safetensors_file("[" * 100_000),
    ],
    ids=range(8),
)
def test_safetensors_that_are_none_are_refused(refused, content):
    refused(WEIGHTS["analyze weights"], content, "theirs.safetensors")


def test_a_run_is_not_resumed_from_a_crafted_optimizer(refused, whole):
    settings = ("--model.evaluate_every", "20", "--model.threshold", "0.05", "--model.engine", "eager")
    for what, content in traps.optimizers(whole).items():
        print(what)
        refused((*COMMANDS["fit"], *settings), content, "update=000009.ckpt")


def test_loops_of_lightning_in_a_file_do_not_matter(whole, small_run, tmp_path, monkeypatch):
    """Its counters follow from the update that the checkpoint was written at."""
    monkeypatch.chdir(tmp_path)
    torch.save({**whole, "loops": {"fit_loop": {"epoch_progress": 3}}}, "crafted.ckpt")
    config = str(small_run / "config.yaml")
    options = ["--trainer.max_steps", "100", "--trainer.default_root_dir", "."]
    main(["fit", "--config", config, *options, "--ckpt_path", "crafted.ckpt"])
    assert load_run("lightning_logs/version_0").snapshot().update == 100


@pytest.mark.parametrize("command", [*COMMANDS, *WEIGHTS])
def test_a_file_larger_than_the_memory_is_refused(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with open("large.ckpt", "wb") as file:
        file.truncate(1 << 40)  # of which nothing is on the disk
    with pytest.raises(SystemExit) as stopped:
        main([option.replace("FILE", "large.ckpt") for option in (COMMANDS | WEIGHTS)[command]])
    assert stopped.value.code == 2
    assert "GiB" in capsys.readouterr().err
