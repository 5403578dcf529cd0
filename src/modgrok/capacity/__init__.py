"""The second wing: how many bits a small language model remembers of profiles of invented people."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modgrok.capacity.capacity_module import CapacityModule
    from modgrok.capacity.capacity_run import CapacityRun, load_run
    from modgrok.capacity.curriculum import Curriculum
    from modgrok.capacity.llama import Llama
    from modgrok.capacity.profiles_data_module import ProfilesDataModule
    from modgrok.capacity.transformers_llama import TransformersLlama

__all__ = [
    "CapacityModule",
    "CapacityRun",
    "Curriculum",
    "Llama",
    "ProfilesDataModule",
    "TransformersLlama",
    "load_run",
]

_FILES = {
    "CapacityModule": "capacity_module",
    "CapacityRun": "capacity_run",
    "Curriculum": "curriculum",
    "Llama": "llama",
    "ProfilesDataModule": "profiles_data_module",
    "TransformersLlama": "transformers_llama",
    "load_run": "capacity_run",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for."""
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES[name]}"), name)
