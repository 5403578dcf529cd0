"""Sweeps as a user runs them: through, interrupted, killed, on three kinds of places."""

import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from slurm_node import ask, wait_for

import modgrok
from modgrok.cli import main
from modgrok.cli.sweep import duration
from modgrok.errors import InputError


@pytest.fixture
def said(monkeypatch, capsys):
    """Run the command of a directory of sweeps in this process; return its exit code and what it said."""

    def run(sweeps, *options, name="small.yaml"):
        monkeypatch.chdir(sweeps.root)
        code = 0
        try:
            main(sweeps.command(*options, name=name)[3:])
        except SystemExit as stopped:
            code = stopped.code
        return code, *capsys.readouterr()

    return run


def same(one, other):
    assert_frame_equal(one, other, check_exact=True)


def test_a_sweep_is_a_table_of_ordinary_runs(undisturbed) -> None:
    table = pd.read_csv(undisturbed.directory() / "results.csv", float_precision="round_trip")
    assert list(table["data.task"]) == ["x + y"] * 3 + ["x*y"] * 3
    assert list(table["seed"]) == [0, 1, 2] * 2
    assert (table["status"] == "finished").all()
    assert (table["grokked_at"].notna() != table["censored_at"].notna()).all()
    for path, accuracy, seed in zip(table["path"], table["heldout_accuracy"], table["seed"], strict=True):
        run = modgrok.load_run(undisturbed.directory() / path)
        assert run.findings.heldout_accuracy == accuracy
        assert run.snapshot().data.config["split_seed"] == seed
    assert pd.read_parquet(undisturbed.directory() / "results.parquet").shape == table.shape


def test_it_says_in_a_pipe_where_it_stands(undisturbed) -> None:
    first = undisturbed.said.splitlines()[0]
    assert re.fullmatch(r"0 finished, \d running, \d waiting, 0 failed", first)
    assert "6 cells finished, 0 failed" in undisturbed.said
    assert "median update" in undisturbed.said, "the page's table ends the sweep"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3_550, "59 min"),
        (3_590, "1 h 0 min"),
        (9_105, "2 h 32 min"),
        (172_000, "47 h 47 min"),
        (200_000, "2.3 days"),
    ],
)
def test_durations(seconds, written) -> None:
    assert duration(seconds) == written


def test_the_same_call_again_runs_nothing_and_returns_the_table(undisturbed, monkeypatch) -> None:
    before = undisturbed.table()
    checkpoints = {
        file: file.stat().st_mtime_ns for file in undisturbed.directory().glob("cells/*/checkpoints/*")
    }
    monkeypatch.chdir(undisturbed.root)
    table = modgrok.sweep("small.yaml")
    assert list(table["status"]) == ["finished"] * 6
    assert {
        file: file.stat().st_mtime_ns for file in undisturbed.directory().glob("cells/*/checkpoints/*")
    } == checkpoints
    same(undisturbed.table(), before)


def test_a_failed_cell_is_a_row_and_stops_nothing_else(sweeps, said) -> None:
    sweeps.write("vary: {model.optimizer.init_args.lr: [1e-3, 1e30], seed: 0..0}")
    code, out, err = said(sweeps, "--workers", 1)
    assert code == 0, err
    assert "1 cell finished, 1 failed" in out
    table = sweeps.table()
    assert list(table["status"]) == ["finished", "failed"]
    assert "became nan" in table["reason"][1]
    assert str(sweeps.root) not in table["reason"][1]
    assert table["updates"].isna()[1]
    code, _, err = said(sweeps, "--workers", 1)
    assert code == 0, err
    same(sweeps.table(), table)


def interrupt(sweep, sweeps):
    sweep.send_signal(signal.SIGINT)


def kill(sweep, sweeps):
    sweep.kill()


def kill_worker(sweep, sweeps):
    for worker in sweeps.workers(sweep)[:1]:
        os.kill(worker, signal.SIGKILL)


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "disturb", [kill, pytest.param(interrupt, marks=SLOW), pytest.param(kill_worker, marks=SLOW)]
)
def test_a_sweep_disturbed_ends_with_the_undisturbed_table(sweeps, undisturbed, disturb) -> None:
    sweep = sweeps.start("--workers", 2)
    wait_for(lambda: sweeps.settled() >= 1 or sweep.poll() is not None, math.inf)
    disturb(sweep, sweeps)
    _, errors = sweep.communicate(timeout=300)
    if disturb is interrupt:
        assert sweep.returncode == 130
        assert "the same command resumes" in errors
    if disturb is kill_worker:
        assert sweep.returncode == 0, errors
    sweeps.run_here("--workers", 1)
    same(sweeps.table(), undisturbed.table())


@pytest.mark.slow
def test_a_worker_whose_sweep_is_gone_before_it_has_started_finishes_no_cell(undisturbed, tmp_path) -> None:
    shutil.copy(undisturbed.directory() / "plan.yaml", tmp_path)
    cell = next((undisturbed.directory() / "cells").iterdir()).name
    worker = [sys.executable, "-m", "modgrok.experiments.places.worker", tmp_path]
    done = subprocess.run(worker, input=f"{cell}\n", text=True, capture_output=True, cwd=undisturbed.root)
    assert cell not in done.stdout
    assert not list(tmp_path.rglob("outcome.json"))


@pytest.mark.slow
def test_twenty_kills_of_a_24_cell_sweep(sweeps) -> None:
    text = "vary: {data.task: [x + y, x*y, x - y], seed: 0..7}"
    sweeps.write(text)
    sweeps.write(text, "calm.yaml")
    assert sweeps.run("--workers", 2, name="calm.yaml").returncode == 0
    chance = random.Random(0)
    for number in range(20):
        sweep = sweeps.start("--workers", 2)
        try:
            sweep.wait(chance.uniform(3, 15))
        except subprocess.TimeoutExpired:
            (kill if number % 2 else kill_worker)(sweep, sweeps)
            if not number % 2:
                time.sleep(1)
                sweep.kill()
        sweep.communicate()
    assert sweeps.run("--workers", 2).returncode == 0
    same(sweeps.table(), sweeps.table("calm"))


@pytest.mark.slow
def test_a_full_disk_stops_the_sweep_and_the_same_command_goes_through_once_there_is_room(
    sweeps, undisturbed
) -> None:
    disk = sweeps.root / "disk"
    disk.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], check=False).returncode
    ):
        pytest.skip("a small disk needs root, and the right to mount")
    try:
        full = sweeps.run("--workers", 2, "--directory", disk / "s")
        assert full.returncode == 1, full.stderr
        assert "No space left" in full.stderr
        assert len(full.stderr.strip().splitlines()) <= 2, full.stderr
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        done = sweeps.run("--workers", 2, "--directory", disk / "s")
        assert done.returncode == 0, done.stderr
        same(sweeps.table(directory=disk / "s"), undisturbed.table())
    finally:
        subprocess.run(["umount", disk], check=True)


def test_another_process_cannot_run_the_same_sweep(sweeps, said) -> None:
    lock = sweeps.directory() / "lock"
    lock.parent.mkdir(parents=True)
    hold = "import sys, filelock as f; l = f.FileLock(sys.argv[1]); l.acquire(); print(); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", hold, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    other.stdout.readline()
    code, _, err = said(sweeps)
    other.communicate("")
    assert code == 2
    assert "another process runs this sweep" in err
    assert sorted(file.name for file in lock.parent.iterdir()) == ["lock"]


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("vary: {data.modulos: [5, 7]}", [], ["data.modulos", "data.modulus"]),
        ("vary: {data.modulus: [7, -1]}", [], ["cell modulus=-1", "modulus"]),
        ("vary: {seed: 0..1}", ["--workers", "0"], ["workers", "0"]),
        ("vary: {seed: 0..1}", ["--threads", "0"], ["threads", "0"]),
        ("vary: {seed: 0..1}", ["--on", "moon"], ["moon"]),
        ("vary: {seed: 0..1}", ["--directory", "base.yaml"], ["base.yaml"]),
        ("vary: {seed: 0..1}", ["--on", "slurm", "--slurm.parallel", "0"], ["slurm.parallel", "0"]),
    ],
)
def test_wrong_input_is_said_in_a_line_or_two_and_nothing_starts(sweeps, said, text, options, words) -> None:
    sweeps.write(text)
    code, out, err = said(sweeps, *options)
    assert code == 2, out + err
    assert all(word in err for word in words), err
    assert len(err.strip().splitlines()) <= 2, err
    assert not sweeps.directory().exists()


def test_a_directory_of_another_plan_is_refused_saying_what_differs(undisturbed, said) -> None:
    undisturbed.write("vary: {data.task: [x + y, x*y], seed: 0..3}", "other.yaml")
    code, _, err = said(undisturbed, "--directory", undisturbed.directory(), name="other.yaml")
    assert code == 2
    assert "seed=3 is only here" in err


@pytest.mark.parametrize(("place", "package"), [("slurm", "submitit"), ("ray", "ray")])
def test_a_place_whose_package_is_missing_is_said(sweeps, monkeypatch, place, package) -> None:
    from modgrok.experiments.places.ray_tasks import RayTasks
    from modgrok.experiments.places.slurm_arrays import SlurmArrays

    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(InputError, match=rf"pip install '\.\[{place}\]'"):
        {"slurm": SlurmArrays, "ray": RayTasks}[place]().check()


def test_without_pandas_there_is_no_sweep(sweeps, monkeypatch) -> None:
    from modgrok.experiments.sweeps import run_sweep

    monkeypatch.setattr(run_sweep, "find_spec", lambda package: None)
    with pytest.raises(InputError, match=r"pip install '\.\[sweep\]'"):
        modgrok.sweep(sweeps.root / "small.yaml")


def test_without_sbatch_there_is_no_slurm(monkeypatch, tmp_path) -> None:
    pytest.importorskip("submitit")
    from modgrok.experiments.places.slurm_arrays import SlurmArrays

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="no sbatch"):
        SlurmArrays().check()


@pytest.mark.slow
def test_a_partition_that_does_not_exist_is_refused(slurm, sweeps) -> None:
    done = sweeps.run("--on", "slurm", "--slurm.partition", "mian")
    assert done.returncode == 2
    assert "did you mean 'main'" in done.stderr


def test_a_dry_run_lists_the_cells_and_runs_none(sweeps, said) -> None:
    code, out, err = said(sweeps, "--dry_run")
    assert code == 0, err
    assert "task=x%2Ay,seed=2" in out
    assert "6 cells, at most 360 updates" in out
    assert not sweeps.directory().exists()


@pytest.mark.slow
def test_the_three_places_give_the_same_table(slurm, sweeps, undisturbed) -> None:
    pytest.importorskip("ray")
    for place, options in {
        "slurm": ["--slurm.partition", "main", "--slurm.array_size", 3],
        "ray": [],
    }.items():
        done = sweeps.run("--on", place, "--directory", place, *options)
        assert done.returncode == 0, done.stderr
        same(sweeps.table(directory=sweeps.root / place), undisturbed.table())


@pytest.mark.slow
def test_slurm_elements_that_run_out_of_time_or_are_requeued_resume(slurm, sweeps, undisturbed) -> None:
    sweep = sweeps.start("--on", "slurm")
    wait_for(lambda: list(sweeps.directory().glob("running/*.json")), 120)
    job = ask("squeue", "-h", "-r", "-t", "R", "-o", "%i").split()[0]
    ask("scancel", "--signal", "USR2", job)  # what SLURM sends when the time is nearly over
    wait_for(lambda: sweeps.settled() >= 2 or sweep.poll() is not None, math.inf)
    if running := ask("squeue", "-h", "-r", "-t", "R", "-o", "%i").split():
        ask("scontrol", "requeue", running[0])
    _, errors = sweep.communicate(timeout=500)
    assert sweep.returncode == 0, errors
    same(sweeps.table(), undisturbed.table())


@pytest.mark.slow
def test_a_killed_ray_worker_is_replaced(sweeps, undisturbed) -> None:
    ray = pytest.importorskip("ray")
    import psutil

    from modgrok.experiments.places.ray_tasks import RayTasks

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    killed = []

    def watch(standing):
        if standing.finished and not killed:
            for process in psutil.process_iter(["cmdline"]):
                if "ray::run_cell" in " ".join(process.info["cmdline"] or []):
                    process.kill()
                    killed.append(process.pid)
                    return

    try:
        modgrok.sweep(sweeps.root / "small.yaml", directory=sweeps.directory(), place=RayTasks(), watch=watch)
    finally:
        ray.shutdown()
    assert killed
    same(sweeps.table(), undisturbed.table())
