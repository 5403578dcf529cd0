"""A table of every pair and what the network says of it."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from modgrok.errors import InputError
from modgrok.runs.whole_files import whole_file, write_whole
from modgrok.tasks import VARIABLES
from modgrok.training import GrokkingModule


class Predictions(Callback):
    """Writes the predictions of `predict`: operands, answer, predicted, its probability, and the side of the split.

    Args:
        file: a `.csv` or `.parquet` file, which must not exist yet.
    """

    def __init__(self, file: str = "predictions.csv") -> None:
        self.file = Path(file)

    def setup(self, trainer: Trainer, pl_module: GrokkingModule, stage: str) -> None:  # type: ignore[override]
        """Check that the table can be written before it is computed."""
        if stage != "predict":
            return
        if self.file.suffix not in (".csv", ".parquet"):
            raise InputError(f"predictions.file: {self.file} ends neither in .csv nor in .parquet")
        if self.file.exists():
            raise InputError(
                f"predictions.file: {self.file} exists already and is not overwritten; name another"
            )
        directory = self.file.absolute().parent
        if not directory.is_dir():
            raise InputError(f"predictions.file: there is no directory {directory}")
        try:
            with tempfile.TemporaryFile(dir=directory):
                pass
        except OSError as error:
            raise InputError(f"predictions.file: cannot write in {directory}: {error.strerror}") from None
        if self.file.suffix == ".parquet":
            try:
                import pyarrow.parquet  # noqa: F401
            except ImportError:
                raise InputError(
                    "predictions.file: Parquet needs pyarrow: pip install 'modgrok[parquet]'"
                ) from None
        self._chunks: list[tuple[Tensor, Tensor]] = []

    def on_predict_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Tensor, *args: Any
    ) -> None:
        """Keep the best answer and its probability of each pair."""
        best = outputs.max(-1)
        self._chunks.append((best.indices.cpu(), best.values.cpu()))

    def on_predict_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Write the table."""
        data = pl_module.data
        predicted, probability = (torch.cat(column) for column in zip(*self._chunks, strict=True))
        columns: dict[str, list[Any]] = {}
        if len(data.tasks) > 1:
            columns["task"] = [data.tasks[i].name for i in data.pairs.task_index.tolist()]
        columns |= dict(zip(VARIABLES, data.operands.T.tolist(), strict=False))
        columns |= {
            "answer": data.pairs.answers.tolist(),
            "predicted": predicted.tolist(),
            "probability": probability.tolist(),
            "split": ["trained-on" if trained else "held-out" for trained in data.trained_on.tolist()],
        }
        if self.file.suffix == ".parquet":
            import pyarrow
            import pyarrow.parquet

            with whole_file(self.file, replace=False) as file:
                pyarrow.parquet.write_table(pyarrow.table(columns), file)
        else:
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
            write_whole(self.file, text.getvalue(), replace=False)
