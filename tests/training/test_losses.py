import pytest
import torch
import torch.nn.functional as F

from modgrok.training import CrossEntropy


@pytest.mark.parametrize("scale", [1, 30, 1e4])
def test_losses_and_gradients_are_the_cross_entropy_in_float64(scale):
    logits = scale * torch.randn(200, 13, generator=torch.Generator().manual_seed(0))
    answers = torch.arange(200) % 13
    weights = torch.linspace(0, 1, 200, dtype=torch.float64)
    got, expected = (logits.clone().requires_grad_() for _ in range(2))
    losses = CrossEntropy()(got, answers)
    losses_expected = F.cross_entropy(expected.double(), answers, reduction="none")
    torch.testing.assert_close(losses, losses_expected, rtol=1e-12, atol=1e-15)
    (losses @ weights).backward()
    (losses_expected @ weights).backward()
    torch.testing.assert_close(got.grad, expected.grad, rtol=1e-6, atol=1e-15)


def test_a_confident_networks_gradient_is_not_rounded_away():
    """Where the right answer leads by 30, its gradient is −exp(−30): far below float32's resolution at 1."""
    logits = torch.tensor([[30.0, 0.0]], requires_grad=True)
    CrossEntropy()(logits, torch.tensor([0])).sum().backward()
    expected = torch.tensor([[-1.0, 1.0]]) * torch.tensor(-30.0).exp()
    torch.testing.assert_close(logits.grad, expected, rtol=1e-2, atol=0)
