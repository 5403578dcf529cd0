import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from clock_network import clock_network, save_run

from modgrok import ModularDataModule, Transformer
from modgrok.analysis import additive_clock, multiplicative_clock


@pytest.fixture
def adding(tmp_path: Path) -> Path:
    """A run on x + y mod 31 that ends in a clock on 2, 5 and 13."""
    data = ModularDataModule("x + y", 31)
    network = clock_network(data, additive_clock(31), [2, 5, 13])
    return save_run(tmp_path / "logs" / "version_0", data, between(network))


@pytest.fixture
def multiplying(tmp_path: Path) -> Path:
    """A run on x * y mod 31, without zeros, that ends in a clock on 1, 6 and 11."""
    data = ModularDataModule("x * y", 31, nonzero_operands=True)
    network = clock_network(data, multiplicative_clock(31), [1, 6, 11])
    return save_run(tmp_path / "logs" / "version_0", data, between(network))


def between(network: Transformer) -> dict[int, Transformer]:
    """Checkpoints from random weights to the network's, half-way in between."""
    torch.manual_seed(0)
    start, middle = Transformer(**network.config), Transformer(**network.config)
    end = network.state_dict()
    middle.load_state_dict({name: (w + end[name]) / 2 for name, w in start.state_dict().items()})
    return {0: start, 500: middle, 1000: network}
