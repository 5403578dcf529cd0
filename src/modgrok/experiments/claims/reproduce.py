"""Testing a published claim: run what it needs, measure, and give a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from modgrok.errors import InputError, brief, nearest
from modgrok.experiments.claims.claim import Claim, read_claim
from modgrok.experiments.claims.verdict import Reproduction, Result, judge
from modgrok.experiments.config.shipped import find_config, shipped_configs
from modgrok.experiments.places.place import Place
from modgrok.experiments.plans.cell_files import CellFiles
from modgrok.experiments.sweeps.interval import Interval
from modgrok.experiments.sweeps.run_sweep import Standing, is_of, sweep
from modgrok.runs.findings import FINDINGS
from modgrok.runs.whole_files import write_whole

CLAIMS = Path("configs", "claims")
"""Where claims of one's own are found by name."""
DEFAULT_ROOT = Path("lightning_logs", "claims")
VERDICT = "verdict.json"


def claim_files() -> dict[str, Path]:
    """Return the claim files by name: the shipped ones, and those in `configs/claims`, which come before them."""
    shipped = {
        Path(name).name: file for name, file in shipped_configs().items() if name.startswith("claims/")
    }
    return {**shipped, **{file.stem: file for file in sorted(CLAIMS.glob("*.yaml"))}}


def find_claim(name: str) -> tuple[Claim, Path]:
    """Read a claim by its name or its file, and check what it measures; return it and its file.

    Raises:
        InputError: if there is none; the message names the nearest. Or if its runs do not have what it measures.
    """
    if name.endswith((".yaml", ".yml")):
        path = find_config(name)
    elif name not in (files := claim_files()):
        raise InputError(f"no claim {brief(name)}; the nearest is {nearest(name, files)!r}")
    else:
        path = files[name]
    claim = read_claim(path)
    # needs PyTorch, which listing claims does not
    from modgrok.experiments.claims.measurable import check_measures

    check_measures(claim, path)
    return claim, path


def reproduce(
    claim: Claim,
    path: Path,
    directory: Path,
    place: Place | None = None,
    watch: Callable[[Standing], None] = lambda standing: None,
) -> Reproduction:
    """Test a claim, and write what came out beside its runs.

    The runs are an ordinary sweep in `directory`: the same call again resumes it, and skips what has finished.

    Args:
        claim: the claim.
        path: its file.
        directory: the directory of its runs.
        place: the place where the cells run.
        watch: called about once a second with where the sweep stands.

    Raises:
        InputError: if the claim, the place or the directory is wrong; nothing has started then.
        RunStoppedError: if the disk is full.
    """
    from modgrok.experiments.claims.claim_page import write_claim_page
    from modgrok.experiments.claims.measurement import measure, measure_weights

    if reason := _out_of_reach(claim):
        return Reproduction(claim, reason=reason)
    if claim.weights is not None:
        intervals = [measure_weights(figure, claim.weights) for figure in claim.figures]
        cells, seconds = 0, 0.0
    else:
        table = sweep(path, place=place, directory=directory, watch=watch)
        finished = table[table["status"] == "finished"]
        intervals = [measure(figure, table, directory) for figure in claim.figures]
        cells, seconds = len(finished), float(finished["seconds"].sum())
    results = tuple(
        Result(figure, ours, judge(figure, ours))
        for figure, ours in zip(claim.figures, intervals, strict=True)
    )
    reproduction = Reproduction(claim, results, cells, seconds)
    directory.mkdir(parents=True, exist_ok=True)
    write_whole(directory / VERDICT, json.dumps(_record(reproduction), indent=2, ensure_ascii=False) + "\n")
    write_claim_page(reproduction, directory)
    return reproduction


def last_verdict(claim: Claim, directory: Path) -> Reproduction | None:
    """Return what testing a claim gave, as far as its runs are still on disk, complete and of this claim.

    Raises:
        InputError: if its directory holds something else.
    """
    if reason := _out_of_reach(claim):
        return Reproduction(claim, reason=reason)
    if not (directory / VERDICT).is_file():
        return None
    if claim.plan is not None:
        files, names = CellFiles(directory), [cell.name for cell in claim.plan.cells]
        if not is_of(claim.plan, directory) or files.unsettled(names):
            return None
        if any(not (files.cell(name) / FINDINGS).is_file() for name in names):
            return None
    saved = json.loads((directory / VERDICT).read_text(encoding="utf-8"))
    numbers = [Interval(**one["ours"]) for one in saved["figures"]]
    if [one["figure"] for one in saved["figures"]] != [asdict(figure) for figure in claim.figures]:
        return None
    results = tuple(
        Result(figure, ours, judge(figure, ours)) for figure, ours in zip(claim.figures, numbers, strict=True)
    )
    return Reproduction(claim, results, saved["cells"], saved["seconds"])


def _out_of_reach(claim: Claim) -> str | None:
    if claim.weights is not None and not claim.weights.file.is_file():
        return f"{claim.weights.file} is not at hand"
    return claim.out_of_reach


def _record(reproduction: Reproduction) -> dict[str, object]:
    claim = reproduction.claim
    return {
        "claim": claim.name,
        "says": claim.says,
        "source": claim.source,
        "left_out": claim.left_out,
        "verdict": reproduction.verdict,
        "figures": [asdict(result) for result in reproduction.results],
        "cells": reproduction.cells,
        "seconds": reproduction.seconds,
    }
