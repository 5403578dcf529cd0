"""The memory of an update is mapped in once and for all."""

import subprocess
import sys
from pathlib import Path

import pytest

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
FAULTS = """
import resource
import modgrok, torch
from modgrok.training.cpu_tuning import keep_freed_memory

def faults(of):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    of()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

tensor_of_64_mib = lambda: torch.ones(1 << 24)
print(faults(tensor_of_64_mib))
keep_freed_memory()
tensor_of_64_mib()
print(faults(tensor_of_64_mib))
"""


@pytest.mark.skipif(
    not HUGE_PAGES.exists() or "[never]" in HUGE_PAGES.read_text(),
    reason="the kernel has no huge pages to give",
)
def test_large_tensors_take_few_page_faults_and_then_none():
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    first, again = map(int, done.stdout.split())
    small_pages = (64 << 20) // (4 << 10)
    assert 0 < first < small_pages / 8
    assert again < 32  # what as many huge pages take
