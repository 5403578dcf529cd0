"""Where other systems differ, by stand-ins: what is printed in another encoding, and newer versions of Python."""

import compileall
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import modgrok

SOURCES = Path(modgrok.__file__).parent
TASK = ("--data.task", "x * y in S3")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize(
    "command", [("tasks",), ("describe", *TASK), ("reproduce",), ("configs",), ("--help",)]
)
def test_what_is_printed_fits_any_encoding(command, encoding, tmp_path):
    """A file on Windows has cp1252 unless told otherwise."""
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "modgrok", *command], cwd=tmp_path, env=environment, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode(encoding)


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_newer_pythons_compile_every_file_without_a_warning(version, tmp_path):
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "--version"], capture_output=True).returncode:
        pytest.skip(f"needs python{version}")
    command = [
        python,
        "-W",
        "error",
        "-m",
        "compileall",
        "-q",
        "-f",
        str(shutil.copytree(SOURCES, tmp_path / "modgrok")),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_this_python_compiles_every_file_without_a_warning(tmp_path, recwarn):
    assert compileall.compile_dir(shutil.copytree(SOURCES, tmp_path / "modgrok"), quiet=1, force=True)
    assert not recwarn.list
