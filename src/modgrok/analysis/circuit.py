"""A network on one task: its activations over all pairs and its weights, ready to be looked at."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from modgrok.analysis.activations import chosen_of, readable, run_in_parts
from modgrok.analysis.clock import Clock
from modgrok.analysis.clock_or_pizza import ClockOrPizza, clock_or_pizza
from modgrok.analysis.clocked_pairs import ClockedPairs
from modgrok.analysis.general_measures import GeneralMeasures, general_measures
from modgrok.analysis.group_measures import GroupMeasures, key_irreps, measure_group
from modgrok.analysis.group_neurons import GroupNeurons, group_neurons
from modgrok.analysis.group_sums import GroupActivations, GroupSums
from modgrok.analysis.logits import ClassLogits, ClassSums, LogitDirections, logit_directions
from modgrok.analysis.measures import Measures, measure
from modgrok.analysis.neurons import Tuning, TuningSums
from modgrok.analysis.path_weights import path_weights
from modgrok.analysis.phase_relation import InputSums, PhaseRelation, covers_grid, phase_relation
from modgrok.analysis.task_view import TaskView
from modgrok.analysis.without import without
from modgrok.models import EditedNetwork, Network, ReadoutPaths
from modgrok.models.losses import CROSS_ENTROPY, Loss
from modgrok.tasks import Task

MAX_KEPT_BYTES = 64 << 20
"""Logits of the training pairs up to this size are kept; larger ones are computed again where they are needed."""


@dataclass(frozen=True, eq=False)
class Attention:
    """Where each of n pairs attends to.

    Attributes:
        scores: (n, h, t), from the last position.
        pattern: (n, h, t), from the last position.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import read_circuit, task_views
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> circuit = read_circuit(network, task_views(data)[0])
        >>> circuit.attention.pattern.shape  # (n, h, t)
        torch.Size([121, 2, 3])
    """

    scores: Tensor
    pattern: Tensor


@dataclass(frozen=True, eq=False)
class Circuit:
    """What one network does with one task, read from its last layer.

    Neurons and logits of all pairs are not kept: they take 6 GiB at p = 997. What needs them runs the network again.

    Attributes:
        view: the task and its n pairs.
        network: the network whose weights these are.
        pair_loss: the loss that the network was trained on.
        losses: (n,) float64, that of each pair.
        right: (n,) bool, whether each pair is answered right.
        right_logits: (n,) float64, the right answer's logit of each pair.
        margins: (n,) float64, by how much it is above the largest other logit.
        classes: the logits by class of pair; a ≥ p answers where the network has some that the task has not.
        tuning: which frequency each neuron of the last layer is tuned to.
        attention: the attention of the last layer; None where the network has none.
        group: its activations summed over the pairs of the task's group; None where the view has no group.
        phases: how the phases of the neurons relate; None where that is undefined.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import read_circuit, task_views
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> circuit = read_circuit(network, task_views(data)[0])
        >>> circuit.W_E.shape, circuit.W_logit.shape  # (s, d) and (m, p)
        (torch.Size([11, 8]), torch.Size([16, 11]))
    """

    view: TaskView
    network: Network
    pair_loss: Loss
    losses: Tensor
    right: Tensor
    right_logits: Tensor
    margins: Tensor
    classes: ClassLogits
    tuning: Tuning
    attention: Attention | None
    group: GroupActivations | None
    phases: PhaseRelation | None
    _training_logits: list[tuple[Tensor, Tensor]] | None

    @property
    def paths(self) -> ReadoutPaths:
        """Where the network has its circuit."""
        return readable(self.network)[1]

    @property
    def task(self) -> Task:
        """The task that the network does."""
        return self.view.task

    @property
    def name(self) -> str:
        """The task's name."""
        return self.view.task.name

    @property
    def clock(self) -> Clock:
        """The clock that the task is placed on."""
        return self.view.clocked_pairs.clock

    @property
    def W_E(self) -> Tensor:
        """(s, d): the embeddings of the operands' symbols."""
        return self.paths.W_E.detach()[: self.view.task.n_symbols]

    @property
    def W_logit(self) -> Tensor:
        """(m, p) float64: from the last layer's neurons to the task's answers, normalization left out."""
        return path_weights(*self.paths.to_logits.values())[:, : self.view.task.n_answers]

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

    @property
    def guess(self) -> float:
        """The loss of a uniform guess."""
        return self.pair_loss.of_a_guess(self.view.task.n_answers)

    @cached_property
    def directions(self) -> LogitDirections:
        """How much of the logits is cos(w_k(s − c))."""
        return logit_directions(self.classes)

    @property
    def keys(self) -> tuple[int, ...]:
        """The numbers of the key irreps on a group, the key frequencies on a clock."""
        return self.key_frequencies if self.group is None else key_irreps(self.group)

    @cached_property
    def group_neurons(self) -> GroupNeurons | None:
        """The neurons by irrep; None without a group, or where the neurons' inputs are not known."""
        return None if self.group is None else group_neurons(self.group)

    @property
    def operand_embeddings(self) -> list[Tensor]:
        """For each operand the rows of its symbols, (s, …), in the linear maps of its position alone."""
        s, by_position = self.view.task.n_symbols, self.paths.by_position
        if by_position is None:
            return [self.W_E for _ in self.view.operands]
        return [by_position[self.view.words.index(name), :s].detach() for name in self.view.operands]

    def measures(self, keys: Sequence[int] | None = None) -> Measures | GroupMeasures:
        """All progress measures of the clock or the group, for the circuit's own `keys` unless others are given."""
        if self.group is not None:
            x, y = self.operand_embeddings
            return measure_group(
                self.group,
                self.group_neurons,
                logits=self.training_logits(),
                embeddings=(x, y),
                W_logit=self.W_logit,
                weights=self.network.parameters(),
                answers=self.view.clocked_pairs.answers,
                keys=self.keys if keys is None else keys,
                loss=self.pair_loss,
            )
        return measure(
            self.view.clocked_pairs,
            logits=self.training_logits(),
            classes=self.classes,
            tuning=self.tuning,
            W_E=self.W_E,
            W_logit=self.W_logit,
            weights=self.network.parameters(),
            key_frequencies=keys,
            loss=self.pair_loss,
        )

    @cached_property
    def general_measures(self) -> GeneralMeasures:
        """Measures that need no clock, of W_logit in the order of the clock where an answer stands at each position."""
        order = _answers_in_order(self.view.clocked_pairs)
        return general_measures(self.margins, self.W_logit if order is None else self.W_logit[:, order])

    def clock_or_pizza(self, keys: Sequence[int] | None = None) -> ClockOrPizza:
        """How the network adds: the measures of Zhong et al. 2023 and the phase relation.

        Args:
            keys: the frequencies whose circles are isolated; the circuit's own unless given.
        """
        return clock_or_pizza(
            readable(self.network)[0],
            self.view,
            self.right_logits,
            self.phases,
            _answers_in_order(self.view.clocked_pairs),
            self.keys if keys is None else keys,
        )

    def all_measures(self, key_frequencies: Sequence[int] | None = None) -> dict[str, float | None]:
        """Every measure by its name; None where one is undefined for this network."""
        return {
            **self.measures(key_frequencies).scalars(),
            **self.general_measures.scalars(),
            **({} if self.group else self.clock_or_pizza(key_frequencies).scalars()),
        }

    def training_logits(self) -> Iterable[tuple[Tensor, Tensor]]:
        """The logits of the training pairs, of all where those are not known: indices, (i,), and (i, a), by part."""
        if self._training_logits is not None:
            return self._training_logits
        return self._compute_training_logits()

    def _compute_training_logits(self) -> Iterator[tuple[Tensor, Tensor]]:
        for part, logits, _ in run_in_parts(self.network, self.view):
            chosen = chosen_of(part, self.view.training)
            yield part[chosen], logits[chosen]

    def neurons(self, chosen: Sequence[int], pairs: Tensor | None = None) -> Tensor:
        """Compute the activations, (i, c), of c chosen neurons on some pairs, a (n,) mask, or on all."""
        return torch.cat(
            [
                kept[self.paths.neurons][chosen_of(part, pairs)][:, list(chosen)]
                for part, _, kept in run_in_parts(self.network, self.view)
            ]
        )

    def without(
        self,
        *,
        frequencies: Sequence[int] = (),
        irreps: Sequence[int] = (),
        heads: Sequence[int] = (),
        neurons: Sequence[int] = (),
    ) -> EditedNetwork:
        """Take frequencies or irreps out of the embedding, and heads and neurons out of the last layer; see `without`.

        Returns:
            What is left of the network, to be scored: `circuit.without(heads=[0])(tokens)` are logits, (n, p).

        Raises:
            InputError: if there is no such part.
        """
        shared = readable(self.network)[0]
        return without(
            shared, self.view, frequencies=frequencies, irreps=irreps, heads=heads, neurons=neurons
        )

    def answered_right(self, network: Network) -> Tensor:
        """Run another network over the task's n pairs: (n,) bool, whether each is answered right."""
        right = torch.empty_like(self.right)
        for part, logits, _ in run_in_parts(network, self.view):
            right[part] = logits.argmax(dim=1) == self.view.clocked_pairs.answers[part]
        return right

    def loss(self, pairs: Tensor) -> float:
        """The mean loss of the pairs in a (n,) mask."""
        return float(self.losses[pairs].mean())

    def accuracy(self, pairs: Tensor) -> float:
        """The share of the pairs in a (n,) mask that are answered right."""
        return float(self.right[pairs].double().mean())


@torch.no_grad()
def read_circuit(network: Network, view: TaskView, loss: Loss = CROSS_ENTROPY) -> Circuit:
    """Run a network over the pairs of a task, once, and sum what the analysis looks at.

    Raises:
        InputError: if the network has no readout paths.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import read_circuit, task_views
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> circuit = read_circuit(network, task_views(data)[0])
        >>> circuit.losses.shape
        torch.Size([121])
    """
    paths, n = readable(network)[1], len(view.tokens)
    answers, device = view.clocked_pairs.answers, view.tokens.device
    losses = torch.empty(n, dtype=torch.float64, device=device)
    right = torch.empty(n, dtype=torch.bool, device=device)
    attention: dict[str, Tensor] = {}
    training: list[tuple[Tensor, Tensor]] | None = []
    training_bytes = 0
    right_logits, margins = torch.empty_like(losses), torch.empty_like(losses)
    classes: ClassSums | None = None
    tuned: TuningSums | None = None
    grouped: GroupSums | None = None
    inputs: InputSums | None = None
    on_grid = view.group_pairs is None and covers_grid(view.clocked_pairs)
    order = _answers_in_order(view.clocked_pairs) if on_grid else None
    for part, logits, kept in run_in_parts(network, view):
        neurons = kept[paths.neurons]
        classes = classes or ClassSums(view.clocked_pairs, logits.shape[1])
        tuned = tuned or TuningSums(view.tuning_functions, neurons.shape[1])
        tuned.add(part, neurons)
        if order is not None and paths.inputs is not None:
            inputs = inputs or InputSums(view.clocked_pairs, neurons.shape[1])
            inputs.add(part, kept[paths.inputs])
        exact = logits.double()
        classes.add(part, exact)
        if view.group_pairs is not None:
            grouped = grouped or GroupSums(view.group_pairs, neurons.shape[1], paths.inputs is not None)
            grouped.add(part, exact, neurons, kept.get(paths.inputs or ""))
        losses[part] = loss(exact, answers[part]).double()
        right[part] = logits.argmax(dim=1) == answers[part]
        of_answers = answers[part, None]
        right_logits[part] = exact.gather(1, of_answers)[:, 0]
        margins[part] = right_logits[part] - exact.scatter(1, of_answers, -torch.inf).amax(1)
        if training is not None:
            chosen = chosen_of(part, view.training)
            training.append((part[chosen], logits[chosen]))
            training_bytes += training[-1][1].nbytes
            if training_bytes > MAX_KEPT_BYTES:
                training = None
        for name in paths.attention or ():
            rows = kept[name]
            attention.setdefault(name, rows.new_empty(n, *rows.shape[1:]))[part] = rows
    assert classes is not None
    assert tuned is not None
    circuit = Circuit(
        view,
        network,
        loss,
        losses,
        right,
        right_logits,
        margins,
        classes.result(),
        tuned.result(),
        Attention(*attention.values()) if attention else None,
        grouped.result() if grouped else None,
        None,
        training,
    )
    if inputs is None or order is None:
        return circuit
    return replace(circuit, phases=phase_relation(inputs, circuit.W_logit[:, order]))


def _answers_in_order(pairs: ClockedPairs) -> Tensor | None:
    """The answer at each position of the clock, (q,); None where there is not another one at each."""
    order = pairs.answer_at
    return order if bool((order >= 0).all()) and len(order.unique()) == len(order) else None
