"""Networks and callbacks of the user's own, named by their class paths."""

import sys
import traceback

import pytest
import torch

from modgrok import load_run
from modgrok.cli import main
from modgrok.models.network import _CLASSES

FIT = ["fit", "--data.task", "x + y", "--data.modulus", "7", "--model.evaluate_every", "10"]
MODULE = """
import os
import signal

from lightning.pytorch import Callback
from torch import nn

from modgrok import Network


class Bag(Network):
    def __init__(self, vocabulary_size: int, n_answers: int, context_length: int, width: int = 16) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary_size, width)
        self.out = nn.Linear(width * context_length, n_answers)

    def forward(self, tokens):
        return self.out(self.embed(tokens).flatten(1).relu())


class Misspelt(Bag):
    def __init__(self, vocabulary_size: int, n_answers: int, context_length: int) -> None:
        super().__init__(vocabulary_size, n_answers, context_length)
        self.embed.weigth.data.zero_()


class Moody(Callback):
    def setup(self, trainer, pl_module, stage):
        raise TypeError("not today")


class Terminate(Callback):
    def on_train_batch_end(self, trainer, *arguments):
        if trainer.global_step == 20:
            os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.fixture(autouse=True)
def mylab(tmp_path, monkeypatch):
    """A module of the user's own in the working directory, which no process has imported yet."""
    forget()  # another test's module of this name
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mylab.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    forget()


def forget():
    """Stand where a new process stands, which has not imported the module."""
    sys.modules.pop("mylab", None)
    for path in [path for path in _CLASSES if path.startswith("mylab.")]:
        del _CLASSES[path]


def test_a_run_of_an_own_network_is_tested_and_resumed_in_another_process(capsys):
    network = ("--model.network", "mylab.Bag", "--model.network.width", "12")
    main([*FIT, *network, "--trainer.max_steps", "20"])
    run = load_run("lightning_logs/version_0")
    assert run.snapshot().network.config["width"] == 12
    loss = run.findings.heldout_loss

    forget()
    with pytest.raises(SystemExit):
        main(["test", "--ckpt_path", str(run.path)])
    assert "no network class 'mylab.Bag' is known" in capsys.readouterr().err
    assert "mylab" not in sys.modules, "a checkpoint has imported what its record names"
    main(["test", "--ckpt_path", str(run.path), "--model.network", "mylab.Bag"])
    assert f"{loss:.4g}" in capsys.readouterr().out

    forget()
    main(["fit", "--ckpt_path", str(run.path), "--trainer.max_steps", "40"])
    assert run.snapshot().history.update == [0, 10, 20, 30, 40]


def test_an_error_in_an_own_network_keeps_its_traceback():
    with pytest.raises(AttributeError, match="weigth") as raised:
        main([*FIT, "--model.network", "mylab.Misspelt", "--trainer.max_steps", "20"])
    assert "self.embed.weigth" in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("resumed", [False, True])
def test_an_error_in_an_own_callback_is_not_called_a_damaged_file(resumed, small_run):
    options = ["fit", "--ckpt_path", str(small_run / "checkpoints/update=000040.ckpt")] if resumed else FIT
    options = [*options, "--trainer.max_steps", "100", "--trainer.callbacks", "mylab.Moody"]
    with pytest.raises(TypeError, match="not today"):
        main(options)


def test_min_steps_hold_up_stops_and_no_signals():
    options = [*FIT, "--trainer.max_steps", "200", "--trainer.min_steps", "50"]
    main([*options, "--stop.grokked_for", "0", "--model.threshold", "0.001"])
    run = load_run("lightning_logs/version_0")
    assert run.findings.grokked_at is not None
    assert run.findings.grokked_at < run.findings.updates == 50
    with pytest.raises(SystemExit) as stopped:
        main([*options, "--trainer.callbacks", "mylab.Terminate"])
    assert stopped.value.code == 143
    terminated = load_run("lightning_logs/version_1")
    assert (terminated.updates, terminated.findings.finished) == ([0, 20], False)
    assert all(weight.isfinite().all() for weight in terminated.snapshot().network.parameters())
    assert isinstance(torch.load(terminated.last_checkpoint, weights_only=True), dict)
