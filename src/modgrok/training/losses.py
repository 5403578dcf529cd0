"""The loss, in float64."""

from __future__ import annotations

import torch
from torch import Tensor


def pair_losses(logits: Tensor, answers: Tensor) -> Tensor:
    """Return each pair's cross-entropy, (n,) float64, of logits (n, p) and answers (n,).

    In float32 a confident network's loss is a multiple of 1.2e-7 and its gradients spike. A device without float64
    (Apple's MPS) has the loss computed on the CPU.
    """
    if logits.device.type == "mps":
        logits, answers = logits.cpu(), answers.cpu()
    # written out, so that one pass of exponentials serves the loss and its gradient: F.cross_entropy makes two
    shifted = logits.double() - logits.detach().amax(-1, keepdim=True)
    of_answers = shifted.gather(-1, answers.unsqueeze(-1)).squeeze(-1)
    return shifted.exp().sum(-1).log() - of_answers


def pair_weights(task: Tensor, n_tasks: int) -> Tensor:
    """Return the weights, (n,) float64, under which pair losses add up to the sum of the tasks' means.

    Args:
        task: (n,) which task each pair is of.
        n_tasks: how many there are.
    """
    return torch.bincount(task, minlength=n_tasks).double().reciprocal()[task]
