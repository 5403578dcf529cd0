import torch

from modgrok.analysis import path_weights


def randn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


def test_weights_are_what_the_network_multiplies_by() -> None:
    v, d, h, k, m, p = 8, 6, 2, 3, 5, 7
    W_E, W_V, W_O = randn(v, d), 3 * randn(h, d, k), randn(h, k, d)
    W_in, W_out, W_U = randn(d, m), randn(m, d), randn(d, p)

    neurons = randn(m)
    torch.testing.assert_close(neurons @ path_weights(W_out, W_U), (neurons @ W_out) @ W_U)
    for head in range(h):
        for x in range(p):
            added = ((W_E[x] @ W_V[head]) @ W_O[head]) @ W_in
            torch.testing.assert_close(path_weights(W_E[:p], W_V, W_O, W_in)[head, x], added)
