"""Every number of a group's circuit that is followed over the checkpoints of a run, from one checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from modgrok.analysis.group_neurons import GroupNeurons
from modgrok.analysis.group_pairs import GroupPairs
from modgrok.analysis.group_sums import GroupActivations
from modgrok.analysis.logits import LogitParts
from modgrok.analysis.progress import sum_of_squared_weights
from modgrok.models.losses import Loss

# An irrep is key from this share of the logits upwards. The published rule, a similarity above 0.005, also names irreps
# that no neuron is tuned to.
KEY_SHARE = 0.005

_TINY = torch.finfo(torch.float64).tiny


@dataclass(frozen=True)
class IrrepMeasures:
    """The part of one irrep in a network; shares are of squared norms.

    Attributes:
        name: the name of the irrep.
        share: its share of the logits, within the bi-equivariant part.
        similarity: the cosine of the logits and its character, over all (a, b, c) χ(a·b·c⁻¹).
        embedding_x: its share of the embedding of x; where positions meet in one linear map, of the embedding times
            that map.
        embedding_y: the same of y.
        unembedding: its share of the map from the neurons to the answers.
        hidden_x: its share of the neurons' variance as a function of a.
        hidden_y: the same share as a function of b.
        hidden_xy: the same share as a function of a·b.
        neurons: how many neurons are tuned to it; None where the neurons' inputs are not known.
    """

    name: str
    share: float
    similarity: float
    embedding_x: float
    embedding_y: float
    unembedding: float
    hidden_x: float
    hidden_y: float
    hidden_xy: float
    neurons: int | None = None


@dataclass(frozen=True)
class GroupMeasures:
    """The progress measures of one checkpoint on a group.

    The similarities, the shares of embedding, unembedding and hidden activations, and the losses are as published
    (Chughtai, Chan and Nanda 2023, arXiv 2302.03025); the excluded losses are over the training pairs, over all pairs
    where those are not known.

    Attributes:
        key_irreps: the names of the irreps that the losses below refer to.
        bi_equivariant_share: the share of the logits' square, centered over the answers, that depends on a⁻¹·c·b⁻¹
            alone.
        class_function_share: the share that depends on the conjugacy class of a⁻¹·c·b⁻¹ alone.
        logits_explained: the squared similarities of all nontrivial irreps together.
        restricted_loss: the loss with the characters of the key irreps alone.
        excluded_loss: the loss with these taken out.
        hidden_restricted_loss: the loss with the neurons' parts in the key irreps, as functions of a·b, alone.
        hidden_excluded_loss: the loss with these taken out.
        sum_of_squared_weights: Σ w² over all weights.
        purity: the median over the neurons of the part of their inputs in their irrep; None without inputs.
        rank_one: the median over the neurons of how much of their inputs is of rank one; None without inputs.
        irreps: one for each irrep of the group.

    Example:
        >>> from modgrok import MLP, ModularDataModule
        >>> from modgrok.analysis import read_circuit, task_views
        >>> data = ModularDataModule("x * y in S3")
        >>> (view,) = task_views(data)
        >>> measures = read_circuit(MLP(**data.network_shape, d_mlp=16), view).measures()
        >>> measures.bi_equivariant_share <= 1, [irrep.name for irrep in measures.irreps]
        (True, ['trivial', 'sign', 'standard'])
    """

    key_irreps: tuple[str, ...]
    bi_equivariant_share: float
    class_function_share: float
    logits_explained: float
    restricted_loss: float
    excluded_loss: float
    hidden_restricted_loss: float
    hidden_excluded_loss: float
    sum_of_squared_weights: float
    purity: float | None
    rank_one: float | None
    irreps: tuple[IrrepMeasures, ...]

    @classmethod
    def names(cls) -> list[str]:
        """List what `scalars` has on any group."""
        return [field.name for field in fields(cls) if field.name not in ("key_irreps", "irreps")]

    @staticmethod
    def names_irrep(name: str) -> bool:
        """Whether `scalars` has a number of this name on a group that has the irrep it ends in."""
        return name.startswith(
            tuple(f"{field.name}_" for field in fields(IrrepMeasures) if field.name != "name")
        )

    def scalars(self) -> dict[str, float]:
        """One name and number for each measure; those of an irrep end in its name: `share_standard`."""
        numbers: dict[str, float] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in ("key_irreps", "irreps") and value is not None:
                numbers[field.name] = value
        for irrep in self.irreps:
            for field in fields(irrep):
                value = getattr(irrep, field.name)
                if field.name != "name" and value is not None:
                    numbers[f"{field.name}_{irrep.name.replace(' ', '_')}"] = value
        return numbers


def key_irreps(activations: GroupActivations) -> tuple[int, ...]:
    """The numbers of the nontrivial irreps that have more than `KEY_SHARE` of the logits."""
    shares = two_sided_shares(activations)
    trivial = activations.pairs.trivial
    return tuple(i for i, share in enumerate(shares.tolist()) if share > KEY_SHARE and i != trivial)


def two_sided_shares(activations: GroupActivations) -> Tensor:
    """The share of each irrep in the logits, within the part that depends on a⁻¹·c·b⁻¹ alone, (i,) float64."""
    n = activations.pairs.group.order
    return (
        n**2 * activations.pairs.parts(activations.two_sided[:, None])[:, 0] / max(activations.square, _TINY)
    )


def similarities(activations: GroupActivations) -> Tensor:
    """The cosine of the logits and each character χ(a·b·c⁻¹) over all a, b and c, (i,) float64."""
    characters = activations.pairs.characters
    inner = activations.pairs.group.order * (characters @ activations.by_trace)
    return inner / (characters.norm(dim=1) * max(activations.square, _TINY) ** 0.5)


def measure_group(
    activations: GroupActivations,
    neurons: GroupNeurons | None,
    *,
    logits: LogitParts,
    embeddings: tuple[Tensor, Tensor],
    W_logit: Tensor,
    weights: Iterable[Tensor],
    answers: Tensor,
    keys: Sequence[int],
    loss: Loss,
) -> GroupMeasures:
    """All measures of one checkpoint.

    Args:
        activations: over all pairs.
        neurons: their tuning; None where their inputs are not known.
        logits: those of the training pairs, part by part; of all pairs where those are not known.
        embeddings: two (n, d), the rows of x's and of y's symbols.
        W_logit: (m, p), from the neurons to the answers.
        weights: all weights of the network.
        answers: (n²,), of all pairs.
        keys: the numbers of the key irreps that the losses refer to.
        loss: the loss of each pair, what the network was trained on.
    """
    pairs = activations.pairs
    shares, cosines = two_sided_shares(activations), similarities(activations)
    x, y = (
        _shares(pairs.parts(matrix[symbols]))
        for matrix, symbols in zip(embeddings, pairs.symbols, strict=True)
    )
    unembedding = _shares(pairs.parts(W_logit.T[pairs.answer_at]))
    total = activations.neuron_squares.sum().clamp(min=_TINY)
    hidden = [
        pairs.group.order * pairs.parts(by_element).sum(dim=1) / total for by_element in activations.neurons
    ]
    counts = None if neurons is None else neurons.counts
    of_traces = _kept_traces(activations, cosines, keys)
    of_neurons = pairs.project(activations.neurons[2], keys) @ W_logit  # (n, p) at a·b
    identity = torch.tensor([pairs.group.identity], device=cosines.device)
    excluded, hidden_excluded = _excluded_losses(pairs, logits, of_traces, of_neurons, answers, loss)
    nontrivial = torch.arange(len(pairs.irreps), device=cosines.device) != pairs.trivial
    columns = {
        "share": shares,
        "similarity": cosines,
        "embedding_x": x,
        "embedding_y": y,
        "unembedding": unembedding,
        **dict(zip(("hidden_x", "hidden_y", "hidden_xy"), hidden, strict=True)),
    }
    return GroupMeasures(
        key_irreps=tuple(pairs.irreps[key].name for key in keys),
        bi_equivariant_share=float(shares.sum()),
        class_function_share=_class_function_share(activations),
        logits_explained=float(cosines[nontrivial].square().sum()),
        restricted_loss=float(loss(of_traces[None], identity).mean()),
        excluded_loss=excluded,
        hidden_restricted_loss=float(loss(of_neurons, pairs.answer_at).mean()),
        hidden_excluded_loss=hidden_excluded,
        sum_of_squared_weights=sum_of_squared_weights(weights),
        purity=None if neurons is None else neurons.median(neurons.purity),
        rank_one=None if neurons is None else neurons.median(neurons.rank_one),
        irreps=tuple(
            IrrepMeasures(
                name=irrep.name,
                neurons=None if counts is None else counts.get(irrep.name, 0),
                **{name: float(column[i]) for name, column in columns.items()},
            )
            for i, irrep in enumerate(pairs.irreps)
        ),
    )


def _shares(parts: Tensor) -> Tensor:
    by_irrep = parts.sum(dim=1)
    return by_irrep / by_irrep.sum().clamp(min=_TINY)


def _class_function_share(activations: GroupActivations) -> float:
    group, F = activations.pairs.group, activations.two_sided
    classes = torch.from_numpy(group.classes).to(F.device)
    sizes = torch.bincount(classes)
    means = torch.bincount(classes, F, group.n_classes) / sizes
    return float(group.order**2 * (means.square() * sizes).sum()) / max(activations.square, _TINY)


def _kept_traces(activations: GroupActivations, cosines: Tensor, keys: Sequence[int]) -> Tensor:
    """Σ_ρ α_ρ·χ_ρ over the key irreps, (n,) at a·b·c⁻¹, with α by least squares over all (a, b, c)."""
    characters = activations.pairs.characters[list(keys)]
    lengths = activations.pairs.group.order * characters.norm(dim=1)
    return (cosines[list(keys)] * activations.square**0.5 / lengths) @ characters


def _excluded_losses(
    pairs: GroupPairs, logits: LogitParts, of_traces: Tensor, of_neurons: Tensor, answers: Tensor, loss: Loss
) -> tuple[float, float]:
    """The mean losses of the logits without the traces, and without what some parts of the neurons write."""
    totals, count = [0.0, 0.0], 0
    for part, values in logits:
        products = pairs.products[part]
        exact = values.double()
        without = exact.clone()
        without[:, pairs.answer_at] -= of_traces[pairs.table[products][:, pairs.inverses]]
        totals[0] += float(loss(without, answers[part]).sum())
        without = exact.clone()
        without[:, : of_neurons.shape[1]] -= of_neurons[products]
        totals[1] += float(loss(without, answers[part]).sum())
        count += len(part)
    return totals[0] / count, totals[1] / count
