"""The lab bench for grokking on modular arithmetic."""

import os
from typing import TYPE_CHECKING

from modgrok.lazy_names import lazy_names

if TYPE_CHECKING:
    from modgrok.data import ModularDataModule
    from modgrok.experiments import Run, fit, load_run, sweep
    from modgrok.experiments.assembly.capacity_experiment import fit_capacity
    from modgrok.models import MLP, Network, Transformer
    from modgrok.training import GrokkingModule
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "MLP": "models",
            "GrokkingModule": "training",
            "ModularDataModule": "data",
            "Network": "models",
            "Run": "experiments",
            "Transformer": "models",
            "fit": "experiments",
            "fit_capacity": "experiments.assembly.capacity_experiment",
            "load_run": "experiments",
            "sweep": "experiments",
        },
    )

# PyTorch reads this at its first allocation. Tensors of 2 MiB and more then start on a page of their own and ask the
# system for huge pages: a new tensor of 64 MiB takes 550 page faults instead of 16,000.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
# GNU OpenMP reads this when PyTorch is loaded. A thread that waits for another one spins before it sleeps, 300,000
# turns unless told otherwise, and on a busy machine it spins on the core that the other one needs.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")

__version__ = "0.1.0"

__all__ = [
    "MLP",
    "GrokkingModule",
    "ModularDataModule",
    "Network",
    "Run",
    "Transformer",
    "fit",
    "fit_capacity",
    "load_run",
    "sweep",
]
