"""What a run found, against its network."""

import math

import pytest
import torch
import torch.nn.functional as F

import modgrok


@pytest.mark.parametrize("task", ["x + y", ["x + y", "x - y"]], ids=["one formula", "a mixture"])
def test_bits_are_what_the_network_knows_of_each_training_answer(tmp_path, task):
    config = {
        "data": {"task": task, "modulus": 7, "train_fraction": 0.5},
        "model": {
            "network": {"class_path": "modgrok.Transformer", "init_args": {"d_model": 32, "d_mlp": 64}},
            "engine": "eager",
            "evaluate_every": 100,
        },
        "trainer": {"max_steps": 100, "logger": False},
        **{section: {"every": None} for section in ("measures", "weights")},
    }
    run = modgrok.fit(config, directory=tmp_path / "run")
    snapshot = run.snapshot()
    pairs = snapshot.data.training_pairs
    with torch.no_grad():
        logits = snapshot.network(pairs.tokens).double()
    entropy = pairs.size * math.log2(7)
    known = entropy - F.cross_entropy(logits, pairs.answers, reduction="sum").item() / math.log(2)
    assert known > 0.1 * entropy, "it has learned something"
    assert run.findings.entropy == pytest.approx(entropy)
    assert run.findings.bits == pytest.approx(known, rel=1e-6)
