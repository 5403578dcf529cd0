"""A network built by hand that adds by the clock algorithm, and domains to look at it in."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from modgrok.analysis import Clock, ClockedPairs, additive_clock, multiplicative_clock, place_on_clock


@dataclass(frozen=True)
class HandBuilt:
    """The weights and activations of a one-layer network whose frequencies are known; W_E is that of x."""

    domain: ClockedPairs
    W_E: Tensor
    W_logit: Tensor
    neurons: Tensor
    logits: Tensor


def grid(p: int) -> Tensor:
    return torch.cartesian_prod(torch.arange(p), torch.arange(p))


def build(
    clock: Clock, frequencies: list[int], parts: list[Tensor] | None = None, answer_map: Tensor | None = None
) -> HandBuilt:
    """Add on a clock: every neuron is relu(cos(w_k a + φ) + cos(w_k b + φ)), read out by cos(w_k c + 2φ).

    Embedding, sum over the two operands, neurons and read-out are the matrices of a real network; where the
    operands f(x) and g(y) stand on the clock is all that is different between adding, multiplying and powers. With a
    map h of the answers, an answer's logit is the sum over the residues c that h takes to it.
    """
    p, q, gain, phases = clock.modulus, clock.size, 60.0, 12
    f, g = parts or [torch.arange(p)] * 2
    pairs = grid(p)
    operands = torch.stack([f[pairs[:, 0]], g[pairs[:, 1]]], dim=1)
    inside = (clock.position[operands] >= 0).all(dim=1)
    pairs, operands = pairs[inside], operands[inside]
    sums = clock.position[operands].sum(dim=1) % q
    answers = clock.residues[sums] if answer_map is None else answer_map[clock.residues[sums]]
    w = 2 * math.pi * torch.tensor(frequencies, dtype=torch.float64) / q
    angles = w * clock.position[:, None]
    on = (clock.position >= 0)[:, None]
    circles = torch.stack([angles.cos(), angles.sin()], dim=2).flatten(1) * on  # p, 2 for each frequency
    turns = 2 * math.pi * torch.arange(phases, dtype=torch.float64) / phases
    directions = torch.stack([turns.cos(), -turns.sin()])  # cos(θ + φ) = cos θ cos φ − sin θ sin φ
    W_in = torch.block_diag(*[directions] * len(frequencies))
    W_logit = torch.cat([(angles[:, [k]] + 2 * turns).cos().T for k in range(len(frequencies))]) * on.T
    if answer_map is not None:
        W_logit = torch.zeros_like(W_logit).index_add_(1, answer_map, W_logit)
    neurons = (circles[operands].sum(dim=1) @ W_in).relu()
    W_logit = gain / phases * W_logit
    domain = place_on_clock(clock, [f, g], pairs, answers, answer_map)
    return HandBuilt(domain, circles[f], W_logit, neurons, neurons @ W_logit)


@pytest.fixture(scope="session")
def adding() -> HandBuilt:
    return build(additive_clock(31), [2, 5, 13])


@pytest.fixture(scope="session")
def multiplying() -> HandBuilt:
    return build(multiplicative_clock(31), [1, 7, 11])


@pytest.fixture(scope="session")
def adding_powers() -> HandBuilt:
    """x**8 + y**9 mod 113, where x**8 takes 15 values and y**9 all."""
    powers = [torch.tensor([pow(x, exponent, 113) for x in range(113)]) for exponent in (8, 9)]
    return build(additive_clock(113), [3, 20, 41], powers)


@pytest.fixture(scope="session")
def adding_cubes() -> HandBuilt:
    """(x + y)**3 mod 29, where the cube is one-to-one."""
    return build(additive_clock(29), [2, 5, 13], answer_map=torch.arange(29) ** 3 % 29)


@pytest.fixture(scope="session")
def multiplying_shifted() -> HandBuilt:
    """(x + 1)·(y + 1) − 1 mod 31 = x·y + x + y, without the pairs whose product is 0."""
    shifted = (torch.arange(31) + 1) % 31
    return build(multiplicative_clock(31), [1, 7, 11], [shifted] * 2, (torch.arange(31) - 1) % 31)


@pytest.fixture(scope="session")
def odd_domains() -> Callable[[str], ClockedPairs]:
    """Domains that are not the full grid of a bijection: what least squares must still get right."""

    def make(name: str) -> ClockedPairs:
        identity = torch.arange(11)
        pairs = grid(11)
        if name == "full grid":
            return place_on_clock(additive_clock(11), [identity] * 2, pairs, pairs.sum(dim=1) % 11)
        if name == "holes":
            pairs = pairs[torch.randperm(121, generator=torch.Generator().manual_seed(16))[:70]]
            return place_on_clock(additive_clock(11), [identity] * 2, pairs, pairs.sum(dim=1) % 11)
        if name == "unordered pairs":
            pairs = pairs[pairs[:, 0] <= pairs[:, 1]]
            return place_on_clock(additive_clock(11), [identity] * 2, pairs, pairs.sum(dim=1) % 11)
        if name == "quotients":
            pairs = pairs[pairs[:, 1] > 0]
            inverse = torch.tensor([-1] + [pow(y, -1, 11) for y in range(1, 11)])
            answers = pairs[:, 0] * inverse[pairs[:, 1]] % 11
            return place_on_clock(multiplicative_clock(11), [identity, inverse], pairs, answers)
        if name == "even modulus":
            pairs = grid(10)
            return place_on_clock(additive_clock(10), [torch.arange(10)] * 2, pairs, pairs.sum(dim=1) % 10)
        if name == "many to one":
            f = identity**2 % 11
            answers = (f[pairs[:, 0]] + pairs[:, 1]) % 11
            return place_on_clock(additive_clock(11), [f, identity], pairs, answers)
        if name == "products with 0":
            return place_on_clock(multiplicative_clock(11), [identity] * 2, pairs, pairs.prod(dim=1) % 11)
        assert name == "three operands"
        triples = torch.cartesian_prod(*[torch.arange(7)] * 3)
        return place_on_clock(additive_clock(7), [torch.arange(7)] * 3, triples, triples.sum(dim=1) % 7)

    return make


ODD_DOMAINS = [
    "full grid",
    "holes",
    "unordered pairs",
    "quotients",
    "even modulus",
    "many to one",
    "products with 0",
    "three operands",
]


@pytest.fixture(params=ODD_DOMAINS)
def any_domain(request: pytest.FixtureRequest, odd_domains: Callable[[str], ClockedPairs]) -> ClockedPairs:
    return odd_domains(request.param)
