"""The training curves."""

from __future__ import annotations

from modgrok.analysis.run_analysis import RunAnalysis
from modgrok.figures.figure import Figure, Panel, axis, line
from modgrok.figures.timeline import phase_legend, timeline


def training_figures(analysis: RunAnalysis) -> list[Figure]:
    """Loss and accuracy over the run, with phases, memorisation and grokking marked; none without a history."""
    history = analysis.snapshot.history
    if len(history.update) < 2:
        return []
    phases = analysis.tasks[0].phases if len(analysis.tasks) == 1 else ()
    events = {
        "memorised": history.memorised_at,
        "grokked": history.grokked_at,
    }
    layout = timeline(phases, history.update[-1], events)

    def curves(train: list[float], heldout: list[float]) -> list[dict[str, object]]:
        return [
            line(history.update, train, "$train", "training pairs"),
            line(history.update, heldout, "$heldout", "held-out pairs"),
        ]

    return [
        Figure(
            "Training curves",
            "Memorisation first: the training loss falls while the held-out loss stays high. Grokking is the late, "
            "sudden fall of the held-out loss.",
            [
                Panel(
                    "Loss",
                    curves(history.train_loss, history.heldout_loss),
                    {**layout, "yaxis": axis("loss", type="log", exponentformat="power")},
                    "wide",
                    phase_legend(phases),
                ),
                Panel(
                    "Accuracy",
                    curves(history.train_accuracy, history.heldout_accuracy),
                    {**layout, "yaxis": axis("accuracy", range=[-0.02, 1.02])},
                    "wide",
                    phase_legend(phases),
                ),
            ],
        )
    ]
