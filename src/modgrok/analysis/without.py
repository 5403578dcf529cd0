"""A network without some of its parts: frequencies, heads, neurons."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from modgrok.analysis.task_view import TaskView
from modgrok.errors import InputError
from modgrok.models import Edit, EditedNetwork, IndexedTokens, SharedRowsNetwork
from modgrok.models.shared_rows import SharedRows, map_rows
from modgrok.tasks import VARIABLES


def without(
    network: SharedRowsNetwork,
    view: TaskView,
    *,
    frequencies: Sequence[int] = (),
    heads: Sequence[int] = (),
    neurons: Sequence[int] = (),
) -> EditedNetwork:
    """Take parts away from a network and return what is left, to be scored.

    Args:
        network: with readout paths.
        view: the task.
        frequencies: taken out of the embedding: at each position that shows an operand, the symbols' vectors lose
            their projection on cos and sin of w_k·s, s being where the symbol stands on the task's clock.
        heads: of the last layer; each gives zero to the residual stream.
        neurons: of the last layer; each is zero.

    Raises:
        InputError: if there is no such frequency, head or neuron, or the network has no heads or no embedding.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import read_circuit, task_views
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> (view,) = task_views(data)
        >>> circuit = read_circuit(network, view)
        >>> from modgrok.analysis import without
        >>> without(network, view, heads=[0])(view.tokens).shape
        torch.Size([121, 11])
    """
    paths = network.readout_paths
    if paths is None:
        raise InputError("the network has no readout_paths, which say where its parts are")
    top = view.clocked_pairs.clock.top_frequency
    if wrong := [k for k in frequencies if not 1 <= k <= top]:
        raise InputError(f"frequencies: {wrong[0]} is not one of 1 to {top}")
    edits: dict[str, Edit] = {}
    if len(frequencies):
        if paths.embedding is None:
            raise InputError("frequencies: the network's readout_paths name no embedding to take them out of")
        name, table = paths.embedding
        edits[name] = _without_frequencies(table.detach(), view, frequencies)
    if len(heads):
        if paths.heads is None:
            raise InputError("heads: the network has none")
        edits[paths.heads] = _zeros("heads", heads)
    if len(neurons):
        edits[paths.neurons] = _zeros("neurons", neurons)
    return EditedNetwork(network, edits)


def _zeros(name: str, chosen: Sequence[int]) -> Edit:
    """Zero some heads of (r, h, k), or some neurons of (r, m)."""
    index = torch.tensor(chosen)

    def clear(values: Tensor) -> Tensor:
        if int(index.min()) < 0 or int(index.max()) >= values.shape[1]:
            raise InputError(
                f"{name}: the last layer has {values.shape[1]}, numbered from 0; got {list(chosen)}"
            )
        return values.index_fill(1, index.to(values.device), 0)

    return lambda rows, _: [map_rows(clear, position) for position in rows]


def _without_frequencies(table: Tensor, view: TaskView, frequencies: Sequence[int]) -> Edit:
    """Replace the vectors of the operands' symbols, rows of a table (v, d)."""
    tables: dict[int, Tensor] = {}
    s = view.task.n_symbols
    for position, word in enumerate(view.words):
        if word in VARIABLES:
            basis = view.clocked_pairs.operand_bases[VARIABLES.index(word)]
            waves = basis.planes[torch.tensor(frequencies)].flatten(0, 1).to(table.device)  # (2f, s)
            # the planes of different frequencies overlap where the operand's map is many-to-one
            left, values, _ = torch.linalg.svd(waves.T, full_matrices=False)
            span = left[:, values > 1e-6]
            symbols = table[:s].double()
            tables[position] = torch.cat([(symbols - span @ (span.T @ symbols)).to(table.dtype), table[s:]])

    def edit(rows: list[SharedRows], tokens: IndexedTokens) -> list[SharedRows]:
        return [
            SharedRows(tables[position][distinct], kept.index) if position in tables else kept
            for position, (kept, distinct) in enumerate(zip(rows, tokens.distinct, strict=True))
        ]

    return edit
