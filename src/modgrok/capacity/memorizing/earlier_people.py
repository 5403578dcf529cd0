"""Training on with other people: the network of an earlier run, and the people that it was trained on before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from modgrok.capacity.memorizing.bits import Bits, memorized_bits
from modgrok.capacity.memorizing.capacity_record import data_of_record, read_record
from modgrok.capacity.memorizing.part_scores import Scores
from modgrok.capacity.networks.network_record import BEFORE_CLASS_PATHS, arguments, class_path
from modgrok.capacity.questions.codes import Rows
from modgrok.capacity.questions.profiles_data import ProfilesData
from modgrok.errors import InputError
from modgrok.runs import find_checkpoint

LANGUAGE = ("notation", "alphabet", "name_words", "attributes", "relations", "comparisons")
"""The arguments of data that two sets of people must share for the tokens of both to mean the same kinds of things."""


@dataclass(frozen=True)
class EarlierPeople:
    """People that a network was trained on before those of its run, as a checkpoint records them.

    Attributes:
        run: The run that was trained on them, or its checkpoint, as it was given.
        update: The number of updates of that run.
        record: The arguments of its data, and their digests.
    """

    run: str
    update: int
    record: Mapping[str, Any]

    @cached_property
    def data(self) -> ProfilesData:
        """The data, made again.

        Raises:
            InputError: if they are not those that were trained on, or cannot be made.
        """
        return data_of_record(self.record, Path(self.run))

    def shared_names(self, data: ProfilesData) -> int:
        """Return how many names of other data are, token by token, names of these people too."""
        ours, theirs = (
            {tuple(name) for name in one.notation.names.tokens.tolist()} for one in (self.data, data)
        )
        return len(ours & theirs)

    def bits(self, scores: Scores) -> Bits:
        """Return the bits of these people that scores of their one-hop facts show to be known."""
        return memorized_bits(self.data.people, self.data.notation.dictionaries, scores)

    def plain(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return asdict(self)


def set_name(number: int) -> str:
    """Return the name of the earlier people of a number, from 0 in the order of training, in scores and figures."""
    return f"set_{number + 1}"


def load_earlier(network: nn.Module, path: str) -> list[EarlierPeople]:
    """Put the weights of a run, or of a checkpoint, into a network; return the people that it was trained on.

    Raises:
        InputError: if there is no such checkpoint, or its network is another.
    """
    file = find_checkpoint(Path(path))
    checkpoint, record = read_record(file)
    theirs = {
        "class": BEFORE_CLASS_PATHS.get(record["network"], record["network"]),
        **record["network_config"],
    }
    ours = {"class": class_path(network), **arguments(network)}
    changed = [
        f"{name} is {ours.get(name)} here and {theirs.get(name)} there"
        for name in ours | theirs
        if ours.get(name) != theirs.get(name)
    ]
    weights = {name.removeprefix("network."): weight for name, weight in checkpoint["state_dict"].items()}
    shapes = {name: tuple(weight.shape) for name, weight in network.state_dict().items()}
    changed += [
        f"{name} is {shapes.get(name)} here and {tuple(weight.shape)} there"
        for name, weight in weights.items()
        if shapes.get(name) != tuple(weight.shape)
    ]
    if changed:
        raise InputError(f"pretrained: {path} has another network: {'; '.join(changed[:3])}")
    network.load_state_dict(weights)
    last = EarlierPeople(
        path,
        record["update"],
        {"data": record["data"], "digests": record.get("digests", {})},
    )
    return [*read_earlier(record), last]


def read_earlier(record: Mapping[str, Any]) -> list[EarlierPeople]:
    """Return the people that a checkpoint records its network to have been trained on before those of its run."""
    return [EarlierPeople(**entry) for entry in record.get("earlier", ())]


def with_earlier(rows: Rows, earlier: Sequence[EarlierPeople], update: int, share: float) -> Rows:
    """Return the rows of an update with rows about earlier people below, `share` for every row, of each set alike."""
    wanted = round(share * len(rows.tokens) / len(earlier))
    batches = [rows]
    for people in earlier:
        numbers = people.data.one_hop_order.take(update * wanted, wanted)
        batches.append(
            Rows(*(column.to(rows.tokens.device) for column in people.data.questions.one_hop(numbers)))
        )
    return Rows(*(torch.cat(columns) for columns in zip(*batches, strict=True)))


def check_earlier(earlier: Sequence[EarlierPeople], data: ProfilesData) -> None:
    """Check that a network that knows the language of earlier people can be trained on these.

    Raises:
        InputError: naming the field.
    """
    for one in earlier:
        before, seeds = one.data, (one.data.config["seed"], data.config["seed"])
        if any("text" in of.config["notation"] for of in (data, before)):
            raise InputError(
                "data.notation: text trains its tokenizer on the people, so that other people have other tokens; "
                "to train on, take tokens or biographies"
            )
        for name in LANGUAGE:
            if data.config[name] != before.config[name]:
                raise InputError(
                    f"data.{name}: {one.run} was trained with {before.config[name]}, got {data.config[name]}"
                )
        if seeds[0] == seeds[1] and not (data.config["profiles"] or before.config["profiles"]):
            raise InputError(
                f"data.seed must be another than {seeds[0]}, that of {one.run}: it would draw the same names again"
            )
        if data.people.digest == before.people.digest:
            raise InputError(f"data: these are the people that {one.run} was trained on")
        if before.context_length != data.context_length:
            raise InputError(
                f"data: rows have {data.context_length} tokens, those that {one.run} was trained on "
                f"{before.context_length}"
            )
