"""How to train a network to grokking."""

from modgrok.training.grokking_module import GrokkingModule
from modgrok.training.warm_up import Timetable

__all__ = ["GrokkingModule", "Timetable"]
