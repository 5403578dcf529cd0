"""Networks whose weights were written down so that they compute on a clock, and runs made of them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from modgrok import MLP, ModularDataModule, Transformer
from modgrok.analysis import Clock
from modgrok.models import Network
from modgrok.runs import History, Score, Snapshot
from modgrok.runs.directory import CHECKPOINTS, checkpoint_name
from modgrok.runs.snapshot import snapshot_metadata

PHASES = 12
GAIN = 60.0
N = TypeVar("N", bound=Network)


def clock_network(data: ModularDataModule, clock: Clock, frequencies: list[int]) -> Transformer:
    """Every neuron is relu(cos(w_k a + φ) + cos(w_k b + φ)), read out by cos(w_k c + 2φ), with a and b on the clock.

    The residual stream holds the circles of the operands in its first half, those of the answer in its second.
    Attention is uniform, so that "=" gets a third of both embeddings; W_V makes up for it.
    """
    width, neurons = 2 * len(frequencies), PHASES * len(frequencies)
    network = Transformer(**data.network_shape, d_model=2 * width, n_heads=1, d_head=width, d_mlp=neurons)
    circles, W_in, W_out = clock_weights(clock, frequencies)
    p, first, second = clock.modulus, slice(0, width), slice(width, 2 * width)
    return fill(
        network,
        {
            "embed.W_E": ((slice(0, p), first), circles),
            "blocks.0.attn.W_V": ((0, first), 3 * torch.eye(width)),
            "blocks.0.attn.W_O": ((0, slice(None), first), torch.eye(width)),
            "blocks.0.mlp.W_in": ((first,), W_in),
            "blocks.0.mlp.W_out": ((slice(None), second), W_out),
            "unembed.W_U": ((second,), GAIN / PHASES * circles.T),
        },
    )


def clock_mlp(data: ModularDataModule, clock: Clock, frequencies: list[int]) -> MLP:
    """The same neurons in an MLP, where the sum over the positions adds the circles of the operands."""
    width, neurons = 2 * len(frequencies), PHASES * len(frequencies)
    network = MLP(**data.network_shape, d_model=width, d_mlp=neurons)
    circles, W_in, W_out = clock_weights(clock, frequencies)
    everything = (slice(None),)
    return fill(
        network,
        {
            "embed.W_E": ((slice(0, clock.modulus),), circles),
            "layers.0.W_in": (everything, W_in),
            "unembed.W_U": (everything, GAIN / PHASES * W_out @ circles.T),
        },
    )


def clock_weights(clock: Clock, frequencies: list[int]) -> tuple[Tensor, Tensor, Tensor]:
    """The circles, (p, 2 for each frequency), the neurons' way in from them and their way out to them."""
    w = 2 * math.pi * torch.tensor(frequencies, dtype=torch.float64) / clock.size
    angles = w * clock.position[:, None]
    on = (clock.position >= 0)[:, None, None]
    circles = (torch.stack([angles.cos(), angles.sin()], dim=2) * on).flatten(1)
    turns = 2 * math.pi * torch.arange(PHASES, dtype=torch.float64) / PHASES
    once = torch.stack([turns.cos(), -turns.sin()])  # cos(θ + φ) = cos θ cos φ − sin θ sin φ
    twice = torch.stack([(2 * turns).cos(), -(2 * turns).sin()], dim=1)
    return (
        circles,
        torch.block_diag(*[once] * len(frequencies)),
        torch.block_diag(*[twice] * len(frequencies)),
    )


def fill(network: N, values: Mapping[str, tuple[tuple[object, ...], Tensor]]) -> N:
    """Set places in the weights of a network, and all other weights to 0."""
    weights = {name: torch.zeros_like(weight) for name, weight in network.state_dict().items()}
    for name, (place, value) in values.items():
        weights[name][place] = value.float()
    network.load_state_dict(weights)
    return network.eval()


def history(updates: int) -> History:
    """Memorised at update 100, grokked at the end."""
    found = History()
    for update, train, heldout in (
        (0, Score(5.0, 0.01, 0.01), Score(5.0, 0.01, 0.01)),
        (100, Score(1e-3, 1.0, 0.999), Score(6.0, 0.1, 0.05)),
        (updates, Score(1e-6, 1.0, 1.0), Score(1e-5, 1.0, 1.0)),
    ):
        found.append(update, train, heldout)
    return found


def save(
    network: Network, data: ModularDataModule, update: int, path: Path, seen: History | None = None
) -> Path:
    """Write a checkpoint as a run does, as far as snapshots are concerned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {f"network.{name}": weight for name, weight in network.state_dict().items()}
    kept = snapshot_metadata(Snapshot(network, data, update, seen or history(max(update, 200))))
    torch.save({"state_dict": weights, "modgrok": kept}, path)
    return path


def save_run(directory: Path, data: ModularDataModule, networks: dict[int, Network]) -> Path:
    """Write a run's directory with a checkpoint for each update."""
    for update, network in networks.items():
        save(network, data, update, directory / CHECKPOINTS / checkpoint_name(update))
    return directory
