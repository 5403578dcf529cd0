"""The progress measures while the network trains."""

from __future__ import annotations

import torch
from lightning.pytorch import Trainer
from matplotlib.figure import Figure

from modgrok.analysis import Circuit, TaskView, read_circuit, spectrum, task_views
from modgrok.callbacks.budgeted import BudgetedCallback
from modgrok.callbacks.log_figure import log_figure
from modgrok.training import GrokkingModule


def draw_circuit(circuit: Circuit, title: str) -> Figure:
    """Draw the spectra of embedding and read-out, the neurons' tuning, and the logits' cosines."""
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    embedding, read_out, neurons, logits = figure.subplots(2, 2).flat
    domain, keys = circuit.view.domain, circuit.key_frequencies
    frequencies = range(1, domain.clock.top_frequency + 1)
    colors = ["#c8553d" if k in keys else "#9aa3aa" for k in frequencies]
    for axes, matrix, basis, name in (
        (embedding, circuit.W_E, domain.operand_bases[0], "W_E, in the characters of x"),
        (read_out, circuit.W_logit.T, domain.answer_basis, "W_logit"),
    ):
        axes.bar(frequencies, spectrum(matrix, basis)[1:].cpu().numpy(), color=colors)
        axes.set(title=name, xlabel="frequency", ylabel="norm")
    neurons.hist(
        circuit.tuning.fractions[circuit.tuning.active].cpu().numpy(), bins=20, range=(0, 1), color="#2f6690"
    )
    neurons.set(title="variance explained by the best frequency", xlabel="share", ylabel="neurons")
    logits.bar(frequencies, circuit.directions.variance_explained.cpu().numpy(), color=colors)
    logits.set(title="share of the logits' variance", xlabel="frequency")
    figure.suptitle(title)
    return figure


class LogMeasures(BudgetedCallback):
    """Logs the progress measures, as `progress/<measure>`, and a figure of the circuit.

    Each time by the key frequencies that the network has then; `modgrok analyze` follows those of the end.

    Args:
        every: updates between measurements; null for none. There is one at the end too. Where they would take more
            than 5% of the run's time, there are fewer.

    Raises:
        InputError: if `every` is not positive.
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
            self._views = tuple(view.to(module.device) for view in task_views(module.data))
        for view in self._views:
            of_task = f"/{view.task.name}" if len(self._views) > 1 else ""
            with torch.no_grad():
                circuit = read_circuit(module.network, view)
                measures = circuit.measures()
            scalars = {f"progress/{name}{of_task}": value for name, value in measures.scalars().items()}
            for logger in trainer.loggers:
                logger.log_metrics(scalars, step=trainer.global_step)
            title = f"{view.task.name} mod {view.task.modulus}, update {trainer.global_step:,}"
            log_figure(trainer, f"circuit{of_task}", draw_circuit(circuit, title))
