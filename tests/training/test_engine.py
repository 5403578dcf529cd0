from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from modgrok import MLP, ModularDataModule, Transformer
from modgrok.errors import InputError
from modgrok.training import engine as engine_module
from modgrok.training.engine import ENGINES, make_engine
from modgrok.training.warm_up import WarmUp

CUDA = pytest.param(
    "cuda_graph",
    marks=[pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")],
)


def build(name, data, network, warmup=0, weight_decay=1.0):
    device = "cuda" if name == "cuda_graph" else "cpu"
    network.to(device)
    optimizer = AdamW(network.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=weight_decay, fused=True)
    scheduler = LambdaLR(optimizer, WarmUp(warmup))
    batches = data.train_dataloader()
    batches.examples = batches.examples.to(torch.device(device))
    return ENGINES[name](network, optimizer, scheduler, batches, len(data.tasks))


@pytest.fixture(scope="module")
def peer():
    return np.load(Path(__file__).with_name("hooked_transformer_add_p113.npz"))


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("eager", torch.float32),
        ("eager", torch.float64),
        pytest.param("compile", torch.float64, marks=pytest.mark.slow),
    ],
)
def test_traces_the_peers_losses(peer, name, dtype):
    """In float64, where only the peer's own rounding is left, and in float32.

    Rounding differences grow a millionfold over these updates. In float32 those of any implementation end within a
    factor of a few of the last bound, on either side; in the order in which the pairs stand they end below it.
    """
    data = ModularDataModule("x + y", 113, train_fraction=0.3, split_seed=598)
    assert set(data.training_index.tolist()) == set(peer["train_indices"].tolist())
    network = Transformer(**data.network_shape)
    network.load_state_dict({key: torch.from_numpy(peer[key]) for key in network.state_dict()})
    losses = build(name, data, network.to(dtype)).run(0, 150).numpy()
    error = np.abs(losses / peer["train_loss"][:150] - 1)
    assert error[:10].max() < 1e-8
    assert error[:50].max() < 1e-4
    assert error.max() < 2e-2


def trained(name, data, n, spans=None, network=Transformer, **variant):
    torch.manual_seed(0)
    network = network(**data.network_shape, **{"d_model": 32, "d_mlp": 64, **variant})
    engine = build(name, data, network, warmup=10)
    losses, first = [], 0
    for span in spans or [n]:
        losses.append(engine.run(first, span))
        first += span
    return torch.cat(losses).cpu(), {key: w.cpu() for key, w in network.state_dict().items()}


@pytest.mark.parametrize("name", ["compile", CUDA])
@pytest.mark.parametrize(
    "variant",
    [
        {},
        pytest.param({"network": MLP}, marks=pytest.mark.slow),
        pytest.param({"n_layers": 2, "normalization": True, "biases": True}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_engines_agree_with_eager(name, variant):
    data = ModularDataModule("x + y", 23, train_fraction=0.5)
    expected, _ = trained("eager", data, 20, **variant)
    losses, _ = trained(name, data, 20, **variant)
    torch.testing.assert_close(losses, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", ["eager", CUDA])
def test_spans_do_not_change_a_bit(name):
    data = ModularDataModule("x + y", 23, train_fraction=0.5)
    expected, expected_weights = trained(name, data, 30)
    losses, weights = trained(name, data, 30, spans=[1, 4, 25])
    assert torch.equal(losses, expected)
    assert all(torch.equal(weights[key], w) for key, w in expected_weights.items())


def test_shares_add_up_to_the_whole_batch(monkeypatch):
    data = ModularDataModule(["x + y", "x * y"], 23, train_fraction=0.5)
    expected, _ = trained("eager", data, 20)
    monkeypatch.setattr(engine_module, "LOGITS_AT_ONCE", 2000)
    losses, _ = trained("eager", data, 20)
    torch.testing.assert_close(losses, expected, rtol=1e-6, atol=0)
    assert not torch.equal(losses, expected)


def test_first_loss_is_the_sum_of_the_tasks_means():
    data = ModularDataModule(["x + y", "x / y"], 11, train_fraction=0.5)
    torch.manual_seed(0)
    network = Transformer(**data.network_shape)
    pairs = data.training_pairs
    means = [
        torch.nn.functional.cross_entropy(
            network(pairs.tokens[pairs.task == i]).double(), pairs.answers[pairs.task == i]
        )
        for i in range(2)
    ]
    (loss,) = build("eager", data, network).run(0, 1)
    torch.testing.assert_close(loss, sum(means).detach(), rtol=1e-7, atol=0)


def test_first_update_of_a_warm_up_changes_nothing():
    data = ModularDataModule("x + y", 11)
    torch.manual_seed(0)
    network = Transformer(**data.network_shape)
    before = {key: w.clone() for key, w in network.state_dict().items()}
    engine = build("eager", data, network, warmup=10)
    engine.run(0, 1)
    assert all(torch.equal(w, before[key]) for key, w in network.state_dict().items())
    engine.run(1, 1)
    assert not torch.equal(network.embed.W_E, before["embed.W_E"])
    rates = []
    for update in range(2, 14):
        rates.append(engine.optimizer.param_groups[0]["lr"])
        engine.run(update, 1)
    assert rates == pytest.approx([1e-3 * min(u / 10, 1) for u in range(2, 14)])


def test_minibatches_train():
    data = ModularDataModule("x + y", 11, batch_size=16)
    losses, _ = trained("eager", data, 300)
    assert losses[-5:].mean() < losses[:5].mean() / 2


@pytest.mark.parametrize(
    ("updates", "compiler", "expected"),
    [(1000, "python3", "eager"), (50_000, "python3", "compile"), (50_000, "/nonexistent/compiler", "eager")],
)
def test_auto_compiles_where_the_run_is_long_enough_to_repay_it(monkeypatch, updates, compiler, expected):
    monkeypatch.setenv("CXX", compiler)
    monkeypatch.setattr(engine_module, "ENGINES", {name: Mock(return_value=name) for name in ENGINES})
    data = ModularDataModule("x + y", 11)
    network = Transformer(**data.network_shape)
    optimizer = AdamW(network.parameters())
    scheduler = LambdaLR(optimizer, WarmUp(0))
    chosen = make_engine("auto", network, optimizer, scheduler, data.train_dataloader(), 1, updates)
    assert chosen == expected


def test_failing_compiler_is_one_warning_and_eager(monkeypatch, tmp_path):
    data = ModularDataModule("x + y", 13)
    expected, _ = trained("eager", data, 3)
    torch._dynamo.reset()
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(torch._inductor.config.cpp, "cxx", ("/nonexistent/compiler",))
    with pytest.warns(UserWarning, match="compilation failed, training goes on uncompiled"):
        losses, _ = trained("compile", data, 3)
    assert torch.equal(losses, expected)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("cuda_graph", {}, "cuda_graph needs CUDA"),
        ("compile", {"batch_size": 8}, "compile needs the full batch"),
    ],
)
def test_engine_that_cannot_run_says_why(name, data, message):
    data = ModularDataModule("x + y", 11, **data)
    network = Transformer(**data.network_shape)
    optimizer = AdamW(network.parameters())
    scheduler = LambdaLR(optimizer, WarmUp(0))
    with pytest.raises(InputError, match=message):
        make_engine(name, network, optimizer, scheduler, data.train_dataloader(), 1, 100)
