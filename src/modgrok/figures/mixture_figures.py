"""The formulas of a mixture side by side."""

from __future__ import annotations

from modgrok.analysis.run_analysis import RunAnalysis
from modgrok.figures.figure import Figure, Panel, axis, line
from modgrok.figures.timeline import timeline


def together_figures(analysis: RunAnalysis) -> list[Figure]:
    """Accuracy of each formula's held-out pairs, in the mixture and alone; none of a single formula."""
    of_task = analysis.snapshot.history.of_task
    if not of_task:
        return []
    curves, last = [], analysis.snapshot.update
    for place, (task, own) in enumerate(of_task.items()):
        color = f"$key{place % 8}"
        curves.append(line(own.update, own.heldout_accuracy, color, task))
        if (alone := analysis.alone.get(task)) is not None:
            history = alone.history
            dotted = {"line": {"color": color, "width": 1.25, "dash": "dot"}}
            curves.append(line(history.update, history.heldout_accuracy, color, f"{task}, alone") | dotted)
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
