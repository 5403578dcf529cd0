"""What filters do to gradients."""

import pytest
import torch
from lightning.pytorch import Trainer

from modgrok import GrokkingModule, ModularDataModule, Transformer
from modgrok.errors import InputError
from modgrok.training import CrossEntropy, GradientFilter, LpPenalty
from modgrok.training.engine import Engine


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_the_penaltys_gradient_is_that_of_its_formula(power):
    weights = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    (0.3 * weights.abs().pow(power).sum()).backward()
    zeros = {"w": torch.zeros(5, 3, dtype=torch.float64)}
    filtered = LpPenalty(0.3, power)(zeros, {"w": weights.detach()})
    torch.testing.assert_close(filtered["w"], weights.grad)


def step(filters, frozen=()):
    """One step of plain gradient descent at rate 1; return the loss told and how each weight moved."""
    data = ModularDataModule("x + y", 7, train_fraction=0.5)
    torch.manual_seed(0)
    network = Transformer(**data.network_shape, d_model=16, d_mlp=16)
    for name in frozen:
        network.get_parameter(name).requires_grad_(False)
    start = {name: weight.clone() for name, weight in network.state_dict().items()}
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=1.0)
    engine = Engine(network, CrossEntropy(), [optimizer], filters=filters, n_answers=7)
    loss = engine.update(data.training_pairs)
    return loss.item(), start, {name: w - start[name] for name, w in network.state_dict().items()}


def test_the_penalty_is_descended_besides_the_loss_and_is_no_part_of_the_loss_told():
    loss, start, plain = step([])
    told, _, moved = step([LpPenalty(0.1, 2.0)], frozen=["embed.W_E"])
    assert told == loss
    assert not moved["embed.W_E"].any()
    for name in moved.keys() - {"embed.W_E"}:
        torch.testing.assert_close(moved[name] - plain[name], -0.2 * start[name], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    "arguments", [{"strength": -1}, {"strength": float("nan")}, {"strength": 1, "power": 0.5}]
)
def test_numbers_out_of_range_are_refused(arguments):
    with pytest.raises(InputError, match="must be ≥"):
        LpPenalty(**arguments)


class Doubling(GradientFilter):
    """Doubles every gradient more than the one before, and so has something to remember."""

    def __init__(self):
        self.factor = 1.0

    def __call__(self, gradients, weights):
        self.factor *= 1.01
        return {name: gradient * self.factor for name, gradient in gradients.items()}

    def state_dict(self):
        return {"factor": self.factor}


class Misshapen(GradientFilter):
    def __call__(self, gradients, weights):
        return {name: gradient[:1] for name, gradient in gradients.items()}


def fit(directory, filters, max_steps, ckpt_path=None, **arguments):
    torch.manual_seed(0)
    data = ModularDataModule("x + y", 11, train_fraction=0.5)
    network = Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24)
    module = GrokkingModule(network, gradient_filters=filters, evaluate_every=10, **arguments)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = Trainer(max_steps=max_steps, default_root_dir=directory, accelerator="cpu", **quiet)
    trainer.fit(module, data, ckpt_path=ckpt_path)
    trainer.save_checkpoint(directory / f"{max_steps}.ckpt")
    return module


def test_a_filters_state_is_resumed_bit_for_bit(tmp_path):
    whole = fit(tmp_path, [Doubling()], 40)
    fit(tmp_path, [Doubling()], 20)
    resumed = fit(tmp_path, [Doubling()], 40, tmp_path / "20.ckpt")
    assert resumed.gradient_filters[0].factor == whole.gradient_filters[0].factor
    assert all(map(torch.equal, whole.network.parameters(), resumed.network.parameters()))
    without = fit(tmp_path, [], 40)
    assert not all(map(torch.equal, whole.network.parameters(), without.network.parameters()))


def test_a_filter_that_returns_another_shape_is_refused_before_training(tmp_path):
    with pytest.raises(InputError, match=r"Misshapen returned \(1, 16\) for the gradient of embed.W_E"):
        fit(tmp_path, [Misshapen()], 10)
    assert not list(tmp_path.iterdir())
