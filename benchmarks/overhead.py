"""What a run spends besides its updates: scoring, logging and Lightning, and the measures and pictures on top.

    python benchmarks/overhead.py

x + y mod 23 and mod 113 from 30% of the pairs, the default network, each engine, whole runs of `modgrok fit` one after
the other. Compiling is not counted.
"""

import argparse
import io
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from fit import fit_options

from modgrok.cli import main as modgrok
from modgrok.runs import RunDirectory
from modgrok.training import engine_choice
from modgrok.training.engine import Engine

UNDRAWN = ["--measures.every", "null", "--weights.every", "null", "--curves.draw", "false"]


class Timed:
    """A function that adds up the seconds it takes."""

    def __init__(self, function):
        self.function, self.seconds = function, 0.0

    def __get__(self, instance, owner):
        """Be a method where the function is one."""
        return lambda *args: self(instance, *args)

    def __call__(self, *args):
        """Call the function."""
        start = time.perf_counter()
        try:
            return self.function(*args)
        finally:
            self.seconds += time.perf_counter() - start


def overhead(p: int, updates: int, engine: str, *options: str) -> float:
    """Return the part of a run's training time, compilation aside, that is not spent on updates."""
    update, compilation = Timed(Engine.update), Timed(engine_choice.compile_engine)
    with (
        patch.object(Engine, "update", update),
        patch.object(engine_choice, "compile_engine", compilation),
        tempfile.TemporaryDirectory() as root,
        redirect_stdout(io.StringIO()),
        redirect_stderr(io.StringIO()),
    ):
        modgrok([*fit_options(p, updates, engine, root), *options])
        seconds = RunDirectory(Path(root, "lightning_logs", "version_0")).findings.seconds
    return 1 - update.seconds / (seconds - compilation.seconds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=5000, help="of each run")
    updates = parser.parse_args().updates
    print(f"{'':<24}{'scoring, logging, Lightning':>30}{'and measures, pictures':>26}")
    for p in (23, 113):
        for engine in ("eager", "compile"):
            bare, whole = overhead(p, updates, engine, *UNDRAWN), overhead(p, updates, engine)
            print(f"x + y mod {p}, {engine:<10}{bare:>30.1%}{whole:>26.1%}", flush=True)


if __name__ == "__main__":
    main()
