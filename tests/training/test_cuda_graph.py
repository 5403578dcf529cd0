"""What is done with a capture: here one that calls the captured function again, or one that goes wrong."""

import pytest
import torch
from torch.optim import SGD, Adam
from torch.utils._pytree import tree_map_only

from modgrok import ModularDataModule, Transformer
from modgrok.training import CrossEntropy, GradientFilter, GrokkingAdamW, WarmUp
from modgrok.training.cuda_graph import GraphEngine
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
    "Adam": lambda parameters: Adam(parameters, lr=1e-3, capturable=False),
    "SGD": lambda parameters: SGD(parameters, lr=0.1, momentum=0.9),
}


def build(kind, optimizer="adamw", filters=(), warmup=3):
    torch.manual_seed(0)
    data = ModularDataModule("x + y", 11, train_fraction=0.5)
    network = Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24)
    made = OPTIMIZERS[optimizer](network.parameters())
    filters = [each() for each in filters]
    engine = kind(network, CrossEntropy(), [made], [WarmUp(made, warmup)], filters, n_answers=11)
    return engine, data.training_pairs


def again(function):
    """Stands for a capture: the warm-up calls, then a replay that calls the function again."""
    for _ in range(3):
        function()
    return function


def run(engine, batch, n=20):
    return torch.stack([engine.update(batch) for _ in range(n)])


@pytest.mark.parametrize("warmup", [0, 3])
@pytest.mark.parametrize("filters", [(), (Halving,)])
@pytest.mark.parametrize("optimizer", ["adamw", "SGD"])
def test_the_capture_is_undone_and_replays_are_updates(optimizer, filters, warmup, recwarn):
    eager, batch = build(Engine, optimizer, filters, warmup)
    graph, _ = build(GraphEngine, optimizer, filters, warmup)
    graph.capture(batch, again)
    assert graph._replay is not None
    assert not [warning for warning in recwarn if "CUDA graph" in str(warning.message)]
    torch.testing.assert_close(run(graph, batch), run(eager, batch), rtol=1e-5, atol=0)
    for one, other in zip(graph.network.parameters(), eager.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    assert [each.calls for each in graph.filters] == [20] * len(filters)


def no_capture(function):
    raise RuntimeError("operation not permitted when stream is capturing\nand more")


def does_nothing(function):
    function()
    return lambda: torch.tensor(0.0, dtype=torch.float64)


def forgets_the_weights(function):
    loss = function()
    return lambda: loss


@pytest.mark.parametrize(
    ("capture", "reason"),
    [
        (no_capture, "operation not permitted when stream is capturing"),
        (does_nothing, "a replayed update differs from an eager one"),
        (forgets_the_weights, "a replayed update differs from an eager one"),
    ],
)
def test_where_a_replay_is_not_an_update_training_is_eager_to_the_bit(capture, reason):
    eager, batch = build(Engine, warmup=0)
    graph, _ = build(GraphEngine, warmup=0)
    with pytest.warns(UserWarning, match=f"no CUDA graph, training is eager .{reason}"):
        graph.capture(batch, capture)
    assert torch.equal(run(graph, batch), run(eager, batch))
    assert all(map(torch.equal, graph.network.parameters(), eager.network.parameters()))


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
