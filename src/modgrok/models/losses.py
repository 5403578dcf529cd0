"""What is descended: losses of single pairs, and the probabilities that go with them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from modgrok.errors import InputError, brief, check_choice

Precision = Literal["float64", "float32", "bfloat16", "float16"]

_CLASSES: dict[str, type[Loss]] = {}


class Loss(ABC):
    """The loss of each pair, and the probabilities that go with it.

    A loss is read back from a checkpoint by its class path and its public attributes, which must be its constructor's
    arguments.

    Attributes:
        in_nats: whether the loss is −ln of the answer's probability.

    Example:
        >>> from modgrok.training import CrossEntropy, Loss
        >>> isinstance(CrossEntropy(), Loss), round(CrossEntropy().of_a_guess(7), 4)  # ln 7
        (True, 1.9459)
    """

    in_nats: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _CLASSES[f"{cls.__module__}.{cls.__qualname__}"] = cls

    @abstractmethod
    def __call__(self, logits: Tensor, answers: Tensor) -> Tensor:
        """Return the loss of each pair, (n,), of logits (n, p) and answers (n,)."""

    @abstractmethod
    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the probability of every answer, (n, p), of logits (n, p)."""

    def answer_probabilities(self, logits: Tensor, answers: Tensor, losses: Tensor) -> Tensor:
        """Return the probability of each right answer, (n,), given the pairs' losses, (n,), too."""
        return self.probabilities(logits).gather(-1, answers[:, None])[:, 0]

    def of_a_guess(self, n_answers: int) -> float:
        """Return the loss of a pair whose logits are all equal: ln p for the cross-entropy."""
        return float(self(torch.zeros(1, n_answers), torch.zeros(1, dtype=torch.int64)))

    @property
    def record(self) -> dict[str, Any]:
        """What a checkpoint keeps of the loss, as plain data."""
        return {"class_path": f"{type(self).__module__}.{type(self).__qualname__}", "arguments": vars(self)}


def loss_from_record(record: Mapping[str, Any]) -> Loss:
    """Build the loss that a checkpoint was trained with.

    Raises:
        InputError: if no module that was imported defines it, or its arguments do not fit.
    """
    kind = _CLASSES.get(record["class_path"])
    if kind is None:
        raise InputError(
            f"no loss {brief(record['class_path'])} is known; from Python, import the module that defines it first"
        )
    try:
        return kind(**record["arguments"])
    except (TypeError, ValueError) as error:
        raise InputError(f"{record['class_path']} cannot be built: {brief(str(error))}") from None


def check_loss_readable(loss: Loss) -> None:
    """Check that a loss could be read back from a checkpoint.

    Raises:
        InputError: if it could not, with the reason.
    """
    try:
        again = loss_from_record(loss.record)
    except InputError as error:
        raise InputError(f"model.loss: {error}, so that it could not be read back") from None
    if repr(vars(again)) != repr(vars(loss)):
        raise InputError(
            f"model.loss: {type(loss).__name__} built again from its attributes has others, so that it could not be "
            "read back"
        )


class CrossEntropy(Loss):
    """Cross-entropy, −log softmax(logits)[answer].

    Args:
        precision: the precision of the softmax. In float32 a confident network's loss is a multiple of 1.2e-7 and its
            gradients vanish or spike: the softmax collapse of Prieto et al. 2025 (arXiv 2501.04697, section 3). In
            float16 and bfloat16 it comes sooner; `train/zero_losses` is the share of training pairs whose loss is
            exactly zero.

    Example:
        >>> import torch
        >>> from modgrok.training import CrossEntropy
        >>> logits = torch.tensor([[2.0, 0.0, 0.0]])
        >>> round(float(CrossEntropy()(logits, torch.tensor([0]))), 4)
        0.2395
    """

    in_nats = True

    def __init__(self, precision: Precision = "float64") -> None:
        check_choice("precision", precision, Precision)
        self.precision = precision

    def __call__(self, logits: Tensor, answers: Tensor) -> Tensor:
        """Return the loss of each pair, (n,)."""
        # written out, so that one pass of exponentials serves the loss and its gradient: F.cross_entropy makes two
        shifted = self._cast(logits) - self._cast(logits.detach().amax(-1, keepdim=True))
        of_answers = shifted.gather(-1, answers[:, None])[:, 0]
        return shifted.exp().sum(-1).log() - of_answers

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the softmax, (n, p)."""
        return self._cast(logits).softmax(-1)

    def answer_probabilities(self, logits: Tensor, answers: Tensor, losses: Tensor) -> Tensor:
        """Return exp(−loss), (n,)."""
        return (-losses).exp()

    def _cast(self, logits: Tensor) -> Tensor:
        dtype: torch.dtype = getattr(torch, self.precision)
        return logits.to(dtype)


CROSS_ENTROPY = CrossEntropy()
"""The loss of a run unless it is given another."""


class StableMax(Loss):
    """Cross-entropy of StableMax, −log(s(x)[answer] / Σ s(x)), in float64 (Prieto et al. 2025, arXiv 2501.04697,
    section 4).

    s(x) = x + 1 for x ≥ 0 and 1 / (1 − x) below grows linearly, so that the probabilities of confident logits are not
    rounded to 0 and 1.

    Example:
        >>> import torch
        >>> from modgrok.training import StableMax
        >>> logits = torch.tensor([[2.0, 0.0, 0.0]])
        >>> round(float(StableMax()(logits, torch.tensor([0]))), 4)  # −ln(3 / 5)
        0.5108
    """

    in_nats = True

    def __call__(self, logits: Tensor, answers: Tensor) -> Tensor:
        """Return the loss of each pair, (n,) float64."""
        scores = self._scores(logits)
        return scores.sum(-1).log() - scores.gather(-1, answers[:, None])[:, 0].log()

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return s(x) / Σ s(x), (n, p) float64."""
        scores = self._scores(logits)
        return scores / scores.sum(-1, keepdim=True)

    def answer_probabilities(self, logits: Tensor, answers: Tensor, losses: Tensor) -> Tensor:
        """Return exp(−loss), (n,)."""
        return (-losses).exp()

    @staticmethod
    def _scores(logits: Tensor) -> Tensor:
        x = logits.double()
        # clamped, so that the side that is not taken has no infinite gradient at x = 1
        return torch.where(x >= 0, x + 1, 1 / (1 - x.clamp(max=0)))


class MeanSquaredError(Loss):
    """Squared error between the logits and the one-hot answer, averaged over the p answers, in float64.

    The logits are then estimates of the probabilities themselves.

    Example:
        >>> import torch
        >>> from modgrok.training import MeanSquaredError
        >>> logits = torch.tensor([[2.0, 0.0, 0.0]])
        >>> round(float(MeanSquaredError()(logits, torch.tensor([0]))), 4)
        0.3333
    """

    def __call__(self, logits: Tensor, answers: Tensor) -> Tensor:
        """Return the loss of each pair, (n,) float64."""
        return (logits.double() - F.one_hot(answers, logits.shape[-1])).square().mean(-1)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the positive parts of the logits divided by their sum, (n, p) float64; uniform where all are ≤ 0."""
        positive = logits.double().clamp(min=0)
        total = positive.sum(-1, keepdim=True)
        return torch.where(total > 0, positive / total, 1 / logits.shape[-1])
