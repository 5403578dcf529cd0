"""The products of weight matrices in which the circuit is read off."""

from functools import reduce

import torch
from torch import Tensor


def path_weights(*matrices: Tensor) -> Tensor:
    """The product of the matrices along a path, (…, a, b) and (…, b, c), in float64.

    Nanda et al. 2023, section 4.2 and appendix C: W_logit = W_out W_U, (m, p), from the neurons to the logits (there
    transposed, as W_L), whose spectrum over the answers is that of W_logitᵀ in the answers' basis; and
    W_neur = W_E W_V W_O W_in, (h, p, m), from the operand symbols through each head to the neurons' inputs. A symbol
    that head h attends to with weight a adds a times its row of W_neur to the neurons.

    Example:
        >>> import torch
        >>> from modgrok.analysis import path_weights
        >>> path_weights(torch.ones(2, 3), torch.ones(3, 4)).shape
        torch.Size([2, 4])
    """
    return reduce(torch.matmul, (matrix.detach().double() for matrix in matrices))
