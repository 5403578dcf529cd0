"""Assembles runs: one from a config, or many."""

from modgrok.experiments.experiment import Experiment
from modgrok.experiments.run import Run, check, fit, load_run

__all__ = ["Experiment", "Run", "check", "fit", "load_run"]
