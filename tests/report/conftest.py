import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from browser import CHROMIUM, Page
from clock_network import clock_network, save_run
from playwright.sync_api import Browser, sync_playwright

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


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, which looks for what keeps people out."""
    file = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
    if not file.exists():
        pytest.skip("no axe-core: npm ci in web/")
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no chromium: apt-get install chromium")
    page = Page(tmp_path_factory.mktemp("chromium"))
    yield page
    page.close()
