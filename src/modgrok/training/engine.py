"""Makes updates: loss, gradients, gradient filters, optimizer, schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from modgrok.data import Examples
from modgrok.models import Network
from modgrok.models.losses import Loss
from modgrok.training.rules import GradientFilter
from modgrok.training.rules.interventions import Intervention

LOGITS_AT_ONCE = 1 << 24
"""Logits whose gradients are computed at once: float64 logits of 128 MiB, so that memory stays flat as p grows."""

RECOMPILE_LIMIT = 256
"""Shapes that one process may compile for; PyTorch's own limit of 8 would leave the ninth network uncompiled."""


class MicroBatch(NamedTuple):
    """A part of a batch small enough to be differentiated at once."""

    tokens: Any  # as the network's `prepare` returns them
    answers: Tensor  # (n,)
    weights: Tensor  # (n,) of each pair's loss in the batch's


def microbatches(
    batch: Examples, network: Network, n_answers: int, n_tasks: int, like: Any = None
) -> list[MicroBatch]:
    """Cut a batch into the fewest microbatches, of nearly equal size; see `Network.prepare` for `like`."""
    count = -(-batch.size * n_answers // LOGITS_AT_ONCE)
    columns = (batch.tokens, batch.answers, pair_weights(batch.task_index, n_tasks))
    parts = zip(*(column.tensor_split(count) for column in columns), strict=True)
    return [MicroBatch(network.prepare(tokens, like), answers, weights) for tokens, answers, weights in parts]


Backward = Callable[[MicroBatch], Tensor]
"""Adds a microbatch's gradients to the parameters' and returns its part of the batch's loss, a scalar."""


def microbatch_loss(network: Network, loss: Loss, microbatch: MicroBatch) -> Tensor:
    """Return a microbatch's part of the batch's loss, a scalar."""
    return (loss(network(microbatch.tokens), microbatch.answers) * microbatch.weights).sum()


def eager_backward(network: Network, loss: Loss) -> Backward:
    """Differentiate operation by operation."""

    def backward(microbatch: MicroBatch) -> Tensor:
        value = microbatch_loss(network, loss, microbatch)
        value.backward()
        return value.detach()

    return backward


def compiled_backward(network: Network, loss: Loss, *, replayed: bool = False) -> Backward:
    """Compile loss and gradients as one function.

    Args:
        network: the network that is trained.
        loss: the loss of each pair.
        replayed: whether PyTorch replays what it has compiled as a CUDA graph, whose results the next replay
            overwrites: for batches that are the same at every update.
    """
    trained = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    detached = {name: weight.detach() for name, weight in trained.items()}

    def value(weights: dict[str, Tensor], microbatch: MicroBatch) -> Tensor:
        logits = functional_call(network, weights, (microbatch.tokens,))
        return (loss(logits, microbatch.answers) * microbatch.weights).sum()

    torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, RECOMPILE_LIMIT)
    mode = "reduce-overhead" if replayed else None
    compiled = torch.compile(grad_and_value(value), dynamic=False, mode=mode)

    def backward(microbatch: MicroBatch) -> Tensor:
        gradients, result = compiled(detached, microbatch)
        if replayed:
            gradients, result = {name: each.clone() for name, each in gradients.items()}, result.clone()
        for name, weight in trained.items():
            # fused optimizers pair weights and gradients as they lie in memory
            gradient = gradients[name].contiguous()
            weight.grad = gradient if weight.grad is None else weight.grad.add_(gradient)
        return result

    return backward


class _KnownGradients(torch.autograd.Function):
    """A loss as a function of the weights whose gradients are known already."""

    @staticmethod
    def forward(ctx: Any, loss: Tensor, gradients: Sequence[Tensor | None], *weights: Tensor) -> Tensor:
        ctx.gradients = gradients
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, factor: Tensor) -> Any:
        return None, None, *(each if each is None else each * factor for each in ctx.gradients)


class Engine:
    """Makes updates one by one, or the losses of updates that somebody else makes.

    Args:
        network: the network whose trained weights the optimizers update.
        loss: the loss of each pair.
        optimizers: all of them step at each update.
        schedulers: the schedulers of the optimizers' learning rates; all of them step at each update.
        filters: change the gradients, one after the other.
        interventions: change every update; for others, another engine is made.
        n_answers: number of logits of a pair.
        n_tasks: number of tasks; the batch's loss is the sum of their mean losses.
        drawn_from: (n, t) the tokens of all training pairs, if the batches are mini-batches of them.
        backward: the function that computes the gradients; eager unless given.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizers: Sequence[Optimizer],
        schedulers: Sequence[LRScheduler] = (),
        filters: Sequence[GradientFilter] = (),
        interventions: Sequence[Intervention] = (),
        *,
        n_answers: int,
        n_tasks: int = 1,
        drawn_from: Tensor | None = None,
        backward: Backward | None = None,
    ) -> None:
        self.network = network
        for intervention in interventions:
            loss = intervention.loss(loss)
        self.loss = loss
        self.optimizers = optimizers
        self.schedulers = schedulers
        self.filters = filters
        self.interventions = interventions
        self.n_answers, self.n_tasks = n_answers, n_tasks
        self._eager = eager_backward(network, self.loss)
        self.backward = backward or self._eager
        self._trained = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
        self._all = None if drawn_from is None else network.prepare(drawn_from)
        self._last: tuple[Examples, list[MicroBatch]] | None = None

    def microbatches(self, batch: Examples) -> list[MicroBatch]:
        """Return the batch's microbatches, made once for a batch that is the same at every update."""
        if self._last is None or self._last[0] is not batch:
            changed = batch
            for intervention in self.interventions:
                changed = intervention.batch(changed, self.n_answers)
            parts = microbatches(changed, self.network, self.n_answers, self.n_tasks, self._all)
            self._last = batch, parts
        return self._last[1]

    def batch_loss(self, batch: Examples) -> Tensor:
        """Return the batch's loss, a scalar that is differentiable with respect to the weights.

        Gradients that are not computed operation by operation, or not all at once, are computed here, and handed on
        when the loss is differentiated.
        """
        parts = self.microbatches(batch)
        if self.differentiable and len(parts) == 1:
            return microbatch_loss(self.network, self.loss, parts[0])
        weights = list(self._trained.values())
        before = [weight.grad for weight in weights]
        loss = self.gradients(parts)
        known = [weight.grad for weight in weights]
        for weight, gradient in zip(weights, before, strict=True):
            weight.grad = gradient
        result: Tensor = _KnownGradients.apply(loss, known, *weights)
        return result

    @property
    def differentiable(self) -> bool:
        """Whether PyTorch differentiates the loss operation by operation."""
        return self.backward is self._eager

    def gradients(self, parts: Sequence[MicroBatch]) -> Tensor:
        """Compute the gradients of a batch; return its loss, a scalar."""
        for weight in self._trained.values():
            weight.grad = None
        return torch.stack([self.backward(part) for part in parts]).sum()

    def filter_gradients(self) -> None:
        """Let the filters change the gradients."""
        weights = {name: weight.detach() for name, weight in self._trained.items()}
        for gradient_filter in self.filters:
            gradients = {
                name: weight.grad for name, weight in self._trained.items() if weight.grad is not None
            }
            for name, gradient in gradient_filter(gradients, weights).items():
                self._trained[name].grad = gradient

    @contextmanager
    def around_step(self) -> Iterator[None]:
        """Run the interventions around the optimizers' steps."""
        weights = [weight.detach() for weight in self._trained.values()]
        with ExitStack() as around:
            for intervention in self.interventions:
                around.enter_context(intervention.step(self.optimizers, weights))
            yield

    def step(self) -> None:
        """Filter the gradients and step the optimizers."""
        self.filter_gradients()
        with self.around_step():
            for optimizer in self.optimizers:
                optimizer.step()

    def update(self, batch: Examples) -> Tensor:
        """Make one update; return the batch's loss before it, a scalar on the device."""
        loss = self.gradients(self.microbatches(batch))
        self.step()
        for scheduler in self.schedulers:
            scheduler.step()
        return loss


def pair_weights(task_index: Tensor, n_tasks: int) -> Tensor:
    """Return the weights, (n,) float64, under which pair losses add up to the sum of the tasks' means.

    Args:
        task_index: (n,) the task of each pair.
        n_tasks: number of tasks.
    """
    return torch.bincount(task_index, minlength=n_tasks).double().reciprocal()[task_index]
