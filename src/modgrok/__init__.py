"""The lab bench for grokking on modular arithmetic."""

from modgrok.data import ModularDataModule
from modgrok.models import MLP, Transformer
from modgrok.training import GrokkingModule, load_run

__all__ = ["MLP", "GrokkingModule", "ModularDataModule", "Transformer", "load_run"]
