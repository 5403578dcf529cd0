"""What filters do to gradients."""

import pytest
import torch

from modgrok import ModularDataModule, Transformer
from modgrok.errors import InputError
from modgrok.training import (
    CrossEntropy,
    EgalitarianGradient,
    GradientFilter,
    GradientNorm,
    GrokfastEMA,
    GrokfastMA,
    LpPenalty,
    OrthogonalGradient,
)
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


def test_a_filters_state_is_resumed_bit_for_bit(fit):
    whole = fit(40, gradient_filters=[Doubling()])
    fit(20, gradient_filters=[Doubling()])
    resumed = fit(40, 20, gradient_filters=[Doubling()])
    assert resumed.gradient_filters[0].factor == whole.gradient_filters[0].factor
    assert all(map(torch.equal, whole.network.parameters(), resumed.network.parameters()))
    without = fit(40, gradient_filters=[])
    assert not all(map(torch.equal, whole.network.parameters(), without.network.parameters()))


def test_a_filter_that_returns_another_shape_is_refused_before_training(fit, tmp_path):
    with pytest.raises(InputError, match=r"Misshapen returned \(1, 16\) for the gradient of embed.W_E"):
        fit(10, gradient_filters=[Misshapen()])
    assert not list(tmp_path.iterdir())


def gradients_of(seed, updates=7):
    """Weights, and their gradients at several updates."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"embed.W_E": (5, 4), "blocks.0.attn.W_Q": (2, 4, 3), "unembed.b_U": (3,)}
    weights = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    return weights, [
        {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
        for _ in range(updates)
    ]


class Parameters(torch.nn.Module):
    """The weights as a module, with a gradient each, for other implementations."""

    def __init__(self, weights):
        super().__init__()
        self.own = torch.nn.ParameterList(weights.values())

    def give(self, gradients):
        for parameter, gradient in zip(self.own, gradients.values(), strict=True):
            parameter.grad = gradient.clone()

    @property
    def gradients(self):
        return [parameter.grad for parameter in self.own]


def test_grokfast_ema_agrees_with_another_implementation():
    reference = pytest.importorskip("pytorch_optimizer.optimizer.grokfast").gradfilter_ema
    weights, updates = gradients_of(0)
    model, kept, ours = Parameters(weights), None, GrokfastEMA(alpha=0.9, strength=3.0)
    for gradients in updates:
        model.give(gradients)
        kept = reference(model, kept, alpha=0.9, lamb=3.0)
        filtered = ours({name: g.clone() for name, g in gradients.items()}, weights)
        for one, other in zip(filtered.values(), model.gradients, strict=True):
            torch.testing.assert_close(one, other)


def test_grokfast_ma_agrees_with_another_implementation_and_waits_for_its_window():
    reference = pytest.importorskip("pytorch_optimizer.optimizer.grokfast").gradfilter_ma
    weights, updates = gradients_of(1)
    model, kept, ours = Parameters(weights), None, GrokfastMA(window=3, strength=5.0)
    for number, gradients in enumerate(updates):
        model.give(gradients)
        kept = reference(model, kept, window_size=3, lamb=5.0, filter_type="mean")
        filtered = ours({name: g.clone() for name, g in gradients.items()}, weights)
        for name, other in zip(filtered, model.gradients, strict=True):
            torch.testing.assert_close(filtered[name], other)
            assert torch.equal(filtered[name], gradients[name]) == (number < 2)


def test_an_orthogonal_gradient_has_no_part_along_the_weights_and_the_gradients_norm():
    weights, (gradients, *_) = gradients_of(2)
    filtered = OrthogonalGradient()(gradients, weights)
    for name, weight in weights.items():
        assert (filtered[name] * weight).sum().item() == pytest.approx(0, abs=1e-5)
        torch.testing.assert_close(filtered[name].norm(), gradients[name].norm())
        off = gradients[name] - (gradients[name] * weight).sum() / weight.square().sum() * weight
        assert torch.cosine_similarity(filtered[name].flatten(), off.flatten(), dim=0) == pytest.approx(1)


def test_an_orthogonal_gradient_agrees_with_another_implementation():
    optimizers = pytest.importorskip("pytorch_optimizer")
    weights, (gradients, *_) = gradients_of(3)
    model = Parameters({name: weight.clone() for name, weight in weights.items()})
    model.give(gradients)
    optimizers.OrthoGrad(torch.optim.SGD(model.parameters(), lr=1.0)).step()
    filtered = OrthogonalGradient()(gradients, weights)
    for (name, weight), stepped in zip(weights.items(), model.own, strict=True):
        torch.testing.assert_close(stepped.detach(), weight - filtered[name])


@pytest.mark.parametrize("filtered", [OrthogonalGradient(), EgalitarianGradient()])
def test_weights_and_gradients_of_zero_stay_finite(filtered):
    weights, (gradients, *_) = gradients_of(4)
    zeros = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for some in (filtered(gradients, zeros), filtered(zeros, weights)):
        assert all(gradient.isfinite().all() for gradient in some.values())


def test_an_egalitarian_gradient_keeps_the_singular_vectors_and_levels_the_values():
    weights, (gradients, *_) = gradients_of(5)
    gradients["embed.W_E"][:, 3] = gradients["embed.W_E"][:, 0]  # of rank 3
    filtered = EgalitarianGradient()({name: g.clone() for name, g in gradients.items()}, weights)
    G = gradients["embed.W_E"].double()
    whitened = torch.linalg.pinv((G @ G.T), hermitian=True, rtol=1e-6)
    values, vectors = torch.linalg.eigh(whitened)
    root = vectors @ values.clamp(min=0).sqrt().diag() @ vectors.T  # (G Gᵀ)^(−1/2)
    torch.testing.assert_close(filtered["embed.W_E"].double(), root @ G, rtol=1e-4, atol=1e-5)
    heads = filtered["blocks.0.attn.W_Q"]  # (h, d, k): one (d, h·k) matrix for all heads
    both = torch.cat(list(heads), dim=1)
    torch.testing.assert_close(torch.linalg.svdvals(both), torch.ones(4))
    assert torch.equal(filtered["unembed.b_U"], gradients["unembed.b_U"])


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (GrokfastEMA, {"alpha": 1.0}, r"alpha must be in \[0, 1\), got 1"),
        (GrokfastEMA, {"strength": -1.0}, "strength must be ≥ 0, got -1"),
        (GrokfastMA, {"window": 0}, "window must be a positive integer, got 0"),
        (GrokfastMA, {"strength": float("nan")}, "strength must be ≥ 0, got nan"),
    ],
)
def test_filters_refuse_numbers_out_of_their_range(kind, arguments, message):
    with pytest.raises(InputError, match=message):
        kind(**arguments)


@pytest.mark.parametrize(
    "engine", ["eager", pytest.param("compile", marks=[pytest.mark.slow, pytest.mark.compiler])]
)
@pytest.mark.parametrize("kind", [GrokfastEMA, lambda: GrokfastMA(window=15)])
def test_grokfast_is_resumed_bit_for_bit(fit, kind, engine):
    whole = fit(40, gradient_filters=[kind()], engine=engine)
    fit(20, gradient_filters=[kind()], engine=engine)
    resumed = fit(40, 20, gradient_filters=[kind()], engine=engine)
    assert all(map(torch.equal, whole.network.parameters(), resumed.network.parameters()))
    assert whole.history == resumed.history


@pytest.mark.parametrize("largest", [0.1, 1.0, 100.0])
def test_clipped_gradients_are_those_of_torch(largest):
    generator = torch.Generator().manual_seed(0)
    gradients = {name: torch.randn(5, 3, generator=generator) for name in "ab"}
    weights = {name: torch.zeros(5, 3) for name in "ab"}
    parameters = [torch.nn.Parameter(weight) for weight in weights.values()]
    for parameter, gradient in zip(parameters, gradients.values(), strict=True):
        parameter.grad = gradient.clone()
    torch.nn.utils.clip_grad_norm_(parameters, largest)
    clipped = GradientNorm(largest)(gradients, weights)
    for parameter, name in zip(parameters, "ab", strict=True):
        torch.testing.assert_close(clipped[name], parameter.grad)


def test_a_gradient_of_zero_stays_and_one_that_is_no_number_is_not_hidden():
    zero = GradientNorm(1.0)({"w": torch.zeros(2)}, {"w": torch.zeros(2)})["w"]
    broken = GradientNorm(1.0)({"w": torch.tensor([1.0, float("nan")])}, {"w": torch.zeros(2)})["w"]
    assert not zero.any()
    assert broken.isnan().any()


@pytest.mark.parametrize("largest", [0.0, -1.0, float("inf"), float("nan")])
def test_a_norm_that_is_none_is_refused(largest):
    with pytest.raises(InputError, match="largest must be > 0"):
        GradientNorm(largest)
