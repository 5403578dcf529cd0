"""The network that runs in the page: its answers are PyTorch's, whatever is switched off."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from clock_network import clock_mlp, clock_network, save_run
from playwright.sync_api import Page, expect
from torch import Tensor, nn

from modgrok import MLP, ModularDataModule, Transformer, load_run
from modgrok.analysis import additive_clock, analyze, multiplicative_clock
from modgrok.analysis.progress import _projected
from modgrok.cli import main
from modgrok.models import Network
from modgrok.runs import Snapshot

RANGE = 0.05
"""How far a logit of the page may be from PyTorch's."""


def noisy(network: Network, seed: int = 0, size: float = 0.08) -> Network:
    """The same network with noise on every weight, so that it gets some pairs wrong and more without its parts."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight += size * weight.std() * torch.randn_like(weight)
            weight.copy_(weight.half().float())  # as the page has it
    return network.eval()


def random(network: Network, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_((0.3 * torch.randn_like(weight)).half().float())
    return network.eval()


def adding() -> tuple[ModularDataModule, Network]:
    data = ModularDataModule("x + y", 23)
    return data, noisy(clock_network(data, additive_clock(23), [2, 5, 9]))


def multiplying() -> tuple[ModularDataModule, Network]:
    data = ModularDataModule("x * y", 23)
    return data, noisy(clock_network(data, multiplicative_clock(23), [1, 4, 6]))


def perceptron() -> tuple[ModularDataModule, Network]:
    data = ModularDataModule("x + y", 23)
    return data, noisy(clock_mlp(data, additive_clock(23), [2, 5, 9]))


def two_hot() -> tuple[ModularDataModule, Network]:
    data = ModularDataModule("x + y", 13, template=["x", "y"])
    return data, random(MLP(**data.network_shape, d_mlp=22, n_layers=2, input="two_hot", activation="square"))


def deep() -> tuple[ModularDataModule, Network]:
    data = ModularDataModule("x + 2*y", 11, template=["y", "x", "y", "="])
    shape = {"n_layers": 2, "d_model": 18, "n_heads": 2, "d_head": 5, "d_mlp": 21}
    kind = {"normalization": True, "biases": True, "activation": "gelu", "attention_rate": 0.4}
    return data, random(Transformer(**data.network_shape, **shape, **kind))


def half_normalized() -> tuple[ModularDataModule, Network]:
    data = ModularDataModule("x + y", 11)
    shape = {"d_model": 12, "n_heads": 2, "d_mlp": 16, "normalization": ["attention"], "dropout": 0.1}
    return data, random(Transformer(**data.network_shape, **shape))


def biased() -> tuple[ModularDataModule, Network]:
    """Wider than the page's shortcut needs, with biases and no positions."""
    data = ModularDataModule("x**2 + y", 11)
    shape = {"d_model": 9, "n_heads": 1, "d_mlp": 30}
    return data, random(Transformer(**data.network_shape, **shape, biases=True, positional_embedding=False))


def three() -> tuple[ModularDataModule, Network]:
    data = ModularDataModule("x + y + z", 7)
    return data, random(Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24))


def mixture() -> tuple[ModularDataModule, Network]:
    data = ModularDataModule(["x - y", "x * y"], 11)
    return data, random(Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24))


NETWORKS = [adding, multiplying, perceptron, two_hot, deep, half_normalized, biased, three, mixture]


def open_page(
    show: Callable, directory: Path, made: tuple[ModularDataModule, Network], *look: object
) -> Page:
    data, network = made
    run = save_run(directory / "version_0", data, {0: random(type(network)(**network.config)), 100: network})
    main(["analyze", str(run)])
    page = show(run / "report" / "index.html", *look)
    settled(page)
    return page


def settled(page: Page) -> None:
    page.wait_for_selector("#network[data-state=ready]", timeout=60_000)


def set_state(page: Page, address: str) -> None:
    page.evaluate("address => modgrok.state.read(address)", address)
    settled(page)


def logits(page: Page) -> Tensor:
    return torch.tensor(page.evaluate("Array.from(modgrok.state.forward.value.logits)"))


def right(page: Page) -> list[bool]:
    return [bool(one) for one in page.evaluate("Array.from(modgrok.state.scores.value.right)")]


@pytest.mark.parametrize("make", NETWORKS)
def test_the_page_computes_the_network(make: Callable, show: Callable, tmp_path: Path) -> None:
    made = make()
    page, network = open_page(show, tmp_path, made), made[1]
    for number, circuit in enumerate(analyze(load_run(tmp_path / "version_0").snapshot())):
        view = circuit.view
        pairs, z = view.clocked_pairs.operands, page.evaluate(f"modgrok.state.net.tasks[{number}].z")
        shown = torch.ones(len(pairs), dtype=torch.bool) if z is None else pairs[:, 2] == z
        expected = network(view.tokens[shown]).detach()
        # everything on, but not read from the film: a head that there is not is switched off
        set_state(page, f"task={number + 1}&off=head-9.9")
        assert right(page) == (expected.argmax(1) == view.clocked_pairs.answers[shown]).tolist()
        for place in (0, len(expected) // 3, len(expected) - 1):
            x, y = pairs[shown][place, :2].tolist()
            set_state(page, f"task={number + 1}&x={x}&y={y}")
            assert (logits(page) - expected[place, : view.task.n_answers]).abs().max() < RANGE
        set_state(page, f"task={number + 1}&update=0")
        film = right(page)
        start = load_run(tmp_path / "version_0").snapshot(0).network
        assert film == (start(view.tokens[shown]).argmax(1) == view.clocked_pairs.answers[shown]).tolist()


def without(snapshot: Snapshot, name: str) -> tuple[nn.Module, str]:
    """The network with a part taken out of its weights, for one-block transformers and MLPs."""
    network = type(snapshot.network)(**snapshot.network.config)
    weights = {key: weight.clone() for key, weight in snapshot.network.state_dict().items()}
    (circuit,) = analyze(snapshot)
    kind, _, which = name.partition("-")
    if kind == "frequency":
        planes = circuit.view.clocked_pairs.operand_bases[0].planes[int(which)].float()
        rows = weights["embed.W_E"][: circuit.task.n_symbols]
        rows -= planes.T @ (planes @ rows)
    if kind == "head":
        weights["blocks.0.attn.W_O"][int(which.partition(".")[2])] = 0
    out = weights["blocks.0.mlp.W_out" if "blocks.0.mlp.W_out" in weights else "unembed.W_U"]
    if kind == "group":
        keys, clusters = circuit.key_frequencies, circuit.tuning.clusters
        chosen = clusters == int(which) if which != "others" else ~torch.isin(clusters, torch.tensor(keys))
        out[chosen] = 0
    if kind == "neuron":
        out[int(which)] = 0
    network.load_state_dict(weights)
    return network.eval()


@pytest.mark.parametrize("make", [adding, multiplying, perceptron])
def test_what_is_left_without_a_part_is_what_python_computes(make, show, tmp_path) -> None:
    data, network = made = make()
    page = open_page(show, tmp_path, made)
    snapshot = load_run(tmp_path / "version_0").snapshot()
    (circuit,) = analyze(snapshot)
    assert len(circuit.key_frequencies) == 3
    names = [f"{kind}-{k}" for kind in ("frequency", "group") for k in circuit.key_frequencies]
    names += ["neuron-3", *(["head-0.0"] if isinstance(network, Transformer) else [])]
    seen = set()
    for name in names:
        set_state(page, f"off={name}")
        changed = without(snapshot, name)(data.pairs.tokens).argmax(1) == data.pairs.answers
        assert right(page) == changed.tolist(), name
        shown = page.evaluate("modgrok.state.scores.value.heldout")
        assert shown == pytest.approx(float(changed[~data.trained_on].double().mean()))
        seen.add(shown)
    assert len(seen) > 2
    # with the neurons at their mean
    (k, *_) = circuit.key_frequencies
    tuned = circuit.tuning.clusters == k
    point = circuit.paths.neurons
    _, cache = network.run_with_cache(data.pairs.tokens)
    mean = cache[point].mean(0)

    def at_mean(neurons: Tensor) -> Tensor:
        return torch.where(tuned, mean, neurons)

    changed, _ = network.run_with_cache(data.pairs.tokens, {point: at_mean})
    set_state(page, f"off=group-{k}&at=mean")
    assert right(page) == (changed.argmax(1) == data.pairs.answers).tolist()


@pytest.mark.parametrize("make", [adding, multiplying])
def test_restricted_and_excluded_logits_are_those_of_the_progress_measures(make, show, tmp_path) -> None:
    data, network = made = make()
    page = open_page(show, tmp_path, made)
    (circuit,) = analyze(load_run(tmp_path / "version_0").snapshot())
    means, waves = _projected(circuit.classes, circuit.key_frequencies)
    where, answers = circuit.view.clocked_pairs.answer_positions, data.pairs.answers
    restricted = (means + waves)[where]
    excluded = network(data.pairs.tokens).double() - waves[where]
    for mode, expected in (("restricted", restricted), ("excluded", excluded)):
        set_state(page, f"logits={mode}")
        differ = sum(
            a != b for a, b in zip(right(page), (expected.argmax(1) == answers).tolist(), strict=True)
        )
        assert differ == 0
        losses = nn.functional.cross_entropy(expected[~data.trained_on].detach(), answers[~data.trained_on])
        assert page.evaluate("modgrok.state.scores.value.heldoutLoss") == pytest.approx(
            float(losses), rel=1e-3
        )


def test_the_address_says_what_is_shown(show, tmp_path) -> None:
    page = open_page(show, tmp_path, adding())
    page.get_by_role("checkbox", name="2", exact=False).first.uncheck()
    page.get_by_label("x", exact=True).fill("7")
    page.get_by_role("slider", name="Update").press("Home")
    settled(page)
    assert "off=frequency-2" in page.url
    assert "x=7" in page.url
    assert "update=0" in page.url
    accuracy = page.evaluate("modgrok.state.scores.value.heldout")
    again = page.context.new_page()
    again.goto(page.url)
    settled(again)
    assert not again.get_by_role("checkbox", name="2", exact=False).first.is_checked()
    assert again.evaluate("modgrok.state.scores.value.heldout") == accuracy
    assert again.get_by_label("x", exact=True).input_value() == "7"


def test_the_page_is_worked_from_the_keyboard(show, tmp_path) -> None:
    page = open_page(show, tmp_path, adding())
    set_state(page, "x=3&y=4")
    page.get_by_role("application").first.press("ArrowDown")
    page.get_by_role("application").first.press("ArrowRight")
    assert page.evaluate("[modgrok.state.x.value, modgrok.state.y.value]") == [4, 5]
    first = page.evaluate("modgrok.state.neuron.value")
    page.get_by_role("slider", name="neurons tuned to frequency 2").press("ArrowRight")
    assert page.evaluate("modgrok.state.neuron.value") != first
    page.get_by_role("slider", name="Update").press("Home")
    page.get_by_role("button", name="Play the training").press("Enter")
    expect(page.get_by_role("slider", name="Update")).to_have_value("1")


def test_an_address_that_makes_no_sense_is_the_page_as_it_opens(show, tmp_path) -> None:
    page = open_page(show, tmp_path, adding())
    before = page.evaluate("modgrok.state.address()")
    set_state(page, "x=99999&y=-1&update=abc&off=%3Cimg%3E,frequency-&neuron=1e9&logits=none&task=7")
    assert page.evaluate("modgrok.state.address()") == before


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(width, scheme, show, tmp_path, axe) -> None:
    page = open_page(show, tmp_path, adding(), width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.screenshot(path=tmp_path / f"{width}-{scheme}.png", full_page=True)
    page.evaluate(axe)
    found = page.evaluate("axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'best-practice'] })")["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_a_network_of_another_kind_has_the_page_without_it(show, tmp_path) -> None:
    class Own(Transformer):
        """Computes something else than the page would."""

    data = ModularDataModule("x + y", 11)
    run = save_run(
        tmp_path / "version_0", data, {0: Own(**data.network_shape, d_model=8, n_heads=1, d_mlp=8)}
    )
    main(["analyze", str(run)])
    text = (run / "report" / "index.html").read_text()
    assert 'id="network"' not in text
    assert json.loads((run / "report" / "summary.json").read_text())["network"]["class"] == "Own"
