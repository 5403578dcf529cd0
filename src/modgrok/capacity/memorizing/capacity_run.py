"""A run on disk, read back: its network, its data, and what it logged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from modgrok.capacity.memorizing.capacity_module import RECORD
from modgrok.capacity.memorizing.part_scores import Scores
from modgrok.capacity.networks.llama import Llama
from modgrok.capacity.networks.transformers_llama import TransformersLlama
from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule
from modgrok.errors import InputError
from modgrok.runs import find_checkpoint
from modgrok.runs.checkpoint import load_data

NETWORKS: dict[str, type[nn.Module]] = {"Llama": Llama, "TransformersLlama": TransformersLlama}


@dataclass(frozen=True)
class CapacityRun:
    """A trained network and what it was trained on.

    Attributes:
        path: of the checkpoint.
        network: with the checkpoint's weights.
        data: made again from its recorded arguments.
        update: the updates that the network has had.
        history: what was logged at every validation.
        seconds: wall time of the training.
    """

    path: Path
    network: nn.Module
    data: ProfilesDataModule
    update: int
    history: list[dict[str, float]]
    seconds: float

    @property
    def parameters(self) -> int:
        """All parameters, P."""
        return sum(weight.numel() for weight in self.network.parameters())

    @property
    def parameters_without_embeddings(self) -> int:
        """Parameters but for the embedding of tokens and the readout of logits."""
        named = self.network.named_parameters()
        return sum(w.numel() for name, w in named if "embed_tokens" not in name and "lm_head" not in name)

    @property
    def name(self) -> str:
        """Its directory."""
        return str(self.path.parents[1])

    def score(self, name: str) -> Scores:
        """Return exact scores of all rows of one of the data's `scored_sets`."""
        return score_rows(self.network, self.data, name)


@torch.no_grad()
def score_rows(network: nn.Module, data: ProfilesDataModule, name: str) -> Scores:
    """Score every row of a set, in chunks."""
    scores = Scores(len(data.people.subjects))
    for rows in data.chunks(name):
        scores.add(network(rows.tokens), rows)
    return scores


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of this wing, weights and plain data only.

    Raises:
        InputError: if it is another file.
    """
    checkpoint = load_data(path)
    if isinstance(checkpoint, dict) and RECORD in checkpoint:
        return checkpoint
    if isinstance(checkpoint, dict) and "modgrok" in checkpoint:
        raise InputError(f"{path}: a checkpoint of a grokking network; modgrok analyze opens it")
    raise InputError(f"{path}: not a checkpoint of modgrok capacity fit")


def load_run(path: Path | str) -> CapacityRun:
    """Read a run, or one of its checkpoints.

    Raises:
        InputError: if there is no checkpoint of this wing there.
    """
    file = find_checkpoint(Path(path))
    checkpoint = read_checkpoint(file)
    record = checkpoint[RECORD]
    if record["network"] not in NETWORKS:
        raise InputError(f"{file}: its network {record['network']!r} is not one of {', '.join(NETWORKS)}")
    data = ProfilesDataModule(**record["data"])
    network = NETWORKS[record["network"]](
        data.vocabulary_size, data.context_length, **record["network_config"]
    )
    weights = checkpoint["state_dict"].items()
    network.load_state_dict({name.removeprefix("network."): weight for name, weight in weights})
    return CapacityRun(file, network.eval(), data, record["update"], record["history"], record["seconds"])
