"""How a Trainer writes and reads checkpoints: whole or not at all, as plain data and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins import TorchCheckpointIO
from torch.serialization import get_unsafe_globals_in_checkpoint

from modgrok.errors import RunStoppedError
from modgrok.runs.checkpoint import load_data
from modgrok.runs.whole_files import whole_file


class AtomicCheckpointIO(TorchCheckpointIO):
    """Checkpoints that are there whole or not at all, and that are read without executing anything."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write `checkpoint` whole, and only if `load_data` can read it back.

        Raises:
            RunStoppedError: if it holds more than data, such as an object in the state of a callback.
        """
        with whole_file(Path(path), sync=True) as file:
            torch.save(checkpoint, file)
            file.seek(0)
            if unsafe := get_unsafe_globals_in_checkpoint(file):
                raise RunStoppedError(
                    f"{path} could not be read back: it holds {', '.join(sorted(unsafe)[:3])}, and not only data; "
                    "keep numbers, strings, lists, dicts and tensors in the state of callbacks and optimizers"
                )

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = True
    ) -> dict[str, Any]:
        """Read a checkpoint onto the CPU, as data whatever `weights_only` says; see `load_data`."""
        content: dict[str, Any] = load_data(Path(path))
        return content
