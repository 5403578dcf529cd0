"""Whether the runs of a claim have what it measures, before any of them trains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from lightning.pytorch.callbacks import Checkpoint

from modgrok.analysis import (
    BasisName,
    ClockOrPizza,
    GeneralMeasures,
    GroupMeasures,
    Measures,
    analyze_network,
)
from modgrok.analysis.clock_or_pizza import NOT_YET
from modgrok.data import ModularData
from modgrok.errors import InputError, brief, check_choice, did_you_mean
from modgrok.experiments.assembly.experiment import Experiment
from modgrok.experiments.claims.claim import Claim, PublishedFigure
from modgrok.experiments.claims.measurement import OF_THE_TABLE, PHASES, circuit_measures
from modgrok.experiments.config.config_forms import run_options
from modgrok.experiments.plans.plan import Cell, Plan, value_text
from modgrok.runs import History, Snapshot
from modgrok.runs.history import SYMMETRY_COLUMNS

KNOWN = (
    *(*OF_THE_TABLE, *PHASES, "key_frequencies", "key_irreps"),
    *(*Measures.names(), *GroupMeasures.names(), *GeneralMeasures.names(), *ClockOrPizza.names()),
)
"""What can be measured of some run; on a group, the measures of its irreps too."""


def check_measures(claim: Claim, path: Path) -> None:
    """Check each figure of a claim read from `path`: its basis, its cells, and that these have its measure.

    What a cell has is asked of its network as it is before it trains, by measuring it. Of cells that differ in nothing
    that the data and the network are made of but seeds, one is asked.

    Raises:
        InputError: naming the figure, and what its runs have instead.
    """
    plan = claim.plan
    if plan is not None and plan.command != "fit":
        raise InputError(f"{path}: command: a claim tests runs of fit, got {brief(plan.command)}")
    for number, figure in enumerate(claim.figures):
        where = f"{path}: claim.figures[{number}]"
        check_choice(f"{where}.basis", figure.basis, BasisName)
        if figure.measure not in KNOWN and not GroupMeasures.names_irrep(figure.measure):
            raise InputError(f"{where}.measure: {brief(figure.measure)} is none of {', '.join(KNOWN)}")
        if plan is not None:
            for cell in _cells(plan, figure, where):
                _check_cell(plan, cell, figure, where)


def _cells(plan: Plan, figure: PublishedFigure, where: str) -> Iterator[Cell]:
    """The cells of a figure, one for each kind of data and network."""
    for name, values in (("where", figure.where), ("over", figure.over)):
        chosen = [
            cell
            for cell in plan.cells
            if all(value_text(cell.values[key]) == value_text(value) for key, value in (values or {}).items())
        ]
        if not chosen:
            raise InputError(f"{where}.{name}: no cell has {brief(values)}")
        if values is not None:
            yield from {_made_of(plan, cell): cell for cell in reversed(chosen)}.values()


def _made_of(plan: Plan, cell: Cell) -> str:
    """What the data and the network of a cell are made of, but for their seeds."""
    made = ("data.", "model.network", "model.loss", "trainer.enable_checkpointing")
    fields = cell.overrides.items()
    return repr([one for one in fields if one[0].startswith(made) and one[0] not in plan.seeds])


def _check_cell(plan: Plan, cell: Cell, figure: PublishedFigure, where: str) -> None:
    name = figure.measure
    if name in OF_THE_TABLE and name not in SYMMETRY_COLUMNS:
        return
    try:
        experiment = Experiment("fit", run_options(plan.config, cell.overrides), shown=False)
        if name in SYMMETRY_COLUMNS:
            reason = _no_pairs(experiment.datamodule, name)
        elif not any(isinstance(one, Checkpoint) for one in experiment.trainer.callbacks):  # type: ignore[attr-defined]
            reason = "no checkpoint is written, which it is measured on"
        else:
            reason = _not_in_circuit(experiment, name, cast(BasisName, figure.basis))
    except InputError as error:
        raise InputError(f"{where}: cell {cell.name}: {error}") from None
    if reason:
        raise InputError(f"{where}.measure: cell {cell.name} has no {name!r}: {reason}")


def _no_pairs(data: ModularData, score: str) -> str | None:
    new, known = SYMMETRY_COLUMNS
    among = {new: ~data.pairs.known, known: data.pairs.known}[score]
    said = {new: "new", known: "known by symmetry"}[score]
    return None if bool((among & ~data.trained_on).any()) else f"no held-out pair is {said}"


def _not_in_circuit(experiment: Experiment, name: str, basis: BasisName) -> str | None:
    """Why the runs have no such measure; None where they have."""
    untrained = Snapshot(experiment.model.network, experiment.datamodule, 0, History())
    analysis = analyze_network(untrained, experiment.datamodule.title, basis)
    found = circuit_measures(analysis)
    if name not in found:
        names = [one for one in found if one in KNOWN or GroupMeasures.names_irrep(one)]
        return f"it has {', '.join(names)}{did_you_mean(name, names)}"
    adding = analysis.tasks[0].last.clock_or_pizza
    reason = adding.why_undefined(name) if adding else None
    return None if reason in NOT_YET.values() else reason
