"""State dicts of TransformerLens 2's HookedTransformer, there and back."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from modgrok import ModularDataModule, Transformer
from modgrok.errors import InputError
from modgrok.interop import Reading, read_weights, write_weights
from modgrok.interop.files import CONFIG, TOKENS
from modgrok.interop.hooked import from_transformer, hooked_config

WORDS = ["x", "y", "="]
VARIANTS = [
    {"activation": activation, "normalization": normalization, **more}
    for activation in ("relu", "gelu")
    for normalization in (False, True)
    for more in ({"d_head": 3}, {"n_layers": 2, "biases": True}, {"biases": "mlp"})
]
VARIANTS += [
    {"d_mlp": 0, "activation": "relu", "normalization": normalization} for normalization in (False, True)
]


def make(**variant) -> tuple[ModularDataModule, Transformer]:
    torch.manual_seed(0)
    data = ModularDataModule("x + y", 11)
    network = Transformer(**data.network_shape, **{"d_model": 16, "n_heads": 2, "d_mlp": 20, **variant})
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return data, network.eval()


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_weights_come_back_as_they_went(variant, suffix, tmp_path) -> None:
    data, network = make(**variant)
    write_weights(network, tmp_path / f"weights{suffix}", data.template.words)
    # the network has not learned the task: nothing but what the file says tells how to read it
    snapshot = read_weights(tmp_path / f"weights{suffix}", "x + y", 11).snapshot
    torch.testing.assert_close(
        snapshot.network(data.pairs.tokens), network(data.pairs.tokens), rtol=0, atol=1e-6
    )
    assert [path.name for path in tmp_path.iterdir()] == [f"weights{suffix}"]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_bare_state_dict_is_read_as_it_is_told(variant, tmp_path) -> None:
    data, network = make(**variant)
    torch.save(dict(from_transformer(network)), tmp_path / "bare.pt")
    told = Reading(WORDS, variant["activation"], "LN" if variant["normalization"] else "none")
    back = read_weights(tmp_path / "bare.pt", "x + y", 11, told).snapshot.network
    torch.testing.assert_close(back(data.pairs.tokens), network(data.pairs.tokens), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "places", [["unembedding"], ["attention", "mlp"], ["attention", "mlp", "unembedding"]]
)
def test_normalization_at_some_places_is_read_there(places, tmp_path) -> None:
    data, network = make(normalization=places)
    torch.save(dict(from_transformer(network)), tmp_path / "bare.pt")
    back = read_weights(tmp_path / "bare.pt", "x + y", 11, Reading(WORDS, "relu", "LN")).snapshot.network
    torch.testing.assert_close(back(data.pairs.tokens), network(data.pairs.tokens), rtol=0, atol=1e-6)
    if len(places) < 3:
        with pytest.raises(InputError, match=f"normalization before {' and '.join(places)} alone"):
            write_weights(network, tmp_path / "weights.pt")
    else:
        write_weights(network, tmp_path / "weights.pt")


def test_a_bare_state_dict_that_answers_nothing_is_asked_about(tmp_path) -> None:
    torch.save(dict(from_transformer(make()[1])), tmp_path / "bare.pt")
    with pytest.raises(InputError) as refused:
        read_weights(tmp_path / "bare.pt", "x + y", 11)
    said = str(refused.value)
    for tried in ("tokens x y =; activation relu", "and 4 more", "--activation, --normalization, --tokens"):
        assert tried in said
    assert "--attention_rate" not in said


def fold(network: Transformer) -> dict[str, torch.Tensor]:
    """Fold scale and shift of every layer normalization into the weights behind it, as TransformerLens does."""
    state = from_transformer(network)
    for i in range(network.config["n_layers"]):
        a, m = f"blocks.{i}.attn", f"blocks.{i}.mlp"
        w, b = state.pop(f"blocks.{i}.ln1.w"), state.pop(f"blocks.{i}.ln1.b")
        for c in "QKV":
            state[f"{a}.b_{c}"] = state[f"{a}.b_{c}"] + torch.einsum("d,hdk->hk", b, state[f"{a}.W_{c}"])
            state[f"{a}.W_{c}"] = state[f"{a}.W_{c}"] * w[:, None]
        w, b = state.pop(f"blocks.{i}.ln2.w"), state.pop(f"blocks.{i}.ln2.b")
        state[f"{m}.b_in"] = state[f"{m}.b_in"] + b @ state[f"{m}.W_in"]
        state[f"{m}.W_in"] = state[f"{m}.W_in"] * w[:, None]
    w, b = state.pop("ln_final.w"), state.pop("ln_final.b")
    state["unembed.b_U"] = state["unembed.b_U"] + b @ state["unembed.W_U"]
    state["unembed.W_U"] = state["unembed.W_U"] * w[:, None]
    return state


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_folded_layer_normalization_is_exact(activation, n_layers, tmp_path) -> None:
    data, network = make(activation=activation, n_layers=n_layers, normalization=True, biases=True)
    torch.save(fold(network), tmp_path / "folded.pt")
    told = Reading(WORDS, activation, "LNPre")
    back = read_weights(tmp_path / "folded.pt", "x + y", 11, told).snapshot.network
    tokens = data.pairs.tokens
    torch.testing.assert_close(back.double()(tokens), network.double()(tokens), rtol=0, atol=1e-5)
    metadata = {**hooked_config(network), "normalization_type": "LNPre"}
    metadata = {CONFIG: json.dumps(metadata), TOKENS: json.dumps(WORDS)}
    save_file(fold(network.float()), tmp_path / "said.safetensors", metadata)
    said = read_weights(tmp_path / "said.safetensors", "x + y", 11).snapshot.network
    torch.testing.assert_close(said.double()(tokens), back(tokens))


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
    torch.save(theirs.state_dict(), tmp_path / "theirs.pt")
    told = Reading(WORDS, variant["activation"], "LN" if variant["normalization"] else "none")
    back = read_weights(tmp_path / "theirs.pt", "x + y", 11, told).snapshot.network
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
        (lambda state: state.pop("unembed.W_U"), "it has no unembed.W_U"),
        (
            lambda state: state.update({"blocks.0.attn.rotary_sin": torch.ones(2)}),
            "has a surplus blocks.0.attn.rotary_sin",
        ),
        (
            lambda state: state.update({"unembed.b_U": torch.ones(2)}),
            r"unembed.b_U has the shape \(2,\), not \(11,\)",
        ),
        (lambda state: state.update({"embed.W_E": torch.ones(2)}), "embed.W_E has 1 dimensions, not 2"),
    ],
)
def test_a_state_dict_of_another_network_is_refused(change, message, tmp_path) -> None:
    state = from_transformer(make()[1])
    change(state)
    save_file(state, tmp_path / "theirs.safetensors")
    with pytest.raises(InputError, match=message):
        read_weights(tmp_path / "theirs.safetensors", "x + y", 11, Reading(WORDS, "relu", "none"))


@pytest.mark.parametrize(
    ("metadata", "told", "message"),
    [
        (
            {"act_fn": "gelu"},
            Reading(activation="relu"),
            "activation: the file's metadata says gelu, and the command",
        ),
        ({"act_fn": "gelu_new"}, Reading(), "'gelu_new' is not one of relu, gelu"),
        (
            {"normalization_type": "RMS"},
            Reading(),
            "normalization 'RMS'; modgrok's networks have LN, LNPre or none",
        ),
        (
            {"normalization_type": "LN"},
            Reading(),
            "has no weights of layer normalization; where they were folded",
        ),
        ({"n_layers": 2}, Reading(), "n_layers: the file's metadata says 2, and its weights says 1"),
        ({"positional_embedding_type": "rotary"}, Reading(), "positional_embedding_type = 'rotary'"),
        ({"attn_scale": 1.0, "d_head": 8}, Reading(), "attn_scale = 1"),
        ({"d_vocab": "12"}, Reading(), "d_vocab = '12', which is no number"),
        ([1], Reading(), "no JSON object"),
        ({}, Reading(tokens=["x", "y"]), "12 tokens and 3 positions, not those of"),
        ({}, Reading(attention_rate=7.0), "attention_rate must be from 0 to 1, got 7.0"),
    ],
)
def test_what_a_file_says_is_held_against_its_weights_and_the_user(metadata, told, message, tmp_path) -> None:
    save_file(from_transformer(make()[1]), tmp_path / "theirs.safetensors", {CONFIG: json.dumps(metadata)})
    with pytest.raises(InputError, match=message):
        read_weights(tmp_path / "theirs.safetensors", "x + y", 11, told)


def test_what_hooked_transformer_has_not_is_not_written(tmp_path) -> None:
    with pytest.raises(InputError, match="no network with attention_rate"):
        write_weights(make(attention_rate=0.5)[1], tmp_path / "weights.pt")


def test_a_file_cut_short_is_one_line(tmp_path) -> None:
    write_weights(make()[1], tmp_path / "weights.safetensors")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes((tmp_path / "weights.safetensors").read_bytes()[:1000])
    with pytest.raises(InputError, match="cannot be read"):
        read_weights(cut, "x + y", 11)
