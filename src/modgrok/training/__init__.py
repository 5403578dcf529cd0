"""How to train a network to grokking."""

from modgrok.models.losses import CrossEntropy, Loss, MeanSquaredError, StableMax
from modgrok.training.grokking_module import GrokkingModule
from modgrok.training.rules import (
    EgalitarianGradient,
    GradientFilter,
    GradientNorm,
    GrokfastEMA,
    GrokfastMA,
    LpPenalty,
    OrthogonalGradient,
)
from modgrok.training.rules.grokking_adamw import GrokkingAdamW
from modgrok.training.rules.interventions import (
    Intervention,
    LabelNoise,
    OutputTemperature,
    WeightDecayOff,
    WeightNormClamp,
)
from modgrok.training.rules.muon import MuonAdamW
from modgrok.training.rules.warm_up import WarmUp

__all__ = [
    "CrossEntropy",
    "EgalitarianGradient",
    "GradientFilter",
    "GradientNorm",
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
