"""What is done with a capture: here one that calls the captured function again, or one that goes wrong."""

import copy
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch.optim import ASGD, SGD, Adam, NAdam, Rprop
from torch.optim.lr_scheduler import ChainedScheduler, ExponentialLR, OneCycleLR
from torch.utils._pytree import tree_map_only

from modgrok import ModularDataModule, Transformer
from modgrok.training import CrossEntropy, GradientFilter, GrokkingAdamW, WarmUp
from modgrok.training.cuda_graph import WARM_UP, GraphEngine, cuda_capture
from modgrok.training.engine import Engine, microbatches


class Halving(GradientFilter):
    """Halves every gradient and counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, gradients, weights):
        self.calls += 1
        return {name: gradient / 2 for name, gradient in gradients.items()}

    def state_dict(self):
        return {"calls": self.calls}


OPTIMIZERS = {
    "adamw": GrokkingAdamW,
    "Adam": lambda parameters: Adam(parameters, lr=1e-3),
    "SGD": lambda parameters: SGD(parameters, lr=0.1, momentum=0.9, dampening=0.5),
    "NAdam": lambda parameters: NAdam(parameters, lr=1e-3),
    "ASGD": lambda parameters: ASGD(parameters, lr=0.1),
    "Rprop": lambda parameters: Rprop(parameters, lr=1e-3),
}
SCHEDULES = {
    "warm-up": lambda optimizer: WarmUp(optimizer, 3),
    "one cycle": lambda optimizer: OneCycleLR(optimizer, max_lr=1e-2, total_steps=60),
    "chained": lambda optimizer: ChainedScheduler(
        [ExponentialLR(optimizer, 0.99), ExponentialLR(optimizer, 0.98)]
    ),
}


def build(kind, optimizer="adamw", filters=(), schedule="warm-up"):
    torch.manual_seed(0)
    data = ModularDataModule("x + y", 11, train_fraction=0.5)
    network = Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24)
    made = OPTIMIZERS[optimizer](network.parameters())
    filters = [each() for each in filters]
    engine = kind(network, CrossEntropy(), [made], [SCHEDULES[schedule](made)], filters, n_answers=11)
    return engine, data.training_pairs


def again(function):
    """Stands for a capture: the warm-up calls, then a replay that calls the function again."""
    for _ in range(3):
        function()
    return function


def run(engine, batch, n=10):
    return torch.stack([engine.update(batch) for _ in range(n)])


def state(engine):
    """Everything that an update changes."""
    optimizer = copy.deepcopy([one.state_dict()["state"] for one in engine.optimizers])
    rates = [one.get_last_lr() for one in engine.schedulers]
    return [weight.detach().clone() for weight in engine.network.parameters()], optimizer, rates


@pytest.mark.parametrize("updates_before", [0, 10])
@pytest.mark.parametrize(
    ("optimizer", "filters", "schedule"),
    [
        *((name, (), "warm-up") for name in OPTIMIZERS),
        ("adamw", (Halving,), "warm-up"),
        ("SGD", (), "one cycle"),
        ("Adam", (), "chained"),
    ],
)
def test_a_capture_changes_nothing_and_replays_are_updates(
    optimizer, filters, schedule, updates_before, recwarn
):
    """From a new run and from one that is resumed, for every optimizer and schedule."""
    eager, batch = build(Engine, optimizer, filters, schedule)
    graph, _ = build(GraphEngine, optimizer, filters, schedule)
    for engine in (eager, graph) if updates_before else ():
        run(engine, batch, updates_before)
    before = state(graph)
    graph.capture(batch, again)
    assert graph._replay is not None
    torch.testing.assert_close(state(graph), before, rtol=0, atol=0)
    assert torch.equal(run(graph, batch), run(eager, batch))
    torch.testing.assert_close(state(graph), state(eager), rtol=0, atol=0)
    assert [each.calls for each in graph.filters] == [updates_before + 10] * len(filters)


def no_capture(function):
    raise RuntimeError("operation not permitted when stream is capturing\nand more")


def does_not_run(function):
    raise AssertionError


def does_nothing(function):
    function()
    return lambda: torch.tensor(0.0, dtype=torch.float64)


def forgets_the_gradients(function):
    loss = function()
    return lambda: loss


@pytest.mark.parametrize(
    ("capture", "reason"),
    [
        (no_capture, "operation not permitted when stream is capturing"),
        (does_not_run, "AssertionError"),
        (does_nothing, "replayed gradients differ from eager ones"),
        (forgets_the_gradients, "replayed gradients differ from eager ones"),
    ],
)
def test_where_a_replay_is_none_training_is_eager_to_the_bit(capture, reason):
    eager, batch = build(Engine)
    graph, _ = build(GraphEngine)
    with pytest.warns(UserWarning, match=f"no CUDA graph, training is eager .{reason}"):
        graph.capture(batch, capture)
    assert torch.equal(run(graph, batch), run(eager, batch))
    assert all(map(torch.equal, graph.network.parameters(), eager.network.parameters()))


def test_an_interrupted_capture_leaves_the_weights():
    graph, batch = build(GraphEngine)
    before = state(graph)

    def interrupted(function):
        function()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        graph.capture(batch, interrupted)
    torch.testing.assert_close(state(graph), before, rtol=0, atol=0)


class FakeCuda:
    """What a capture asks of `torch.cuda`; it records the stream of each call."""

    def __init__(self, monkeypatch, fails):
        self.current, self.fails, self.calls = SimpleNamespace(wait_stream=lambda stream: None), fails, []
        for name in ("current_stream", "set_stream", "stream", "graph"):
            monkeypatch.setattr(torch.cuda, name, getattr(self, name))
        monkeypatch.setattr(torch.cuda, "Stream", lambda: SimpleNamespace(wait_stream=lambda stream: None))
        monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: SimpleNamespace(replay=lambda: None))

    def current_stream(self):
        return self.current

    def set_stream(self, stream):
        self.current = stream

    @contextmanager
    def stream(self, stream):
        before, self.current = self.current, stream
        yield
        self.current = before

    @contextmanager
    def graph(self, graph, stream):
        self.current = stream  # and it stays so where the end of the capture raises
        yield
        if self.fails:
            raise RuntimeError("the capture is invalid")


@pytest.mark.parametrize("fails", [False, True])
def test_warm_up_and_capture_share_a_stream_and_the_current_one_comes_back(fails, monkeypatch):
    cuda = FakeCuda(monkeypatch, fails)
    before, seen = cuda.current, []

    def function():
        seen.append(cuda.current)
        return torch.zeros(())

    with pytest.raises(RuntimeError, match="invalid") if fails else nullcontext():
        cuda_capture(function)
    assert len(seen) == WARM_UP + 1
    assert all(stream is seen[0] for stream in seen)
    assert cuda.current is before


@pytest.mark.parametrize("variant", [{}, {"n_layers": 2, "normalization": True, "biases": True}], ids=str)
def test_gradients_ask_nothing_of_the_host(variant):
    """On the meta device no value can be read, and no tensor of another device be used: as in a graph's capture."""
    data = ModularDataModule(["x + y", "x * y"], 11)
    network = Transformer(**data.network_shape, **variant)
    (part,) = tree_map_only(
        torch.Tensor,
        lambda tensor: tensor.to("meta"),
        microbatches(data.training_pairs, network, data.n_answers, len(data.tasks)),
    )
    engine = Engine(network.to("meta"), CrossEntropy(), [], n_answers=11)
    assert engine.backward(part).is_meta
    assert all(weight.grad.is_meta for weight in network.parameters() if weight.grad is not None)
