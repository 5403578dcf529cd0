"""The products of weight matrices in which the circuit is read off."""

import math
from functools import reduce

import torch
from torch import Tensor


def path_weights(*matrices: Tensor) -> Tensor:
    """The product of the matrices along a path, (…, a, b) and (…, b, c), in float64.

    Nanda et al. 2023, section 4.2 and appendix C: W_logit = W_out W_U, (m, p), from the neurons to the logits (there
    transposed, as W_L), whose spectrum over the answers is that of W_logitᵀ in the answers' basis; and
    W_neur = W_E W_V W_O W_in, (h, p, m), from the operand symbols through each head to the neurons' inputs. A symbol
    that head h attends to with weight a adds a times its row of W_neur to the neurons.
    """
    return reduce(torch.matmul, (matrix.detach().double() for matrix in matrices))


def score_weights(W_E: Tensor, W_pos: Tensor, W_Q: Tensor, W_K: Tensor, query: int) -> Tensor:
    """The attention score that the last position gives each token at each position.

    score = (r_q W_Q)·(r W_K)/√k with r = W_E[token] + W_pos[position], for a network of one layer without
    normalization and biases: the score of an operand depends on nothing else, so its spectrum over the
    operand shows what the head attends by (Nanda et al. 2023, section 4.2).

    Args:
        W_E: (v, d).
        W_pos: (t, d).
        W_Q: (h, d, k).
        W_K: (h, d, k).
        query: the token at the last position ("=").

    Returns:
        (h, t, v) float64.
    """
    residual = W_E.double()[None] + W_pos.double()[:, None]  # t v d
    asking = torch.einsum("d,hdk->hk", residual[-1, query], W_Q.double())
    keys = torch.einsum("tvd,hdk->htvk", residual, W_K.double())
    return torch.einsum("hk,htvk->htv", asking, keys) / math.sqrt(W_Q.shape[2])
