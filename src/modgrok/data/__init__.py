"""From tasks to tokens on the training device."""

from modgrok.data.data_module import ModularDataModule
from modgrok.data.examples import Batches, Chunks, Examples
from modgrok.data.template import Template, Vocabulary

__all__ = ["Batches", "Chunks", "Examples", "ModularDataModule", "Template", "Vocabulary"]
