"""Makes updates, as many at a time as it is told."""

from __future__ import annotations

import os
import shutil
import warnings
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from modgrok.data import Batches, Examples
from modgrok.errors import InputError
from modgrok.models import Network
from modgrok.training.gradient_filters import NO_LP, Lp
from modgrok.training.losses import pair_losses, pair_weights

EngineName = Literal["auto", "eager", "compile", "cuda_graph"]

LOGITS_AT_ONCE = 1 << 24
"""Logits whose gradients are computed at once: float64 logits of 128 MiB, so that memory stays flat as p grows."""


class MicroBatch(NamedTuple):
    """A part of a batch small enough to be differentiated at once."""

    tokens: Any  # as the network's `prepare` returns them
    answers: Tensor  # (n,)
    weights: Tensor  # (n,) of each pair's loss in the batch's


def microbatch_loss(logits: Tensor, share: MicroBatch) -> Tensor:
    """Return the share's part of its batch's loss, float64, of the logits, (n, p), that the network gives it."""
    return (pair_losses(logits, share.answers) * share.weights).sum()


def shares(batch: Examples, network: Network, n_tasks: int) -> list[MicroBatch]:
    """Cut a batch into the fewest shares, of nearly equal size."""
    count = -(-batch.size * network.config["n_answers"] // LOGITS_AT_ONCE)
    weights = pair_weights(batch.task, n_tasks)
    parts = zip(
        *(tensor.tensor_split(count) for tensor in (batch.tokens, batch.answers, weights)), strict=True
    )
    return [MicroBatch(network.prepare(tokens), answers, weight) for tokens, answers, weight in parts]


class Engine:
    """Makes updates one by one: loss, gradient, AdamW, schedule.

    Args:
        network: whose parameters `optimizer` updates.
        optimizer: and `scheduler` make an update of the gradients.
        scheduler: of the learning rate.
        batches: the training pairs of each update.
        n_tasks: how many tasks they are of.
        lp: regularization added to the loss; the losses that are returned leave it out.
    """

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        scheduler: LRScheduler,
        batches: Batches,
        n_tasks: int,
        lp: Lp = NO_LP,
    ) -> None:
        self.network = network
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.batches = batches
        self.n_tasks = n_tasks
        self.lp = lp
        self._whole = self._shares(0) if batches.full else None
        self._prepare()

    def _prepare(self) -> None:
        """Get ready to make updates."""

    def _shares(self, update: int) -> list[MicroBatch]:
        return shares(self.batches.of(update), self.network, self.n_tasks)

    def backward(self, share: MicroBatch) -> Tensor:
        """Add the share's gradients; return its part of the loss."""
        loss = microbatch_loss(self.network(share.tokens), share)
        loss.backward()
        return loss.detach()

    def update(self, share_list: list[MicroBatch]) -> Tensor:
        """Make one update; return the batch's loss before it, a float64 scalar on the device."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = torch.stack([self.backward(share) for share in share_list]).sum()
        if self.lp.strength:
            self.lp.penalty(weight for weight in self.network.parameters() if weight.requires_grad).backward()
        self.optimizer.step()
        return loss

    def run(self, first: int, n: int) -> Tensor:
        """Make n updates, the first of which has number `first`.

        Returns:
            (n,) float64 on the device: the loss of each update's batch, before the update.
        """
        losses = []
        for number in range(first, first + n):
            losses.append(self.update(self._whole or self._shares(number)))
            self.scheduler.step()
        return torch.stack(losses)


class CompiledEngine(Engine):
    """The same with loss and gradients compiled as one; eager, with a warning, where compilation fails."""

    def _prepare(self) -> None:
        def loss(weights: dict[str, Tensor], share: MicroBatch) -> Tensor:
            return microbatch_loss(functional_call(self.network, weights, (share.tokens,)), share)

        trained = [item for item in self.network.named_parameters() if item[1].requires_grad]
        self._trained = [parameter for _, parameter in trained]
        self._weights = {name: parameter.detach() for name, parameter in trained}
        self._gradients = torch.compile(grad_and_value(loss), dynamic=False)
        self._compiled = True
        try:
            for share in self._whole or ():
                self.backward(share)
        except torch._dynamo.exc.TorchDynamoException as error:
            reason = str(error).strip().splitlines()[0]
            warnings.warn(f"engine: compilation failed, training goes on uncompiled ({reason})", stacklevel=2)
            self._compiled = False

    def backward(self, share: MicroBatch) -> Tensor:
        """Add the share's gradients; return its part of the loss."""
        if not self._compiled:
            return super().backward(share)
        gradients, loss = self._gradients(self._weights, share)
        for parameter, gradient in zip(self._trained, gradients.values(), strict=True):
            # AdamW pairs weights and gradients as they lie in memory
            gradient = gradient.contiguous()
            parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)
        return loss


class CudaGraphEngine(Engine):
    """The same with the whole update captured once as a CUDA graph and replayed.

    Nothing in a replay waits for the device: losses are gathered there, and the learning rate is a tensor that the
    schedule fills in the stream's order.
    """

    WARM_UP = 3  # updates on a side stream before the capture, as CUDA graphs require; they are undone

    def _prepare(self) -> None:
        for group in self.optimizer.param_groups:
            group["capturable"] = True
            group["lr"] = torch.as_tensor(group["lr"], dtype=torch.float32, device=self.network.device)
        self._losses = torch.zeros(4096, dtype=torch.float64, device=self.network.device)
        self._place = torch.zeros(1, dtype=torch.int64, device=self.network.device)
        self._graph = self._capture()

    def _update_in_place(self) -> None:
        assert self._whole is not None
        self._losses.index_copy_(0, self._place, self.update(self._whole).view(1))
        self._place.add_(1)

    def _capture(self) -> torch.cuda.CUDAGraph:
        weights = [parameter.detach().clone() for parameter in self.network.parameters()]
        state = {
            parameter: {name: value.clone() for name, value in moments.items()}
            for parameter, moments in self.optimizer.state.items()
        }
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(self.WARM_UP):
                self._update_in_place()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self._update_in_place()
        with torch.no_grad():
            for parameter, weight in zip(self.network.parameters(), weights, strict=True):
                parameter.copy_(weight)
                for name, moment in self.optimizer.state.get(parameter, {}).items():
                    moment.copy_(state[parameter][name] if parameter in state else torch.zeros_like(moment))
        return graph

    def run(self, first: int, n: int) -> Tensor:
        """Make n updates; see `Engine.run`."""
        losses = []
        for start in range(0, n, len(self._losses)):
            count = min(n - start, len(self._losses))
            self._place.zero_()
            for _ in range(count):
                self._graph.replay()
                self.scheduler.step()
            losses.append(self._losses[:count].clone())
        return torch.cat(losses)


ENGINES: dict[str, type[Engine]] = {"eager": Engine, "compile": CompiledEngine, "cuda_graph": CudaGraphEngine}

MIN_MULTIPLIES_TO_COMPILE = 1.2e13
"""Multiplications of a run from which compiling saves twice the time it takes: most runs stop before `max_steps`."""

CALL_OVERHEAD_IN_MULTIPLIES = 5e8
"""Multiplications that take as long as the calls of an update which compiling saves."""


def check_engine(name: EngineName, device: torch.device, full_batch: bool) -> None:
    """Raise an InputError if the engine called `name` cannot run on `device`, or on batches like these."""
    if name in ("compile", "cuda_graph") and not full_batch:
        raise InputError(f"model.engine: {name} needs the full batch; with data.batch_size use eager")
    if name == "cuda_graph" and device.type != "cuda":
        raise InputError(f"model.engine: cuda_graph needs CUDA, and the run is on {device.type}")


def make_engine(
    name: EngineName,
    network: Network,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batches: Batches,
    n_tasks: int,
    max_updates: int,
    lp: Lp = NO_LP,
) -> Engine:
    """Make the engine called `name`; `auto` is the fastest that fits.

    The choice depends on the configuration and the machine alone, never on a timing, so that a run repeated or resumed
    is the same run.

    Raises:
        InputError: if the engine cannot run this configuration here.
    """
    check_engine(name, network.device, batches.full)
    if name == "auto":
        weights = sum(parameter.numel() for parameter in network.parameters())
        long = (
            batches.examples.size * weights + CALL_OVERHEAD_IN_MULTIPLIES
        ) * max_updates > MIN_MULTIPLIES_TO_COMPILE
        if not batches.full:
            name = "eager"
        elif network.device.type == "cuda":
            name = "cuda_graph"
        else:
            name = "compile" if long and shutil.which(os.environ.get("CXX", "g++")) else "eager"
    return ENGINES[name](network, optimizer, scheduler, batches, n_tasks, lp)
