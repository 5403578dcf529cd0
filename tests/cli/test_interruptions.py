"""Runs that are killed, stopped, cramped or started together, and what is left of them."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

sys.path.insert(0, str(Path(__file__).parent))

from forked import Forked

from modgrok import load_run
from modgrok.cli import main
from modgrok.runs.whole_files import PARTIAL

UPDATES = 400
RUN = Path("lightning_logs") / "version_0"
FIT = [
    *("fit", "--data.task", "x + y", "--data.modulus", "11", "--trainer.max_steps", str(UPDATES)),
    *("--model.network.d_model", "32", "--model.network.d_mlp", "64", "--model.evaluate_every", "20"),
    *("--checkpoint.every", "5", "--model.engine", "eager"),
]


def start(directory, *args):
    return Forked(directory, *FIT, *args)


def wait_for_checkpoint(process, directory, update):
    checkpoints = directory / RUN / "checkpoints"
    wait_until(process, lambda: any(int(file.stem[7:]) >= update for file in checkpoints.glob("*.ckpt")))


def wait_until(process, happened):
    """Wait for an event however slow the machine is: until it has happened, or the process that makes it is gone."""
    while not happened():
        assert process.poll() is None, "the process has ended"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    root = tmp_path_factory.mktemp("uninterrupted")
    main([*FIT, "--trainer.default_root_dir", str(root)])
    return load_run(root / RUN)


def assert_same(run, expected):
    snapshot, other = run.snapshot(UPDATES), expected.snapshot(UPDATES)
    assert all(
        torch.equal(w, other.network.state_dict()[name]) for name, w in snapshot.network.state_dict().items()
    )
    assert snapshot.history == other.history
    for tag in ("heldout/loss", "train/loss", "norm/embed.W_E"):
        curves = [
            [(event.step, event.value) for event in EventAccumulator(str(r.path)).Reload().Scalars(tag)]
            for r in (run, expected)
        ]
        assert curves[0] == curves[1], tag
    assert replace(run.findings, seconds=0.0) == replace(expected.findings, seconds=0.0)


def kill_and_resume(directory, expected, random_seconds, times):
    """Kill a run `times` times, each some random time after its first new checkpoint, and let it end."""
    resume = []
    for _ in range(times):
        before = len(list((directory / RUN / "checkpoints").glob("*.ckpt")))
        process = start(directory, *resume)
        while (
            process.poll() is None
            and len(list((directory / RUN / "checkpoints").glob("*.ckpt"))) <= before + 1
        ):
            time.sleep(0.002)
        time.sleep(random_seconds())
        process.kill()
        process.wait()
        run = load_run(directory / RUN)
        for checkpoint in run.checkpoints.values():
            torch.load(checkpoint, weights_only=True)
        assert len(list((directory / RUN / "checkpoints").glob(f"*{PARTIAL}"))) <= 1
        resume = ["--ckpt_path", str(RUN)]
    process = start(directory, *resume)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert not list((directory / RUN).rglob(f"*{PARTIAL}"))
    assert_same(load_run(directory / RUN), expected)


def test_killed_runs_end_as_if_never_killed(tmp_path, uninterrupted):
    moment = random.Random(0)
    kill_and_resume(tmp_path, uninterrupted, lambda: moment.uniform(0, 0.3), times=2)


@pytest.mark.slow
def test_a_hundred_kills_lose_nothing(tmp_path, uninterrupted):
    moment = random.Random(1)
    for series in range(20):
        directory = tmp_path / str(series)
        directory.mkdir()
        kill_and_resume(directory, uninterrupted, lambda: moment.uniform(0, 0.3), times=5)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_run_with_a_checkpoint_and_say_how_to_go_on(tmp_path, uninterrupted, number, code):
    process = start(tmp_path)
    wait_for_checkpoint(process, tmp_path, 5)
    process.send_signal(number)
    out, errors = process.communicate()
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    run = load_run(tmp_path / RUN)
    assert run.findings.updates == run.updates[-1] < UPDATES
    command = next(line.split() for line in out.splitlines() if "--ckpt_path" in line)
    assert command[0] == "modgrok"
    resumed = Forked(tmp_path, *command[1:])
    _, errors = resumed.communicate()
    assert resumed.returncode == 0, errors
    # the stop was between two evaluations: the resumed run has all others, and the same weights
    last = load_run(tmp_path / RUN).snapshot(UPDATES).network.state_dict()
    expected = uninterrupted.snapshot(UPDATES).network.state_dict()
    assert all(torch.equal(w, expected[name]) for name, w in last.items())


def test_signal_does_not_wait_for_the_compiler(tmp_path, monkeypatch):
    """The compiler is a stand-in that takes longer than any test; a process of its own reads which one it is."""
    compiler = tmp_path / "compiler"
    compiler.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/begun\nexec sleep 600\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    command = [sys.executable, "-m", "modgrok", *FIT, "--model.engine", "compile"]
    output, errors = tmp_path / "output", tmp_path / "errors"
    with output.open("w") as out, errors.open("w") as err:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=err)
    begun = tmp_path / "begun"
    wait_until(process, lambda: begun.exists() and begun.read_text().endswith("\n"))
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 143, errors.read_text()
    for compiling in begun.read_text().split():  # what has not ended by itself is the compiler still
        with suppress(ProcessLookupError):
            os.kill(int(compiling), signal.SIGKILL)
    assert "Traceback" not in errors.read_text()
    assert "--ckpt_path" in output.read_text()
    assert load_run(tmp_path / RUN).updates == [0]
    events = EventAccumulator(str(tmp_path / RUN)).Reload()
    assert [event.step for event in events.Scalars("norm/total")] == [0]


def test_runs_started_at_once_have_directories_of_their_own(tmp_path):
    processes = [start(tmp_path, "--trainer.max_steps", "5") for _ in range(3)]
    for process in processes:
        assert process.wait() == 0
    runs = sorted((tmp_path / "lightning_logs").iterdir())
    assert [run.name for run in runs] == [f"version_{n}" for n in range(3)]
    for run in runs:
        assert load_run(run).updates[-1] == 5
        assert len(list(run.glob("events*"))) == 1


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of a given size at `tmp_path`."""

    def mount(size):
        if (
            os.geteuid()
            or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", tmp_path]).returncode
        ):
            pytest.skip("a small disk can be mounted by root only")

    yield mount
    subprocess.run(["umount", tmp_path], stderr=subprocess.DEVNULL)


def test_disk_too_small_for_checkpoints_is_refused_before_training(tmp_path, small_disk):
    small_disk("100k")
    process = start(tmp_path)
    _, errors = process.communicate()
    assert process.returncode == 2
    assert "MB free; two checkpoints take" in errors
    assert not list(tmp_path.iterdir())


def test_full_disk_leaves_the_last_checkpoint_whole(tmp_path, small_disk):
    small_disk("2m")
    process = start(tmp_path)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "Traceback" not in errors
    run = load_run(tmp_path / RUN)
    assert run.last_checkpoint.name in errors
    assert "No space left" in errors or "cannot be written" in errors
    for checkpoint in run.checkpoints.values():
        torch.load(checkpoint, weights_only=True)
    assert not list((tmp_path / RUN).rglob(f"*{PARTIAL}"))


def test_deleted_directory_is_a_clear_end(tmp_path):
    process = start(tmp_path)
    wait_for_checkpoint(process, tmp_path, 5)
    (tmp_path / "lightning_logs").rename(tmp_path / "elsewhere")
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "modgrok: error:" in errors
    assert "No such file or directory" in errors
    assert "Traceback" not in errors


def test_read_only_directory_leaves_the_last_checkpoint_whole(tmp_path):
    # root may write everywhere unless it gives that up
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root cannot give its rights up here: no setpriv")
    bound = () if os.geteuid() else ("setpriv", "--bounding-set", "-dac_override")
    process = subprocess.Popen(
        [*bound, sys.executable, "-m", "modgrok", *FIT],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_checkpoint(process, tmp_path, 5)
    (tmp_path / RUN / "checkpoints").chmod(0o555)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "Permission denied" in errors
    assert "Traceback" not in errors
    run = load_run(tmp_path / RUN)
    assert run.last_checkpoint.name in errors
    for checkpoint in run.checkpoints.values():
        torch.load(checkpoint, weights_only=True)


def test_thinned_checkpoints_keep_first_last_and_the_one_at_grokking(tmp_path):
    args = [
        "--data.task",
        "x",
        "--data.train_fraction",
        "0.8",
        "--trainer.max_steps",
        "600",
        "--checkpoint.keep",
        "6",
    ]
    main([*FIT, *args, "--checkpoint.every", "20", "--trainer.default_root_dir", str(tmp_path)])
    run = load_run(tmp_path / RUN)
    grokked = run.snapshot().history.grokked_at
    assert 6 <= len(run.updates) <= 7  # the last one is written when the run ends
    assert {0, 600} <= set(run.updates)
    assert grokked is not None
    assert grokked in run.updates
    gaps = [b - a for a, b in zip(run.updates, run.updates[1:], strict=False)]
    assert max(gaps) <= 600 / 2
