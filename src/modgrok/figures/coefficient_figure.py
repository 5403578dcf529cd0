"""The local learning coefficient over the checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modgrok.analysis import LearningCoefficient, Phase
from modgrok.figures.figure import Axis, Figure, Line
from modgrok.figures.timeline import timeline


def coefficient_figures(
    found: Mapping[int, LearningCoefficient], phases: Sequence[Phase] = ()
) -> list[Figure]:
    """The figure of the estimates; none of fewer than two, since a single one says nothing by itself.

    Example:
        >>> from modgrok.figures import coefficient_figures
        >>> coefficient_figures({})  # fewer than two estimates, no figure
        []
    """
    estimates = {update: one.estimate for update, one in found.items() if one.estimate is not None}
    if len(estimates) < 2:
        return []
    settings, refused = next(iter(found.values())), len(found) - len(estimates)
    line = Line([*estimates], [*estimates.values()], "key0", "λ̂", markers=len(estimates) < 40)
    left_out = (
        f" {refused} of {len(found)} checkpoints have none: their chains are no measure." if refused else ""
    )
    return [
        Figure(
            "Local learning coefficient",
            [timeline("λ̂", [line], Axis("λ̂", from_zero=True), max(found), phases)],
            f"Estimated by chains with nβ {settings.n_beta:.4g}, {settings.settings}. Its size belongs to these "
            "settings: compare checkpoints of one curve, and nothing else (Lau et al. 2023, arXiv 2308.12108)."
            + left_out,
        )
    ]
