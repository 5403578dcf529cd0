"""What happens to the gradients between the backward pass and the optimizer."""

from modgrok.training.rules.egalitarian_gradient import EgalitarianGradient
from modgrok.training.rules.gradient_filter import GradientFilter
from modgrok.training.rules.gradient_norm import GradientNorm
from modgrok.training.rules.grokfast import GrokfastEMA, GrokfastMA
from modgrok.training.rules.lp_penalty import LpPenalty
from modgrok.training.rules.orthogonal_gradient import OrthogonalGradient

__all__ = [
    "EgalitarianGradient",
    "GradientFilter",
    "GradientNorm",
    "GrokfastEMA",
    "GrokfastMA",
    "LpPenalty",
    "OrthogonalGradient",
]
