"""What every network of modgrok is, whatever it computes."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

import torch
from torch import Tensor, nn

from modgrok.errors import InputError, brief
from modgrok.models.readout_paths import ReadoutPaths


class Network(nn.Module, ABC):
    """Maps n examples of t tokens to logits over the p answers: all that training, testing and predicting need.

    A subclass defines `__init__(vocabulary_size, n_answers, context_length, …)` and `forward`. It is read back from
    a checkpoint by its class path, its constructor's arguments and its state dict; see `restoring`.

    Args:
        config: the constructor's arguments by name, as plain JSON data. They are recorded by themselves unless given.

    Example:
        >>> import torch
        >>> from modgrok import Network
        >>> class Bag(Network):
        ...     def __init__(self, vocabulary_size: int, n_answers: int, context_length: int) -> None:
        ...         super().__init__()
        ...         self.embed = torch.nn.EmbeddingBag(vocabulary_size, n_answers)
        ...     def forward(self, tokens):
        ...         return self.embed(tokens)
        >>> Bag(12, 11, 3).config
        {'vocabulary_size': 12, 'n_answers': 11, 'context_length': 3}
    """

    sees_order: bool = True
    """Whether the logits depend on the order of an example's tokens."""

    config: dict[str, Any]
    """The constructor's arguments by name."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        register(cls)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Record the arguments of the outermost constructor: a subclass may have others than its base."""
        network = super().__new__(cls)
        with suppress(TypeError):  # deepcopy passes no arguments; wrong arguments are refused by `__init__`
            network.config = _arguments(cls, args, kwargs)
        return network

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        if config is not None:
            self.config = dict(config)

    @abstractmethod
    def forward(self, tokens: Any) -> Tensor:
        """Compute the logits, (n, p), of tokens (n, t), or of what `prepare` made of them."""

    def prepare(self, tokens: Tensor, like: Any = None) -> Any:
        """Return what `forward` takes for tokens (n, t) that are used many times.

        Args:
            tokens: the tokens of the examples.
            like: the result of `prepare` for all training pairs, if the examples are a mini-batch of them. Mini-batches
                of one size are then prepared in one shape, so that `forward` is compiled once for all of them.
        """
        return tokens

    @property
    def readout_paths(self) -> ReadoutPaths | None:
        """Where the analysis finds the circuit; None if it cannot be read."""
        return None

    def part_of(self, parameter_name: str) -> str:
        """Return the part that a parameter belongs to: its top-level child unless a subclass says otherwise."""
        return parameter_name.partition(".")[0]

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that can be pretrained or frozen by themselves."""
        return tuple(dict.fromkeys(self.part_of(name) for name, _ in self.named_parameters()))

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device


def _arguments(kind: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a constructor's arguments by name, defaults included."""
    bound = inspect.signature(kind).bind(*args, **kwargs)
    bound.apply_defaults()
    by_name = dict(bound.arguments)
    for name, parameter in bound.signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            by_name |= by_name.pop(name)
    return by_name


_CLASSES: dict[str, type[Network]] = {}


def register(kind: type[Network]) -> None:
    """Make a network class known by its class path."""
    _CLASSES[class_path(kind)] = kind


def class_path(network: Network | type[Network]) -> str:
    """Return `module.ClassName` of a network or its class; the built-ins are `modgrok.Transformer`, `modgrok.MLP`.

    Example:
        >>> from modgrok import MLP
        >>> from modgrok.models import class_path
        >>> class_path(MLP)
        'modgrok.MLP'
    """
    kind = network if isinstance(network, type) else type(network)
    module = "modgrok" if kind.__module__.startswith("modgrok.") else kind.__module__
    return f"{module}.{kind.__qualname__}"


def network_class(path: str) -> type[Network]:
    """Return the network class of that class path.

    Raises:
        InputError: if no module that was imported defines it.

    Example:
        >>> from modgrok.models import network_class
        >>> network_class("modgrok.Transformer").__name__
        'Transformer'
    """
    kind = _CLASSES.get(path)
    if kind is None or inspect.isabstract(kind):
        raise InputError(
            f"no network class {brief(path)} is known; from Python, import the module that defines it first; "
            "modgrok fit, test and predict take it as --model.network"
        )
    return kind
