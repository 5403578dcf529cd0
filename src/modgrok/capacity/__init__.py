"""The second wing: how many bits a small language model remembers of profiles of invented people."""

from typing import TYPE_CHECKING

from modgrok.lazy_names import lazy_names

if TYPE_CHECKING:
    from modgrok.capacity.memorizing.capacity_module import CapacityModule
    from modgrok.capacity.memorizing.capacity_run import CapacityRun, load_capacity_run
    from modgrok.capacity.memorizing.curriculum import Curriculum
    from modgrok.capacity.memorizing.warm_up_cosine import WarmUpCosine
    from modgrok.capacity.networks.llama import Llama
    from modgrok.capacity.networks.transformers_llama import TransformersLlama
    from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "CapacityModule": "memorizing.capacity_module",
            "CapacityRun": "memorizing.capacity_run",
            "Curriculum": "memorizing.curriculum",
            "Llama": "networks.llama",
            "ProfilesDataModule": "questions.profiles_data_module",
            "TransformersLlama": "networks.transformers_llama",
            "WarmUpCosine": "memorizing.warm_up_cosine",
            "load_capacity_run": "memorizing.capacity_run",
        },
    )

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
