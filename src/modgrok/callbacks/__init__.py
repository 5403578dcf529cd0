"""What happens during a run."""

from modgrok.callbacks.checkpoints import Checkpoints
from modgrok.callbacks.curves import Curves
from modgrok.callbacks.interrupts import Interrupts
from modgrok.callbacks.measures import Measures
from modgrok.callbacks.norms import Norms
from modgrok.callbacks.phases import Phases
from modgrok.callbacks.predictions import Predictions
from modgrok.callbacks.progress import ProgressBar
from modgrok.callbacks.stop import Stop
from modgrok.callbacks.weights import Weights

__all__ = [
    "Checkpoints",
    "Curves",
    "Interrupts",
    "Measures",
    "Norms",
    "Phases",
    "Predictions",
    "ProgressBar",
    "Stop",
    "Weights",
]
