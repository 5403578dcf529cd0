"""The network that runs in the page: its answers are PyTorch's, whatever is switched off."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from clock_network import clock_mlp, clock_network, save_run
from group_network import built
from playwright.sync_api import Page, expect
from torch import Tensor, nn

from modgrok import MLP, ModularDataModule, Transformer, load_run
from modgrok.analysis import Circuit, additive_clock, analyze, multiplicative_clock, sum_logits_by_class
from modgrok.analysis.progress import _projected
from modgrok.cli import main
from modgrok.models import Edit, EditedNetwork, Network
from modgrok.models.shared_rows import map_rows

RANGE = 0.05
"""How far a logit of the page may be from PyTorch's."""

NEAR = 1e-4
"""Two logits that are closer may change places between processors: sums in float32 depend on their order."""


def noisy(network: Network, seed: int = 0, size: float = 0.08) -> Network:
    """The same network with noise on every weight, so that it gets some pairs wrong and more without its parts."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight += size * weight.std() * torch.randn_like(weight)
    return network.eval()


def random(network: Network, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(0.3 * torch.randn_like(weight))
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


def grouped() -> tuple[ModularDataModule, Network]:
    snapshot = built("S4", "standard", "sign")
    return snapshot.data, noisy(snapshot.network)


NETWORKS = [adding, multiplying, perceptron, two_hot, deep, half_normalized, biased, three, mixture, grouped]


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
    return torch.tensor(page.evaluate("Array.from(modgrok.state.logits.value.shown)"))


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


def left_of(circuit: Circuit, address: str) -> Tensor:
    """The logits, (n, a) float64, of a circuit's network with what an address of the page switches off."""
    given = dict(part.split("=") for part in address.split("&"))
    names = [name.partition("-")[::2] for name in given.get("off", "").split(",") if name]

    def off(kind: str) -> list[str]:
        return [number for one, number in names if one == kind]

    on_group = circuit.group_neurons
    clusters = circuit.tuning.clusters if on_group is None else on_group.irreps
    others = ~torch.isin(clusters, torch.tensor(circuit.keys))
    chosen = torch.isin(torch.arange(len(clusters)), torch.tensor([int(j) for j in off("neuron")]))
    for group in off("group"):
        chosen |= others if group == "others" else clusters == int(group)
    means = circuit.neurons(range(len(clusters))).mean(dim=0) * (given.get("at") == "mean")
    left = circuit.without(
        frequencies=[int(k) for k in off("frequency")], irreps=[int(k) for k in off("irrep")]
    )

    def without_heads(layer: str) -> Edit:
        heads = torch.tensor([int(name.partition(".")[2]) for name in off("head") if name.startswith(layer)])
        return lambda rows, _: [map_rows(lambda z: z.index_fill(1, heads, 0), one) for one in rows]

    edits: dict[str, Edit] = {
        **{f"blocks.{n[0]}.attn.hook_z": without_heads(n[0]) for n in off("head")},
        **{
            f"blocks.{n}.mlp.hook_post": lambda rows, _: [map_rows(torch.zeros_like, one) for one in rows]
            for n in off("layer")
        },
        circuit.paths.neurons: lambda rows, _: [
            map_rows(lambda neurons: torch.where(chosen, means, neurons), one) for one in rows
        ],
    }
    with torch.no_grad():
        logits = EditedNetwork(left.network, {**left.edits, **edits})(circuit.view.tokens).double()
    if "logits" not in given:
        return logits
    means, waves = _projected(
        sum_logits_by_class(logits, circuit.view.clocked_pairs), circuit.key_frequencies
    )
    of_class = circuit.view.clocked_pairs.answer_positions
    return (means + waves)[of_class] if given["logits"] == "restricted" else logits - waves[of_class]


CLOCK_STATES = [
    *("off=frequency-{0}", "off=frequency-{1}", "off=frequency-{1},frequency-{2}"),
    *("off=group-{0}", "off=group-{0}&at=mean", "off=group-{1},group-{2}", "off=group-others&at=mean"),
    *("off=neuron-3", "off=neuron-3,neuron-20&at=mean", "logits=restricted", "logits=excluded"),
    *("off=frequency-{2}&logits=restricted", "off=frequency-{0},group-{1}&at=mean&logits=excluded"),
]
HEAD_STATES = ["off=head-0.0", "off=head-0.0,frequency-{1},group-{2}&at=mean"]
DEEP_STATES = [
    *("off=head-0.1", "off=head-1.0", "off=head-0.0,head-0.1,head-1.1", "off=layer-0"),
    *("off=group-others", "off=group-others&at=mean", "off=layer-0,head-1.0,neuron-5"),
]


GROUP_STATES = [
    *("off=irrep-{0}", "off=irrep-{1}", "off=irrep-{0},irrep-{1}", "off=group-{0}&at=mean", "off=group-{1}"),
    *("off=group-{0},irrep-{1}", "off=neuron-3,neuron-20"),
]


@pytest.mark.parametrize(
    ("make", "states"),
    [
        (adding, [*CLOCK_STATES, *HEAD_STATES]),
        (multiplying, [*CLOCK_STATES, *HEAD_STATES]),
        (perceptron, CLOCK_STATES),
        (deep, DEEP_STATES),
        (grouped, GROUP_STATES),
    ],
)
def test_every_state_has_the_answers_that_python_computes(make, states, show, tmp_path) -> None:
    made = make()
    page, data = open_page(show, tmp_path, made), made[0]
    (circuit,) = analyze(load_run(tmp_path / "version_0").snapshot())
    answers, held_out, (x, y) = data.pairs.answers, ~data.trained_on, data.operands[7].tolist()
    seen = set()
    for address in [state.format(*circuit.keys) for state in states]:
        expected = left_of(circuit, address)
        first, second = expected.topk(2, dim=1).values.T
        decided = first - second > NEAR
        assert decided.float().mean() > 0.99
        set_state(page, f"{address}&x={x}&y={y}")
        assert (logits(page) - expected[7]).abs().max() < RANGE, address
        expected_right = expected.argmax(dim=1) == answers
        assert torch.equal(torch.tensor(right(page))[decided], expected_right[decided]), address
        if decided.all():
            accuracy = float(expected_right[held_out].double().mean())
            assert page.evaluate("modgrok.state.scores.value.heldout") == pytest.approx(accuracy, rel=1e-12)
        loss = float(nn.functional.cross_entropy(expected[held_out], answers[held_out]))
        assert page.evaluate("modgrok.state.scores.value.heldoutLoss") == pytest.approx(loss, rel=1e-3)
        seen.add(round(loss, 3))
    assert len(seen) > len(states) / 2


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
    expect(again.get_by_text("rounded to 8 bits")).to_be_visible()
    set_state(again, "off=frequency-2")
    expect(again.get_by_text("rounded")).to_have_count(0)


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
def test_everybody_can_use_it(width, scheme, show, tmp_path, pictures, axe) -> None:
    page = open_page(show, tmp_path, adding(), width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.screenshot(path=pictures / f"page-{width}-{scheme}.png", full_page=True)
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
