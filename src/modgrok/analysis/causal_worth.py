"""What is left of a network's answers when a part of it is taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from modgrok.analysis.circuit import Circuit

Kind = Literal["whole", "frequency", "irrep", "head", "neurons"]


@dataclass(frozen=True)
class Worth:
    """The accuracy of a network without one part.

    Attributes:
        part: in words: "frequency 17", "the sign irrep", "head 2", "neurons of frequency 17", "other neurons"; of the
            whole network "nothing".
        kind: the kind of part.
        number: the frequency, the irrep or the head; None for the whole network and for neurons of no key frequency.
        size: how many neurons were taken away, of a group of them.
        accuracy: over all pairs, as what follows from 0 to 1.
        trained: over the training pairs; None where the split is not known.
        known: over the held-out pairs that are known by symmetry; None likewise, or where there are none.
        new: over the held-out pairs that are new; None likewise.

    Example:
        >>> from modgrok.analysis import Worth
        >>> Worth("head 2", "head", 2, None, accuracy=0.91, trained=1.0, known=None, new=0.87).new
        0.87
    """

    part: str
    kind: Kind
    number: int | None
    size: int | None
    accuracy: float
    trained: float | None
    known: float | None
    new: float | None


def causal_worth(circuit: Circuit) -> tuple[Worth, ...]:
    """Score a network whole, then without each of its parts.

    The parts are the key frequencies, or in a group the key irreps, in the embedding, the heads of the last layer, the
    neurons tuned to each of these, and the neurons tuned to none; see `without`. A part without which no answer is
    wrong does nothing that the others do not do too, whatever it is tuned to.

    Returns:
        The whole network, then a row for each part.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import causal_worth, read_circuit, task_views
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> circuit = read_circuit(network, task_views(data)[0])
        >>> [worth.part for worth in causal_worth(circuit) if worth.kind == "head"]
        ['head 0', 'head 1']
    """
    found = [_worth(circuit, circuit.right, "nothing", "whole")]
    kind, groups = _tuned(circuit)
    for number, name, _ in groups if circuit.paths.embedding is not None else ():
        left = circuit.without(**{"frequencies" if kind == "frequency" else "irreps": [number]})
        found.append(_worth(circuit, circuit.answered_right(left), name, kind, number))
    for head in range(_heads(circuit)):
        right = circuit.answered_right(circuit.without(heads=[head]))
        found.append(_worth(circuit, right, f"head {head}", "head", head))
    others = torch.ones_like(circuit.tuning.active)
    for number, name, tuned in groups:
        others &= ~tuned
        found += _of_neurons(circuit, f"neurons of {name}", number, tuned)
    return (*found, *_of_neurons(circuit, "other neurons", None, others))


def _tuned(circuit: Circuit) -> tuple[Kind, list[tuple[int, str, Tensor]]]:
    """The key frequencies, or the key irreps: the number of each, its name, and (m,) bool, the neurons tuned to it."""
    if circuit.group is None:
        clusters = circuit.tuning.clusters
        return "frequency", [(k, f"frequency {k}", clusters == k) for k in circuit.key_frequencies]
    names = [f"the {irrep.name} irrep" for irrep in circuit.group.pairs.irreps]
    neurons = circuit.group_neurons
    if neurons is None:
        nothing = torch.zeros_like(circuit.tuning.active)
        return "irrep", [(key, names[key], nothing) for key in circuit.keys]
    return "irrep", [(key, names[key], neurons.irreps == key) for key in circuit.keys]


def _heads(circuit: Circuit) -> int:
    if circuit.paths.heads is None or circuit.attention is None:
        return 0
    return circuit.attention.pattern.shape[1]


def _of_neurons(circuit: Circuit, part: str, number: int | None, chosen: Tensor) -> list[Worth]:
    """The worth of some neurons, a (m,) mask; nothing where there are none."""
    neurons = chosen.nonzero().flatten().tolist()
    if not neurons:
        return []
    right = circuit.answered_right(circuit.without(neurons=neurons))
    return [_worth(circuit, right, part, "neurons", number, len(neurons))]


def _worth(
    circuit: Circuit, right: Tensor, part: str, kind: Kind, number: int | None = None, size: int | None = None
) -> Worth:
    training, known = circuit.view.training, circuit.view.known
    trained = _share(right, training)
    if training is None or known is None:
        return Worth(part, kind, number, size, float(right.double().mean()), trained, None, None)
    return Worth(
        part,
        kind,
        number,
        size,
        float(right.double().mean()),
        trained,
        _share(right, known & ~training),
        _share(right, ~known),
    )


def _share(right: Tensor, pairs: Tensor | None) -> float | None:
    return None if pairs is None or not pairs.any() else float(right[pairs].double().mean())
