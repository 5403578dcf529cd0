"""What a sweep will cost, from a few updates of its first cell."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

from modgrok.experiments.config.config_forms import flatten
from modgrok.experiments.plans.plan import Plan

UPDATES = 100


@dataclass(frozen=True)
class Cost:
    """What a sweep costs at most.

    Attributes:
        updates: the updates of all cells, if none stops before its limit; infinite where one has no limit.
        seconds_per_update: the seconds of one update of the first cell, uncompiled, on one thread.
    """

    updates: float
    seconds_per_update: float


def measure_cost(plan: Plan) -> Cost:
    """Add up the updates, and time a few of the first cell in a directory that is deleted again.

    Raises:
        InputError: if the first cell cannot run.
    """
    import torch

    shared = flatten(plan.config)
    limits = [{**shared, **cell.overrides}.get("trainer.max_steps", -1) for cell in plan.cells]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as directory:
            run, overrides = Path(directory, "run"), plan.cells[0].overrides | plan.kind.short(UPDATES)
            plan.kind.fit(plan.config, overrides, directory=run)
            seconds = plan.kind.findings(run)["seconds"] / UPDATES
    finally:
        torch.set_num_threads(threads)
    return Cost(math.inf if min(limits) < 0 else sum(limits), seconds)
