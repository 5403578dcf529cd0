"""How much of the logits each cosine is."""

from __future__ import annotations

from modgrok.analysis import Circuit
from modgrok.figures.figure import Axis, Bars, Figure, Panel, key_color
from modgrok.figures.spectrum_panel import frequency_bars


def logit_figures(circuit: Circuit) -> list[Figure]:
    """The figures of the logits along cos(w_k(s − c)).

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import read_circuit, task_views
        >>> from modgrok.figures import logit_figures
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> circuit = read_circuit(network, task_views(data)[0])
        >>> len(logit_figures(circuit)) > 0
        True
    """
    keys, found = circuit.key_frequencies, circuit.directions
    explained = [float(found.variance_explained[k - 1]) for k in keys]
    rest = float(found.variance_explained.sum()) - sum(explained)
    sign = "+" if circuit.clock.law == "additive" else "·"
    parts = sign.join(
        f"{function}({name})" for function, name in zip("fgk", circuit.view.operands, strict=False)
    )
    clock = "" if circuit.clock.law == "additive" else " (their logarithms)"
    frequency = Axis("frequency")
    return [
        Figure(
            "The logits as cosines",
            [
                Panel(
                    "Coefficient of cos w(s − c)",
                    [frequency_bars(found.coefficients, keys)],
                    frequency,
                    Axis("coefficient"),
                ),
                Panel(
                    "Cosine similarity with the logits",
                    [frequency_bars(found.cosine_similarities, keys)],
                    frequency,
                    Axis("similarity"),
                ),
                Panel(
                    "Share of the logits' variance",
                    [
                        Bars(
                            [*map(str, keys), "others", "residual"],
                            [*explained, rest, found.residual],
                            [*(key_color(k, keys) for k in keys), "quiet", "line"],
                        )
                    ],
                    frequency,
                    Axis("share of variance", from_zero=True),
                    "wide",
                ),
            ],
            f"An answer c is right where s − c = 0, with s = {parts}{clock}, and there every cosine of s − c is at its "
            "top. A clock therefore writes its logits as a sum of a few such cosines, all positive. The residual is "
            "what they leave over.",
        )
    ]
