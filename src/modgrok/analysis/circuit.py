"""A network on one task: its activations over all pairs and its weights, ready to be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from modgrok.analysis.logits import ClassLogits, LogitDirections, logit_directions, sum_logits_by_class
from modgrok.analysis.measures import Measures, measure
from modgrok.analysis.neurons import Tuning, tuning
from modgrok.analysis.path_weights import path_weights
from modgrok.analysis.progress import cross_entropy
from modgrok.analysis.task_view import TaskView
from modgrok.errors import InputError
from modgrok.models import Network, ReadoutPaths, SharedRowsNetwork, class_path
from modgrok.models.shared_rows import SharedRows

# Pairs that go through the network at a time: an activation of 512 neurons is 32 MiB.
_CHUNK = 16384


@dataclass(frozen=True, eq=False)
class Attention:
    """Where each of n pairs attends to.

    Attributes:
        scores: (n, h, t), from the last position.
        pattern: (n, h, t), from the last position.
    """

    scores: Tensor
    pattern: Tensor


@dataclass(frozen=True, eq=False)
class Circuit:
    """What one network does with one task; of several layers, the last.

    Attributes:
        view: the task and its n pairs.
        network: whose weights these are.
        logits: (n, a) at the last position; a ≥ p where the network has answers that the task has not.
        neurons: (n, m), of the last layer at the last position.
        attention: of the last layer; None where the network has none.
    """

    view: TaskView
    network: Network
    logits: Tensor
    neurons: Tensor
    attention: Attention | None

    @property
    def paths(self) -> ReadoutPaths:
        """Where in the network its circuit is."""
        return _readable(self.network)[1]

    @property
    def W_E(self) -> Tensor:
        """(s, d): the embeddings of the operands' symbols."""
        return self.paths.W_E.detach()[: self.view.task.n_symbols]

    @property
    def W_logit(self) -> Tensor:
        """(m, p) float64: from the last layer's neurons to the task's answers, normalization left out."""
        return path_weights(*self.paths.to_logits.values())[:, : self.view.domain.clock.modulus]

    @property
    def W_neur(self) -> Tensor | None:
        """(h, s, m) float64: from the symbols through each head of the last layer straight to its neurons.

        Without attention one path takes the place of the heads. None where no such path is made of weights alone:
        in an MLP of several hidden layers.
        """
        path = self.paths.to_neurons.values()
        if not path:
            return None
        through = path_weights(self.W_E, *path)
        return through.view(-1, *through.shape[-2:])

    @cached_property
    def tuning(self) -> Tuning:
        """Which frequency each neuron is tuned to."""
        return tuning(self.neurons, self.view.domain)

    @property
    def key_frequencies(self) -> tuple[int, ...]:
        """The frequencies that the neurons are tuned to."""
        return self.tuning.key_frequencies

    @cached_property
    def classes(self) -> ClassLogits:
        """The logits by class of pair."""
        return sum_logits_by_class(self.logits, self.view.domain)

    @cached_property
    def directions(self) -> LogitDirections:
        """How much of the logits is cos(w_k(s − c))."""
        return logit_directions(self.classes)

    def measures(self, key_frequencies: Sequence[int] | None = None) -> Measures:
        """All progress measures, for the circuit's own key frequencies unless others are given: `measure`."""
        return measure(
            self.view.domain,
            logits=self.logits,
            classes=self.classes,
            tuned=self.tuning,
            W_E=self.W_E,
            W_logit=self.W_logit,
            weights=self.network.parameters(),
            training=self.view.training,
            key_frequencies=key_frequencies,
        )

    def loss(self, pairs: Tensor) -> float:
        """The cross-entropy, in float64, of the pairs in a (n,) mask."""
        return cross_entropy(self.logits, self.view.domain.answers, pairs)

    def accuracy(self, pairs: Tensor) -> float:
        """The share of the pairs in a (n,) mask that are answered right."""
        right = self.logits.argmax(dim=1) == self.view.domain.answers
        return float(right[pairs].double().mean())


class _Last:
    """A point of the network that keeps the last position of some activations."""

    def __init__(self, names: Sequence[str]) -> None:
        self.kept = dict.fromkeys(names, torch.empty(0))

    def __call__(self, name: str, rows: list[SharedRows], dim: int = 1) -> list[SharedRows]:
        if name in self.kept:
            self.kept[name] = rows[-1].expand_rows()
        return rows


def _readable(network: Network) -> tuple[SharedRowsNetwork, ReadoutPaths]:
    """Return a network and its readout paths.

    Raises:
        InputError: if it has none.
    """
    paths = network.readout_paths
    if paths is None or not isinstance(network, SharedRowsNetwork):
        raise InputError(
            f"no circuit reading for {class_path(network)}: it has no readout_paths; losses and curves only"
        )
    return network, paths


def circuit_bytes(network: Network, view: TaskView) -> int:
    """Return the memory that the circuit's logits and neurons take, in bytes."""
    neurons, *_ = _readable(network)[1].to_logits.values()
    numbers = len(view.tokens) * (network.config["n_answers"] + len(neurons))
    return numbers * neurons.element_size()


@torch.no_grad()
def read_circuit(network: Network, view: TaskView) -> Circuit:
    """Run a network over the pairs of a task and keep what the analysis looks at."""
    (shared, paths), n = _readable(network), len(view.tokens)
    names = [paths.neurons, *(paths.attention or ())]
    kept: dict[str, Tensor] = {}  # filled in place: joining chunks would take twice the memory
    for start in range(0, n, _CHUNK):
        tokens, point = view.tokens[start : start + _CHUNK], _Last(names)
        logits = shared.forward_shared(shared.prepare(tokens), point)
        for name, rows in {"logits": logits, **point.kept}.items():
            if name not in kept:
                kept[name] = rows.new_empty(n, *rows.shape[1:])
            kept[name][start : start + len(tokens)] = rows
    logits, neurons, *attention = kept.values()
    return Circuit(view, network, logits, neurons, Attention(*attention) if attention else None)
