"""What the page says of how a network adds: numbers beside published ones, and never a verdict."""

import json

import pytest
import torch
from clock_network import clock_mlp, history

from modgrok import MLP, ModularDataModule
from modgrok.analysis import additive_clock
from modgrok.analysis.run_analysis import analyze_network
from modgrok.report.adding_prose import adding, adding_facts
from modgrok.report.analysis_page import analysis_page
from modgrok.report.tables import measures_csv, summary_json
from modgrok.runs import Snapshot


def analysis_of(network, data):
    return analyze_network(Snapshot(network, data, 1000, history(1000)), "built by hand")


def test_the_measures_stand_beside_their_published_distribution() -> None:
    data = ModularDataModule("x + y", 31)
    found = analysis_of(clock_mlp(data, additive_clock(31), [2, 5, 13]), data)
    said = adding(found.tasks[0])
    assert "Gradient symmetricity is 1.0000" in said
    assert "0.994 at below 0.1" in said
    assert "phase sum of the neurons is 1.0000" in said
    page = analysis_page(found)
    assert "phase sum of the neurons is 1.0000" in page
    assert not [
        word for word in ("is a pizza", "a pizza network", "NaN") if word in said + page.split("<script")[0]
    ]


def test_what_one_circle_alone_answers_is_said() -> None:
    data = ModularDataModule("x + y", 31)
    network = clock_mlp(data, additive_clock(31), [2, 5, 13])
    with torch.no_grad():  # circles of different radii, each of them two principal components
        network.readout_paths.W_E.mul_(torch.tensor([1.0, 1, 2, 2, 3, 3]))
    found = analysis_of(network, data)
    measured = found.tasks[0].last.clock_or_pizza
    # relu(cos(a + φ) + cos(b + φ)) has a second harmonic of size |cos((a − b)/2)|
    assert measured.circle_pizza > 0.99 > measured.circle_clock
    values = f"the clock to {measured.circle_clock:.4f} and that of the pizza to {measured.circle_pizza:.4f}"
    said = f"{values} (frequencies 2, 5 and 13"
    assert said in adding(found.tasks[0])
    assert said in analysis_page(found)
    assert json.loads(summary_json(found))["tasks"][0]["circle_pizza_13"] > 0.99
    assert "circle_pizza_13" in measures_csv(found).splitlines()[0].split(",")


@pytest.mark.parametrize(
    ("task", "shape", "said"),
    [
        (
            "x + y + z",
            {},
            "the task does not have two operands: gradient symmetricity, distance irrelevance, isolated circles",
        ),
        (
            "x + y",
            {"input": "two_hot", "d_model": 128},
            "no embedding that both operands share: gradient symmetricity, isolated circles",
        ),
        ("x**3 + x*y", {}, ""),
    ],
)
def test_what_is_undefined_says_why(task, shape, said) -> None:
    torch.manual_seed(0)
    data = ModularDataModule(task, 11)
    (found,) = analysis_of(MLP(**data.network_shape, **{"d_model": 8, "d_mlp": 12, **shape}), data).tasks
    assert said in adding(found)
    assert bool(said) == bool(adding(found))
    assert "None" not in str(adding_facts(found.last.clock_or_pizza))
