"""How to train a network to grokking."""

from modgrok.models.losses import CrossEntropy, Loss, MeanSquaredError, StableMax
from modgrok.training.gradient_filters import (
    EgalitarianGradient,
    GradientFilter,
    GrokfastEMA,
    GrokfastMA,
    LpPenalty,
    OrthogonalGradient,
)
from modgrok.training.grokking_adamw import GrokkingAdamW
from modgrok.training.grokking_module import GrokkingModule
from modgrok.training.interventions import (
    Intervention,
    LabelNoise,
    OutputTemperature,
    WeightDecayOff,
    WeightNormClamp,
)
from modgrok.training.muon import MuonAdamW
from modgrok.training.warm_up import WarmUp

__all__ = [
    "CrossEntropy",
    "EgalitarianGradient",
    "GradientFilter",
    "GrokfastEMA",
    "GrokfastMA",
    "GrokkingAdamW",
    "GrokkingModule",
    "Intervention",
    "LabelNoise",
    "Loss",
    "LpPenalty",
    "MeanSquaredError",
    "MuonAdamW",
    "OrthogonalGradient",
    "OutputTemperature",
    "StableMax",
    "WarmUp",
    "WeightDecayOff",
    "WeightNormClamp",
]
