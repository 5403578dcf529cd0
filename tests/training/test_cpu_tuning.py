"""Where the memory of an update comes from, and how its threads wait."""

import os
import platform
import resource
import subprocess
import sys

import pytest

ADDRESSES = """
import modgrok, torch
from modgrok.training.cpu_tuning import keep_freed_memory

def address():
    return torch.ones(1 << 24).data_ptr()  # 64 MiB, freed at once

def in_heap(address):
    heaps = [line.split()[0].split("-") for line in open("/proc/self/maps") if line.rstrip().endswith("[heap]")]
    return any(int(start, 16) <= address < int(end, 16) for start, end in heaps)

before = address()
keep_freed_memory()
after = address()
print(before, int(in_heap(before)), after, int(in_heap(after)))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told what to keep")
def test_large_tensors_start_on_a_page_and_their_memory_is_kept():
    done = subprocess.run([sys.executable, "-c", ADDRESSES], capture_output=True, text=True, check=True)
    before, mapped_in_heap, after, kept_in_heap = map(int, done.stdout.split())
    page = resource.getpagesize()
    assert (before % page, after % page) == (0, 0)  # PyTorch's own alignment is 64 bytes
    assert (mapped_in_heap, kept_in_heap) == (0, 1)  # what lies outside the heap goes back when it is freed


def test_threads_that_wait_soon_sleep():
    environment = {**os.environ, "OMP_DISPLAY_ENV": "verbose"}
    environment.pop("GOMP_SPINCOUNT", None)  # this process has it from modgrok
    command = [sys.executable, "-c", "import modgrok, torch"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr
    if "GOMP_" not in said:
        pytest.skip("this PyTorch has another OpenMP than GNU's")
    assert "GOMP_SPINCOUNT = '3000'" in said
