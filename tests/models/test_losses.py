"""What the losses are."""

import math

import pytest
import torch
import torch.nn.functional as F

from modgrok.errors import InputError
from modgrok.models.losses import CrossEntropy, MeanSquaredError, StableMax, loss_from_record


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


def test_float32_rounds_a_confident_networks_gradient_away():
    """The softmax collapse that float64 puts off: exp(−30) is below float32's resolution at 1."""
    logits = torch.tensor([[30.0, 0.0]], requires_grad=True)
    loss = CrossEntropy("float32")(logits, torch.tensor([0]))
    loss.sum().backward()
    assert loss.dtype == torch.float32
    assert logits.grad[0, 0] == 0


def test_stablemax_is_its_formula_and_has_its_gradient():
    logits = torch.tensor([[2.0, -3.0, 0.0, 1.0]], dtype=torch.float64, requires_grad=True)
    scores = torch.tensor([3.0, 1 / 4, 1.0, 2.0], dtype=torch.float64)
    probabilities = scores / scores.sum()
    answers = torch.tensor([1])
    losses = StableMax()(logits, answers)
    torch.testing.assert_close(losses, -probabilities[1].log()[None])
    torch.testing.assert_close(StableMax().probabilities(logits)[0], probabilities)
    torch.testing.assert_close(StableMax().answer_probabilities(logits, answers, losses), probabilities[1:2])
    assert torch.autograd.gradcheck(
        lambda x: StableMax()(x, answers), torch.tensor([[2.0, -3.0, 0.5, 1.0]]).double().requires_grad_()
    )


def test_mean_squared_error_is_zero_at_one_hot_logits_and_its_probabilities_are_the_logits():
    logits = torch.tensor([[0.0, 1.0, 0.0], [0.2, 0.5, 0.3], [-1.0, -2.0, 0.0]])
    answers = torch.tensor([1, 0, 2])
    torch.testing.assert_close(
        MeanSquaredError()(logits, answers),
        torch.tensor([0.0, (0.64 + 0.25 + 0.09) / 3, 6 / 3], dtype=torch.float64),
    )
    expected = torch.tensor([[0.0, 1.0, 0.0], [0.2, 0.5, 0.3], [1 / 3, 1 / 3, 1 / 3]], dtype=torch.float64)
    torch.testing.assert_close(MeanSquaredError().probabilities(logits), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("loss", [CrossEntropy(), CrossEntropy("float32"), StableMax(), MeanSquaredError()])
def test_every_loss_is_read_back_and_its_probabilities_add_up_to_one(loss):
    again = loss_from_record(loss.record)
    logits = 5 * torch.randn(50, 7, generator=torch.Generator().manual_seed(0))
    answers = torch.arange(50) % 7
    assert torch.equal(again(logits, answers), loss(logits, answers))
    probabilities = loss.probabilities(logits)
    torch.testing.assert_close(probabilities.sum(-1).double(), torch.ones(50, dtype=torch.float64))
    given = loss.answer_probabilities(logits, answers, loss(logits, answers))
    torch.testing.assert_close(given, probabilities.gather(1, answers[:, None])[:, 0], rtol=1e-5, atol=1e-7)


def test_a_guess_costs_ln_p():
    assert CrossEntropy().of_a_guess(97) == pytest.approx(math.log(97))
    assert StableMax().of_a_guess(97) == pytest.approx(math.log(97))
    assert MeanSquaredError().of_a_guess(97) == pytest.approx(1 / 97)


def test_losses_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="precision: 'float8' is not one of float64, float32, bfloat16"):
        CrossEntropy("float8")
    with pytest.raises(InputError, match=r"no loss 'evil\.Loss' is known"):
        loss_from_record({"class_path": "evil.Loss", "arguments": {}})
    with pytest.raises(InputError, match="cannot be built"):
        loss_from_record(StableMax().record | {"arguments": {"surplus": 1}})


@pytest.mark.parametrize("precision", ["float64", "float32", "bfloat16", "float16"])
def test_the_loss_is_exactly_zero_from_the_resolution_of_its_precision_on(precision):
    """log(1 + e) is zero where 1 + e is rounded to 1, so where e is at most half the spacing of the floats at 1."""
    dtype = getattr(torch, precision)
    spacing = torch.finfo(dtype).eps
    lead = torch.tensor([[-math.log(spacing * share), 0.0] for share in (0.4, 2.0)], dtype=torch.float64)
    losses = CrossEntropy(precision)(lead, torch.tensor([0, 0]))
    assert losses.dtype == dtype
    assert losses[0] == 0
    assert losses[1] > 0
