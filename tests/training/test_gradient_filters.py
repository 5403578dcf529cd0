"""Lp regularization."""

import pytest
import torch

from modgrok import GrokkingModule, ModularDataModule, Transformer
from modgrok.errors import InputError
from modgrok.training.engine import Engine
from modgrok.training.gradient_filters import NO_LP, Lp


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_gradient_of_the_penalty_is_the_formulas(power):
    weights = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    Lp(power, 0.3).penalty([weights]).backward()
    expected = 0.3 * power * weights.detach().abs() ** (power - 1) * weights.detach().sign()
    torch.testing.assert_close(weights.grad, expected)


def step(lp, frozen=()):
    """One step of plain gradient descent at rate 1; return the loss told and how each weight moved."""
    data = ModularDataModule("x + y", 7, train_fraction=0.5)
    torch.manual_seed(0)
    network = Transformer(**data.network_shape, d_model=16, d_mlp=16)
    for name in frozen:
        network.get_parameter(name).requires_grad_(False)
    start = {name: weight.clone() for name, weight in network.state_dict().items()}
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=1.0)
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    losses = Engine(network, optimizer, schedule, data.train_dataloader(), 1, lp).run(0, 1)
    return losses.item(), start, {name: w - start[name] for name, w in network.state_dict().items()}


def test_penalty_is_descended_besides_the_loss_and_is_no_part_of_the_loss_told():
    loss, start, plain = step(NO_LP)
    told, _, moved = step(Lp(2.0, 0.1), frozen=["embed.W_E"])
    assert told == loss
    assert not moved["embed.W_E"].any()
    for name in moved.keys() - {"embed.W_E"}:
        torch.testing.assert_close(moved[name] - plain[name], -0.2 * start[name], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("option", "value"), [("lp_strength", -1), ("lp_strength", float("nan")), ("lp_power", 0.5)]
)
def test_numbers_out_of_range_are_refused(option, value):
    data = ModularDataModule("x + y", 7)
    with pytest.raises(InputError, match=option):
        GrokkingModule(Transformer(**data.network_shape), **{option: value})
