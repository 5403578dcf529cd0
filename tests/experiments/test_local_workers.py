"""Worker processes: how many, on which GPUs, and how they are told to end; the system's part is played by stand-ins."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from modgrok.experiments.places import local_workers
from modgrok.experiments.places.local_workers import GPU_MEMORY_OF_A_WORKER, LocalWorkers, visible_gpus

WORKER = """
import os, sys
with open(sys.argv[1], "a") as seen:
    for line in sys.stdin:
        if line == "fatal\\n":
            os._exit(1)
        print(os.environ.get("CUDA_VISIBLE_DEVICES"), line, end="", file=seen, flush=True)
        print(line, end="", flush=True)
"""


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """Workers that answer at once, and note the GPU that they see."""
    seen, popen = tmp_path / "seen", subprocess.Popen

    def start(command, **options):
        return popen([sys.executable, "-c", WORKER, str(seen)], **options)

    monkeypatch.setattr(local_workers.subprocess, "Popen", start)
    return seen


@pytest.fixture
def gpus(monkeypatch):
    """Two GPUs with memory for two workers each, on a machine of eight cores."""
    properties = SimpleNamespace(total_memory=2 * GPU_MEMORY_OF_A_WORKER + 1)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties)
    monkeypatch.setattr(local_workers, "available_cores", lambda: 8)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_cells_are_given_to_workers_and_a_dead_worker_is_replaced(stand_in, tmp_path):
    names = ["a", "b", "fatal", "c", "d"]
    assert [*LocalWorkers(2).run(tmp_path, names)]
    assert sorted(line.split()[1] for line in stand_in.read_text().splitlines()) == ["a", "b", "c", "d"]


def test_each_worker_has_a_gpu_and_no_more_start_than_fit(stand_in, gpus, tmp_path):
    assert LocalWorkers()._fitting(visible_gpus()) == 4
    assert LocalWorkers(threads=4)._fitting(visible_gpus()) == 2
    assert [*LocalWorkers(2).run(tmp_path, ["a", "b"])]
    assert sorted(line.split()[0] for line in stand_in.read_text().splitlines()) == ["0", "1"]


def test_the_gpus_that_a_user_chose_are_kept_to(gpus, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    assert visible_gpus() == ["5", "7"]


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_workers_are_stopped_as_the_system_can(stand_in, monkeypatch, tmp_path, platform):
    """On Windows by the end of their input: there is no signal that they could take."""
    stopped = []
    cells = LocalWorkers(1).run(tmp_path, ["a"] * 100_000)
    next(cells)
    monkeypatch.setattr(local_workers.sys, "platform", platform)
    monkeypatch.setattr(
        local_workers, "_close", lambda worker: (stopped.append("closed"), worker.stdin.close())
    )
    cells.close()
    assert stopped == (["closed"] if platform == "win32" else [])
