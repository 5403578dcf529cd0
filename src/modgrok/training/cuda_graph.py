"""Gradients captured once as a CUDA graph and replayed, so that none of them waits for Python."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from modgrok.data import Examples
from modgrok.training.engine import Engine, MicroBatch

Capture = Callable[[Callable[[], Tensor]], Callable[[], Tensor]]
"""Takes a function that works on tensors in place, and returns one that does the same again."""

TOLERANCE = 1e-3
"""How far a replayed gradient may lie from an eager one, in relative norm."""

WARM_UP = 3
"""Calls on a side stream before the capture, as CUDA graphs require."""


def cuda_capture(function: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Capture a function as a CUDA graph; return its replay. The current stream stays what it was."""
    before, stream = torch.cuda.current_stream(), torch.cuda.Stream()
    graph = torch.cuda.CUDAGraph()
    try:
        stream.wait_stream(before)
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                function()
        before.wait_stream(stream)
        with torch.cuda.graph(graph, stream=stream):
            result = function()
    finally:
        torch.cuda.set_stream(before)  # which a capture that fails leaves set to its own

    def replay() -> Tensor:
        graph.replay()
        return result.clone()

    return replay


class GraphEngine(Engine):
    """An engine whose gradients are replayed once `capture` has found the replay to give the eager ones.

    Only gradients are captured: the weights, the optimizers and the schedules are no part of the graph, so that neither
    its warm-up nor an interruption can change them, and every optimizer and schedule does what it does elsewhere.
    """

    _replay: Callable[[], Tensor] | None = None

    def capture(self, batch: Examples, capture: Capture = cuda_capture) -> None:
        """Capture the gradients on `batch`, which every update must see, and compare them with the eager ones.

        Where they differ, or the capture fails, training is eager, and one warning says why.
        """
        parts = self.microbatches(batch)
        loss = Engine.gradients(self, parts)
        weights = [weight for weight in self._trained.values() if weight.grad is not None]
        expected = [loss, *(weight.grad for weight in weights if weight.grad is not None)]
        kept = [torch.zeros_like(weight) for weight in weights]

        def function() -> Tensor:
            loss = Engine.gradients(self, parts)
            torch._foreach_copy_(kept, [weight.grad for weight in weights if weight.grad is not None])
            return loss

        try:
            replay = capture(function)
            torch._foreach_zero_(kept)
            same = all(map(_close, [replay(), *kept], expected))
            reason = "" if same else "replayed gradients differ from eager ones"
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if reason:
            warnings.warn(f"engine: no CUDA graph, training is eager ({reason})", stacklevel=2)
        else:
            self._replay, self._captured, self._kept = replay, weights, kept
        for weight in self._trained.values():
            weight.grad = None

    @property
    def differentiable(self) -> bool:
        """Whether PyTorch differentiates the loss operation by operation."""
        return self._replay is None and super().differentiable

    def gradients(self, parts: Sequence[MicroBatch]) -> Tensor:
        """Compute the gradients of the batch; return its loss, a scalar."""
        if self._replay is None:
            return super().gradients(parts)
        loss = self._replay()
        for weight, gradient in zip(self._captured, self._kept, strict=True):
            weight.grad = gradient
        return loss


def _close(replayed: Tensor, expected: Tensor) -> bool:
    replayed, expected = replayed.detach().cpu().double(), expected.detach().cpu().double()
    return bool((replayed - expected).norm() <= TOLERANCE * expected.norm())
