"""The progress measures over a run's checkpoints."""

from __future__ import annotations

from modgrok.analysis.run_analysis import TaskAnalysis
from modgrok.figures.figure import Axis, Figure, Line, Panel, Shape, key_color
from modgrok.figures.group_figures import group_progress_figures
from modgrok.figures.timeline import timeline

LOSSES = {
    "train_loss": ("training pairs", "train"),
    "heldout_loss": ("held-out pairs", "heldout"),
    "restricted_loss": ("restricted", "key2"),
    "excluded_loss": ("excluded", "key3"),
    "trigonometric_loss": ("trigonometric", "key4"),
}
SHARES = {
    "tuned_fraction": ("neurons tuned", "key0"),
    "logit_variance": ("logits' variance explained", "key1"),
}


def progress_figures(task: TaskAnalysis) -> list[Figure]:
    """The figures of the measures; none of a single checkpoint."""
    if task.circuit.group is not None:
        return group_progress_figures(task)
    if len(task.moments) < 2:
        return []
    rows = [moment.row() for moment in task.moments]
    updates = [moment.update for moment in task.moments]
    keys = task.circuit.key_frequencies

    def panel(title: str, curves: dict[str, tuple[str, str]], y: Axis, shape: Shape = "half") -> Panel:
        few = len(updates) < 40
        lines = [
            Line(updates, [each[key] for each in rows], color, name, markers=few)  # type: ignore[misc]
            for key, (name, color) in curves.items()
            if rows[0].get(key) is not None
        ]
        return timeline(title, lines, y, updates[-1], task.phases, shape=shape)

    sparsity, furuta = {}, {}
    for place, (names, _) in enumerate(task.circuit.view.distinct_bases):
        sparsity[f"gini_embedding_{names[0]}"] = (f"W_E in {names}", f"key{place}")
        furuta[f"ffd_embedding_{names[0]}"] = (f"FFD, W_E in {names}", f"key{place}")
        furuta[f"fcr_embedding_{names[0]}"] = (f"FCR, W_E in {names}", f"key{place + 3}")
    sparsity["gini_logit"] = ("W_logit", "key4")
    furuta |= {"ffd_logit": ("FFD, W_logit", "key6"), "fcr_logit": ("FCR, W_logit", "key7")}
    each = {f"excluded_loss_{k}": (f"without {k}", key_color(k, keys)) for k in keys}
    loss, share = Axis("loss", log=True), Axis("share", range=(0, 1.02))
    gini, density = Axis("Gini coefficient", range=(0, 1)), Axis("FFD, FCR", range=(0, 1.02))
    squares = {"sum_of_squared_weights": ("Σ w²", "accent")}
    return [
        Figure(
            "Losses with and without the circuit",
            [panel("Losses", LOSSES, loss, "wide")],
            "The restricted loss falls when the circuit is there, before the held-out loss does; the excluded loss "
            "rises as the network comes to rely on the circuit. All are measured by the key frequencies of the last "
            "checkpoint. Memorisation ends where the excluded loss turns up, circuit formation where the held-out "
            "loss falls below that of a guess for good, and cleanup when Σ w² has done 90% of its fall.",
        ),
        Figure(
            "Measures of the circuit",
            [
                *([panel("Excluded loss of each key frequency", each, loss)] if keys else []),
                panel("Neurons and logits", SHARES, share),
                panel("Sparsity of the spectra", sparsity, gini),
                panel("Frequency density and coefficient ratio", furuta, density),
                panel("Sum of squared weights", squares, Axis("Σ w²", from_zero=True), "wide"),
            ],
            "Each frequency's excluded loss rises when the network starts to use it. Sparsity (Gini) rises and the "
            "density of frequencies (FFD) falls as the circuit forms; the weights shrink in the cleanup.",
        ),
    ]
