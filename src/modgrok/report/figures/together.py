"""The formulas of a mixture side by side."""

from __future__ import annotations

from modgrok.report.figures.figure import Figure, Panel, axis, line
from modgrok.report.figures.timeline import timeline
from modgrok.report.findings import Findings


def together_figures(findings: Findings) -> list[Figure]:
    """Accuracy of each formula's held-out pairs, in the mixture and alone; none of a single formula."""
    of_task = findings.snapshot.history.of_task
    if not of_task:
        return []
    curves, last = [], findings.snapshot.update
    for place, (task, own) in enumerate(of_task.items()):
        colour = f"$key{place % 8}"
        curves.append(line(own.update, own.heldout_accuracy, colour, task))
        if (alone := findings.alone.get(task)) is not None:
            history = alone.history
            dotted = {"line": {"color": colour, "width": 1.25, "dash": "dot"}}
            curves.append(line(history.update, history.heldout_accuracy, colour, f"{task}, alone") | dotted)
            last = max(last, history.update[-1])
    layout = {**timeline((), last), "yaxis": axis("accuracy of the held-out pairs", range=[-0.02, 1.02])}
    return [
        Figure(
            "Grokking together",
            "Formulas that share a circuit grok at the same time; where runs on each formula alone were given, "
            "they are dotted, and a formula that the others help has its curve to the left of its dotted one.",
            [Panel("Accuracy of each formula", curves, layout, "wide")],
        )
    ]
