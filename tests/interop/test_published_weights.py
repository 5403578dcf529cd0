"""The published format of Nanda et al. 2023, on a file made here and, where it is at hand, on theirs."""

import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch

from modgrok import ModularDataModule, Transformer
from modgrok.analysis import analyze, read_circuit, task_views
from modgrok.cli import main
from modgrok.errors import InputError
from modgrok.interop import Reading, read_weights

WORDS = ["x", "y", "="]
TOLD = Reading(WORDS, "relu", attention_rate=1)


def published(network: Transformer, t: int) -> dict[str, torch.Tensor]:
    """Write a network of one block in the published format, from the shapes that it is described with."""
    w = {name: weight.detach() for name, weight in network.state_dict().items()}
    a, m = "blocks.0.attn", "blocks.0.mlp"
    return {
        "embed.W_E": w["embed.W_E"].T,
        "pos_embed.W_pos": w["pos_embed.W_pos"],
        **{f"{a}.W_{name}": torch.einsum("hdk->hkd", w[f"{a}.W_{name}"]) for name in "QKV"},
        f"{a}.W_O": torch.einsum("hkd->dhk", w[f"{a}.W_O"]).flatten(1),
        f"{a}.mask": torch.ones(t, t).tril(),
        f"{m}.W_in": w[f"{m}.W_in"].T,
        f"{m}.b_in": w[f"{m}.b_in"],
        f"{m}.W_out": w[f"{m}.W_out"].T,
        f"{m}.b_out": w[f"{m}.b_out"],
        "unembed.W_U": w["unembed.W_U"],
    }


@pytest.fixture
def network() -> Transformer:
    torch.manual_seed(0)
    data = ModularDataModule("x + y", 11)
    shape = data.network_shape | {"n_answers": 12}
    network = Transformer(**shape, d_model=16, n_heads=2, d_mlp=20, biases=True)
    with torch.no_grad():
        network.blocks[0].mlp.b_in.normal_()
        network.blocks[0].mlp.b_out.normal_()
    return network.eval()


def test_a_published_file_is_the_network_it_was_made_of(network, tmp_path) -> None:
    file = tmp_path / "theirs.pth"
    torch.save({"model": published(network, 3), "config": {"p": 11}, "epoch": 4, "train_losses": [1.0]}, file)
    snapshot = read_weights(file, "x + y", 11, TOLD).snapshot
    assert (snapshot.update, snapshot.split_known) == (5, False)
    tokens = snapshot.data.pairs.tokens
    assert torch.equal(snapshot.network(tokens), network(tokens))
    (circuit,) = analyze(snapshot)
    assert circuit.W_logit.shape == (20, 11)
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(network(tokens).double(), snapshot.data.pairs.answers)
    assert circuit.loss(torch.ones(121, dtype=torch.bool)) == pytest.approx(float(expected))


EXPECTED = {
    "nanda_mod_addition_no_wd.pth": (113, (36, 52), 1.11e-7, (WORDS, "relu", 1.0)),
    "pizza/model_p99zdpze5l.pt": (59, (3, 15, 17), 1.384e-7, (["x", "y"], "relu", 0.0)),
    "groups/C113_T_seed1/model.pt": (113, (16, 30, 56), 1.59e-7, (WORDS, "relu", 1.0)),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_published_networks_have_the_published_figures(name, reference) -> None:
    """Nothing is told: their layouts, configs and answers say how to read them."""
    modulus, frequencies, loss, (words, activation, rate) = EXPECTED[name]
    run = read_weights(reference(name), "x + y", modulus)
    (circuit,) = analyze(run.snapshot)
    everything = torch.ones(modulus**2, dtype=torch.bool)
    assert circuit.loss(everything) == pytest.approx(loss, rel=0.005)
    assert circuit.accuracy(everything) == 1.0
    assert circuit.view.clocked_pairs.clock.law == "additive"
    assert circuit.key_frequencies == frequencies
    assert run.snapshot.data.template.words == tuple(words)
    assert run.snapshot.network.config["activation"] == activation
    assert run.snapshot.network.config["attention_rate"] == rate
    copies = sum("a copy of embed.W_E" in note for note in run.notes)
    assert copies == (2 if "C113" in name else 0)


def test_an_attention_rate_that_no_file_tells_is_found_on_the_task(reference, tmp_path) -> None:
    alone = shutil.copy(reference("pizza/model_p99zdpze5l.pt"), tmp_path / "model.pt")
    assert read_weights(Path(alone), "x + y", 59).snapshot.network.config["attention_rate"] == 0
    told = read_weights(Path(alone), "x + y", 59, Reading(attention_rate=0.5))
    assert told.snapshot.network.config["attention_rate"] == 0.5


def test_the_mlp_of_a_group_is_itself(reference) -> None:
    """Their order of the elements is their own, and is told by the table that the network answers."""
    run = read_weights(reference("groups/S5_MLP_seed2/model.pt"), "x * y in S5", 120)
    assert any("an order of its own" in note for note in run.notes)
    (view,) = task_views(run.snapshot.data)
    assert view.group_pairs.group.name == "S5"
    assert read_circuit(run.snapshot.network, view).right.all()
    weights = torch.load(reference("groups/S5_MLP_seed2/model.pt"), "cpu", weights_only=True)
    x, y = run.snapshot.data.operands.T
    both = torch.cat([weights["W_x"][x], weights["W_y"][y]], 1).double()
    expected = torch.relu(both @ weights["W"].double()) @ weights["W_U"].double()
    with torch.no_grad():
        ours = run.snapshot.network(run.snapshot.data.pairs.tokens).double()
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-4)


class Trap:
    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self):
        return os.system, (f"touch {self.sprung}",)


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (
            lambda content, file: torch.save(content, file),
            "it holds more than data and was not opened: posix.system; save plain data with torch.save({'model': "
            "model.state_dict(), 'config': vars(config)}, file)",
        ),
        (
            lambda content, file: file.write_bytes(pickle.dumps(content)),
            "cannot be read; it is damaged, cut short, or not a file that torch.save wrote",
        ),
    ],
    ids=["zip", "pickle"],
)
def test_a_trapped_file_is_refused_in_a_line_and_not_executed(write, why, tmp_path, capsys) -> None:
    file, sprung = tmp_path / "trap.pth", tmp_path / "sprung"
    write({"model": {"embed.W_E": Trap(sprung)}}, file)
    with pytest.raises(SystemExit) as exit_:
        main(["analyze", str(file), "--formula", "x + y", "--modulus", "11"])
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line == f"modgrok: error: {file}: {why}"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("formula", "modulus", "message"),
    [
        ("x + y", 13, "the network has 12 tokens and 3 positions, not those of x + y mod 13"),
        ("x + y + z", 11, r"template: \[x, y, =\] does not show the operand z"),
        ("x +", 11, "x +"),
    ],
)
def test_weights_that_do_not_fit_the_task_are_refused(network, formula, modulus, message, tmp_path) -> None:
    file = tmp_path / "theirs.pth"
    torch.save({"model": published(network, 3)}, file)
    with pytest.raises(InputError, match=message.replace("+", r"\+")):
        read_weights(file, formula, modulus, TOLD)
