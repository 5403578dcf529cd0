"""A trained network and its tasks as data, for the page in which it runs again."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from modgrok.analysis import Circuit, TaskView
from modgrok.analysis.group_pairs import GroupPairs
from modgrok.analysis.run_analysis import RunAnalysis, TaskAnalysis
from modgrok.figures.operand_maps import clock_order, map_slice
from modgrok.models import MLP, Transformer
from modgrok.report.film import FILM_BYTES, make_film
from modgrok.tasks import VARIABLES

MOST_ACTIVATIONS = 1 << 25
"""Neurons and logits over all pairs, at most: what a browser can hold."""

_RUNS = {
    Transformer: {
        "n_layers",
        "d_model",
        "n_heads",
        "d_head",
        "d_mlp",
        "activation",
        "normalization",
        "biases",
        "positional_embedding",
        "attention_rate",
        "initialization",
        "initialization_scale",
        "dropout",
    },
    MLP: {
        "n_layers",
        "d_model",
        "d_mlp",
        "activation",
        "input",
        "biases",
        "initialization",
        "initialization_scale",
        "dropout",
    },
}
"""The networks that the page's engine computes, and their arguments that it knows."""

_SCORES = ("train_loss", "heldout_loss", "train_accuracy", "heldout_accuracy")
_MEASURES = ("restricted_loss", "excluded_loss")


@dataclass(frozen=True)
class NetworkData:
    """What the page's scripts read.

    Attributes:
        description: the network, the tasks and the scores, as JSON data.
        film: the checkpoints as gzip in base64, as `Film.differences` has them.
        last: the last checkpoint, as `Film.last` has it, likewise.
    """

    description: Mapping[str, Any]
    film: str
    last: str


def network_data(
    analysis: RunAnalysis, film_bytes: int = FILM_BYTES, last_as: Literal["float32", "float16"] = "float32"
) -> NetworkData | None:
    """Collect what the page needs to run the network; None for a network that it cannot run.

    Args:
        analysis: the analysis of the run.
        film_bytes: size of the film of checkpoints, at most; with 0 the last alone is kept.
        last_as: the weights of the last checkpoint: its own, or rounded to half the size, which moves a pair that is
            nearly a tie.
    """
    network, tasks = analysis.snapshot.network, analysis.tasks
    shape = {"vocabulary_size", "n_answers", "context_length"}
    if set(network.config) - shape - _RUNS.get(type(network), set()):
        return None
    if type(network) not in _RUNS or any(_activations(task) > MOST_ACTIVATIONS for task in tasks):
        return None
    moments = tasks[0].moments
    checkpoints = {**analysis.weights, moments[-1].update: network.state_dict()}
    updates = list(checkpoints)
    milestones = (analysis.snapshot.history.memorised_at, analysis.snapshot.history.grokked_at)
    always = [updates.index(at) for at in milestones if at in checkpoints]
    film = make_film(list(checkpoints.values()), always, film_bytes, last_as)
    kept = [updates[place] for place in film.kept]
    config = network.config
    description = {
        "kind": type(network).__name__,
        "layers": config["n_layers"],
        "activation": config["activation"],
        "input": config.get("input"),
        "attention_rate": config.get("attention_rate", 1.0),
        "loss": analysis.snapshot.loss.record["class_path"].rpartition(".")[2],
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "weights": [
            {"name": name, "shape": shape, "scale": scale}
            for name, shape, scale in zip(film.names, film.shapes, film.scales, strict=True)
        ],
        "updates": kept,
        "last_as": last_as,
        "split_known": analysis.snapshot.split_known,
        "tasks": [_task(analysis, task, kept) for task in tasks],
    }
    return NetworkData(description, _text(film.differences), _text(film.last))


def _activations(task: TaskAnalysis) -> int:
    circuit = task.circuit
    n = int(map_slice(circuit.view).pairs.sum())
    return n * (len(circuit.tuning.active) + circuit.classes.sums.shape[1])


def _tuning(circuit: Circuit) -> dict[str, Any]:
    """What each neuron is tuned to: frequencies, or on a group irreps."""
    if circuit.group is None:
        clusters, shares = circuit.tuning.clusters, circuit.tuning.fractions
    elif (found := circuit.group_neurons) is None:
        clusters = torch.full_like(circuit.tuning.clusters, -1)
        shares = torch.zeros(len(clusters))
    else:
        clusters, shares = found.irreps, found.purity
    return {
        "key": list(circuit.keys),
        "clusters": clusters.tolist(),
        "explained": [round(float(share), 3) for share in shares],
        "irreps": None if circuit.group is None else _irreps(circuit.group.pairs, circuit.keys),
    }


def _irreps(pairs: GroupPairs, keys: Sequence[int]) -> dict[str, Any]:
    """The irreps of a group, and a basis of the entries of the key irreps as functions on it, (n, D) row by row."""
    chosen = torch.isin(pairs.irrep_of, torch.tensor(keys, device=pairs.irrep_of.device))
    return {
        "names": [irrep.name for irrep in pairs.irreps],
        "of": pairs.irrep_of[chosen].tolist(),
        "entries": _packed(pairs.bases[:, chosen], np.float32),
        "symbols": pairs.symbols.tolist(),
        "answers": pairs.answer_at.tolist(),
    }


def _task(analysis: RunAnalysis, task: TaskAnalysis, kept: list[int]) -> dict[str, Any]:
    circuit, view = task.circuit, task.circuit.view
    pairs, shown = view.clocked_pairs, map_slice(view).pairs
    operands = pairs.operands[shown]
    history = analysis.history(task)
    positions = [[-1] * view.task.n_symbols for _ in view.operands]
    for values, places, own in zip(pairs.operands.T, pairs.operand_positions.T, positions, strict=True):
        for symbol, place in zip(values.tolist(), places.tolist(), strict=True):
            own[symbol] = place
    constant = view.tokens[0].tolist()
    count = len(shown)
    right = np.stack([np.unpackbits(bits, count=count)[shown.numpy()] for bits in task.right])
    film = right[[moment.update in kept for moment in task.moments]]
    return {
        "name": circuit.name,
        "modulus": view.task.modulus,
        "symbols": view.task.n_symbols,
        "answers": view.task.n_answers,
        "words": [
            {"word": word, "operand": VARIABLES.index(word)}
            if word in VARIABLES
            else {"word": word, "token": token}
            for word, token in zip(view.words, constant, strict=True)
        ],
        "z": int(operands[0, 2]) if view.task.n_operands > 2 else None,
        "order": [clock_order(view, operand).tolist() for operand in (0, 1)],
        "clock": {
            "law": pairs.clock.law,
            "size": pairs.clock.size,
            "positions": positions,
            "answers": pairs.answer_at.tolist(),
            "separates": pairs.separates,
        },
        **_tuning(circuit),
        "pairs": {
            "x": _packed(operands[:, 0], np.uint16),
            "y": _packed(operands[:, 1], np.uint16),
            "answer": _packed(pairs.answers[shown], np.uint16),
            "class": _packed(pairs.answer_positions[shown], np.int16),
            "side": _packed(_sides(view)[shown], np.uint8),
        },
        "right": _text(gzip.compress(np.packbits(film, axis=1).tobytes(), mtime=0)),
        "phases": [asdict(phase) for phase in task.phases],
        "memorised_at": history.memorised_at,
        "grokked_at": history.grokked_at,
        "curves": {
            "update": [moment.update for moment in task.moments],
            **{name: [getattr(moment, name) for moment in task.moments] for name in _SCORES},
            **{name: [getattr(moment.measures, name) for moment in task.moments] for name in _MEASURES},
        },
    }


def _sides(view: TaskView) -> Tensor:
    """(n,) 2 for a training pair, 1 for one known by symmetry, 0 for a new one; 2 for all without a known split."""
    if view.training is None or view.known is None:
        return torch.full((len(view.tokens),), 2)
    return torch.where(view.training, 2, view.known.long())


def _packed(values: Tensor, kind: npt.DTypeLike) -> str:
    return _text(gzip.compress(values.cpu().numpy().astype(kind).tobytes(), mtime=0))


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
