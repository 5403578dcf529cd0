"""Grokking together, in words: when each formula of a mixture grokked, there and alone."""

from __future__ import annotations

from modgrok.analysis.run_analysis import RunAnalysis
from modgrok.figures.numbers import percent
from modgrok.runs import History


def mixture_summary(analysis: RunAnalysis) -> str:
    """Say which formulas of a mixture grokked, and when; "" for a single formula.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import analyze_network
        >>> from modgrok.report import mixture_summary
        >>> from modgrok.runs import History, Snapshot
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> snapshot = Snapshot(network, data, update=0, history=History())
        >>> mixture_summary(analyze_network(snapshot, source="my network"))  # one formula is no mixture
        ''
    """
    history = analysis.snapshot.history
    if not history.of_task:
        return ""
    grokked = [task for task, own in history.of_task.items() if own.grokked_at is not None]
    count = (
        f"All {len(grokked)} formulas grokked in one network, the last of them at update {history.grokked_at:,}"
        if history.grokked_at is not None
        else f"{len(grokked)} of {len(history.of_task)} formulas grokked in one network"
    )
    return f"{count}: {'; '.join(_formula(analysis, task) for task in history.of_task)}."


def _formula(analysis: RunAnalysis, task: str) -> str:
    words = f"{task} {_when(analysis.snapshot.history.of_task[task])}"
    if (alone := analysis.alone.get(task)) is None:
        return words
    return f"{words} (alone, from {percent(alone.train_fraction)} of its pairs, {_when(alone.history)})"


def _when(history: History) -> str:
    if history.grokked_at is not None:
        return f"at update {history.grokked_at:,}"
    return f"not within {history.update[-1]:,} updates, with {percent(history.heldout_accuracy[-1])} right"
