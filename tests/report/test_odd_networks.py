"""Whatever can be trained can be analyzed, and the report says what it leaves out."""

import json
import re

import pytest
import torch
from clock_network import history

from modgrok import MLP, ModularDataModule, Transformer
from modgrok.analysis.run_analysis import analyze_network
from modgrok.models import Network
from modgrok.report.analysis_page import analysis_page
from modgrok.report.prose import method, opening
from modgrok.report.tables import measures_csv, summary_json
from modgrok.runs import Snapshot

CASES = {
    "three operands": ({"task": "x + y + z", "modulus": 7}, {}, ["one slice, at a fixed z"]),
    "three operands without zeros": (
        {"task": "x * y * z", "modulus": 7, "nonzero_operands": True},
        {},
        ["multiplicative"],
    ),
    "no structure": ({"task": "x**3 + x*y", "modulus": 11}, {}, ["fallback"]),
    "permutations": ({"task": "s5conj"}, {"d_mlp": 16}, ["fallback", "do not commute"]),
    "random labels": ({"task": "random", "modulus": 11}, {}, ["fallback"]),
    "a sum without a modulus": ({"task": "only_add", "modulus": 11}, {}, ["additive characters of ℤ/21"]),
    "few values": ({"task": "x**8 + y**9", "modulus": 17}, {}, ["In x: ", "cannot be told apart"]),
    "unordered pairs": ({"task": "x + y", "modulus": 11, "unordered_pairs": True}, {}, []),
    "quotients": ({"task": "x / y", "modulus": 11}, {}, ["multiplicative characters"]),
    "even modulus": ({"task": "x + y", "modulus": 12}, {}, []),
    "smallest modulus": ({"task": "x + y", "modulus": 2, "train_fraction": 0.5}, {}, []),
    "no equals sign": ({"task": "x + y", "modulus": 11, "template": ["x", "op", "y"]}, {}, []),
    "two blocks": (
        {"task": "x + y", "modulus": 11},
        {"n_layers": 2},
        ["the last of the 2 blocks"],
    ),
    "normalization": (
        {"task": "x + y", "modulus": 11},
        {"normalization": True, "biases": True},
        ["ignore normalization"],
    ),
    "many heads": ({"task": "x + y", "modulus": 11}, {"n_heads": 16, "d_head": 2}, []),
    "a mixture": ({"task": ["x + y", "x * y"], "modulus": 11}, {}, ["additive", "multiplicative"]),
}

MLPS = {
    "an MLP": ({"task": "x + y", "modulus": 11}, {}, []),
    "two hidden layers": (
        {"task": "x * y", "modulus": 11},
        {"n_layers": 2, "biases": True},
        ["the last of the 2 hidden layers", "W_neur is left out"],
    ),
    "a mixture on an MLP": ({"task": ["x + y", "x * y"], "modulus": 11}, {}, ["additive", "multiplicative"]),
    "three operands on an MLP": ({"task": "x + y + z", "modulus": 7}, {}, ["one slice, at a fixed z"]),
}


@pytest.mark.parametrize("case", CASES)
def test_every_network_gets_its_page(case: str) -> None:
    arguments, shape, said = CASES[case]
    torch.manual_seed(0)
    data = ModularDataModule(**arguments)
    network = Transformer(**data.network_shape, **{"d_model": 32, "d_mlp": 40, **shape})
    text = report_on(network, data, said)
    assert text.count('<div class="plot') >= 17 * len(data.tasks)
    assert "attention" in text
    assert "W_logit = W_out W_U" in text


@pytest.mark.parametrize("case", MLPS)
def test_every_mlp_gets_its_page_without_attention(case: str) -> None:
    arguments, shape, said = MLPS[case]
    torch.manual_seed(0)
    data = ModularDataModule(**arguments)
    network = MLP(**data.network_shape, **{"d_model": 32, "d_mlp": 40, **shape})
    text = report_on(network, data, said)
    assert text.count('<div class="plot') >= 11 * len(data.tasks)
    assert not re.search("Attention to|head 0|each head", text)
    assert ("W_neur, from the symbols to the neurons" in text) == (network.config["n_layers"] == 1)
    assert "W_logit = W_U, from the neurons to the answers" in text


def report_on(network: Network, data: ModularDataModule, said: list[str]) -> str:
    """The page on a network, with the tables checked."""
    found = analyze_network(Snapshot(network, data, 300, history(300)), "somewhere")
    text = analysis_page(found)
    words = " ".join(f"{opening(found, task)} {method(found, task)}" for task in found.tasks)
    assert all(part in words for part in said), words
    for task in data.tasks:
        assert f"Neurons, {task.name}" in text or len(data.tasks) == 1
    rows = measures_csv(found).splitlines()
    assert len(rows) == 1 + len(data.tasks)
    # strict JSON: no NaN, no Infinity
    summary = json.loads(summary_json(found), parse_constant=lambda name: pytest.fail(name))
    assert [task["task"] for task in summary["tasks"]] == [task.name for task in data.tasks]
    assert summary["network"]["class"] == type(network).__name__
    # without styles, scripts and what the scripts read
    return re.sub(r"<(style|script).*?</\1>", "", text, flags=re.DOTALL)


def test_weights_whose_split_is_unknown_are_not_said_to_have_one() -> None:
    torch.manual_seed(0)
    data = ModularDataModule("x + y", 11)
    network = Transformer(**data.network_shape, d_model=32, d_mlp=40)
    found = analyze_network(Snapshot(network, data, 0, history(300), split_known=False), "theirs.pt")
    (task,) = found.tasks
    assert "is not known" in method(found, task)
    assert "grok" not in opening(found, task)
    assert task.last.train_loss is None
    summary = json.loads(summary_json(found))
    assert summary["split"] is None
    assert "after 0 updates" not in analysis_page(found)
