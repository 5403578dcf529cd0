import torch

from modgrok.analysis import path_weights, score_weights


def randn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


def test_weights_are_what_the_network_multiplies_by() -> None:
    v, d, h, k, m, p, t = 8, 6, 2, 3, 5, 7, 3
    W_E, W_pos, W_Q, W_K = randn(v, d), randn(t, d), randn(h, d, k), 2 * randn(h, d, k)
    W_V, W_O, W_in, W_out, W_U = 3 * randn(h, d, k), randn(h, k, d), randn(d, m), randn(m, d), randn(d, p)

    neurons = randn(m)
    torch.testing.assert_close(neurons @ path_weights(W_out, W_U), (neurons @ W_out) @ W_U)
    for head in range(h):
        for x in range(p):
            added = ((W_E[x] @ W_V[head]) @ W_O[head]) @ W_in
            torch.testing.assert_close(path_weights(W_E[:p], W_V, W_O, W_in)[head, x], added)
            query = (W_E[7] + W_pos[2]) @ W_Q[head]
            score = query @ ((W_E[x] + W_pos[1]) @ W_K[head]) / 3**0.5
            torch.testing.assert_close(score_weights(W_E, W_pos, W_Q, W_K, query=7)[head, 1, x], score)
