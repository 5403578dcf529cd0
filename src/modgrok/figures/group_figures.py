"""The circuit of a group: its logits, weights and neurons by irrep, and over a run's checkpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch

from modgrok.analysis import Circuit, GroupMeasures
from modgrok.analysis.run_analysis import CheckpointScores, TaskAnalysis
from modgrok.figures.figure import Axis, Bars, Figure, Line, Panel, Points
from modgrok.figures.timeline import timeline
from modgrok.tasks import element_names

MOST_IRREPS = 24
"""Bars of single irreps in a panel, at most; of more the largest are drawn, and the others together."""


def group_figures(circuit: Circuit, measures: GroupMeasures) -> list[Figure]:
    """The figures of one network on a group.

    Example:
        >>> from modgrok import MLP, ModularDataModule
        >>> from modgrok.analysis import read_circuit, task_views
        >>> from modgrok.figures import group_figures
        >>> data = ModularDataModule("x * y in S3")
        >>> (view,) = task_views(data)
        >>> circuit = read_circuit(MLP(**data.network_shape, d_model=8, d_mlp=16, input="concatenation"), view)
        >>> len(group_figures(circuit, circuit.measures())) > 0
        True
    """
    return [
        Figure(
            "The logits by irrep",
            [*logit_panels(measures), _error_panel(circuit)],
            "The logits of (a, b, c), centered over the answers c, depend in a bi-equivariant network on the error "
            "a⁻¹·c·b⁻¹ alone, which is 1 for the right answer. Left, the share of the logits that does, by irrep, and "
            "what is left over; the similarity is the cosine with the irrep's character at a·b·c⁻¹. Below, that "
            "function of the error, class by class: tall at 1, and a character is equal within a class.",
        ),
        Figure(
            "Weights and hidden activations by irrep",
            [_weight_panel(measures), _hidden_panel(measures)],
            "The same few irreps in the embedding, the neurons and the unembedding: shares of squared norms. A circuit "
            "multiplies where the neurons depend on a·b, and not on a and on b alone.",
        ),
        *_neuron_figures(circuit, measures),
    ]


def group_figure(measures: GroupMeasures, title: str) -> Figure:
    """A network's circuit on a group at a glance."""
    return Figure(
        title,
        [*logit_panels(measures), _weight_panel(measures), _hidden_panel(measures)],
        "The same few irreps everywhere, and a bi-equivariant share near 1.",
    )


def group_progress_figures(task: TaskAnalysis) -> list[Figure]:
    """The measures over the checkpoints; none of a single checkpoint.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import analyze_network
        >>> from modgrok.figures import group_progress_figures
        >>> from modgrok.runs import History, Snapshot
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> snapshot = Snapshot(network, data, update=0, history=History())
        >>> (task,) = analyze_network(snapshot, source="my network").tasks
        >>> group_progress_figures(task)  # no group, no figures
        []
    """
    rows = [(moment, moment.measures) for moment in task.moments]
    seen = [(moment, measures) for moment, measures in rows if isinstance(measures, GroupMeasures)]
    if len(seen) < 2:
        return []
    updates = [moment.update for moment, _ in seen]
    last = seen[-1][1]
    keys = last.key_irreps
    numbers = [measures.scalars() for _, measures in seen]

    def curve(name: str, label: str, color: str) -> Line:
        return Line(updates, [row[name] for row in numbers], color, label, markers=len(updates) < 40)

    def of_irreps(measure: str) -> list[Line]:
        return [curve(f"{measure}_{irrep.replace(' ', '_')}", irrep, color) for irrep, color in _colors(keys)]

    share, part = Axis("share", range=(0, 1.02)), Axis("share", from_zero=True)
    losses = {
        "restricted_loss": ("restricted", "key2"),
        "excluded_loss": ("excluded", "key3"),
        "hidden_restricted_loss": ("restricted neurons", "key4"),
        "hidden_excluded_loss": ("without neurons’ parts", "key5"),
    }
    end = updates[-1]
    return [
        Figure(
            "When each irrep is learned",
            [
                timeline(
                    "Shares of the logits, and accuracy",
                    [
                        *_accuracies(seen),
                        curve("bi_equivariant_share", "bi-equivariant share", "ink"),
                        *of_irreps("share"),
                    ],
                    share,
                    end,
                    task.phases,
                ),
                timeline("Similarities", of_irreps("similarity"), Axis("cosine"), end, shape="half"),
                timeline("Shares of the embedding of x", of_irreps("embedding_x"), part, end, shape="half"),
                timeline("Shares of the unembedding", of_irreps("unembedding"), part, end, shape="half"),
                timeline("Neurons as functions of a·b", of_irreps("hidden_xy"), part, end, shape="half"),
            ],
            "An irrep whose share rises before the held-out accuracy does is learned while memorising: it alone does "
            "not give the answers. Those that rise with it are the circuit. The key irreps are those of the last "
            "checkpoint.",
        ),
        Figure(
            "Losses with and without the circuit",
            [
                timeline(
                    "Losses",
                    [*_losses(seen), *(curve(name, *label) for name, label in losses.items())],
                    Axis("loss", log=True),
                    end,
                    task.phases,
                ),
                timeline(
                    "Sum of squared weights",
                    [curve("sum_of_squared_weights", "Σ w²", "accent")],
                    Axis("Σ w²", from_zero=True),
                    end,
                ),
            ],
            "The restricted loss keeps the characters of the key irreps in the logits alone, or the neurons’ parts in "
            "these irreps as functions of a·b; the excluded loss takes them out of the training pairs.",
        ),
    ]


def logit_panels(measures: GroupMeasures) -> list[Panel]:
    """The bi-equivariant share by irrep, and the similarities."""
    names, shares, colors = _bars(measures, "share")
    return [
        Panel(
            f"Bi-equivariant share: {measures.bi_equivariant_share:.1%}",
            [
                Bars(
                    [*names, "residual"],
                    [*shares, 1 - measures.bi_equivariant_share],
                    [*colors, "line"],
                )
            ],
            Axis("irrep"),
            Axis("share of the logits", from_zero=True),
        ),
        Panel(
            "Similarity with the characters",
            [Bars(*_bars(measures, "similarity"))],
            Axis("irrep"),
            Axis("cosine"),
        ),
    ]


def _error_panel(circuit: Circuit) -> Panel:
    """F(g) at every g, class by class."""
    assert circuit.group is not None
    group, F = circuit.group.pairs.group, circuit.group.two_sided.cpu()
    classes = torch.from_numpy(group.classes)
    order = classes.argsort(stable=True)
    names = element_names(group.name) if group.name else [str(g) for g in range(group.order)]
    colors = [f"key{int(classes[g]) % 8}" for g in order.tolist()]
    return Panel(
        "Mean logit by the error a⁻¹·c·b⁻¹",
        [Bars([names[g] for g in order.tolist()], F[order], colors)],
        Axis("error, by conjugacy class", ticks=12),
        Axis("logit"),
        "wide",
    )


def _weight_panel(measures: GroupMeasures) -> Panel:
    parts = {
        "embedding_x": ("embedding of x", "key0"),
        "embedding_y": ("embedding of y", "key1"),
        "unembedding": ("unembedding", "key2"),
    }
    return _side_by_side("Weights", measures, parts)


def _hidden_panel(measures: GroupMeasures) -> Panel:
    parts = {
        "hidden_x": ("of a", "key0"),
        "hidden_y": ("of b", "key1"),
        "hidden_xy": ("of a·b", "key2"),
    }
    return _side_by_side("Neurons’ variance as functions", measures, parts)


def _side_by_side(title: str, measures: GroupMeasures, parts: dict[str, tuple[str, str]]) -> Panel:
    bars = []
    for part, (label, color) in parts.items():
        names, values, _ = _bars(measures, part)
        bars.append(Bars(names, values, color, label))
    return Panel(title, bars, Axis("irrep"), Axis("share", from_zero=True))


def _neuron_figures(circuit: Circuit, measures: GroupMeasures) -> list[Figure]:
    neurons = circuit.group_neurons
    if neurons is None or not neurons.counts:
        return []
    names = [irrep.name for irrep in neurons.activations.pairs.irreps]
    colors = dict(_colors(measures.key_irreps))
    points = [
        Points(
            neurons.purity[neurons.irreps == number],
            neurons.rank_one[neurons.irreps == number],
            colors.get(names[number], "quiet"),
            names[number],
        )
        for number in neurons.irreps[neurons.irreps >= 0].unique().tolist()
    ]
    cosets = Counter(found.subgroup for found in neurons.cosets if found is not None)
    sizes = {found.subgroup: found.order for found in neurons.cosets if found is not None}
    subgroups = sorted(cosets, key=lambda name: -sizes[name])
    counted = neurons.counts
    return [
        Figure(
            "The neurons by irrep",
            [
                Panel(
                    "Neurons of each irrep",
                    [Bars(list(counted), list(counted.values()), [colors.get(n, "quiet") for n in counted])],
                    Axis("irrep"),
                    Axis("neurons", from_zero=True),
                ),
                Panel(
                    "Neurons constant on the cosets of",
                    [Bars(subgroups, [cosets[name] for name in subgroups], "accent")],
                    Axis("the largest subgroup"),
                    Axis("neurons", from_zero=True),
                ),
                Panel(
                    "Purity and rank one",
                    points,
                    Axis("part of the inputs in the irrep", range=(0, 1.02)),
                    Axis("part of it of rank one", range=(0, 1.02)),
                    "wide",
                ),
            ],
            "What each active neuron takes from the operands lies in one irrep, and is there of rank one, u·ρ(g)·v: "
            "points in the upper right corner. Where a subgroup leaves u or v as it is, the neuron is constant on its "
            "cosets; 1 stands for neurons that are constant on none.",
        )
    ]


def _bars(measures: GroupMeasures, measure: str) -> tuple[list[str], list[float], list[str]]:
    """Names, values and colors of the irreps; of many, those with the largest values, and the others' sum."""
    colors = dict(_colors(measures.key_irreps))
    values = {irrep.name: float(getattr(irrep, measure)) for irrep in measures.irreps}
    shown = list(values)
    if len(shown) > MOST_IRREPS:
        largest = sorted(measures.irreps, key=lambda irrep: -irrep.share)[:MOST_IRREPS]
        shown = [name for name in values if name in {irrep.name for irrep in largest}]
    return shown, [values[name] for name in shown], [colors.get(name, "quiet") for name in shown]


def _colors(keys: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, f"key{place % 8}") for place, name in enumerate(keys)]


def _accuracies(seen: Sequence[tuple[CheckpointScores, GroupMeasures]]) -> list[Line]:
    return _scores(
        seen,
        {
            "train_accuracy": ("training pairs right", "train"),
            "heldout_accuracy": ("held-out pairs right", "heldout"),
        },
    )


def _losses(seen: Sequence[tuple[CheckpointScores, GroupMeasures]]) -> list[Line]:
    return _scores(
        seen, {"train_loss": ("training pairs", "train"), "heldout_loss": ("held-out pairs", "heldout")}
    )


def _scores(
    seen: Sequence[tuple[CheckpointScores, GroupMeasures]], names: dict[str, tuple[str, str]]
) -> list[Line]:
    """Curves of the scores that are known."""
    updates = [moment.update for moment, _ in seen]
    return [
        Line(updates, [getattr(moment, name) for moment, _ in seen], color, label, dotted=True)
        for name, (label, color) in names.items()
        if getattr(seen[0][0], name) is not None
    ]
