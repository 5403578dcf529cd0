"""The embedding: its spectrum, its rank, its circles; and the principal components of any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

from torch import Tensor

from modgrok.analysis import Circuit, on_plane, principal_components, singular_values
from modgrok.figures.figure import Axis, Figure, Line, Panel, Points, Symbol, first_of, key_color
from modgrok.figures.spectrum_panel import spectrum_panel

MOST_CIRCLES = 8
"""Key frequencies whose circles are drawn."""

_SYMBOLS: tuple[Symbol, ...] = ("x", "cross", "star", "diamond", "square")


def embedding_figures(circuit: Circuit) -> list[Figure]:
    """The figures of W_E.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import read_circuit, task_views
        >>> from modgrok.figures import embedding_figures
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> circuit = read_circuit(network, task_views(data)[0])
        >>> len(embedding_figures(circuit)) > 0
        True
    """
    view, keys = circuit.view, circuit.key_frequencies
    overlap = (
        " Frequencies that cannot be told apart share their norms, and the bars stand on a floor."
        if any(basis.indistinguishable for basis in view.clocked_pairs.operand_bases)
        else ""
    )
    values, random = singular_values(circuit.W_E)
    ranks = range(1, len(values) + 1)
    least = (
        "about two for each key frequency"
        if circuit.group is None
        else "as many as the key irreps have entries"
    )
    spectra = Figure(
        "Fourier components of the embedding",
        [
            spectrum_panel(circuit.W_E, basis, keys, f"W_E in the characters of {names}")
            for names, basis in view.distinct_bases
        ],
        "A network that computes with a few frequencies embeds the operands on their circles: a few tall bars, "
        "and nothing in between. The first bar of each frequency is the norm of its cosine, the paler one that "
        f"of its sine.{overlap}",
    )
    return [
        *([spectra] if circuit.group is None else []),
        Figure(
            "Rank of the embedding",
            [
                Panel(
                    "Singular values of W_E",
                    [
                        Line(ranks, random, "muted", "random", dotted=True),
                        Line(ranks, values, "accent", "W_E"),
                    ],
                    Axis("rank"),
                    Axis("singular value", from_zero=True),
                    "wide",
                ),
            ],
            f"Singular values that fall to nothing after {least}, far below those of a random matrix of the same size.",
        ),
        *([_circles(circuit)] if keys and circuit.group is None else []),
    ]


def _circles(circuit: Circuit) -> Figure:
    """The symbols on the plane of each key frequency, joined in the order of the clock."""
    pairs, keys = circuit.view.clocked_pairs, circuit.key_frequencies
    panels = []
    for names, basis in circuit.view.distinct_bases:
        operand = circuit.view.operands.index(names[0])
        symbols, first = pairs.operands[:, operand].unique(return_inverse=True)
        positions = symbols.new_empty(len(symbols))
        positions[first] = pairs.operand_positions[:, operand]
        on = positions >= 0
        for k in keys[:MOST_CIRCLES]:
            order = (k * positions[on] % pairs.clock.size).argsort(stable=True)
            chosen = symbols[on][order]
            x, y = on_plane(circuit.W_E, basis.planes[k]).cpu()[chosen].T
            share = f" of {names}" if len(circuit.view.distinct_bases) > 1 else ""
            labels = [str(symbol) for symbol in chosen.tolist()]
            points = Points(x, y, key_color(k, circuit.key_frequencies), "", labels, joined=True)
            panels.append(Panel(f"Frequency {k}{share}", [points], shape="square", equal=True))
    return Figure(
        "Circles of the key frequencies",
        panels,
        "Each symbol where the embedding puts it on the plane of a key frequency, neighbors on the clock joined: a "
        f"circle, once around, where the network has learned that frequency.{first_of(keys, MOST_CIRCLES)}",
    )


def components_figure(W_E: Tensor, n_symbols: int, others: Sequence[str], title: str) -> Figure:
    """The first four principal components of the operands' embeddings, and the other tokens on them.

    Args:
        W_E: (v, d), the operands' symbols first.
        n_symbols: how many tokens are operands' symbols.
        others: the names of the other tokens.
        title: the title of the figure.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.figures import components_figure
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> components_figure(network.embed.W_E, 11, ["="], "W_E").title
        'W_E'
    """
    symbols, rest = W_E.detach().float().split([n_symbols, len(others)])
    labels = [str(symbol) for symbol in range(n_symbols)]
    return Figure(title, component_panels(symbols, labels, 4, dict(zip(others, rest, strict=True))))


def component_panels(
    rows: Tensor, labels: Sequence[str], most: int, others: Mapping[str, Tensor] | None = None
) -> list[Panel]:
    """Pairs of principal components of rows (n, d), joined and colored in their order.

    Args:
        rows: the rows whose components these are.
        labels: the labels of the rows.
        most: components, at most.
        others: further rows (d,) to show on the components, by name.
    """
    found = principal_components(rows)
    apart = {name: found.project(row[None])[0] for name, row in (others or {}).items()}
    panels = []
    for first in range(0, min(most, found.scores.shape[1] - 1), 2):
        x, y = found.scores[:, first], found.scores[:, first + 1]
        share = float(found.variance_explained[first : first + 2].sum())
        points = [Points(x, y, labels=labels, joined=True)]
        for (name, at), symbol in zip(apart.items(), cycle(_SYMBOLS), strict=False):
            points.append(Points(at[[first]], at[[first + 1]], "ink", name, [name], symbol))
        panels.append(
            Panel(
                f"Components {first + 1}, {first + 2}: {share:.0%} of variance",
                points,
                Axis(f"component {first + 1}"),
                Axis(f"component {first + 2}"),
                "square",
                equal=True,
            )
        )
    return panels
