"""What interventions change, and when."""

import math

import pytest
import torch

from modgrok import ModularDataModule, Transformer
from modgrok.errors import InputError
from modgrok.training import (
    CrossEntropy,
    GrokkingAdamW,
    Intervention,
    LabelNoise,
    OutputTemperature,
    WeightDecayOff,
    WeightNormClamp,
)
from modgrok.training.cuda_graph import GraphEngine
from modgrok.training.engine import Engine


def network_and_data():
    torch.manual_seed(0)
    data = ModularDataModule("x + y", 11, train_fraction=0.5)
    return Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24), data


def weights_of(module):
    return [weight.detach().clone() for weight in module.network.parameters()]


def same(one, other):
    return all(map(torch.equal, one, other))


def norm(module):
    return math.hypot(*(weight.norm().item() for weight in module.network.parameters()))


def engine(interventions, kind=Engine):
    network, data = network_and_data()
    made = GrokkingAdamW(network.parameters())
    return kind(network, CrossEntropy(), [made], (), (), interventions, n_answers=11), data.training_pairs


def test_an_intervention_changes_the_updates_of_its_window_and_no_others(fit):
    """First and last update count from 0 and are exact, wherever the training steps end."""
    without = [weights_of(fit(n, interventions=[], updates_per_step=1)) for n in (7, 8)]
    for last, unchanged in ((None, 7), (9, 7)):
        decay_off = [WeightDecayOff(first=7, last=last)]
        before = weights_of(fit(unchanged, interventions=decay_off, updates_per_step=10))
        assert same(before, without[0])
        assert not same(weights_of(fit(8, interventions=decay_off)), without[1])
    network, data = network_and_data()
    one_by_one = GrokkingAdamW(network.parameters())
    by_hand = Engine(network, CrossEntropy(), [one_by_one], n_answers=11)
    for update in range(14):
        one_by_one.param_groups[0]["weight_decay"] = 0.0 if 7 <= update <= 9 else 1.0
        by_hand.update(data.training_pairs)
    module = fit(14, interventions=[WeightDecayOff(7, 9)], lr_scheduler=constant)
    assert same(weights_of(module), [weight.detach() for weight in network.parameters()])


def constant(optimizer):
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)


def test_the_clamp_holds_the_total_norm_in_its_window(fit):
    assert norm(fit(10, interventions=[WeightNormClamp(5.0)])) == pytest.approx(5.0)
    assert norm(fit(10, interventions=[WeightNormClamp(5.0, last=3)])) != pytest.approx(5.0, rel=1e-3)


def test_a_temperature_divides_the_logits_before_the_loss():
    tempered, batch = engine([OutputTemperature(4.0)])
    logits = tempered.network(batch.tokens).double()
    expected = torch.nn.functional.cross_entropy(logits / 4, batch.answers)
    assert tempered.update(batch).item() == pytest.approx(expected.item())


def test_label_noise_changes_a_share_of_the_answers_the_same_wherever_a_pair_is():
    data = ModularDataModule("x + y", 97, train_fraction=1.0 - 1e-4)
    pairs = data.training_pairs
    noisy = LabelNoise(0.3, seed=1).batch(pairs, 97)
    wrong = noisy.answers != pairs.answers
    assert wrong.double().mean().item() == pytest.approx(
        0.3, abs=0.03
    )  # ±6 standard deviations of 9,408 draws
    counts = torch.bincount((noisy.answers - pairs.answers)[wrong] % 97, minlength=97)
    assert counts[0] == 0
    assert (counts[1:] > 5).all()  # 29 expected of each wrong answer
    some = torch.randperm(pairs.size, generator=torch.Generator().manual_seed(0))[:100]
    assert torch.equal(LabelNoise(0.3, seed=1).batch(pairs.select(some), 97).answers, noisy.answers[some])
    assert not torch.equal(LabelNoise(0.3, seed=2).batch(pairs, 97).answers, noisy.answers)
    assert torch.equal(noisy.tokens, pairs.tokens)


def test_noisy_pairs_are_learned_and_scored_by_their_right_answers(fit):
    module = fit(60, interventions=[LabelNoise(1.0)])
    assert module.history.train_accuracy[-1] < 0.1
    assert module.history.train_loss[-1] > module.history.train_loss[0]


ALL = {
    "clamp": lambda: [WeightNormClamp(8.0, 3, 25)],
    "decay": lambda: [WeightDecayOff(5, 24)],
    "temperature": lambda: [OutputTemperature(2.0, 4, 33)],
    "noise": lambda: [LabelNoise(0.5, 0, 4, 33)],
    "two at once": lambda: [OutputTemperature(0.5, 4, 22), WeightNormClamp(9.0, 10)],
}


@pytest.mark.parametrize(
    ("engine", "name"),
    [
        *(("eager", name) for name in ALL),
        *(pytest.param("compile", name, marks=pytest.mark.compiler) for name in ("two at once", "noise")),
    ],
)
def test_a_run_is_resumed_bit_for_bit_within_a_window(fit, engine, name):
    interventions = ALL[name]
    whole = fit(40, interventions=interventions(), engine=engine)
    fit(20, interventions=interventions(), engine=engine)
    resumed = fit(40, 20, interventions=interventions(), engine=engine)
    assert same(weights_of(whole), weights_of(resumed))
    plain = fit(40, interventions=[], engine=engine)
    assert not same(weights_of(whole), weights_of(plain))


@pytest.mark.parametrize("interventions", ALL.values(), ids=ALL)
def test_a_replayed_update_is_changed_too(interventions):
    changing = [type(each)(**{**vars(each), "first": 0, "last": None}) for each in interventions()]
    eager, batch = engine(changing)
    graph, _ = engine(changing, GraphEngine)
    graph.capture(batch, lambda function: function)
    for _ in range(5):
        torch.testing.assert_close(graph.update(batch), eager.update(batch))
    for one, other in zip(graph.network.parameters(), eager.network.parameters(), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Intervention(first=10, last=9), "last must not be before first = 10, got 9"),
        (lambda: Intervention(first=-1), "first must be ≥ 0, got -1"),
        (lambda: WeightNormClamp(0.0), "norm must be > 0, got 0"),
        (lambda: OutputTemperature(0.0), "temperature must be > 0, got 0"),
        (lambda: LabelNoise(0.0), r"share must be in \(0, 1\], got 0"),
    ],
)
def test_what_cannot_be_is_refused(build, message):
    with pytest.raises(InputError, match=message):
        build()


def test_a_changed_intervention_is_not_resumed_silently(fit):
    fit(20, interventions=[WeightNormClamp(8.0)])
    with pytest.raises(InputError, match=r"intervention\.norm is 9\.0 here and 8\.0 there"):
        fit(40, 20, interventions=[WeightNormClamp(9.0)])
