"""What happens during a run."""

from modgrok.callbacks.checkpoints import Checkpoints
from modgrok.callbacks.graceful_interrupt import GracefulInterrupt
from modgrok.callbacks.log_curves import LogCurves
from modgrok.callbacks.log_hyperparameters import LogHyperparameters
from modgrok.callbacks.log_measures import LogMeasures
from modgrok.callbacks.log_norms import LogNorms
from modgrok.callbacks.log_weights import LogWeights
from modgrok.callbacks.milestones import Milestones
from modgrok.callbacks.predictions import Predictions
from modgrok.callbacks.progress_bar import ProgressBar
from modgrok.callbacks.save_config import SaveConfig
from modgrok.callbacks.stop_after_grokking import StopAfterGrokking

__all__ = [
    "Checkpoints",
    "GracefulInterrupt",
    "LogCurves",
    "LogHyperparameters",
    "LogMeasures",
    "LogNorms",
    "LogWeights",
    "Milestones",
    "Predictions",
    "ProgressBar",
    "SaveConfig",
    "StopAfterGrokking",
]
