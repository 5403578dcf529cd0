"""Updates captured once as a CUDA graph and replayed, so that no update waits for Python."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from modgrok.data import Examples
from modgrok.training.engine import Engine, MicroBatch

Capture = Callable[[Callable[[], Tensor]], Callable[[], Tensor]]
"""Takes a function that works on tensors in place, and returns one that does the same again."""

TOLERANCE = 1e-3
"""How far the state after a replayed update may lie from the state after an eager one, in relative norm."""

WARM_UP = 3
"""Calls on a side stream before the capture, as CUDA graphs require."""


def cuda_capture(function: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Capture a function as a CUDA graph; return its replay."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            function()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = function()

    def replay() -> Tensor:
        graph.replay()
        return result.clone()

    return replay


class GraphEngine(Engine):
    """An engine whose updates are replayed once `capture` has found the replay to do what an eager update does.

    The whole update is captured where every optimizer can be (`capturable`) and no filter is between; otherwise only
    its gradients are. The learning rate is then a tensor that the schedule fills in the stream's order.
    """

    _replay: Callable[[], Tensor] | None = None

    def capture(self, batch: Examples, capture: Capture = cuda_capture, *, steps: bool = True) -> None:
        """Capture updates on `batch` and compare the first one, replayed, with an eager one from the same state.

        Where they differ, or the capture fails, training is eager, and one warning says why.

        Args:
            batch: what every update sees.
            capture: makes the replay of a function.
            steps: whether the engine steps the optimizers; otherwise only gradients are captured.
        """
        self._steps = steps
        before = self._state()
        expected = [Engine.update(self, batch), *self._changing()]
        expected = [tensor.clone() for tensor in expected]
        self._restore(before)
        try:
            self._capture(batch, capture)
            self._restore(before, in_place=True)
            replayed = [self._replayed(), *self._changing()]
            same = all(map(_close, replayed, expected))
            reason = "" if same else "a replayed update differs from an eager one"
        except (RuntimeError, TypeError) as error:
            reason = str(error).strip().splitlines()[0]
        self._restore(before, in_place=not reason)
        if reason:
            self._replay = None
            warnings.warn(f"engine: no CUDA graph, training is eager ({reason})", stacklevel=2)

    def update(self, batch: Examples) -> Tensor:
        """Make one update; return the batch's loss before it, a scalar on the device."""
        if self._replay is None or not self._whole:
            return super().update(batch)
        loss = self._replay()
        for scheduler in self.schedulers:
            scheduler.step()
        return loss

    def _capture(self, batch: Examples, capture: Capture) -> None:
        parts = self.microbatches(batch)
        groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]
        self._whole = self._steps and not self.filters and all("capturable" in group for group in groups)
        for group in groups if self._whole else ():
            group["capturable"] = True
            group["lr"] = torch.as_tensor(group["lr"], dtype=torch.float32, device=self.network.device)

        self._gradients = [torch.empty_like(weight) for weight in self._trained.values()]

        def function() -> Tensor:
            loss = Engine.gradients(self, parts)
            if self._whole:
                self.step()
            else:
                gradients = [weight.grad for weight in self._trained.values() if weight.grad is not None]
                torch._foreach_copy_(self._gradients, gradients)
            return loss

        self._replay = capture(function)

    @property
    def differentiable(self) -> bool:
        """Whether PyTorch differentiates the loss operation by operation."""
        return self._replay is None and super().differentiable

    def gradients(self, parts: Sequence[MicroBatch]) -> Tensor:
        """Compute the gradients of the batch; return its loss, a scalar."""
        if self._replay is None:
            return super().gradients(parts)
        loss = self._replay()
        for weight, gradient in zip(self._trained.values(), self._gradients, strict=True):
            weight.grad = gradient
        return loss

    def _replayed(self) -> Tensor:
        """Make the optimizers' step of an update, replayed."""
        assert self._replay is not None
        if self._whole:
            return self._replay()
        loss = self.gradients(())
        self.step()
        return loss

    def _changing(self) -> list[Tensor]:
        """Return the tensors that an update changes: the weights and what the optimizers keep of them."""
        kept = [
            value
            for optimizer in self.optimizers
            for weight in self._trained.values()
            for value in optimizer.state.get(weight, {}).values()
            if isinstance(value, Tensor)
        ]
        return [*(weight.detach() for weight in self._trained.values()), *kept]

    def _state(self) -> dict[str, Any]:
        weights = [weight.detach().clone() for weight in self._trained.values()]
        return {
            "weights": weights,
            "optimizers": [copy.deepcopy(one.state_dict()) for one in self.optimizers],
            "schedulers": [copy.deepcopy(one.state_dict()) for one in self.schedulers],
            "filters": [copy.deepcopy(one.state_dict()) for one in self.filters],
        }

    @torch.no_grad()
    def _restore(self, state: dict[str, Any], *, in_place: bool = False) -> None:
        """Go back to a state; in place where a graph holds the tensors, whose moments start at zero."""
        for weight, value in zip(self._trained.values(), state["weights"], strict=True):
            weight.copy_(value)
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            if not in_place:
                optimizer.load_state_dict(saved)
                continue
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            for number, weight in enumerate(weights):
                for name, value in optimizer.state.get(weight, {}).items():
                    if isinstance(value, Tensor):
                        value.copy_(saved["state"].get(number, {}).get(name, torch.zeros_like(value)))
            for group, old in zip(optimizer.param_groups, saved["param_groups"], strict=True):
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(float(old["lr"]))
        for scheduler, saved in zip(self.schedulers, state["schedulers"], strict=True):
            scheduler.load_state_dict(copy.deepcopy(saved))
        for gradient_filter, saved in zip(self.filters, state["filters"], strict=True):
            gradient_filter.load_state_dict(copy.deepcopy(saved))


def _close(replayed: Tensor, expected: Tensor) -> bool:
    replayed, expected = replayed.cpu().double(), expected.cpu().double()
    return bool((replayed - expected).norm() <= TOLERANCE * expected.norm())
