"""From tasks to tokens on the training device."""

from modgrok.data.data_module import ModularDataModule
from modgrok.data.examples import Chunks, Examples, TrainingBatches
from modgrok.data.template import Template, Vocabulary

__all__ = ["Chunks", "Examples", "ModularDataModule", "Template", "TrainingBatches", "Vocabulary"]
