"""The progress measures over a run's checkpoints."""

from __future__ import annotations

from modgrok.analysis.clock_or_pizza import PUBLISHED_SYMMETRICITY
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


CIRCLES = {
    "circle_clock": ("by the clock", "key0"),
    "circle_pizza": ("by the pizza", "key1"),
    "circle_accompanying": ("by the accompanied pizza", "key2"),
}
PHASE_RELATION = {
    "phase_sum": ("phase sum", "key0"),
    "equal_phases": ("equal phases", "key1"),
}
PIZZA = {
    "gradient_symmetricity": ("gradient symmetricity", "key2"),
    "distance_irrelevance": ("distance irrelevance", "key3"),
    "circularity": ("circularity", "key4"),
}


def progress_figures(task: TaskAnalysis) -> list[Figure]:
    """The figures of the measures; none of a single checkpoint.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import analyze_network
        >>> from modgrok.figures import progress_figures
        >>> from modgrok.runs import History, Snapshot
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> snapshot = Snapshot(network, data, update=0, history=History())
        >>> (task,) = analyze_network(snapshot, source="my network").tasks
        >>> progress_figures(task)
        []
    """
    if task.circuit.group is not None:
        return group_progress_figures(task)
    if len(task.moments) < 2:
        return []
    rows = [moment.row() for moment in task.moments]
    updates = [moment.update for moment in task.moments]
    keys = task.circuit.key_frequencies

    def panel(title: str, curves: dict[str, tuple[str, str]], y: Axis, shape: Shape = "half") -> Panel:
        few = len(updates) < 40
        lines = []
        for key, (name, color) in curves.items():
            # a measure is None where it is undefined: of a network without live neurons, say
            found = [
                (update, row[key])
                for update, row in zip(updates, rows, strict=True)
                if row.get(key) is not None
            ]
            if found:
                at, values = [update for update, _ in found], [value for _, value in found]
                lines.append(Line(at, values, color, name, markers=few))  # type: ignore[arg-type]
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
    adding = [
        panel(title, curves, Axis("from 0 to 1", range=(-0.1, 1.05)))
        for title, curves in (("Phase relation", PHASE_RELATION), ("Pizza and clock", PIZZA))
        if any(rows[0].get(name) is not None for name in curves)
    ]
    if any(row.get(name) is not None for row in rows for name in CIRCLES):
        adding.append(panel("Logits of one circle at a time", CIRCLES, Axis("2r − 1, mean")))
    ranks = {"effective_rank": ("effective rank of W_logit", "key0")}
    margins = {
        "least_margin": ("least margin", "key5"),
        "median_margin": ("median margin", "key6"),
    }
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
        Figure(
            "How it adds",
            [
                *adding,
                panel("Rank", ranks, Axis("directions", from_zero=True)),
                panel("Margins", margins, Axis("logit")),
            ],
            "The phase sum is 1 where every neuron reads out the sum of its two input phases: it is learned, while "
            "equal phases are mostly a matter of the architecture. Over 817 published networks the median gradient "
            f"symmetricity is {_published()} by attention rate (Zhong et al. 2023). The rank falls to two directions "
            "for each frequency; every pair is right where the least margin is above 0.",
        ),
    ]


def _published() -> str:
    return ", ".join(f"{value} ({rate})" for rate, value in PUBLISHED_SYMMETRICITY.items())
