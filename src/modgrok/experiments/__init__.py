"""Assembles runs: one from a config, or many."""

from typing import TYPE_CHECKING

from modgrok.lazy_names import lazy_names

if TYPE_CHECKING:
    from modgrok.experiments.assembly.experiment import Experiment
    from modgrok.experiments.assembly.run import Run, check, fit, load_run
    from modgrok.experiments.sweeps.run_sweep import sweep
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "Experiment": "assembly.experiment",
            "Run": "assembly.run",
            "check": "assembly.run",
            "fit": "assembly.run",
            "load_run": "assembly.run",
            "sweep": "sweeps.run_sweep",
        },
    )

__all__ = ["Experiment", "Run", "check", "fit", "load_run", "sweep"]
