"""Measures that need no clock."""

import math

import pytest
import torch

from modgrok import MLP
from modgrok.analysis import analyze
from modgrok.analysis.general_measures import effective_rank, inverse_participation
from modgrok.data import ModularData
from modgrok.runs import History, Snapshot


def test_the_effective_rank_counts_equal_directions() -> None:
    rotation = torch.linalg.qr(torch.randn(9, 9, dtype=torch.float64)).Q
    assert effective_rank(rotation[:, :4] @ rotation[:4]) == pytest.approx(4)
    one = torch.tensor([[2.0, 0, 0], [0, 1, 0]])
    q = torch.tensor([0.8, 0.2])
    assert effective_rank(one) == pytest.approx(float(torch.exp(-(q * q.log()).sum())))
    assert effective_rank(torch.zeros(3, 4)) is None


def test_inverse_participation_of_a_cosine_is_half_and_of_a_constant_one() -> None:
    t = 2 * math.pi * torch.arange(31) / 31
    assert inverse_participation((5 * t + 1).cos()[None]) == pytest.approx(0.5)
    assert inverse_participation(torch.ones(2, 31)) == pytest.approx(1)
    assert inverse_participation(torch.cat([torch.zeros(1, 31), torch.ones(1, 31)])) == pytest.approx(1)
    noise = torch.randn(500, 101, generator=torch.Generator().manual_seed(0))
    assert inverse_participation(noise) == pytest.approx(2 / 101, rel=0.1)
    assert inverse_participation(torch.zeros(2, 31)) is None


@pytest.mark.parametrize("task", ["x + y", "x*y", "x**2*y + 3"])
def test_margins_are_those_of_the_logits(task) -> None:
    torch.manual_seed(0)
    data = ModularData(task, 11, 0.5)
    network = MLP(**data.network_shape, d_model=8, d_mlp=16).eval()
    (circuit,) = analyze(Snapshot(network, data, 0, History()))
    with torch.no_grad():
        logits = network(data.pairs.tokens)
    margins = []
    for row, answer in zip(logits.tolist(), data.pairs.answers.tolist(), strict=True):
        margins.append(row[answer] - max(value for c, value in enumerate(row) if c != answer))
    assert circuit.general_measures.least_margin == pytest.approx(min(margins), abs=1e-6)
    assert torch.equal(circuit.margins > 0, circuit.right)
