"""The progress measures over a run's checkpoints."""

from __future__ import annotations

from typing import Any

from modgrok.analysis.run_analysis import TaskAnalysis
from modgrok.figures.figure import Figure, Panel, axis, key_color, line
from modgrok.figures.timeline import phase_legend, timeline

LOSSES = {
    "train_loss": ("training pairs", "$train"),
    "heldout_loss": ("held-out pairs", "$heldout"),
    "restricted_loss": ("restricted", "$key2"),
    "excluded_loss": ("excluded", "$key3"),
    "trigonometric_loss": ("trigonometric", "$key4"),
}
SHARES = {"tuned": ("neurons tuned", "$key0"), "logit_variance": ("logits' variance explained", "$key1")}


def progress_figures(task: TaskAnalysis) -> list[Figure]:
    """The figures of the measures; none where there is only one checkpoint."""
    if len(task.moments) < 2:
        return []
    rows = [moment.row() for moment in task.moments]
    updates = [moment.update for moment in task.moments]
    keys = task.circuit.key_frequencies

    def lines(named: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
        more = {"mode": "lines+markers", "marker": {"size": 4}} if len(updates) < 40 else {}
        return [
            line(updates, [each[key] for each in rows], color, name, **more)  # type: ignore[misc]
            for key, (name, color) in named.items()
            if rows[0].get(key) is not None
        ]

    def panel(title: str, named: dict[str, tuple[str, str]], y: dict[str, Any], wide: bool = False) -> Panel:
        layout = {**timeline(task.phases, updates[-1]), "yaxis": y}
        bands = phase_legend(task.phases) if wide else []
        return Panel(title, lines(named), layout, "wide" if wide else "half", bands)

    sparsity, furuta = {}, {}
    for place, (names, _) in enumerate(task.circuit.view.distinct_bases):
        sparsity[f"gini_embedding_{names[0]}"] = (f"W_E in {names}", f"$key{place}")
        furuta[f"ffd_embedding_{names[0]}"] = (f"FFD, W_E in {names}", f"$key{place}")
        furuta[f"fcr_embedding_{names[0]}"] = (f"FCR, W_E in {names}", f"$key{place + 3}")
    sparsity["gini_logit"] = ("W_logit", "$key4")
    furuta |= {"ffd_logit": ("FFD, W_logit", "$key6"), "fcr_logit": ("FCR, W_logit", "$key7")}
    each = {f"excluded_loss_{k}": (f"without {k}", key_color(k, keys)) for k in keys}
    return [
        Figure(
            "Losses with and without the circuit",
            "The restricted loss falls when the circuit is there, before the held-out loss does; the excluded loss "
            "rises as the network comes to rely on the circuit. All are measured by the key frequencies of the last "
            "checkpoint. Of the phases, memorisation ends where the excluded loss turns up, circuit formation where "
            "the held-out loss falls below that of a guess for good, and cleanup when Σ w² has done 90% of its fall.",
            [panel("Losses", LOSSES, axis("loss", type="log", exponentformat="power"), wide=True)],
        ),
        Figure(
            "Measures of the circuit",
            "Each frequency's excluded loss rises when the network starts to use it. Sparsity (Gini) rises and the "
            "density of frequencies (FFD) falls as the circuit forms; the weights shrink in the cleanup.",
            [
                panel(
                    "Excluded loss of each key frequency",
                    each,
                    axis("loss", type="log", exponentformat="power"),
                ),
                panel("Neurons and logits", SHARES, axis("share", range=[0, 1.02])),
                panel("Sparsity of the spectra", sparsity, axis("Gini coefficient", range=[0, 1])),
                panel("Frequency density and coefficient ratio", furuta, axis("FFD, FCR", range=[0, 1.02])),
                panel(
                    "Sum of squared weights",
                    {"sum_of_squared_weights": ("Σ w²", "$accent")},
                    axis("Σ w²", rangemode="tozero"),
                    wide=True,
                ),
            ][0 if keys else 1 :],
        ),
    ]
