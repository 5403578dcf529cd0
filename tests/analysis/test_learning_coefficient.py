"""The local learning coefficient: exact where it can be computed, refused where the chain is no measure."""

import json

import pytest
import torch

from modgrok import MLP
from modgrok.analysis.learning_coefficient import SGLD, learning_coefficient, read_sgld, sample
from modgrok.cli import main
from modgrok.data import ModularData
from modgrok.errors import InputError
from modgrok.models.losses import CROSS_ENTROPY

D = 2000


def quadratic(step, pull, **more):
    """Chains in the loss |w|²/2."""
    w = torch.zeros(D, requires_grad=True)
    settings = SGLD(step=step, pull=pull, **{"burn_in": 300, "draws": 1500, "chains": 1, **more})
    return sample(lambda: w.square().sum() / 2, [w], 100.0, settings), w


@pytest.mark.parametrize(
    ("step", "pull", "expected"), [(1e-3, 0, 10.2564), (1e-3, 100, 5.2632), (1e-2, 0, 13.3333)]
)
def test_a_quadratic_has_its_exact_value(step, pull, expected) -> None:
    """(d/2)·nβa / (k(1 − εk/4)) with k = nβa + γ, here for d = 20."""
    found, w = quadratic(step, pull)
    assert found.estimate * 20 / D == pytest.approx(expected, rel=0.02)
    assert not w.any()  # the parameters are put back


@pytest.mark.parametrize(
    ("loss", "settings", "most", "said"),
    [
        (lambda w: (w**4).sum() * 1e30, {"step": 1.0, "pull": 0}, float("inf"), "not a number"),
        (lambda w: w.square().sum() / 2, {"step": 1e-3, "pull": 0}, 1e-3, "leaves the basin"),
        (lambda w: w.square().sum() / 2, {"step": 1e-6, "pull": 0, "burn_in": 0}, float("inf"), "drifts"),
    ],
)
def test_chains_that_are_no_measure_are_refused(loss, settings, most, said) -> None:
    w = torch.zeros(100, requires_grad=True)
    found = sample(lambda: loss(w), [w], 100.0, SGLD(**{"draws": 100, "chains": 1, **settings}), most)
    assert found.estimate is None
    assert said in found.refused
    assert said in str(found)


def test_a_network_is_left_as_it_is_and_the_seed_makes_the_number() -> None:
    torch.manual_seed(0)
    data = ModularData("x + y", 7, 0.5)
    network, pairs = MLP(**data.network_shape, d_model=8, d_mlp=8), data.training_pairs
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    settings = SGLD(step=1e-5, burn_in=20, draws=60)

    def estimate(seed):
        return learning_coefficient(
            network, pairs.tokens, pairs.answers, CROSS_ENTROPY, 1.9, SGLD(**{**vars(settings), "seed": seed})
        )

    first = estimate(0)
    assert first == estimate(0)
    assert first != estimate(5)
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"stepp": 1}, "did you mean 'step'"),
        ({"draws": 1.5}, "sgld.draws must be a whole number"),
        ({"step": 0}, "sgld.step must be positive"),
        ({"pull": -1}, "sgld.pull must be ≥ 0"),
        ({"step": float("nan")}, "sgld.step must be positive"),
    ],
)
def test_settings_that_make_no_chain_are_named(settings, said) -> None:
    with pytest.raises(InputError, match=said):
        read_sgld(settings)


def test_a_run_is_analyzed_with_it_only_where_it_is_asked_for(small_run, tmp_path, capsys) -> None:
    main(
        [
            *("analyze", str(small_run), "--output", str(tmp_path / "with"), "--learning_coefficient"),
            *("--sgld", "{step: 1e-5, burn_in: 5, draws: 20, chains: 1}"),
        ]
    )
    said = capsys.readouterr().out
    assert said.count("learning coefficient after") == 4
    assert "ε 1e-05, γ 300, 1 chains of 5 + 20 steps" in said
    found = json.loads((tmp_path / "with" / "summary.json").read_text())["learning_coefficients"]
    assert list(found) == ["0", "40", "80", "90"]
    assert all(one["settings"]["step"] == 1e-5 for one in found.values())
    header = (tmp_path / "with" / "measures.csv").read_text().splitlines()[0]
    assert header.endswith("learning_coefficient")
