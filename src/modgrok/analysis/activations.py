"""A network run over all pairs of a task, part by part, with what the analysis looks at in its last layer."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from modgrok.analysis.task_view import TaskView
from modgrok.errors import InputError
from modgrok.models import Network, ReadoutPaths, SharedRowsNetwork, class_path
from modgrok.models.shared_rows import SharedRows


def readable(network: Network) -> tuple[SharedRowsNetwork, ReadoutPaths]:
    """Return a network whose circuit can be read, and its readout paths.

    Raises:
        InputError: if it has none.
    """
    paths = network.readout_paths
    if paths is None or not isinstance(network, SharedRowsNetwork):
        raise InputError(
            f"no circuit reading for {class_path(network)}: it has no readout_paths; losses and curves only"
        )
    return network, paths


class _LastPosition:
    """A hook point that keeps the last position of some activations."""

    def __init__(self, names: Sequence[str]) -> None:
        self.kept = dict.fromkeys(names, torch.empty(0))

    def __call__(self, name: str, rows: list[SharedRows], dim: int = 1) -> list[SharedRows]:
        if name in self.kept:
            self.kept[name] = rows[-1].expand()
        return rows


@torch.no_grad()
def run_in_parts(network: Network, view: TaskView) -> Iterator[tuple[Tensor, Tensor, dict[str, Tensor]]]:
    """Run a network over all pairs: their indices, (i,), logits, (i, a), and neurons and attention by name, by part."""
    shared, paths = readable(network)
    for part, tokens in view.parts:
        last = _LastPosition([paths.neurons, *(paths.attention or ()), *filter(None, [paths.inputs])])
        logits = shared.forward_shared(tokens, last)
        n = len(part)
        kept = {name: rows.expand(n, *rows.shape[1:]) for name, rows in last.kept.items()}
        yield part, logits.expand(n, -1), kept


def chosen_of(part: Tensor, pairs: Tensor | None) -> Tensor | slice:
    """Return what selects, of a part with indices (i,), the pairs of a (n,) mask, or all."""
    return slice(None) if pairs is None else pairs[part]
