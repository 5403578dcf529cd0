"""The config of a run, in its directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lightning.pytorch import Callback, LightningModule, Trainer

from modgrok.runs.whole_files import write_whole


class SaveConfig(Callback):
    """Writes the config when the training begins: a run that cannot begin leaves nothing.

    Args:
        name: the name of the file.
        dump: returns its text.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok.callbacks import SaveConfig
        >>> trainer = Trainer(callbacks=[SaveConfig("config.yaml", lambda: "data: {}")])
    """

    def __init__(self, name: str, dump: Callable[[], str]) -> None:
        super().__init__()
        self.name, self.dump = name, dump

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the config."""
        write_whole(Path(trainer.log_dir or trainer.default_root_dir) / self.name, self.dump())
