"""Profiles, and the questions about them, for a Trainer: in batches, from the update that a run has come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lightning.pytorch import LightningDataModule
from lightning.pytorch.utilities.parsing import AttributeDict

from modgrok.capacity.questions.chunks import Chunks
from modgrok.capacity.questions.codes import Rows
from modgrok.capacity.questions.profiles_data import ProfilesData

UPDATES_AT_ONCE = 64  # of batches made together


class ProfilesDataModule(ProfilesData, LightningDataModule):
    """People and the questions about them as a Trainer takes them, with the arguments of `ProfilesData`.

    Example:
        >>> from modgrok.capacity import ProfilesDataModule
        >>> data = ProfilesDataModule(n=20, relations=2, notation="tokens", hops=2, held_out={}, phi=1)
        >>> data.size("one_hop"), data.size("two_hop"), data.size("in_in")
        (120, 120, 120)
    """

    @property
    def hparams(self) -> AttributeDict:
        """The arguments, as Lightning keeps them in a checkpoint."""
        return AttributeDict(self.config)

    def train_dataloader(self) -> Iterator[Rows]:
        """Yield the batches from the update that the trainer has come to, without end."""
        update = self.trainer.global_step if self.trainer else 0
        while True:
            count = 1 if self.inferred and self._one_hop_only(update) else UPDATES_AT_ONCE
            yield from self.batches(update, count)
            update += count

    def val_dataloader(self) -> list[Chunks]:
        """Return the rows of every scored set."""
        return [self.chunks(name) for name in self.scored_sets]

    test_dataloader = val_dataloader

    def state_dict(self) -> dict[str, Any]:
        """Return what the seed does not decide: where the curriculum came to two hops."""
        return {"mixed_from": self.mixed_from}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore it."""
        self.mixed_from = state_dict["mixed_from"]
