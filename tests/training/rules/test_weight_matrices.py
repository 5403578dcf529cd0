"""A weight's matrix is that of the linear map which its network computes."""

import pytest
import torch

from modgrok import MLP, Transformer
from modgrok.training.rules.weight_matrices import as_matrix, from_matrix


def test_the_first_layer_of_positions_side_by_side():
    """The embeddings of all positions, one row, times the matrix: what the layer computes."""
    network = MLP(12, 11, 3, d_model=5, d_mlp=7, input="concatenation")
    tokens = torch.tensor([[3, 4, 11], [0, 9, 11]])
    weight = network.layers[0].W_in
    side_by_side = network.embed.W_E[tokens].flatten(1)  # (n, t·d)
    expected = (side_by_side @ as_matrix("layers.0.W_in", weight)).relu()
    _, cache = network.run_with_cache(tokens)
    torch.testing.assert_close(cache["layers.0.hook_post"].squeeze(1), expected)


@pytest.mark.parametrize(
    "network",
    [
        MLP(12, 11, 3, d_mlp=7, input="two_hot"),
        MLP(12, 11, 3, d_model=5, d_mlp=7, input="concatenation", n_layers=2),
        Transformer(12, 11, 3, d_model=6, d_mlp=7, n_heads=2),
    ],
)
def test_a_matrix_goes_back_into_its_weight(network):
    for name, weight in network.named_parameters():
        if weight.ndim > 1:
            assert torch.equal(from_matrix(name, as_matrix(name, weight), weight.shape), weight)
