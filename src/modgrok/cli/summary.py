"""What a run found, in words for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modgrok.runs import Findings


def summary(findings: Findings, evaluate_every: int) -> str:
    """Say when the run memorised and grokked, for mixtures also each formula, and how it ended."""
    memorised, grokked = _milestones(vars(findings), findings.updates, bool(findings.tasks))
    if findings.memorised_at is not None:
        memorised += f" (evaluated every {evaluate_every})"
    tasks = [
        f"  {task}: {'; '.join(_milestones(own, findings.updates, False))}"
        for task, own in findings.tasks.items()
    ]
    end = (
        f"after {findings.updates:,} updates: held-out accuracy {findings.heldout_accuracy:.4f}, "
        f"held-out loss {findings.heldout_loss:.3g}, training loss {findings.train_loss:.3g}"
    )
    return "\n".join([memorised, grokked, *tasks, *_symmetry(findings), end])


def _symmetry(findings: Findings) -> list[str]:
    """Say how many held-out pairs are new, how many of these are right, and since when."""
    new, known = findings.heldout_new, findings.heldout_known
    if new is None or known is None:
        return []
    if not new:
        return [f"no held-out pair is new: all {known:,} are known by symmetry from training pairs"]
    if not known:
        return [f"all {new:,} held-out pairs are new: none is known by symmetry"]
    at = findings.grokked_new_at
    learned = (
        f"not learned within {findings.updates:,} updates" if at is None else f"learned at update {at:,}"
    )
    return [
        f"of the held-out pairs, {new:,} are new, {learned}: accuracy {findings.heldout_accuracy_new:.4f}; "
        f"{known:,} are known by symmetry: accuracy {findings.heldout_accuracy_known:.4f}"
    ]


def _milestones(found: Mapping[str, Any], updates: int, mixture: bool) -> tuple[str, str]:
    def say(verb: str, past: str, side: str, accuracy: float) -> str:
        at = found[f"{past}_at"]
        if at is not None:
            return f"{'every formula ' if mixture else ''}{past} at update {at:,}"
        failed = f"not every formula {past}" if mixture else f"did not {verb}"
        return f"{failed} within {updates:,} updates: {side} accuracy {accuracy:.4f}"

    memorised = say("memorise", "memorised", "training", found["train_accuracy"])
    grokked = say("grok", "grokked", "held-out", found["heldout_accuracy"])
    delay = found["delay"]
    return memorised, grokked + (f", {delay:,} updates later" if delay is not None else "")
