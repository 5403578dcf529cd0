"""The embedding: its spectrum, its rank, its principal components."""

from __future__ import annotations

from modgrok.analysis import Circuit, principal_components, singular_values
from modgrok.figures.figure import Figure, Panel, axis, line, plain
from modgrok.figures.operand_maps import clock_order
from modgrok.figures.spectrum_panel import spectrum_panel


def embedding_figures(circuit: Circuit) -> list[Figure]:
    """The figures of W_E."""
    view, keys = circuit.view, circuit.key_frequencies
    overlap = (
        " Where frequencies cannot be told apart they share their norms, and the bars stand on a floor."
        if any(basis.indistinguishable for basis in view.domain.operand_bases)
        else ""
    )
    values, random = singular_values(circuit.W_E)
    ranks = range(1, len(values) + 1)
    return [
        Figure(
            "Fourier components of the embedding",
            "A network that computes with a few frequencies embeds the operands on the circles of these: a few tall "
            "bars, and nothing in between. For each frequency the first bar is the norm of its cosine, the paler "
            f"one of its sine.{overlap}",
            [
                spectrum_panel(circuit.W_E, basis, keys, f"W_E in the characters of {names}")
                for names, basis in view.distinct_bases
            ],
        ),
        Figure(
            "Rank and principal components",
            "Singular values that fall to nothing after about two for each key frequency, far below those of a "
            "random matrix of the same size; principal components in which the symbols, colored by where they "
            "stand on the clock, lie on circles or stars.",
            [
                Panel(
                    "Singular values of W_E",
                    [
                        line(ranks, random, "$quiet", "random", line={"color": "$quiet", "dash": "dot"}),
                        line(ranks, values, "$accent", "W_E"),
                    ],
                    {"xaxis": axis("rank"), "yaxis": axis("singular value", rangemode="tozero")},
                    "wide",
                ),
                *_components(circuit),
            ],
        ),
    ]


def _components(circuit: Circuit) -> list[Panel]:
    found = principal_components(circuit.W_E)
    order = clock_order(circuit.view, 0)
    panels = []
    for first in range(0, min(8, found.scores.shape[1] - 1), 2):
        x, y = found.scores[order, first], found.scores[order, first + 1]
        share = float(found.variance_explained[first : first + 2].sum())
        trace = line(x.tolist(), y, "$line", "")
        trace |= {
            "mode": "lines+markers",
            "line": {"color": "$line", "width": 0.5},
            "marker": {"color": list(range(len(order))), "colorscale": "$cycle", "size": 7},
            "text": [plain(str(symbol)) for symbol in order.tolist()],
            "hovertemplate": "symbol %{text}<extra></extra>",
        }
        panels.append(
            Panel(
                f"Components {first + 1}, {first + 2}: {share:.0%} of variance",
                [trace],
                {
                    "xaxis": axis(f"component {first + 1}", zeroline=False),
                    "yaxis": axis(
                        f"component {first + 2}", zeroline=False, scaleanchor="x", constraintoward="top"
                    ),
                },
                "square",
            )
        )
    return panels
