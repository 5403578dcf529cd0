"""Tables on disk in the forms that data sets are passed on in: Parquet files, cloned repositories, saved data sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modgrok.errors import InputError, install_hint

if TYPE_CHECKING:
    import pyarrow as pa

STATE = "state.json"
"""The file that `save_to_disk` of the datasets library lists its Arrow files in."""


def pyarrow() -> tuple[Any, Any]:
    """Return the modules pyarrow and pyarrow.parquet.

    Raises:
        InputError: if they are not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError(f"Parquet files need pyarrow: {install_hint('parquet')}") from None
    return pyarrow, pyarrow.parquet


def read_table(path: Path) -> pa.Table:
    """Read a table from a Parquet file, or from a folder.

    A folder holds Parquet files, read in the order of their names, or a cloned repository of a data set with them in
    `data/`, or what `save_to_disk` wrote: Arrow streams listed in `state.json`, of one split or with the split `train`.

    Raises:
        InputError: if there is none of these or more than one, or a file cannot be read.
    """
    pa, parquet = pyarrow()
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    folder = path
    if (path / "train" / STATE).exists():
        folder = path / "train"
    files = (
        [path] if path.is_file() else sorted(path.glob("*.parquet")) or sorted(path.glob("data/*.parquet"))
    )
    saved = (folder / STATE).exists()
    if saved and files:
        raise InputError(f"{path}: it holds both Parquet files and a saved data set; give one of them")
    if not saved and not files:
        raise InputError(
            f"{path}: no Parquet files there, nor in data/, and no data set that save_to_disk wrote"
        )
    try:
        if saved:
            state = json.loads((folder / STATE).read_text(encoding="utf-8"))
            names = [Path(one["filename"]).name for one in state["_data_files"]]
            tables = [_read_stream(folder / name) for name in names]
        else:
            tables = [parquet.read_table(file) for file in files]
        return pa.concat_tables(tables).combine_chunks()
    except (pa.ArrowException, OSError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(f"{path}: cannot be read: {reason}") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{folder / STATE}: damaged, or not a file of save_to_disk") from None


def _read_stream(file: Path) -> Any:
    pa, _ = pyarrow()
    with pa.memory_map(str(file)) as source:
        return pa.ipc.open_stream(source).read_all()
