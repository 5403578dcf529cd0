"""The main numbers of measured runs, as rows of tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from modgrok.capacity.measuring.memorized import Measurement

RUN_TITLES = ("run", "people", "parameters", "updates", "exposures", "bits", "of", "bits/parameter", "")
SET_TITLES = ("set", "bits per answer", "right", "learned at")


def run_rows(measurements: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """Return a row for each run, under `RUN_TITLES`; a folder that all of them are in is not said in every row."""
    names = [m.run for m in measurements]
    within = [set(Path(name).parents) for name in names] if len(set(names)) > 1 else [set()]
    common = max(set.intersection(*within), key=lambda path: len(path.parts), default=None)
    return [
        (
            str(Path(m.run).relative_to(common)) if common else m.run,
            f"{m.n:,}",
            f"{m.parameters:,}",
            f"{m.updates:,}",
            f"{m.exposures:,.0f}",
            f"{m.bits['total']:,.0f}{_give_or_take(m.bits_error, ',.0f')}",
            f"{m.reachable['total']:,.0f}",
            f"{m.bits_per_parameter:.2f}",
            "not converged" if m.converged is False else "",
        )
        for m in sorted(measurements, key=lambda m: (m.parameters, m.n))
    ]


def set_rows(measurement: Measurement) -> list[tuple[str, ...]]:
    """Return a row for each scored set of a run, under `SET_TITLES`."""
    rows: list[tuple[str, ...]] = []
    for name, loss in measurement.losses.items():
        at = measurement.reached_at(name, measurement.threshold)
        error = _give_or_take(measurement.errors.get(name, 0.0), ".3f")
        rows.append(
            (
                name,
                f"{loss:.3f}{error}",
                f"{measurement.accuracies[name]:.1%}",
                f"update {at:,}" if at is not None else f"not within {measurement.updates:,} updates",
            )
        )
    for left in measurement.left:
        before = f"{left.name}: {left.n:,} people before"
        known = f"{left.bits:,.0f} of {left.reachable:,.0f} bits left"
        rows.append((before, f"{left.loss:.3f}", f"{left.accuracy:.1%}", known))
    return rows


def _give_or_take(error: float, form: str) -> str:
    return f" ± {error:{form}}" if error else ""
