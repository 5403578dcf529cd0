"""The report's figures as data: plotly's JSON, with names of the palette where there are colours."""

from modgrok.report.figures.attention import attention_figures
from modgrok.report.figures.embedding import embedding_figures
from modgrok.report.figures.figure import Figure, Panel
from modgrok.report.figures.logits import logit_figures
from modgrok.report.figures.neurons import neuron_figures
from modgrok.report.figures.progress import progress_figures
from modgrok.report.figures.together import together_figures
from modgrok.report.figures.training import training_figures
from modgrok.report.figures.weights import weight_figures

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
