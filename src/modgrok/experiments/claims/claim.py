"""A published claim as a file: where it was published, the runs that test it, and the figures they should give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modgrok.errors import InputError, brief, did_you_mean
from modgrok.experiments.plans.plan import Plan
from modgrok.experiments.plans.sweep_file import make_plan, read_sweep

CLAIM_KEYS = ("says", "source", "figures", "left_out", "weights", "out_of_reach")
FIGURE_KEYS = ("name", "measure", "published", "tolerance", "where", "over", "basis", "fails_beyond")
WEIGHTS_KEYS = ("file", "formula", "modulus")


@dataclass(frozen=True)
class PublishedFigure:
    """One published number.

    Attributes:
        name: its name, in words.
        measure: the measure that is taken of the runs; see `measurement.measure`.
        published: the number.
        tolerance: the largest distance of ours from it that still counts as the same.
        where: the varied values of the cells that it is measured on; all cells unless given.
        over: the figure is the measure of these cells divided by that of the cells in `where`: a speed-up.
        basis: the basis that the circuit is looked at in, for measures of the circuit.
        fails_beyond: the number from which on ours would show the opposite of the claim, such as 1 for a speed-up.
    """

    name: str
    measure: str
    published: float
    tolerance: float
    where: Mapping[str, Any] = field(default_factory=dict)
    over: Mapping[str, Any] | None = None
    basis: str = "auto"
    fails_beyond: float | None = None


@dataclass(frozen=True)
class Weights:
    """Other people's weights that a claim is about.

    Attributes:
        file: relative to the claim's file.
        formula: the formula that they were trained on.
        modulus: the modulus of the formula.
    """

    file: Path
    formula: str
    modulus: int


@dataclass(frozen=True)
class Claim:
    """A published claim.

    Attributes:
        name: its file's name without the suffix.
        says: the claim in a sentence.
        source: the paper or the page that published it.
        figures: the published numbers.
        left_out: the parts of the published setting that ours leaves out.
        plan: the runs that test it; None where it is about other people's weights.
        weights: those weights.
        out_of_reach: why it cannot be tested here, if it cannot.
    """

    name: str
    says: str
    source: str
    figures: tuple[PublishedFigure, ...]
    left_out: str
    plan: Plan | None = None
    weights: Weights | None = None
    out_of_reach: str | None = None


def read_claim(path: Path) -> Claim:
    """Read a claim file: a sweep file with one more section, `claim`.

    Raises:
        InputError: if it is none; the message names the field.
    """
    spec = read_sweep(path)
    claim = _section(
        path, "claim", spec.pop("claim", None), CLAIM_KEYS, ("says", "source", "figures", "left_out")
    )
    figures = claim["figures"]
    if not isinstance(figures, list) or not figures:
        raise InputError(f"{path}: claim.figures must be a list of published figures")
    weights = claim.get("weights")
    if weights is not None:
        weights = _section(path, "claim.weights", weights, WEIGHTS_KEYS, WEIGHTS_KEYS)
        weights = Weights(path.parent / weights["file"], weights["formula"], weights["modulus"])
        if spec:
            raise InputError(f"{path}: {next(iter(spec))}: a claim about other people's weights runs nothing")
    read = Claim(
        path.stem,
        _sentence(claim["says"]),
        _sentence(claim["source"]),
        tuple(_figure(path, number, figure) for number, figure in enumerate(figures)),
        _sentence(claim["left_out"]),
        None if weights else make_plan(spec, path),
        weights,
        claim.get("out_of_reach"),
    )
    for number, figure in enumerate(read.figures):
        for values in (figure.where, figure.over or {}):
            for name in values:
                if read.plan is None or name not in read.plan.varied:
                    raise InputError(
                        f"{path}: claim.figures[{number}]: {name} does not vary{_varied(read.plan)}"
                    )
    return read


def _sentence(text: object) -> str:
    return " ".join(str(text).split())


def _varied(plan: Plan | None) -> str:
    return "" if plan is None else f"; {', '.join(plan.varied)} do"


def _figure(path: Path, number: int, content: Any) -> PublishedFigure:
    where = f"claim.figures[{number}]"
    figure = _section(path, where, content, FIGURE_KEYS, FIGURE_KEYS[:4])
    for key in ("published", "tolerance", "fails_beyond"):
        value = figure.get(key, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"{path}: {where}.{key} must be a number, got {brief(value)}")
    return PublishedFigure(**figure)


def _section(
    path: Path, where: str, content: Any, keys: tuple[str, ...], needed: tuple[str, ...]
) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise InputError(f"{path}: {where} is missing; it has {', '.join(keys)}")
    for key in content:
        if key not in keys:
            raise InputError(f"{path}: unknown key {where}.{key}{did_you_mean(str(key), keys)}")
    if missing := [key for key in needed if content.get(key) is None]:
        raise InputError(f"{path}: {where}.{missing[0]} is missing")
    return content
