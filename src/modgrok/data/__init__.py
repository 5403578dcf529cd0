"""From tasks to tokens on the training device."""

from typing import TYPE_CHECKING

from modgrok.lazy_names import lazy_names

if TYPE_CHECKING:
    from modgrok.data.data_module import ModularDataModule
    from modgrok.data.examples import Chunks, Examples, TrainingBatches
    from modgrok.data.modular_data import ModularData
    from modgrok.data.task_tables import TaskTables
    from modgrok.data.template import Template, Vocabulary
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "Chunks": "examples",
            "Examples": "examples",
            "ModularData": "modular_data",
            "ModularDataModule": "data_module",
            "TaskTables": "task_tables",
            "Template": "template",
            "TrainingBatches": "examples",
            "Vocabulary": "template",
        },
    )

__all__ = [
    "Chunks",
    "Examples",
    "ModularData",
    "ModularDataModule",
    "TaskTables",
    "Template",
    "TrainingBatches",
    "Vocabulary",
]
