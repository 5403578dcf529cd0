"""How to train a network to grokking."""

from modgrok.training.gradient_filters import GradientFilter, LpPenalty
from modgrok.training.grokking_module import GrokkingModule
from modgrok.training.losses import CrossEntropy, Loss
from modgrok.training.warm_up import WarmUp

__all__ = ["CrossEntropy", "GradientFilter", "GrokkingModule", "Loss", "LpPenalty", "WarmUp"]
