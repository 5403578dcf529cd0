"""A network on one task: its activations over all pairs and its weights, ready to be looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from modgrok.analysis.clock import Clock
from modgrok.analysis.logits import CHUNK, ClassLogits, ClassSums, LogitDirections, logit_directions
from modgrok.analysis.measures import Measures, measure
from modgrok.analysis.neurons import Tuning, TuningSums
from modgrok.analysis.path_weights import path_weights
from modgrok.analysis.task_view import TaskView
from modgrok.errors import InputError
from modgrok.models import Network, ReadoutPaths, SharedRowsNetwork, class_path
from modgrok.models.shared_rows import SharedRows
from modgrok.tasks import Task


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

    No logits and no neurons of all pairs are kept: they take 6 GiB at p = 997. What needs them runs the network again.

    Attributes:
        view: the task and its n pairs.
        network: whose weights these are.
        losses: (n,) float64, the cross-entropy of each pair.
        right: (n,) bool, whether each pair is answered right.
        classes: the logits by class of pair; a ≥ p answers where the network has some that the task has not.
        tuning: which frequency each neuron of the last layer is tuned to.
        attention: of the last layer; None where the network has none.
    """

    view: TaskView
    network: Network
    losses: Tensor
    right: Tensor
    classes: ClassLogits
    tuning: Tuning
    attention: Attention | None

    @property
    def paths(self) -> ReadoutPaths:
        """Where in the network its circuit is."""
        return _readable(self.network)[1]

    @property
    def task(self) -> Task:
        """The task that it does."""
        return self.view.task

    @property
    def name(self) -> str:
        """The task's name."""
        return self.view.task.name

    @property
    def clock(self) -> Clock:
        """The clock that the task is looked at with."""
        return self.view.domain.clock

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

    @property
    def key_frequencies(self) -> tuple[int, ...]:
        """The frequencies that the neurons are tuned to."""
        return self.tuning.key_frequencies

    @cached_property
    def directions(self) -> LogitDirections:
        """How much of the logits is cos(w_k(s − c))."""
        return logit_directions(self.classes)

    def measures(self, key_frequencies: Sequence[int] | None = None) -> Measures:
        """All progress measures, for the circuit's own key frequencies unless others are given: `measure`."""
        return measure(
            self.view.domain,
            logits=self.logits(self.view.training),
            classes=self.classes,
            tuning=self.tuning,
            W_E=self.W_E,
            W_logit=self.W_logit,
            weights=self.network.parameters(),
            key_frequencies=key_frequencies,
        )

    def logits(self, pairs: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Compute the logits of some pairs, a (n,) mask, or of all: their indices, (i,), and (i, a), part by part."""
        for part, logits, _ in _run(self.network, self.view, pairs):
            yield part, logits

    def neurons(self, chosen: Sequence[int], pairs: Tensor | None = None) -> Tensor:
        """Compute the activations, (i, c), of c chosen neurons on some pairs, a (n,) mask, or on all."""
        parts = _run(self.network, self.view, pairs)
        return torch.cat([kept[self.paths.neurons][:, list(chosen)] for _, _, kept in parts])

    def loss(self, pairs: Tensor) -> float:
        """The mean cross-entropy, in float64, of the pairs in a (n,) mask."""
        return float(self.losses[pairs].mean())

    def accuracy(self, pairs: Tensor) -> float:
        """The share of the pairs in a (n,) mask that are answered right."""
        return float(self.right[pairs].double().mean())


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


@torch.no_grad()
def _run(
    network: Network, view: TaskView, pairs: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor, dict[str, Tensor]]]:
    """Run a network over some pairs, or all: their indices, logits, and neurons and attention, part by part."""
    shared, paths = _readable(network)
    if pairs is None:
        pairs = torch.ones(len(view.tokens), dtype=torch.bool, device=view.tokens.device)
    for part in pairs.nonzero().squeeze(1).split(CHUNK):
        last = _Last([paths.neurons, *(paths.attention or ())])
        logits = shared.forward_shared(shared.prepare(view.tokens[part]), last)
        n = len(part)
        kept = {name: rows.expand(n, *rows.shape[1:]) for name, rows in last.kept.items()}
        yield part, logits.expand(n, -1), kept


@torch.no_grad()
def read_circuit(network: Network, view: TaskView) -> Circuit:
    """Run a network over the pairs of a task, once, and sum what the analysis looks at.

    Raises:
        InputError: if the network has no readout paths.
    """
    paths, n = _readable(network)[1], len(view.tokens)
    answers = view.domain.answers
    losses = torch.empty(n, dtype=torch.float64, device=view.tokens.device)
    right = torch.empty(n, dtype=torch.bool, device=view.tokens.device)
    attention: dict[str, Tensor] = {}
    classes: ClassSums | None = None
    tuned: TuningSums | None = None
    for part, logits, kept in _run(network, view):
        neurons = kept[paths.neurons]
        classes = classes or ClassSums(view.domain, logits.shape[1])
        tuned = tuned or TuningSums(view.domain, neurons.shape[1])
        exact = logits.double()
        classes.add(part, exact)
        tuned.add(part, neurons)
        losses[part] = torch.nn.functional.cross_entropy(exact, answers[part], reduction="none")
        right[part] = logits.argmax(dim=1) == answers[part]
        for name in paths.attention or ():
            rows = kept[name]
            attention.setdefault(name, rows.new_empty(n, *rows.shape[1:]))[part] = rows
    assert classes is not None
    assert tuned is not None
    return Circuit(
        view,
        network,
        losses,
        right,
        classes.result(),
        tuned.result(),
        Attention(*attention.values()) if attention else None,
    )
