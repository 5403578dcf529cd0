"""Assembles runs: one from a config, or many."""

from modgrok.experiments.assembly.experiment import Experiment
from modgrok.experiments.assembly.run import Run, check, fit, load_run
from modgrok.experiments.sweeps.run_sweep import sweep

__all__ = ["Experiment", "Run", "check", "fit", "load_run", "sweep"]
