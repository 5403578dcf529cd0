"""How the phases of neurons tuned to a frequency relate to those of their read-out.

A neuron's input is A cos(w_k a + u) + B cos(w_k b + v), with operands a and b on the clock; its row of W_logit is
O cos(w_k c + s). Neurons that add have s = u + v (arXiv 2512.25060, 2602.16849, 2603.23784).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from modgrok.analysis.clocked_pairs import ClockedPairs

MOMENTS = (2, 4, 6)
"""The orders of the phase moments: multiples of (u + v)/2, which is defined up to half a turn."""

_LIVE = 1e-6


@dataclass(frozen=True)
class PhaseRelation:
    """The relations of the phases, averaged over the neurons with the weights α = √(AB)·O.

    Attributes:
        equal_phases: |Σα e^{i(u − v)}| / Σα; 1 where every neuron treats both operands alike. Mostly a matter of the
            architecture.
        phase_sum: Σα cos(s − u − v) / Σα; 1 where every neuron reads out the sum. It is learned.
        moments: for each order q of `MOMENTS`, |Σα e^{iq(u + v)/2}| / Σα of the neurons of one frequency, averaged over
            the frequencies with their share of Σα; 0 where their phases are spread evenly.
    """

    equal_phases: float
    phase_sum: float
    moments: tuple[float, ...]


class InputSums:
    """Sums the neurons' inputs over the pairs that have an operand in common, in float64, part by part.

    Args:
        clocked_pairs: two operands, every pair of positions once.
        n_neurons: m.
    """

    def __init__(self, clocked_pairs: ClockedPairs, n_neurons: int) -> None:
        self.positions, self.size = clocked_pairs.operand_positions, clocked_pairs.clock.size
        device = self.positions.device
        self.sums = torch.zeros(2, self.size, n_neurons, dtype=torch.float64, device=device)
        self.squares = torch.zeros(n_neurons, dtype=torch.float64, device=device)

    def add(self, pairs: Tensor, inputs: Tensor) -> None:
        """Add the inputs, (i, m), of the pairs with indices (i,)."""
        on_clock = (self.positions[pairs] >= 0).all(1)
        positions, values = self.positions[pairs][on_clock], inputs[on_clock].double()
        for sums, place in zip(self.sums, positions.unbind(1), strict=True):
            sums.index_add_(0, place, values)
        self.squares += values.square().sum(0)


def covers_grid(clocked_pairs: ClockedPairs) -> bool:
    """Whether the task has two operands, and a pair for each two positions on the clock."""
    positions, q = clocked_pairs.operand_positions, clocked_pairs.clock.size
    if positions.shape[1] != 2:
        return False
    on_clock = positions[(positions >= 0).all(1)]
    return len(on_clock) == q * q and len((on_clock[:, 0] * q + on_clock[:, 1]).unique()) == q * q


def phase_relation(inputs: InputSums, on_answers: Tensor) -> PhaseRelation | None:
    """Relate the phases of every live neuron at the frequency that is strongest in its input.

    Args:
        inputs: the inputs of the m neurons, over all pairs.
        on_answers: (m, q), the neurons' weights to the answer that stands at each position of the clock.

    Returns:
        The relation; None where no neuron is live.
    """
    q = inputs.size
    # the mean over the other operand has the waves of this one alone: A e^{iu}/2 and B e^{iv}/2
    waves = torch.fft.fft(inputs.sums / q, dim=1)[:, 1 : q // 2 + 1] / q  # (2, ⌊q/2⌋, m)
    variance = inputs.squares / q**2 - (inputs.sums[0].sum(0) / q**2).square()
    strongest = waves.abs().square().sum(0).argmax(0)
    neuron = torch.arange(waves.shape[-1], device=waves.device)
    A, B = waves[0, strongest, neuron], waves[1, strongest, neuron]
    read_out = torch.fft.fft(on_answers.double(), dim=1)[neuron, strongest + 1] / q  # O e^{is}/2
    live = variance > _LIVE * variance.max().clamp(min=torch.finfo(torch.float64).tiny)
    weights = (A.abs() * B.abs()).sqrt() * read_out.abs() * live
    total = float(weights.sum())
    if not total > 0:
        return None
    u, v, s = A.angle(), B.angle(), read_out.angle()
    moments = []
    for order in MOMENTS:
        turned = torch.polar(weights, order * (u + v) / 2)
        of_frequency = torch.zeros(q, dtype=turned.dtype, device=turned.device)
        of_frequency.index_add_(0, strongest, turned)
        moments.append(float(of_frequency.abs().sum()) / total)
    return PhaseRelation(
        equal_phases=float(torch.polar(weights, u - v).sum().abs()) / total,
        phase_sum=float((weights * (s - u - v).cos()).sum()) / total,
        moments=tuple(moments),
    )
