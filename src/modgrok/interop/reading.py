"""How weights are read: what their file does not say is told by the user, or tried on the task itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import torch

from modgrok.data import ModularData
from modgrok.errors import InputError
from modgrok.interop.blueprint import Blueprint
from modgrok.interop.own_numbering import in_own_numbering
from modgrok.models import Network
from modgrok.models.losses import CROSS_ENTROPY

ANSWERS = 0.99
"""Share of the pairs that a network must answer right for a reading of it to be taken unasked."""

CLEARLY = 10.0
"""How many times the least loss a reading may have to be taken before rarer ones."""

_MOST_PAIRS = 16_384
"""Pairs that a reading is tried on, spread evenly over all."""


@dataclass(frozen=True)
class Reading:
    """What a user says of somebody else's network; None leaves it to the file, and then to trying.

    Attributes:
        tokens: the words of an example, such as `x y =`.
        activation: the activation of the neurons.
        normalization: `none`, `LN`, or `LNPre`, layer normalization folded into the weights.
        attention_rate: ρ, from 0 to 1.

    Example:
        >>> from modgrok.interop import Reading
        >>> Reading(activation="gelu").told
        {'activation': 'gelu'}
    """

    tokens: Sequence[str] | None = None
    activation: Literal["relu", "gelu", "square"] | None = None
    normalization: Literal["none", "LN", "LNPre"] | None = None
    attention_rate: float | None = None

    @property
    def told(self) -> dict[str, Any]:
        """What the user has told, the tokens as a list."""
        tokens = {"tokens": list(self.tokens)} if self.tokens else {}
        return {**self.settings, **tokens}

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the network among it."""
        names = ("activation", "normalization", "attention_rate")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, eq=False)
class Tried:
    """A reading that was built, and how well it does on the task.

    Attributes:
        settings: the settings of the network.
        network: a network with these settings.
        data: the pairs as it reads them.
        accuracy: share of the pairs tried that it answers right.
        loss: their mean cross-entropy.
    """

    settings: Mapping[str, Any]
    network: Network
    data: ModularData
    accuracy: float
    loss: float

    def __str__(self) -> str:
        words = " ".join(self.data.template.words)
        return f"tokens {words}; " + ", ".join(f"{name} {value}" for name, value in self.settings.items())


def settle(
    blueprint: Blueprint, known: Mapping[str, Any], formula: str, modulus: int, tokens: Sequence[str] | None
) -> tuple[Tried, list[Tried]]:
    """Choose how to read a network, and how it numbers the elements of a group; see `in_own_numbering`.

    Where file and user leave something open, every reading that the shapes allow is tried, and the most common one that
    answers the task is taken, unless another has a tenth of its loss. A smaller difference tells nothing: a published
    ReLU network has half its loss if it is read as GELU.

    Args:
        blueprint: the network.
        known: settings that the file or the user tells.
        formula: the task that it was trained on.
        modulus: p.
        tokens: the words of an example, if told.

    Returns:
        The reading, and the others that answer the task too, which the user should know of.

    Raises:
        InputError: if a known setting is impossible, the network does not fit the task, or no reading answers the task;
            the message lists those that were tried.
    """
    open_ = {}
    for name, value in known.items():
        if name not in blueprint.settings:
            raise InputError(f"{name}: {value} was given, and {blueprint.class_path} has no such setting")
    for name, values in blueprint.settings.items():
        open_[name] = (known[name],) if name in known else values
    if open_.get("normalization", ("none",))[0] != "LN" and "LN" in blueprint.settings.get(
        "normalization", ()
    ):
        raise InputError("normalization: the file has the weights of layer normalization, which is LN")
    if open_.get("normalization") == ("LN",) and "LN" not in blueprint.settings["normalization"]:
        raise InputError(
            "normalization: the file has no weights of layer normalization; where they were folded into others it is "
            "LNPre"
        )
    written = list(_written(blueprint, formula, modulus, tokens))
    chosen = [dict(zip(open_, values, strict=True)) for values in product(*open_.values())]
    tried = [_try(blueprint, settings, data) for data in written for settings in chosen]
    if all(one.accuracy < ANSWERS for one in tried):
        own = [(one, in_own_numbering(one.network, one.data)) for one in tried]
        renumbered = [_try(blueprint, one.settings, data) for one, data in own if data is not None]
        tried = renumbered or tried
    if len(tried) == 1:
        return tried[0], []
    if answering := [one for one in tried if one.accuracy >= ANSWERS]:
        least = min(one.loss for one in answering)
        chosen_one = next(one for one in answering if one.loss <= CLEARLY * least)
        return chosen_one, [one for one in answering if one is not chosen_one]
    asked = [name for name, values in open_.items() if len(values) > 1] + ["tokens"] * (len(written) > 1)
    best = sorted(tried, key=lambda one: -one.accuracy)[:4]
    listed = "; ".join(f"{one}: {one.accuracy:.1%} right" for one in best)
    more = f"; and {len(tried) - 4} more" if len(tried) > 4 else ""
    raise InputError(
        f"no reading of the network answers {formula} mod {modulus} ({listed}{more}); if it is right that it does not, "
        f"give what the file does not tell: {', '.join(f'--{name}' for name in asked)}"
    )


def _try(blueprint: Blueprint, settings: Mapping[str, Any], data: ModularData) -> Tried:
    network = blueprint.build(settings)
    step = -(-data.pairs.size // _MOST_PAIRS)
    with torch.no_grad():
        logits = network(data.pairs.tokens[::step]).double()
    answers = data.pairs.answers[::step]
    right = (logits.argmax(1) == answers).double().mean()
    return Tried(settings, network, data, float(right), float(CROSS_ENTROPY(logits, answers).mean()))


def _written(
    blueprint: Blueprint, formula: str, modulus: int, tokens: Sequence[str] | None
) -> Iterator[ModularData]:
    """Yield the task's pairs as the network may read them.

    Raises:
        InputError: if they have other sizes than the network.
    """
    data = ModularData(formula, modulus, template=list(tokens) if tokens else None)
    operands = [word for word in data.template.words if len(word) == 1 and word in "xyz"]
    written = (
        [list(tokens)]
        if tokens
        else [
            [*operands, "="],
            operands,
            [operands[0], "op", *operands[1:]],
            [operands[0], "op", *operands[1:], "="],
        ]
    )
    config, found = blueprint.config, False
    for words in written:
        data = ModularData(formula, modulus, template=words)
        if all(config[name] == getattr(data, name) for name in ("vocabulary_size", "context_length")):
            found = True
            yield data
    if not found:
        shown = " or ".join(" ".join(words) for words in written[:2])
        raise InputError(
            f"the network has {config['vocabulary_size']} tokens and {config['context_length']} positions, not those "
            f"of {formula} mod {modulus} written as {shown}; give another modulus, or --tokens"
        )
    if config["n_answers"] < data.n_answers:
        raise InputError(f"the network has {config['n_answers']} answers, not {data.n_answers}")
