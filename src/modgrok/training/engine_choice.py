"""Which engine makes the updates of a run, and the making of it."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import torch

from modgrok.data import Examples
from modgrok.models import Network
from modgrok.training.cuda_graph import GraphEngine
from modgrok.training.engine import Engine, compiled_backward

EngineName = Literal["auto", "eager", "compile", "cuda_graph"]

MIN_MULTIPLICATIONS_TO_COMPILE = 1.2e13
"""Compile only if the run needs at least this many multiplications.

Then compilation saves twice what it costs: a factor of two because most runs stop before `max_steps`.
"""

CALL_OVERHEAD_IN_MULTIPLICATIONS = 5e8
"""Per-update overhead of Python and kernel launches that compilation removes, expressed in multiplications."""

MULTIPLICATIONS_PER_SECOND = 2e10
"""About what a CPU's thread makes in eager updates, for runs whose length is given as a time."""


def choose_engine(
    name: EngineName, device: torch.device, full_batch: bool, multiplications: float
) -> EngineName:
    """Return an engine where `auto` asks for it, and any other name as it is.

    `auto` compiles where the run is long enough to pay for it: for CPUs if there is a compiler, for CUDA if all updates
    see the same batch, so that PyTorch replays what it has compiled. It takes nothing that PyTorch does not maintain.
    The choice depends on the configuration and the machine alone, never on a timing.

    Args:
        name: the engine that was asked for.
        device: the device on which the network is.
        full_batch: whether all updates see the same batch.
        multiplications: multiplications of all runs that share a compilation; infinite where a length is not known.
    """
    if name != "auto":
        return name
    can_compile = full_batch if device.type == "cuda" else cpp_compiler() is not None
    return "compile" if can_compile and multiplications > MIN_MULTIPLICATIONS_TO_COMPILE else "eager"


def cpp_compiler() -> str | None:
    """Return the C++ compiler that PyTorch compiles for CPUs with; None where there is none."""
    usual = {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    return shutil.which(shlex.split(os.environ.get("CXX", usual))[0])


def compile_engine(engine: Engine, batches: Sequence[Examples]) -> None:
    """Compile the engine's gradients for the sizes of these batches, and leave them uncompiled if that fails."""
    replayed = len(batches) == 1 and engine.network.device.type == "cuda"
    compiled = compiled_backward(engine.network, engine.loss, replayed=replayed)
    try:
        for batch in batches:
            for part in engine.microbatches(batch):
                compiled(part)
    except Exception as error:
        # the compiler raises many; what is wrong with the network, eager training says again
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        warnings.warn(f"engine: compilation failed, training continues uncompiled ({reason})", stacklevel=2)
    else:
        engine.backward = compiled


def make_engine(name: EngineName, batches: Sequence[Examples], *arguments: Any, **sizes: Any) -> Engine:
    """Build an engine, captured or compiled where its name says so.

    Args:
        name: the engine that `choose_engine` returned.
        batches: a batch of each size that it will see; the graph is captured on the first.
        arguments: the arguments of `Engine`.
        sizes: the sizes of `Engine`.
    """
    engine = (GraphEngine if name == "cuda_graph" else Engine)(*arguments, **sizes)
    if isinstance(engine, GraphEngine):
        engine.capture(batches[0])
    elif name == "compile":
        compile_engine(engine, batches)
    return engine


def update_multiplications(network: Network, pairs: int) -> int:
    """Return about how many multiplications an update on so many pairs takes: the weights times the pairs."""
    return pairs * sum(weight.numel() for weight in network.parameters())


def run_multiplications(update_size: int, updates: float, seconds: float, runs: int) -> float:
    """Return the most multiplications of all runs that share a compilation, with what calling costs.

    Args:
        update_size: multiplications of an update.
        updates: the most that a run may make; infinite where there is no limit.
        seconds: the longest that a run may take; infinite where there is no limit.
        runs: how many share what compiling costs.
    """
    made = (update_size + CALL_OVERHEAD_IN_MULTIPLICATIONS) * updates
    return min(made, seconds * MULTIPLICATIONS_PER_SECOND) * runs
