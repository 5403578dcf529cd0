import itertools
from collections.abc import Callable

import pytest
import torch

from modgrok.analysis import ClockedPairs, Tuning, additive_clock, place_on_clock, tuning


def slow_fraction(neuron: torch.Tensor, domain: ClockedPairs, k: int) -> float:
    """R² of a least squares fit with every product of 1, cos and sin written out over the pairs."""
    on = (domain.operand_positions >= 0).all(dim=1)
    angle = 2 * torch.pi * k * domain.operand_positions[on].double() / domain.clock.size
    factors = [(torch.ones_like(a), a.cos(), a.sin()) for a in angle.T]
    design = torch.stack([torch.stack(product).prod(dim=0) for product in itertools.product(*factors)], dim=1)
    target = neuron[on].double() - neuron[on].double().mean()
    fit = design @ torch.linalg.lstsq(design, target[:, None], driver="gelsd").solution[:, 0]
    return 1 - float((target - fit).square().sum() / target.square().sum())


def test_explained_variance_is_that_of_least_squares(any_domain: ClockedPairs) -> None:
    generator = torch.Generator().manual_seed(1)
    p, operands = any_domain.clock.modulus, any_domain.pairs.shape[1]
    # sums of functions of the operands through a ReLU, as neurons are, and one that is noise
    tables = torch.randn(operands, p, 4, generator=generator)
    neurons = sum(tables[i, any_domain.pairs[:, i]] for i in range(operands)).relu()
    neurons[:, 3] = torch.randn(len(neurons), generator=generator)
    explained = tuning(neurons, any_domain).explained
    assert explained.shape == (any_domain.clock.size // 2, 4)
    for k, neuron in itertools.product(range(1, any_domain.clock.size // 2 + 1), range(4)):
        expected = slow_fraction(neurons[:, neuron], any_domain, k)
        assert explained[k - 1, neuron].item() == pytest.approx(expected, abs=1e-9), (k, neuron)


def test_on_the_full_grid_it_is_the_2d_fourier_transform(odd_domains: Callable[[str], ClockedPairs]) -> None:
    domain = odd_domains("full grid")
    neurons = torch.randn(121, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    power = torch.fft.fft2((neurons - neurons.mean(dim=0)).reshape(11, 11, 5), dim=(0, 1)).abs().square()
    k = 3
    same = power[[0, k, -k]][:, [0, k, -k]].sum(dim=(0, 1)) / power.sum(dim=(0, 1))
    torch.testing.assert_close(tuning(neurons, domain).explained[k - 1], same)


def test_chunks_of_neurons_are_one_result(
    odd_domains: Callable[[str], ClockedPairs], monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = odd_domains("full grid")
    neurons = torch.randn(121, 5, generator=torch.Generator().manual_seed(3))
    whole = tuning(neurons, domain).explained
    monkeypatch.setattr("modgrok.analysis.neurons.CHUNK", 7)
    torch.testing.assert_close(tuning(neurons, domain).explained, whole)


@pytest.mark.parametrize("seed", range(3))
def test_a_network_that_is_only_initialized_has_no_key_frequencies(seed: int) -> None:
    p, generator = 31, torch.Generator().manual_seed(seed)
    pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p))
    domain = place_on_clock(additive_clock(p), [torch.arange(p)] * 2, pairs, pairs.sum(dim=1) % p)
    embedded = torch.randn(p, 64, generator=generator)
    neurons = (
        (embedded[pairs[:, 0]] + embedded[pairs[:, 1]]) @ torch.randn(64, 256, generator=generator)
    ).relu()
    tuned = tuning(neurons, domain)
    assert tuned.key_frequencies == ()
    assert tuned.tuned_fraction == 0.0
    assert bool((tuned.clusters == -1).all())


def test_neurons_that_are_off_do_not_count(odd_domains: Callable[[str], ClockedPairs]) -> None:
    domain = odd_domains("full grid")
    wave = torch.cos(2 * torch.pi * 4 * domain.pairs[:, 0] / 11)
    rounding = 1e-7 * torch.randn(121, generator=torch.Generator().manual_seed(4))
    tuned = tuning(torch.stack([wave, -wave, torch.zeros(121), 0.5 + 0 * wave, rounding], dim=1), domain)
    assert tuned.active.tolist() == [True, True, False, False, False]
    assert tuned.clusters.tolist() == [4, 4, -1, -1, -1]
    assert tuned.tuned_fraction == 1.0
    assert tuned.key_frequencies == (4,)
    assert tuning(torch.zeros(121, 2), domain).key_frequencies == ()


def test_the_rule_for_key_frequencies() -> None:
    # of 300 neurons 3 are 1%: frequency 2 has them, frequency 1 has two, those of frequency 3 miss 0.85
    explained = torch.full((3, 300), 0.01)
    explained[1, :3] = 0.85
    explained[0, 3:5] = 0.99
    explained[2, 5:] = 0.849
    assert Tuning(explained, torch.ones(300), torch.ones(300, dtype=torch.bool)).key_frequencies == (2,)
    few = Tuning(explained[:, 2:4], torch.ones(2), torch.ones(2, dtype=torch.bool))
    assert few.key_frequencies == (), "one neuron is no cluster"
