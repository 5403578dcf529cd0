"""A network without some of its parts: frequencies, heads, neurons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    irreps: Sequence[int] = (),
    heads: Sequence[int] = (),
    neurons: Sequence[int] = (),
) -> EditedNetwork:
    """Take parts away from a network and return what is left, to be scored.

    Args:
        network: a network with readout paths.
        view: the task.
        frequencies: taken out of the embedding: at each position that shows an operand, the symbols' vectors lose
            their projection on cos and sin of w_k·s, s being where the symbol stands on the task's clock.
        irreps: numbers of irreps in `view.group_pairs.irreps`, taken out of the embedding likewise.
        heads: the heads of the last layer; each gives zero to the residual stream.
        neurons: the neurons of the last layer; each is zero.

    Raises:
        InputError: if there is no such frequency, irrep, head or neuron, or the network has no heads or no embedding.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import task_views, without
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> (view,) = task_views(data)
        >>> without(network, view, heads=[0])(view.tokens).shape
        torch.Size([121, 11])
    """
    paths = network.readout_paths
    if paths is None:
        raise InputError("the network has no readout_paths, which say where its parts are")
    top = view.clocked_pairs.clock.top_frequency
    if wrong := [k for k in frequencies if not 1 <= k <= top]:
        raise InputError(f"frequencies: {wrong[0]} is not one of 1 to {top}")
    known = () if view.group_pairs is None else view.group_pairs.irreps
    if wrong := [number for number in irreps if not 0 <= number < len(known)]:
        raise InputError(f"irreps: the task's group has {len(known)}, numbered from 0; got {wrong[0]}")
    edits: dict[str, Edit] = {}
    if len(frequencies) or len(irreps):
        if paths.embedding is None:
            raise InputError(
                "the network's readout_paths name no embedding to take frequencies or irreps out of"
            )
        name, table = paths.embedding
        functions = [
            torch.cat([_waves(view, operand, frequencies), _entries(view, operand, irreps)])
            for operand in range(view.task.n_operands)
        ]
        edits[name] = _without_functions(table.detach(), view, functions)
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


def _waves(view: TaskView, operand: int, frequencies: Sequence[int]) -> Tensor:
    """The cosines and sines of an operand's symbols, (2f, s)."""
    basis = view.clocked_pairs.operand_bases[operand]
    return basis.planes[torch.tensor(frequencies, dtype=torch.int64)].flatten(0, 1)


def _entries(view: TaskView, operand: int, irreps: Sequence[int]) -> Tensor:
    """An orthonormal basis of the irreps' entries as functions of an operand's symbols, (D, s)."""
    group, s = view.group_pairs, view.task.n_symbols
    if group is None or not len(irreps):
        return torch.zeros(0, s, dtype=torch.float64)
    chosen = group.bases[:, torch.isin(group.irrep_of, torch.tensor(irreps, device=group.irrep_of.device))]
    entries = chosen.new_zeros(chosen.shape[1], s)
    entries[:, group.symbols[operand]] = chosen.T
    return entries.cpu()


def _without_functions(table: Tensor, view: TaskView, functions: Sequence[Tensor]) -> Edit:
    """Take functions of each operand's symbols, (f, s), out of the symbols' vectors, rows of a table (v, d)."""
    tables: dict[int, Tensor] = {}
    s = view.task.n_symbols
    for position, word in enumerate(view.words):
        if word in VARIABLES:
            # they need not be independent: the waves of a many-to-one map are not
            _, values, right = torch.linalg.svd(functions[VARIABLES.index(word)], full_matrices=False)
            span = right[values > 1e-6].T.to(table.device)
            symbols = table[:s].double()
            tables[position] = torch.cat([(symbols - span @ (span.T @ symbols)).to(table.dtype), table[s:]])

    return tokens_as(tables)


def tokens_as(tables: Mapping[int, Tensor]) -> Edit:
    """Give the tokens at some positions other vectors: the rows of a table (v, …) for each position."""

    def edit(rows: list[SharedRows], tokens: IndexedTokens) -> list[SharedRows]:
        return [
            SharedRows(tables[position][distinct], kept.index) if position in tables else kept
            for position, (kept, distinct) in enumerate(zip(rows, tokens.distinct, strict=True))
        ]

    return edit
