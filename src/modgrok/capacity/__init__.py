"""The second wing: how many bits a small language model remembers of profiles of invented people."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modgrok.capacity.memorizing.capacity_module import CapacityModule
    from modgrok.capacity.memorizing.capacity_run import CapacityRun, load_capacity_run
    from modgrok.capacity.memorizing.curriculum import Curriculum
    from modgrok.capacity.memorizing.warm_up_cosine import WarmUpCosine
    from modgrok.capacity.networks.llama import Llama
    from modgrok.capacity.networks.transformers_llama import TransformersLlama
    from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule

__all__ = [
    "CapacityModule",
    "CapacityRun",
    "Curriculum",
    "Llama",
    "ProfilesDataModule",
    "TransformersLlama",
    "WarmUpCosine",
    "load_capacity_run",
]

_FILES = {
    "CapacityModule": "memorizing.capacity_module",
    "CapacityRun": "memorizing.capacity_run",
    "Curriculum": "memorizing.curriculum",
    "Llama": "networks.llama",
    "ProfilesDataModule": "questions.profiles_data_module",
    "TransformersLlama": "networks.transformers_llama",
    "WarmUpCosine": "memorizing.warm_up_cosine",
    "load_capacity_run": "memorizing.capacity_run",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for."""
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES[name]}"), name)
