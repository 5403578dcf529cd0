"""Every picture once, as data; `render` draws it with matplotlib, `svg_panel` for the pages."""

from typing import TYPE_CHECKING

from modgrok.figures.attention_figures import attention_figures
from modgrok.figures.circuit_figure import circuit_figure
from modgrok.figures.coefficient_figure import coefficient_figures
from modgrok.figures.comparison_figure import comparison_figure
from modgrok.figures.embedding_figures import components_figure, embedding_figures
from modgrok.figures.figure import Axis, Band, Bars, Figure, Heatmap, Intervals, Line, Panel, Points
from modgrok.figures.group_figures import group_figures, group_progress_figures
from modgrok.figures.logit_figures import logit_figures
from modgrok.figures.mixture_figures import mixture_figures
from modgrok.figures.neuron_figures import neuron_figures
from modgrok.figures.palette import DARK, LIGHT
from modgrok.figures.parameter_figure import parameter_figure
from modgrok.figures.progress_figures import progress_figures
from modgrok.figures.svg_renderer import svg_panel
from modgrok.figures.training_figures import curves_figure, training_figures
from modgrok.figures.weight_figures import weight_figures
from modgrok.lazy_names import lazy_names

if TYPE_CHECKING:
    from modgrok.figures.matplotlib_renderer import Picture, render
else:  # a page is drawn without matplotlib
    __getattr__, _ = lazy_names(__name__, {"Picture": "matplotlib_renderer", "render": "matplotlib_renderer"})

__all__ = [
    "DARK",
    "LIGHT",
    "Axis",
    "Band",
    "Bars",
    "Figure",
    "Heatmap",
    "Intervals",
    "Line",
    "Panel",
    "Picture",
    "Points",
    "attention_figures",
    "circuit_figure",
    "coefficient_figures",
    "comparison_figure",
    "components_figure",
    "curves_figure",
    "embedding_figures",
    "group_figures",
    "group_progress_figures",
    "logit_figures",
    "mixture_figures",
    "neuron_figures",
    "parameter_figure",
    "progress_figures",
    "render",
    "svg_panel",
    "training_figures",
    "weight_figures",
]
