"""What happens to the gradients between the backward pass and the optimizer."""

from modgrok.training.gradient_filters.egalitarian_gradient import EgalitarianGradient
from modgrok.training.gradient_filters.gradient_filter import GradientFilter
from modgrok.training.gradient_filters.grokfast import GrokfastEMA, GrokfastMA
from modgrok.training.gradient_filters.lp_penalty import LpPenalty
from modgrok.training.gradient_filters.orthogonal_gradient import OrthogonalGradient

__all__ = [
    "EgalitarianGradient",
    "GradientFilter",
    "GrokfastEMA",
    "GrokfastMA",
    "LpPenalty",
    "OrthogonalGradient",
]
