"""What is descended: losses of single pairs, in float64."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Loss(ABC):
    """The loss of each pair, and the probabilities that go with it."""

    @abstractmethod
    def __call__(self, logits: Tensor, answers: Tensor) -> Tensor:
        """Return the loss of each pair, (n,), of logits (n, p) and answers (n,)."""

    @abstractmethod
    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the probability of every answer, (n, p), of logits (n, p)."""

    def answer_probabilities(self, logits: Tensor, answers: Tensor, losses: Tensor) -> Tensor:
        """Return the probability of each right answer, (n,), given the pairs' losses, (n,), too."""
        return self.probabilities(logits).gather(-1, answers[:, None])[:, 0]


class CrossEntropy(Loss):
    """Cross-entropy in float64.

    In float32 a confident network's loss is a multiple of 1.2e-7 and its gradients spike.
    """

    def __call__(self, logits: Tensor, answers: Tensor) -> Tensor:
        """Return the loss of each pair, (n,) float64."""
        # written out, so that one pass of exponentials serves the loss and its gradient: F.cross_entropy makes two
        shifted = logits.double() - logits.detach().amax(-1, keepdim=True)
        of_answers = shifted.gather(-1, answers[:, None])[:, 0]
        return shifted.exp().sum(-1).log() - of_answers

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the softmax, (n, p) float64."""
        return logits.double().softmax(-1)

    def answer_probabilities(self, logits: Tensor, answers: Tensor, losses: Tensor) -> Tensor:
        """Return exp(−loss), (n,)."""
        return (-losses).exp()


def pair_weights(task_index: Tensor, n_tasks: int) -> Tensor:
    """Return the weights, (n,) float64, under which pair losses add up to the sum of the tasks' means.

    Args:
        task_index: (n,) the task of each pair.
        n_tasks: number of tasks.
    """
    return torch.bincount(task_index, minlength=n_tasks).double().reciprocal()[task_index]
