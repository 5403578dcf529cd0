"""The progress measures while the network trains."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning_utilities.core.rank_zero import rank_zero_warn

from modgrok.analysis import Circuit, TaskView, read_circuit, task_views
from modgrok.callbacks.budgeted import BudgetedCallback
from modgrok.callbacks.log_figure import log_figure
from modgrok.figures import circuit_figure
from modgrok.training import GrokkingModule

MOST_NUMBERS = 1 << 28
"""Skip in-training measures if a network has more logits and neurons than this over all pairs: they take minutes."""


class LogMeasures(BudgetedCallback):
    """Logs the progress measures, as `progress/<measure>`, and a figure of the circuit; the last are in the findings.

    Each measurement uses the key frequencies of the network at that update; `modgrok analyze` uses those of the last.

    Args:
        every: updates between measurements, or null to disable. The final network is measured too. Measurements that
            would exceed 2% of the run's time are skipped.

    Raises:
        InputError: if `every` is not positive.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok.callbacks import LogMeasures
        >>> trainer = Trainer(callbacks=[LogMeasures(every=10)])
    """

    def __init__(self, every: int | None = 1000) -> None:
        super().__init__(every)

    def on_train_start(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Start the clock."""
        super().on_train_start(trainer, pl_module)
        self._views: tuple[TaskView, ...] | None = None

    def observe(self, trainer: Trainer, module: GrokkingModule) -> None:
        """Measure, and draw the circuit."""
        if self._views is None:
            self._views = self._affordable(module)
        for view in self._views:
            of_task = f"/{view.task.name}" if len(self._views) > 1 else ""
            with torch.no_grad():
                circuit = read_circuit(module.network, view, module.loss)
                measures = circuit.all_measures()
            module.circuits[view.task.name] = _record(circuit, measures, trainer.global_step)
            scalars = {
                f"progress/{name}{of_task}": value for name, value in measures.items() if value is not None
            }
            for logger in trainer.loggers:
                logger.log_metrics(scalars, step=trainer.global_step)
            title = f"{view.task.title}, update {trainer.global_step:,}"
            log_figure(trainer, f"circuit{of_task}", circuit_figure(circuit, title))

    def _affordable(self, module: GrokkingModule) -> tuple[TaskView, ...]:
        """Return the views of the tasks; none if a network or a task cannot be measured as it trains."""
        paths = module.network.readout_paths
        if paths is None:
            return ()
        neurons = len(next(iter(paths.to_logits.values())))
        numbers = module.data.pairs.size * (module.data.n_answers + neurons)
        if numbers > MOST_NUMBERS:
            rank_zero_warn(
                f"progress measures are left out of the training: each time {numbers:,} logits and neurons would be "
                "computed; modgrok analyze has them afterwards"
            )
            return ()
        return tuple(view.to(module.device) for view in task_views(module.data))


def _record(circuit: Circuit, measures: Mapping[str, float | None], update: int) -> dict[str, Any]:
    """Return what the findings say of a circuit, in what JSON has."""
    keys = list(circuit.keys)
    on_group = circuit.view.group_pairs
    return {
        "update": update,
        **(
            {"key_frequencies": keys}
            if on_group is None
            else {"key_irreps": [on_group.irreps[k].name for k in keys]}
        ),
        **{
            name: value if value is not None and math.isfinite(value) else None
            for name, value in measures.items()
        },
    }
