"""The published format of Nanda et al. 2023, on a file made here and, where it is at hand, on theirs."""

import os
import pickle
from pathlib import Path

import pytest
import torch

from modgrok import ModularDataModule, Transformer
from modgrok.analysis import analyze
from modgrok.cli import main
from modgrok.errors import InputError
from modgrok.interop import read_weights

PUBLISHED = Path(__file__).parents[2].parent / "shared" / "reference" / "nanda_mod_addition_no_wd.pth"


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
    snapshot = read_weights(file, "x + y", 11)
    assert (snapshot.update, snapshot.split_known) == (5, False)
    tokens = snapshot.data.pairs.tokens
    assert torch.equal(snapshot.network(tokens), network(tokens))
    (circuit,) = analyze(snapshot)
    assert circuit.W_logit.shape == (20, 11)
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(network(tokens).double(), snapshot.data.pairs.answers)
    assert circuit.loss(torch.ones(121, dtype=torch.bool)) == pytest.approx(float(expected))


@pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"the published weights are not at {PUBLISHED}")
def test_the_published_network_has_the_published_loss() -> None:
    (circuit,) = analyze(read_weights(PUBLISHED, "x + y", 113))
    everything = torch.ones(113**2, dtype=torch.bool)
    assert circuit.loss(everything) == pytest.approx(1.11e-7, rel=0.005)
    assert circuit.accuracy(everything) == 1.0
    assert circuit.view.clocked_pairs.clock.law == "additive"
    assert circuit.key_frequencies == (36, 52)


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
            "it holds more than data and was not opened",
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
        ("x + y", 13, "the network has 12 tokens, and x + y mod 13 as"),
        ("x + y + z", 11, "the network has 3 positions, and"),
        ("x +", 11, "x +"),
    ],
)
def test_weights_that_do_not_fit_the_task_are_refused(network, formula, modulus, message, tmp_path) -> None:
    file = tmp_path / "theirs.pth"
    torch.save({"model": published(network, 3)}, file)
    with pytest.raises(InputError, match=message.replace("+", r"\+")):
        read_weights(file, formula, modulus)
