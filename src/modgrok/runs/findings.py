"""What a run found, as plain data."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from modgrok.errors import InputError
from modgrok.runs.history import SYMMETRY_COLUMNS, History
from modgrok.runs.whole_files import write_whole

FINDINGS = "findings.json"

T = TypeVar("T")


@dataclass(frozen=True)
class Findings:
    """What a run found so far; a row of a table of runs.

    Attributes:
        task: the formula, or a mixture's formulas joined by a vertical bar.
        modulus: p.
        updates: the number of updates made.
        threshold: the accuracy that memorised and grokked refer to.
        memorised_at: the first evaluated update at which the training accuracy reached the threshold.
        grokked_at: the same for the held-out accuracy.
        delay: updates from memorising to grokking.
        censored_at: the last update of a run that has not grokked: grokking would have come later, or never.
        train_loss: last scores, as all scores below.
        train_accuracy: the accuracy over all training pairs.
        heldout_loss: mean over the held-out pairs; for mixtures, losses are sums of the formulas' means.
        heldout_accuracy: the accuracy over all held-out pairs.
        parameters: the number of the network's parameters.
        entropy: bits of the training answers if each were drawn at random, n·log2 p.
        bits: bits of the training answers that the network knows, entropy minus loss. For the task `random` this is
            what it remembers. None where the loss is no logarithm of a probability.
        seconds: wall time spent on training, resumptions included.
        engine: the engine that made the updates.
        threads: CPU threads that made them.
        finished: whether the run came to its end; a run that a signal stopped did not.
        tasks: memorised_at, grokked_at, grokked_new_at, delay and last scores of each formula of a mixture.
        grokked_new_at: the first evaluated update at which the accuracy over the new held-out pairs reached the
            threshold; None, too, where there are none.
        heldout_new: how many held-out pairs are new. This field and the three others are None in the findings of runs
            that did not tell new pairs from known ones.
        heldout_known: the number of held-out pairs that are known by symmetry.
        heldout_accuracy_new: over the new pairs; None where there are none.
        heldout_accuracy_known: over those known by symmetry; None where there are none.
        updates_per_step: the updates that a training step made; None in the findings of runs that did not record them.
        circuits: of each formula the circuit as it was last measured: the update, the key frequencies or on a group the
            key irreps, and the progress measures as they are logged, None where one is undefined. Empty where nothing
            was measured (`measures.every: null`, and in a sweep unless its config says otherwise).

    Example:
        >>> import modgrok
        >>> run = modgrok.fit({"data": {"task": "x + y", "modulus": 7}}, {"trainer.max_steps": 10})
        >>> run.findings.task, run.findings.updates, run.findings.finished
        ('x + y', 10, True)
    """

    task: str
    modulus: int
    updates: int
    threshold: float
    memorised_at: int | None
    grokked_at: int | None
    delay: int | None
    censored_at: int | None
    train_loss: float
    train_accuracy: float
    heldout_loss: float
    heldout_accuracy: float
    parameters: int
    entropy: float
    bits: float | None
    seconds: float
    engine: str
    threads: int
    finished: bool
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    grokked_new_at: int | None = None
    heldout_new: int | None = None
    heldout_known: int | None = None
    heldout_accuracy_new: float | None = None
    heldout_accuracy_known: float | None = None
    updates_per_step: int | None = None
    circuits: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def bits_per_parameter(self) -> float | None:
        """Bits that the network knows of the training answers, per parameter."""
        return None if self.bits is None else self.bits / self.parameters

    @classmethod
    def of(cls, history: History, **about_run: Any) -> Findings:
        """Read the findings off a history; `about_run` has what the history does not know."""
        updates = about_run["updates"]
        return cls(
            threshold=history.threshold,
            censored_at=updates if history.grokked_at is None else None,
            tasks={task: _scores(own) for task, own in history.of_task.items()},
            **_scores(history),
            **about_run,
        )

    def _repr_html_(self) -> str:
        """Return a table for a notebook: what there is, as a reader wants numbers."""
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name.replace('_', ' '))}</th>"
            f"<td style='text-align:left'>{html.escape(_readable(name, value))}</td></tr>"
            for name, value in vars(self).items()
            if value is not None and name not in ("tasks", "circuits")
        )
        return f"<table>{rows}</table>"

    def write(self, directory: Path) -> None:
        """Write `findings.json`, whole or not at all."""
        write_record(asdict(self), directory)


def _readable(name: str, value: Any) -> str:
    """Write a finding as a reader wants it: shares in percent, three digits, thousands apart."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    if "accuracy" in name or name == "threshold":
        return "100%" if value == 1 else f"{math.floor(value * 1000) / 10:g}%"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.3g}"


def training_bits(history: History, sizes: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Return the entropy of the training answers, Σ n·log2 p, and what the network knows of it, in bits.

    A formula of n training pairs whose last mean loss is L nats leaves n·L / ln 2 bits unknown.

    Args:
        history: the scores of a run whose loss is −ln of the answers' probabilities.
        sizes: n and p, the number of training pairs and of answers, of each formula.
    """
    losses = [own.train_loss[-1] for own in history.of_task.values()] or history.train_loss[-1:]
    entropy = sum(n * math.log2(p) for n, p in sizes)
    unknown = sum(n * loss / math.log(2) for (n, _), loss in zip(sizes, losses, strict=True))
    return entropy, max(0.0, entropy - unknown)


def _scores(history: History) -> dict[str, Any]:
    names = ("train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy", *SYMMETRY_COLUMNS)
    last = {name: getattr(history, name)[-1] for name in names}
    return {
        "memorised_at": history.memorised_at,
        "grokked_at": history.grokked_at,
        "grokked_new_at": history.grokked_new_at,
        "delay": history.delay,
        **last,
    }


def read_findings(directory: Path) -> Findings:
    """Read a run's `findings.json`.

    Raises:
        InputError: if there is none, or it is damaged.
    """
    known = {one.name for one in fields(Findings)}
    return read_record(
        directory,
        lambda content: Findings(**{name: value for name, value in content.items() if name in known}),
    )


def write_record(content: Mapping[str, Any], directory: Path) -> None:
    """Write `findings.json` into a run's directory, whole or not at all."""
    write_whole(directory / FINDINGS, json.dumps(content, indent=2) + "\n")


def read_record(directory: Path, build: Callable[[dict[str, Any]], T]) -> T:
    """Return what `build` makes of a run's `findings.json`.

    Raises:
        InputError: if there is none, or it is damaged.
    """
    file = directory / FINDINGS
    try:
        return build(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InputError(
            f"{directory}: the run has no {FINDINGS} yet; it is written when a run ends"
        ) from None
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError):
        raise InputError(f"{file}: damaged; resuming the run writes it again") from None
