"""What happens during a run."""

from modgrok.callbacks.checkpoints import Checkpoints
from modgrok.callbacks.graceful_interrupt import GracefulInterrupt
from modgrok.callbacks.log_curves import Curves
from modgrok.callbacks.log_measures import Measures
from modgrok.callbacks.log_norms import Norms
from modgrok.callbacks.log_weights import Weights
from modgrok.callbacks.milestones import Milestones
from modgrok.callbacks.predictions import Predictions
from modgrok.callbacks.progress_bar import ProgressBar
from modgrok.callbacks.stop_after_grokking import StopAfterGrokking

__all__ = [
    "Checkpoints",
    "Curves",
    "GracefulInterrupt",
    "Measures",
    "Milestones",
    "Norms",
    "Predictions",
    "ProgressBar",
    "StopAfterGrokking",
    "Weights",
]
