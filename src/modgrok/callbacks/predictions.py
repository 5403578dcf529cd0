"""A table of every pair and what the network says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from modgrok.runs.prediction_table import check_table, write_table
from modgrok.training import GrokkingModule


class Predictions(Callback):
    """Writes the predictions of `predict`, a row for each pair; see `prediction_table`.

    Args:
        file: a `.csv` or `.parquet` file, which must not exist yet.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok.callbacks import Predictions
        >>> trainer = Trainer(callbacks=[Predictions(file="pairs.csv")])
    """

    def __init__(self, file: str = "predictions.csv") -> None:
        self.file = Path(file)

    def setup(self, trainer: Trainer, pl_module: GrokkingModule, stage: str) -> None:  # type: ignore[override]
        """Check that the table can be written before it is computed."""
        if stage != "predict":
            return
        check_table(self.file)
        self._chunks: list[tuple[Tensor, Tensor]] = []

    def on_predict_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Tensor, *args: Any
    ) -> None:
        """Keep the best answer and its probability of each pair."""
        best = outputs.max(-1)
        self._chunks.append((best.indices.cpu(), best.values.cpu()))

    def on_predict_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Write the table."""
        predicted, probability = (torch.cat(column) for column in zip(*self._chunks, strict=True))
        write_table(self.file, pl_module.data, predicted, probability)
