"""The report's figures as data: plotly's JSON, with names of the palette where there are colors."""

from modgrok.figures.attention_figures import attention_figures
from modgrok.figures.embedding_figures import embedding_figures
from modgrok.figures.figure import Figure, Panel
from modgrok.figures.logit_figures import logit_figures
from modgrok.figures.mixture_figures import together_figures
from modgrok.figures.neuron_figures import neuron_figures
from modgrok.figures.progress_figures import progress_figures
from modgrok.figures.training_figures import training_figures
from modgrok.figures.weight_figures import weight_figures

__all__ = [
    "Figure",
    "Panel",
    "attention_figures",
    "embedding_figures",
    "logit_figures",
    "neuron_figures",
    "progress_figures",
    "together_figures",
    "training_figures",
    "weight_figures",
]
