"""Assembles runs: one from a config, or many."""

from modgrok.experiments.experiment import Experiment
from modgrok.experiments.run import Run, check, fit, load_run
from modgrok.experiments.run_sweep import sweep

__all__ = ["Experiment", "Run", "check", "fit", "load_run", "sweep"]
