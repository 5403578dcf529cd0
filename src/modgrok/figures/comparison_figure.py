"""The curves of several runs on one pair of axes."""

from __future__ import annotations

from collections.abc import Mapping

from modgrok.figures.figure import Axis, Figure, Line, Panel
from modgrok.runs import History


def comparison_figure(histories: Mapping[str, History]) -> Figure:
    """Draw the held-out accuracy and the held-out loss of each run over its updates.

    Args:
        histories: the histories by the run's name; after eight the colors repeat.

    Example:
        >>> from modgrok.figures import comparison_figure
        >>> from modgrok.runs import History
        >>> [panel.title for panel in comparison_figure({"version_0": History(), "version_1": History()}).panels]
        ['Accuracy', 'Loss']
    """
    update = Axis("update")

    def curves(column: str) -> list[Line]:
        return [
            Line(history.update, getattr(history, column), f"key{place % 8}", name)
            for place, (name, history) in enumerate(histories.items())
        ]

    return Figure(
        "Held-out pairs",
        [
            Panel(
                "Accuracy",
                curves("heldout_accuracy"),
                x=update,
                y=Axis("accuracy", range=(-0.02, 1.02)),
                shape="wide",
            ),
            Panel("Loss", curves("heldout_loss"), x=update, y=Axis("loss", log=True), shape="wide"),
        ],
        "Each line is a run: how early it rises, and how sharply.",
    )
