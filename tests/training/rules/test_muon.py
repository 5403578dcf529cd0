"""Muon on the matrices, AdamW on the rest."""

import pytest
import torch
from lightning.pytorch import Trainer
from torch.optim import AdamW, Muon

from modgrok import MLP, GrokkingModule, ModularDataModule, Transformer
from modgrok.capacity import Llama, TransformersLlama
from modgrok.errors import InputError
from modgrok.training import MuonAdamW

SHAPES = {"embed.W_E": (6, 4), "mlp.W_in": (4, 10), "mlp.b_in": (10,), "W_Q": (2, 4, 3), "W_O": (2, 3, 4)}


def weights_and_gradients():
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: torch.nn.Parameter(torch.randn(shape, generator=generator)) for name, shape in SHAPES.items()
    }
    gradients = [
        {name: torch.randn(shape, generator=generator) for name, shape in SHAPES.items()} for _ in range(5)
    ]
    return weights, gradients


def test_each_weight_moves_as_under_its_own_optimizer():
    """Heads as one matrix of all heads, with the heads' columns (W_Q) or rows (W_O) side by side."""
    weights, updates = weights_and_gradients()
    matrices = {
        "mlp.W_in": weights["mlp.W_in"].detach().clone(),
        "W_Q": torch.cat(list(weights["W_Q"].detach()), dim=1),
        "W_O": torch.cat(list(weights["W_O"].detach()), dim=0),
    }
    rest = {name: weights[name].detach().clone() for name in ("embed.W_E", "mlp.b_in")}
    muon = Muon(
        list(matrices.values()), lr=0.01, momentum=0.9, weight_decay=0.5, adjust_lr_fn="match_rms_adamw"
    )
    adamw = AdamW(list(rest.values()), lr=0.01, betas=(0.8, 0.9), weight_decay=0.5)
    ours = MuonAdamW(weights.items(), lr=0.01, momentum=0.9, betas=(0.8, 0.9), weight_decay=0.5)
    for gradients in updates:
        for name, weight in weights.items():
            weight.grad = gradients[name].clone()
        matrices["mlp.W_in"].grad = gradients["mlp.W_in"]
        matrices["W_Q"].grad = torch.cat(list(gradients["W_Q"]), dim=1)
        matrices["W_O"].grad = torch.cat(list(gradients["W_O"]), dim=0)
        for name, weight in rest.items():
            weight.grad = gradients[name].clone()
        for optimizer in (ours, muon, adamw):
            optimizer.step()
    for name in rest:
        torch.testing.assert_close(weights[name].detach(), rest[name])
    torch.testing.assert_close(weights["mlp.W_in"].detach(), matrices["mlp.W_in"])
    torch.testing.assert_close(torch.cat(list(weights["W_Q"].detach()), dim=1), matrices["W_Q"])
    torch.testing.assert_close(torch.cat(list(weights["W_O"].detach()), dim=0), matrices["W_O"])


def test_a_run_learns_and_is_resumed_bit_for_bit_with_its_warm_up(fit, tmp_path):
    whole = fit(40, optimizer=MuonAdamW)
    fit(5, optimizer=MuonAdamW)
    resumed = fit(40, 5, optimizer=MuonAdamW)
    assert all(map(torch.equal, whole.network.parameters(), resumed.network.parameters()))
    losses = whole.history.train_loss
    assert losses[-1] < losses[0]
    saved = torch.load(tmp_path / "40.ckpt", weights_only=True)["modgrok"]["hyperparameters"]
    assert saved["optimizer"] == "MuonAdamW"
    assert (saved["optimizer.lr"], saved["optimizer.momentum"]) == (1e-3, 0.95)
    assert saved["optimizer.group1.betas"] == [0.9, 0.98]


TRANSFORMER = {"d_model": 8, "n_heads": 2, "d_mlp": 12, "n_layers": 2}
LLAMA = {"d_model": 16, "d_head": 8, "n_layers": 1}
NETWORKS = {
    "Transformer": lambda: Transformer(12, 11, 3, **TRANSFORMER, biases=True),
    "MLP, sum": lambda: MLP(12, 11, 3, d_model=8, d_mlp=12, n_layers=2, biases=True),
    "MLP, concatenation": lambda: MLP(12, 11, 3, d_model=8, d_mlp=12, input="concatenation"),
    "MLP, two-hot": lambda: MLP(12, 11, 3, d_mlp=13, input="two_hot"),
    "Llama": lambda: Llama(12, 5, **LLAMA),
    "Llama, tied": lambda: Llama(12, 5, **LLAMA, tie_word_embeddings=True),
    "TransformersLlama": lambda: TransformersLlama(12, 5, **LLAMA),
    "TransformersLlama, tied": lambda: TransformersLlama(12, 5, **LLAMA, tie_word_embeddings=True),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_hidden_matrices_are_those_between_tokens_and_answers(name):
    """Muon gets every matrix with neither tokens (12), positions nor answers (11) on a side; two-hot input aside."""
    network = NETWORKS[name]()
    optimizer = MuonAdamW(network.named_parameters())
    names = {weight: name for name, weight in network.named_parameters()}
    hidden, rest = ({names[weight] for weight in group["params"]} for group in optimizer.param_groups)
    outer = {"W_E", "W_pos", "W_U", "embed_tokens", "lm_head"}
    matrices = {name for weight, name in names.items() if weight.ndim > 1}
    assert hidden == {name for name in matrices if not outer & set(name.split("."))}
    assert hidden | rest == set(names.values())
    assert not hidden & rest


def test_a_network_without_a_matrix_for_muon_is_refused():
    weights, _ = weights_and_gradients()
    with pytest.raises(InputError, match="MuonAdamW needs a matrix to train besides embeddings"):
        MuonAdamW([("embed.W_E", weights["embed.W_E"]), ("b", weights["mlp.b_in"])])
    with pytest.raises(InputError, match=r"give network\.named_parameters\(\)"):
        MuonAdamW(weights.values())


def test_a_run_whose_trained_part_has_no_matrix_is_refused_before_it_starts(tmp_path):
    data = ModularDataModule("x + y", 11)
    module = GrokkingModule(MLP(**data.network_shape), optimizer=MuonAdamW, frozen=["layers"])
    with pytest.raises(InputError, match="MuonAdamW needs a matrix"):
        Trainer(max_steps=10, default_root_dir=tmp_path, logger=False, accelerator="cpu").fit(module, data)
    assert not list(tmp_path.iterdir())
