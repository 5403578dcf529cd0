from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer
from torch.optim import SGD, Adam, AdamW, RMSprop

from modgrok import MLP, GrokkingModule, ModularDataModule, Transformer
from modgrok.training import CrossEntropy, GrokkingAdamW, WarmUp, engine_choice
from modgrok.training import engine as engine_module
from modgrok.training.cpu_tuning import MULTIPLICATIONS_OF_A_LARGE_UPDATE, threads_for
from modgrok.training.cuda_graph import GraphEngine
from modgrok.training.engine import Engine, compiled_backward
from modgrok.training.engine_choice import choose_engine, compile_engine, cpp_compiler

CUDA = pytest.param(
    "cuda_graph",
    marks=[pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")],
)


def build(name, data, network, warmup=0, optimizer=GrokkingAdamW):
    """An engine, and the batch of all training pairs where it runs."""
    device = torch.device("cuda" if name == "cuda_graph" else "cpu")
    made = optimizer(network.to(device).parameters())
    kind = GraphEngine if name == "cuda_graph" else Engine
    sizes = {"n_answers": data.n_answers, "n_tasks": len(data.tasks)}
    engine = kind(network, CrossEntropy(), [made], [WarmUp(made, warmup)], **sizes)
    batch = data.training_pairs.to(device)
    if name == "cuda_graph":
        engine.capture(batch)
    elif name == "compile":
        compile_engine(engine, [batch])
    return engine, batch


def run(engine, batch, n):
    return torch.stack([engine.update(batch) for _ in range(n)]).cpu()


@pytest.fixture(scope="module")
def peer():
    return np.load(Path(__file__).with_name("hooked_transformer_add_p113.npz"))


def errors(peer, name, dtype, n):
    """Relative errors of the losses of the first n updates from the peer's weights on the peer's split."""
    data = ModularDataModule("x + y", 113, train_fraction=0.3, split_seed=598)
    assert set(data.training_index.tolist()) == set(peer["train_indices"].tolist())
    network = Transformer(**data.network_shape)
    network.load_state_dict({key: torch.from_numpy(peer[key]) for key in network.state_dict()})
    losses = run(*build(name, data, network.to(dtype)), n).numpy()
    return np.abs(losses / peer["train_loss"][:n] - 1)


@pytest.mark.parametrize(
    ("name", "updates"),
    [
        ("eager", 50),
        pytest.param("eager", 150, marks=pytest.mark.slow),
        pytest.param("compile", 150, marks=[pytest.mark.slow, pytest.mark.compiler]),
    ],
)
def test_traces_the_peers_losses_in_float64(peer, name, updates):
    """In float64 only the peer's own rounding is left, which grows a millionfold over 150 updates."""
    error = errors(peer, name, torch.float64, updates)
    assert error[:10].max() < 1e-8
    assert error[:50].max() < 1e-4
    assert error.max() < 2e-2


def test_traces_the_peers_first_losses_in_float32(peer):
    """In float32 trajectories drift apart between processors, so that only the first updates can be compared."""
    error = errors(peer, "eager", torch.float32, 20)
    assert error[:10].max() < 1e-5
    assert error.max() < 1e-3


def trained(name, data, n, network=Transformer, optimizer=GrokkingAdamW, **variant):
    torch.manual_seed(0)
    network = network(**data.network_shape, **{"d_model": 32, "d_mlp": 64, **variant})
    engine, batch = build(name, data, network, warmup=10, optimizer=optimizer)
    return run(engine, batch, n), {key: w.cpu() for key, w in network.state_dict().items()}


@pytest.mark.parametrize("name", [pytest.param("compile", marks=pytest.mark.compiler), CUDA])
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
    expected, _ = trained("eager", data, 15, **variant)
    losses, _ = trained(name, data, 15, **variant)
    torch.testing.assert_close(losses, expected, rtol=1e-5, atol=0)


@pytest.mark.slow
@pytest.mark.compiler
def test_mini_batches_are_compiled_once_for_each_size(tmp_path):
    """5 epochs of batches of 100, 100 and 64 pairs, not all of which hold every symbol."""
    data, losses = ModularDataModule("x + y", 23, train_fraction=0.5, batch_size=100), {}
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    for name in ("eager", "compile"):
        torch.manual_seed(0)
        network = MLP(**data.network_shape, d_model=16, d_mlp=32)
        module = GrokkingModule(network, engine=name, evaluate_every=3)
        torch._dynamo.utils.counters.clear()
        Trainer(max_steps=15, default_root_dir=tmp_path, accelerator="cpu", **quiet).fit(module, data)
        losses[name] = module.history.train_loss
    assert losses["compile"] == pytest.approx(losses["eager"], rel=1e-5)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 2


OPTIMIZERS = {
    "SGD": lambda parameters: SGD(parameters, lr=0.1, momentum=0.9),
    "Adam": lambda parameters: Adam(parameters, lr=1e-3),
    "RMSprop": lambda parameters: RMSprop(parameters, lr=1e-3),
    "AdamW": lambda parameters: AdamW(parameters, lr=1e-3, foreach=True),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["eager", CUDA])
def test_every_engine_runs_with_any_optimizer(name, optimizer):
    data = ModularDataModule("x + y", 11, train_fraction=0.5)
    losses, _ = trained(name, data, 40, optimizer=OPTIMIZERS[optimizer], d_model=16, d_mlp=24)
    expected, _ = trained("eager", data, 40, optimizer=OPTIMIZERS[optimizer], d_model=16, d_mlp=24)
    torch.testing.assert_close(losses[:10], expected[:10], rtol=1e-4, atol=0)
    assert losses[-1] < losses[0]


def test_microbatches_add_up_to_the_whole_batch(monkeypatch):
    data = ModularDataModule(["x + y", "x * y"], 23, train_fraction=0.5)
    expected, _ = trained("eager", data, 10)
    monkeypatch.setattr(engine_module, "LOGITS_AT_ONCE", 2000)
    losses, _ = trained("eager", data, 10)
    torch.testing.assert_close(losses, expected, rtol=1e-5, atol=0)
    assert not torch.equal(losses, expected)


def test_first_loss_is_the_sum_of_the_tasks_means():
    data = ModularDataModule(["x + y", "x / y"], 11, train_fraction=0.5)
    torch.manual_seed(0)
    network = Transformer(**data.network_shape)
    pairs = data.training_pairs
    means = [
        torch.nn.functional.cross_entropy(
            network(pairs.tokens[pairs.task_index == i]).double(), pairs.answers[pairs.task_index == i]
        )
        for i in range(2)
    ]
    loss = run(*build("eager", data, network), 1)
    torch.testing.assert_close(loss[0], sum(means).detach(), rtol=1e-6, atol=0)


def test_first_update_of_a_warm_up_changes_nothing():
    data = ModularDataModule("x + y", 11)
    torch.manual_seed(0)
    network = Transformer(**data.network_shape)
    before = {key: w.clone() for key, w in network.state_dict().items()}
    engine, batch = build("eager", data, network, warmup=10)
    engine.update(batch)
    assert all(torch.equal(w, before[key]) for key, w in network.state_dict().items())
    engine.update(batch)
    assert not torch.equal(network.embed.W_E, before["embed.W_E"])
    rates = []
    for _ in range(2, 14):
        rates.append(engine.optimizers[0].param_groups[0]["lr"])
        engine.update(batch)
    assert rates == pytest.approx([1e-3 * min(u / 10, 1) for u in range(2, 14)])


CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("asked", "device", "full", "multiplies", "compiler", "chosen"),
    [
        ("auto", CPU, True, 1e10, "python3", "eager"),
        ("auto", CPU, True, 1e14, "python3", "compile"),
        ("auto", CPU, True, float("inf"), "python3", "compile"),
        ("auto", CPU, True, 1e14, "/nonexistent/compiler", "eager"),
        ("auto", CPU, False, 1e10, "python3", "eager"),
        ("auto", CPU, False, 1e14, "python3", "compile"),
        ("auto", GPU, True, 1e10, "python3", "eager"),
        ("auto", GPU, True, 1e14, "/nonexistent/compiler", "compile"),
        ("auto", GPU, False, 1e14, "python3", "eager"),
        ("eager", GPU, True, 1e14, "python3", "eager"),
    ],
)
def test_auto_compiles_where_the_run_is_long_enough_to_repay_it(
    monkeypatch, asked, device, full, multiplies, compiler, chosen
):
    monkeypatch.setenv("CXX", compiler)
    assert choose_engine(asked, device, full, multiplies) == chosen


@pytest.mark.parametrize(("platform", "usual"), [("linux", "g++"), ("darwin", "clang++"), ("win32", "cl")])
def test_the_compiler_is_the_one_that_pytorch_takes_on_each_system(monkeypatch, platform, usual):
    monkeypatch.setattr(engine_choice.sys, "platform", platform)
    monkeypatch.setattr(engine_choice.shutil, "which", lambda name: f"/found/{name}")
    monkeypatch.delenv("CXX", raising=False)
    assert cpp_compiler() == f"/found/{usual}"
    monkeypatch.setenv("CXX", "ccache g++-14")
    assert cpp_compiler() == "/found/ccache"


def test_results_that_a_replay_overwrites_are_copied(monkeypatch):
    """As PyTorch's CUDA graphs do, here by a stand-in: every call returns the same tensors, filled anew."""
    kept = {}

    def compile_(function, *, dynamic, mode):
        assert mode == "reduce-overhead"

        def replay(*arguments):
            gradients, result = function(*arguments)
            for name, each in {**gradients, "": result}.items():
                kept.setdefault(name, torch.empty_like(each)).copy_(each)
            return {name: kept[name] for name in gradients}, kept[""]

        return replay

    monkeypatch.setattr(torch, "compile", compile_)
    data = ModularDataModule("x + y", 11)
    torch.manual_seed(0)
    expected, batch = build("eager", data, Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24))
    torch.manual_seed(0)
    replayed, _ = build("eager", data, Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24))
    replayed.backward = compiled_backward(replayed.network, replayed.loss, replayed=True)
    monkeypatch.setattr(engine_module, "LOGITS_AT_ONCE", batch.size * 11 // 2)
    assert len(expected.microbatches(batch)) == 2
    losses = [engine.gradients(engine.microbatches(batch)) for engine in (expected, replayed)]
    torch.testing.assert_close(losses[1], losses[0])
    for one, other in zip(replayed.network.parameters(), expected.network.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_small_updates_take_one_thread():
    assert threads_for(MULTIPLICATIONS_OF_A_LARGE_UPDATE / 2) == 1
    assert threads_for(MULTIPLICATIONS_OF_A_LARGE_UPDATE) == torch.get_num_threads()


def test_failing_compiler_is_one_warning_and_eager(monkeypatch, tmp_path):
    data = ModularDataModule("x + y", 13)
    expected, _ = trained("eager", data, 3)
    torch._dynamo.reset()
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    missing = torch._inductor.config.patch({"cpp.cxx": ("/nonexistent/compiler",)})
    with missing, pytest.warns(UserWarning, match="compilation failed, training continues uncompiled"):
        losses, _ = trained("compile", data, 3)
    torch._dynamo.reset()
    assert torch.equal(losses, expected)
