import pytest
import torch

from modgrok.analysis import ClockedPairs, logit_directions, sum_logits_by_class


def random_logits(domain: ClockedPairs, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(domain.pairs), domain.clock.modulus, generator=generator, dtype=torch.float64)


def test_directions_are_those_of_the_cube(any_domain: ClockedPairs) -> None:
    logits = random_logits(any_domain)
    logits[torch.arange(len(logits)), any_domain.answers] += 2.0
    clock = any_domain.clock
    on = any_domain.sums >= 0
    seen = logits[on][:, clock.residues]
    centered = seen - seen.mean(dim=1, keepdim=True)
    difference = any_domain.sums[on][:, None] - torch.arange(clock.size)
    found = logit_directions(sum_logits_by_class(logits, any_domain))
    left = centered.clone()
    for k in range(1, clock.size // 2 + 1):
        cube = torch.cos(2 * torch.pi * k * difference / clock.size).double()
        inner = (centered * cube).sum()
        torch.testing.assert_close(found.coefficients[k - 1], inner / cube.square().sum(), atol=1e-6, rtol=0)
        similarity = inner / (centered.norm() * cube.norm())
        torch.testing.assert_close(found.cosine_similarities[k - 1], similarity, atol=1e-6, rtol=0)
        left -= found.coefficients[k - 1] * cube
    assert found.residual == pytest.approx(float(left.square().sum() / centered.square().sum()), abs=1e-6)
    torch.testing.assert_close(found.variance_explained, found.cosine_similarities**2)


def test_logits_made_of_one_direction_are_found_whole(any_domain: ClockedPairs) -> None:
    clock = any_domain.clock
    position = torch.where(clock.position < 0, 0, clock.position)
    turns = 2 * (any_domain.sums[:, None] - position) % clock.size
    bias = (
        5.0 * torch.arange(len(turns))[:, None]
    )  # the same for every answer of a pair: the softmax is blind to it
    found = logit_directions(
        sum_logits_by_class(3.0 * torch.cos(2 * torch.pi * turns.double() / clock.size) + bias, any_domain)
    )
    assert found.coefficients[1].item() == pytest.approx(3.0)
    assert found.variance_explained[1].item() == pytest.approx(1.0)
    assert found.residual == pytest.approx(0.0, abs=1e-8)


def test_sums_do_not_depend_on_the_chunks(any_domain: ClockedPairs, monkeypatch: pytest.MonkeyPatch) -> None:
    logits = random_logits(any_domain)
    whole = sum_logits_by_class(logits, any_domain)
    monkeypatch.setattr("modgrok.analysis.logits.CHUNK", 7)
    parts = sum_logits_by_class(logits, any_domain)
    torch.testing.assert_close(parts.sums, whole.sums)
    assert parts.square == pytest.approx(whole.square)
    assert whole.counts.sum() == len(logits)


def test_constant_logits_have_no_direction(any_domain: ClockedPairs) -> None:
    found = logit_directions(
        sum_logits_by_class(torch.zeros(len(any_domain.pairs), any_domain.clock.modulus), any_domain)
    )
    assert not found.variance_explained.any()
    assert found.residual == 1.0
