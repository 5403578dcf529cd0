"""What the analysis of a run, or of a single network, found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from modgrok.analysis.causal_worth import Worth, causal_worth
from modgrok.analysis.circuit import Circuit, read_circuit
from modgrok.analysis.clock_or_pizza import ClockOrPizza
from modgrok.analysis.general_measures import GeneralMeasures
from modgrok.analysis.group_measures import GroupMeasures
from modgrok.analysis.learning_coefficient import SGLD, LearningCoefficient, learning_coefficient
from modgrok.analysis.measures import Measures
from modgrok.analysis.phases import Phase, find_phases
from modgrok.analysis.single_task_runs import SingleTaskRun, read_single_task_runs
from modgrok.analysis.task_view import BasisName, task_views
from modgrok.errors import InputError
from modgrok.runs import History, Snapshot, load_snapshot

MAX_KEPT_BYTES = 256 << 20
"""Weights of earlier checkpoints up to this size are kept; of more, every second checkpoint's."""

MOST_PAIRS = 200_000
"""Pairs for which the network is run again without each of its parts; p = 997 would take many minutes."""


@dataclass(frozen=True)
class CheckpointScores:
    """One task at one checkpoint.

    What depends on the split is None where the split is not known; so are the accuracies over new and over known
    held-out pairs where there are none.

    Example:
        >>> from modgrok.analysis import CheckpointScores
        >>> [name for name in CheckpointScores.__dataclass_fields__][:3]
        ['update', 'loss', 'accuracy']
    """

    update: int
    loss: float
    accuracy: float
    train_loss: float | None
    train_accuracy: float | None
    heldout_loss: float | None
    heldout_accuracy: float | None
    heldout_accuracy_new: float | None
    heldout_accuracy_known: float | None
    measures: Measures | GroupMeasures
    general: GeneralMeasures
    clock_or_pizza: ClockOrPizza | None

    def row(self) -> dict[str, float | None]:
        """Return one flat row: update, losses and accuracies, then every progress measure."""
        measured = ("measures", "general", "clock_or_pizza")
        scores = {name: value for name, value in vars(self).items() if name not in measured}
        return {
            **scores,
            **self.measures.scalars(),
            **self.general.scalars(),
            **(self.clock_or_pizza.scalars() if self.clock_or_pizza else {}),
        }


@dataclass(frozen=True, eq=False)
class TaskAnalysis:
    """What was found of one task.

    Attributes:
        circuit: the circuit of the last network looked at.
        moments: the scores at each checkpoint; the last are those of the circuit.
        phases: the phases of the run; empty where there are no checkpoints to compare or the split is not known.
        right: for each moment (⌈n/8⌉,) uint8, one bit per pair: whether it is answered right.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import analyze_network
        >>> from modgrok.runs import History, Snapshot
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> snapshot = Snapshot(network, data, update=0, history=History())
        >>> (task,) = analyze_network(snapshot, source="my network").tasks
        >>> task.last.update
        0
    """

    circuit: Circuit
    moments: tuple[CheckpointScores, ...]
    phases: tuple[Phase, ...]
    right: tuple[npt.NDArray[np.uint8], ...]

    @property
    def last(self) -> CheckpointScores:
        """The scores of the network that was analyzed."""
        return self.moments[-1]

    @cached_property
    def worth(self) -> tuple[Worth, ...]:
        """What is left of the answers without each part: `causal_worth`; empty of more than `MOST_PAIRS` pairs."""
        return causal_worth(self.circuit) if len(self.circuit.losses) <= MOST_PAIRS else ()


@dataclass(frozen=True, eq=False)
class RunAnalysis:
    """What the analysis found.

    Attributes:
        source: the run or the file whose weights these are, as the user knows it.
        snapshot: the network analyzed, the run's last.
        tasks: one for each task.
        alone: the runs on single formulas that a mixture is compared with, by formula.
        notes: how other people's weights were read, and what is proved of the network, a sentence each.
        weights: the weights of earlier checkpoints, ascending by update, in float16 by their names in the state dict.
        learning_coefficients: the learning coefficients of each checkpoint, by update; empty unless asked for.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import analyze_network
        >>> from modgrok.runs import History, Snapshot
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> snapshot = Snapshot(network, data, update=0, history=History())
        >>> analysis = analyze_network(snapshot, source="my network")
        >>> [task.circuit.name for task in analysis.tasks]
        ['x + y']
    """

    source: str
    snapshot: Snapshot
    tasks: tuple[TaskAnalysis, ...]
    alone: Mapping[str, SingleTaskRun] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    weights: Mapping[int, Mapping[str, Tensor]] = field(default_factory=dict)
    learning_coefficients: Mapping[int, LearningCoefficient] = field(default_factory=dict)

    def history(self, task: TaskAnalysis) -> History:
        """The scores of one task over the run."""
        whole = self.snapshot.history
        return whole.of_task.get(task.circuit.name, whole)


def analyze(snapshot: Snapshot, basis: BasisName = "auto") -> tuple[Circuit, ...]:
    """Read the circuit of each task of a snapshot.

    Raises:
        InputError: if the basis does not fit the modulus, or the network has no readout paths.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import analyze
        >>> from modgrok.runs import History, Snapshot
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> snapshot = Snapshot(network, data, update=0, history=History())
        >>> (circuit,) = analyze(snapshot)
        >>> circuit.name
        'x + y'
    """
    views = task_views(snapshot.data, basis, snapshot.split_known)
    return tuple(read_circuit(snapshot.network, view, snapshot.loss) for view in views)


def moment(circuit: Circuit, update: int, keys: Sequence[int]) -> CheckpointScores:
    """Measure a circuit as it is after `update` updates."""
    training, known = circuit.view.training, circuit.view.known
    sides = (None, None) if training is None else (training, ~training)
    parts = (None, None) if training is None or known is None else (~known, known & ~training)
    pairs = torch.ones(len(circuit.losses), dtype=torch.bool)
    losses = [None if side is None else circuit.loss(side) for side in sides]
    accuracies = [None if side is None else circuit.accuracy(side) for side in sides]
    of_parts = [None if part is None or not part.any() else circuit.accuracy(part) for part in parts]
    return CheckpointScores(
        update=update,
        loss=circuit.loss(pairs),
        accuracy=circuit.accuracy(pairs),
        train_loss=losses[0],
        train_accuracy=accuracies[0],
        heldout_loss=losses[1],
        heldout_accuracy=accuracies[1],
        heldout_accuracy_new=of_parts[0],
        heldout_accuracy_known=of_parts[1],
        measures=circuit.measures(keys),
        general=circuit.general_measures,
        clock_or_pizza=None if circuit.group else circuit.clock_or_pizza(keys),
    )


def analyze_checkpoints(
    checkpoints: Sequence[Path],
    source: str,
    basis: BasisName = "auto",
    alone: Sequence[Path] = (),
    watch: Callable[[Iterable[Path]], Iterable[Path]] = iter,
    sgld: SGLD | None = None,
) -> RunAnalysis:
    """Analyze the last of a run's checkpoints, and measure all of them by its key frequencies.

    One pass with one checkpoint in memory at a time.

    Args:
        checkpoints: the checkpoint files, ordered by update.
        source: the name of the run in the findings.
        basis: the basis of every task.
        alone: runs on single formulas that a mixture is compared with.
        watch: passes the earlier checkpoints on one by one, and may show how far the pass is.
        sgld: how to estimate the local learning coefficient of each checkpoint, if wanted; it takes minutes.

    Example:
        >>> import modgrok
        >>> from modgrok.analysis import analyze_checkpoints
        >>> from modgrok.runs import RunDirectory
        >>> run = modgrok.fit({"data": {"task": "x + y", "modulus": 7}}, {"trainer.max_steps": 10})
        >>> analysis = analyze_checkpoints(list(RunDirectory(run.path).checkpoints.values()), source=str(run.path))
        >>> [scores.update for scores in analysis.tasks[0].moments]
        [0, 10]
    """
    snapshot = load_snapshot(checkpoints[-1])
    compared = read_single_task_runs(alone, snapshot.data)

    def earlier() -> Iterator[Snapshot]:
        for path in watch(checkpoints[:-1]):
            one = load_snapshot(path)
            if (one.data.config, one.network.config) != (snapshot.data.config, snapshot.network.config):
                raise InputError(f"{path} does not belong to the same run as {checkpoints[-1].name}")
            yield one

    return replace(analyze_network(snapshot, source, basis, earlier(), sgld=sgld), alone=compared)


def analyze_network(
    snapshot: Snapshot,
    source: str,
    basis: BasisName = "auto",
    earlier: Iterable[Snapshot] = (),
    notes: Sequence[str] = (),
    sgld: SGLD | None = None,
) -> RunAnalysis:
    """Analyze a network, and measure those that it was before by its key frequencies.

    Args:
        snapshot: the network.
        source: its name in the findings.
        basis: the basis of every task.
        earlier: the network on the same pairs after fewer updates, ascending; one at a time is kept.
        notes: how the weights were read, a sentence each.
        sgld: how to estimate the local learning coefficient of each network, if wanted; it takes minutes.

    Raises:
        InputError: if the basis does not fit the modulus, the network has no readout paths, or logits are not finite.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import analyze_network
        >>> from modgrok.runs import History, Snapshot
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> snapshot = Snapshot(network, data, update=0, history=History())
        >>> analyze_network(snapshot, source="my network").source
        'my network'
    """
    circuits = analyze(snapshot, basis)
    moments: list[list[CheckpointScores]] = [[] for _ in circuits]
    right: list[list[npt.NDArray[np.uint8]]] = [[] for _ in circuits]
    weights: dict[int, dict[str, Tensor]] = {}
    coefficients: dict[int, LearningCoefficient] = {}

    def look(circuit: Circuit, place: int, update: int, keys: Sequence[int]) -> None:
        _finite(circuit, source, update)
        moments[place].append(moment(circuit, update, keys))
        right[place].append(np.packbits(circuit.right.cpu().numpy()))

    for before in earlier:
        for place, circuit in enumerate(circuits):
            then = read_circuit(before.network, circuit.view, snapshot.loss)
            look(then, place, before.update, circuit.keys)
        if sgld is not None:
            coefficients[before.update] = _coefficient(before, sgld)
        weights[before.update] = {name: w.half() for name, w in before.network.state_dict().items()}
        if sum(w.nbytes for kept in weights.values() for w in kept.values()) > MAX_KEPT_BYTES:
            weights = {update: weights[update] for update in list(weights)[::2]}
    tasks = []
    for place, circuit in enumerate(circuits):
        look(circuit, place, snapshot.update, circuit.keys)
        scores = tuple(moments[place])
        tasks.append(TaskAnalysis(circuit, scores, _phases(scores, circuit), tuple(right[place])))
    if sgld is not None:
        coefficients[snapshot.update] = _coefficient(snapshot, sgld)
    return RunAnalysis(
        source,
        snapshot,
        tuple(tasks),
        notes=tuple(notes),
        weights=weights,
        learning_coefficients=coefficients,
    )


def _coefficient(snapshot: Snapshot, sgld: SGLD) -> LearningCoefficient:
    """Estimate the learning coefficient on the training pairs, on all where those are not known."""
    data = snapshot.data
    pairs = data.training_pairs if snapshot.split_known else data.pairs
    guess = snapshot.loss.of_a_guess(data.n_answers)
    return learning_coefficient(snapshot.network, pairs.tokens, pairs.answers, snapshot.loss, guess, sgld)


def _finite(circuit: Circuit, source: str, update: int) -> None:
    if not circuit.classes.sums.isfinite().all():
        raise InputError(
            f"{source}: the logits after {update:,} updates are not finite; the weights are too large for float32"
        )


def _phases(moments: Sequence[CheckpointScores], circuit: Circuit) -> tuple[Phase, ...]:
    if len(moments) < 2 or circuit.view.training is None:
        return ()
    return find_phases(
        [m.update for m in moments],
        train_loss=[m.train_loss for m in moments if m.train_loss is not None],
        heldout_loss=[m.heldout_loss for m in moments if m.heldout_loss is not None],
        excluded_loss=[m.measures.excluded_loss for m in moments],
        sum_of_squared_weights=[m.measures.sum_of_squared_weights for m in moments],
        guess=circuit.guess,
    )
