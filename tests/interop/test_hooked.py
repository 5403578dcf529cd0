"""State dicts of TransformerLens 2's HookedTransformer, there and back."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from modgrok import ModularDataModule, Transformer
from modgrok.errors import InputError
from modgrok.interop import read_weights, write_weights
from modgrok.interop.hooked import from_transformer, hooked_config

VARIANTS = [{}, {"n_layers": 2, "normalization": True, "biases": True, "activation": "gelu"}, {"d_head": 3}]


def make(**variant) -> tuple[ModularDataModule, Transformer]:
    torch.manual_seed(0)
    data = ModularDataModule("x + y", 11)
    network = Transformer(**data.network_shape, **{"d_model": 16, "n_heads": 2, "d_mlp": 20, **variant})
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return data, network.eval()


@pytest.mark.parametrize("variant", VARIANTS[::2], ids=str)
@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth"])
def test_weights_come_back_as_they_went(variant, suffix, tmp_path) -> None:
    data, network = make(**variant)
    write_weights(network, tmp_path / f"weights{suffix}")
    snapshot = read_weights(tmp_path / f"weights{suffix}", "x + y", 11)
    assert torch.equal(snapshot.network(data.pairs.tokens), network(data.pairs.tokens))
    assert [path.name for path in tmp_path.iterdir()] == [f"weights{suffix}"]


def test_the_state_dict_has_all_that_the_real_class_has() -> None:
    _, network = make()
    state = from_transformer(network)
    shapes = {name: tuple(weight.shape) for name, weight in state.items()}
    assert shapes == {
        "embed.W_E": (12, 16),
        "pos_embed.W_pos": (3, 16),
        "blocks.0.attn.W_Q": (2, 16, 8),
        "blocks.0.attn.W_K": (2, 16, 8),
        "blocks.0.attn.W_V": (2, 16, 8),
        "blocks.0.attn.W_O": (2, 8, 16),
        "blocks.0.attn.b_Q": (2, 8),
        "blocks.0.attn.b_K": (2, 8),
        "blocks.0.attn.b_V": (2, 8),
        "blocks.0.attn.b_O": (16,),
        "blocks.0.attn.mask": (3, 3),
        "blocks.0.attn.IGNORE": (),
        "blocks.0.mlp.W_in": (16, 20),
        "blocks.0.mlp.b_in": (20,),
        "blocks.0.mlp.W_out": (20, 16),
        "blocks.0.mlp.b_out": (16,),
        "unembed.W_U": (16, 11),
        "unembed.b_U": (11,),
    }
    assert state["blocks.0.attn.mask"].dtype == torch.bool
    assert state["blocks.0.attn.mask"].tolist() == [[True, False, False], [True, True, False], [True] * 3]
    assert state["blocks.0.attn.IGNORE"].item() == -torch.inf


def test_a_safetensors_file_says_how_to_make_the_network(tmp_path) -> None:
    _, network = make()
    write_weights(network, tmp_path / "weights.safetensors")
    with safe_open(tmp_path / "weights.safetensors", "pt") as file:
        config = json.loads(file.metadata()["HookedTransformerConfig"])
    assert config == hooked_config(network)
    assert (config["d_vocab"], config["d_vocab_out"], config["normalization_type"]) == (12, 11, None)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_the_real_library_computes_the_same_logits(variant, tmp_path) -> None:
    lens = pytest.importorskip("transformer_lens", reason="TransformerLens is not installed")
    if not hasattr(lens, "HookedTransformer"):
        pytest.skip("this TransformerLens has no HookedTransformer")
    data, network = make(**variant)
    write_weights(network, tmp_path / "weights.safetensors")
    theirs = lens.HookedTransformer(lens.HookedTransformerConfig(**hooked_config(network)))
    theirs.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    tokens = data.pairs.tokens
    torch.testing.assert_close(theirs(tokens)[:, -1], network(tokens), rtol=1e-4, atol=1e-5)
    if variant.get("activation") != "gelu":  # a state dict does not tell, and relu is assumed
        torch.save(theirs.state_dict(), tmp_path / "theirs.pt")
        back = read_weights(tmp_path / "theirs.pt", "x + y", 11).network
        torch.testing.assert_close(back(tokens), theirs(tokens)[:, -1], rtol=1e-4, atol=1e-5)


def test_nothing_is_overwritten(tmp_path) -> None:
    file = tmp_path / "weights.pt"
    file.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_weights(make()[1], file)
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "message"), [("weights.bin", "ends neither in"), ("nowhere/weights.pt", "there is no directory")]
)
def test_a_file_that_cannot_be_written_is_said_so(name, message, tmp_path) -> None:
    with pytest.raises(InputError, match=message):
        write_weights(make()[1], tmp_path / name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("blocks.0.mlp.W_out"), "lacks blocks.0.mlp.W_out"),
        (lambda state: state.pop("unembed.W_U"), "it has no 'unembed.W_U'"),
        (
            lambda state: state.update({"blocks.0.attn.rotary_sin": torch.ones(2)}),
            "has a surplus blocks.0.attn.rotary_sin",
        ),
        (
            lambda state: state.update({"unembed.b_U": torch.ones(2)}),
            r"unembed.b_U has the shape \(2,\), not \(11,\)",
        ),
        (lambda state: state.update({"embed.W_E": torch.ones(2)}), "too few dimensions"),
    ],
)
def test_a_state_dict_of_another_network_is_refused(change, message, tmp_path) -> None:
    state = from_transformer(make()[1])
    change(state)
    save_file(state, tmp_path / "theirs.safetensors")
    with pytest.raises(InputError, match=message):
        read_weights(tmp_path / "theirs.safetensors", "x + y", 11)


def test_a_file_cut_short_is_one_line(tmp_path) -> None:
    write_weights(make()[1], tmp_path / "weights.safetensors")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes((tmp_path / "weights.safetensors").read_bytes()[:1000])
    with pytest.raises(InputError, match="cannot be read"):
        read_weights(cut, "x + y", 11)
