"""A run on disk, read back: its network, its data, and what it logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from modgrok.capacity.memorizing.capacity_record import data_of_record, read_record
from modgrok.capacity.memorizing.earlier_people import EarlierPeople, read_earlier
from modgrok.capacity.memorizing.part_scores import Scores
from modgrok.capacity.networks.network_record import build
from modgrok.capacity.questions.codes import Rows
from modgrok.capacity.questions.profiles_data import ProfilesData
from modgrok.errors import InputError
from modgrok.runs import find_checkpoint


@dataclass(frozen=True)
class CapacityRun:
    """A trained network and what it was trained on.

    Attributes:
        path: The path of the checkpoint.
        network: The network with the checkpoint's weights.
        data: The data, made again from their recorded arguments.
        update: The number of updates that the network has had.
        history: The scores of every validation.
        seconds: Wall time of the training.
        threshold: The accuracy from which a set of questions counts as learned.
        earlier: The people that the network was trained on before those of the data, in the order of training.

    Example:
        >>> from modgrok import fit_capacity
        >>> config = {"data.n": 20, "data.notation": "tokens", "model.network": "modgrok.capacity.Llama"}
        >>> run = fit_capacity(config, {"trainer.max_steps": 2})
        >>> run.update, run.score("one_hop").accuracy
        (2, 0.0)
    """

    path: Path
    network: nn.Module
    data: ProfilesData
    update: int
    history: list[dict[str, float]]
    seconds: float
    threshold: float = 0.99
    earlier: Sequence[EarlierPeople] = ()

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

    def score(self, name: str, exact: bool = False) -> Scores:
        """Return the scores of one of the data's `scored_sets`, of a sample of a large one unless `exact`."""
        return score_rows(self.network, self.data, name, exact)


@torch.no_grad()
def score_rows(network: nn.Module, data: ProfilesData, name: str, exact: bool = False) -> Scores:
    """Score the rows of a set in chunks, a sample of a large set unless `exact`."""
    chunks = data.chunks(name, exact)
    scores = Scores(len(data.people.subjects), chunks.share)
    device = next(network.parameters(), torch.empty(0)).device
    for rows in chunks:
        on_device = Rows(*(column.to(device) for column in rows))
        scores.add(network, on_device, data.questions.scored_tokens)
    return scores


def load_capacity_run(path: Path | str) -> CapacityRun:
    """Read a run, or one of its checkpoints.

    Raises:
        InputError: if there is no checkpoint of this wing there, or its network or its data cannot be made again.

    Example:
        >>> from modgrok import fit_capacity
        >>> from modgrok.capacity import load_capacity_run
        >>> config = {"data.n": 20, "data.notation": "tokens", "model.network": "modgrok.capacity.Llama"}
        >>> trained = fit_capacity(config, {"trainer.max_steps": 2})
        >>> load_capacity_run("lightning_logs/version_0").parameters == trained.parameters
        True
    """
    file = find_checkpoint(Path(path))
    checkpoint, record = read_record(file)
    data = data_of_record(record, file)
    try:
        network = build(
            record["network"], data.vocabulary_size, data.context_length, record["network_config"]
        )
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    weights = checkpoint["state_dict"].items()
    network.load_state_dict({name.removeprefix("network."): weight for name, weight in weights})
    return CapacityRun(
        file,
        network.eval(),
        data,
        record["update"],
        record["history"],
        record["seconds"],
        record.get("threshold", 0.99),
        read_earlier(record),
    )
