"""Assembles runs: one from a config, or many."""

from modgrok.experiments.capacity_experiment import fit_capacity
from modgrok.experiments.experiment import Experiment
from modgrok.experiments.run import Run, check, fit, load_run
from modgrok.experiments.run_sweep import sweep

__all__ = ["Experiment", "Run", "check", "fit", "fit_capacity", "load_run", "sweep"]
