"""A table of every pair and what a network says of it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from torch import Tensor

from modgrok.data import ModularData
from modgrok.errors import InputError, install_hint
from modgrok.runs.whole_files import check_writable, whole_file, write_whole
from modgrok.tasks import VARIABLES


def check_table(file: Path) -> None:
    """Check that a table can be written, before it is computed.

    Raises:
        InputError: if it is neither .csv nor .parquet, exists already, or cannot be written.
    """
    if file.suffix not in (".csv", ".parquet"):
        raise InputError(f"predictions.file: {file} ends neither in .csv nor in .parquet")
    if file.exists():
        raise InputError(f"predictions.file: {file} exists already and is not overwritten; name another")
    directory = file.absolute().parent
    if not directory.is_dir():
        raise InputError(f"predictions.file: there is no directory {directory}")
    check_writable("predictions.file", directory)
    if file.suffix == ".parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise InputError(f"predictions.file: Parquet needs pyarrow: {install_hint('parquet')}") from None


def write_table(file: Path, data: ModularData, predicted: Tensor, probability: Tensor) -> None:
    """Write every pair: operands, answer, predicted, its probability, the side of the split, whether it is new.

    Args:
        file: a `.csv` or `.parquet` file, which must not exist yet.
        data: the n pairs.
        predicted: (n,) the most probable answers.
        probability: (n,) of them.
    """
    columns: dict[str, list[Any]] = {}
    if len(data.tasks) > 1:
        columns["task"] = [data.tasks[i].name for i in data.pairs.task_index.tolist()]
    columns |= dict(zip(VARIABLES, data.operands.T.tolist(), strict=False))
    columns |= {
        "answer": data.pairs.answers.tolist(),
        "predicted": predicted.tolist(),
        "probability": probability.tolist(),
        "split": ["trained-on" if trained else "held-out" for trained in data.trained_on.tolist()],
        "new": (~data.pairs.known).tolist(),
    }
    if file.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        with whole_file(file, replace=False) as opened:
            pyarrow.parquet.write_table(pyarrow.table(columns), opened)
    else:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        write_whole(file, text.getvalue(), replace=False)
