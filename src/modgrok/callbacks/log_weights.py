"""The weights as pictures while the network trains."""

from __future__ import annotations

from lightning.pytorch import Trainer

from modgrok.callbacks.budgeted import BudgetedCallback
from modgrok.callbacks.log_figure import log_figure
from modgrok.figures import components_figure, parameter_figure
from modgrok.training import GrokkingModule

EMBEDDING = "W_E"
"""Suffix of the names of embedding parameters, which have one row per token."""


class LogWeights(BudgetedCallback):
    """Logs the weight matrices as images, and the embedding on its principal components.

    Args:
        every: updates between pictures, or null to disable. The final network is drawn too. Pictures that would
            exceed 2% of the run's time are skipped.

    Raises:
        InputError: if `every` is not positive.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok.callbacks import LogWeights
        >>> trainer = Trainer(callbacks=[LogWeights(every=10)])
    """

    def __init__(self, every: int | None = 2000) -> None:
        super().__init__(every)

    def observe(self, trainer: Trainer, module: GrokkingModule) -> None:
        """Draw the weights."""
        update = f"update {trainer.global_step:,}"
        log_figure(trainer, "weights", parameter_figure(module.network, update))
        vocabulary = module.data.template.vocabulary
        for name, parameter in module.network.named_parameters():
            if name.endswith(EMBEDDING):
                title = f"{name}, {update}"
                figure = components_figure(parameter, vocabulary.n_symbols, vocabulary.special, title)
                log_figure(trainer, f"principal_components/{name}", figure)
