"""Measuring what runs have memorized, and the main numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any

from modgrok.capacity.estimators.corrected_estimators import all_estimates, corrected_capacity, count_trained
from modgrok.capacity.estimators.other_papers import LN2, capacity_ratio, highest_ratio
from modgrok.capacity.estimators.other_papers import memorized_bits as morris_bits
from modgrok.capacity.estimators.plateau import Slope, fit_slope
from modgrok.capacity.estimators.published_estimators import Encoding, capacity_by_subject, observe
from modgrok.capacity.estimators.schemes import SCHEMES, SchemeFit, fit_scheme
from modgrok.capacity.measuring.memorized import Measurement
from modgrok.capacity.memorizing.bits import memorized_bits, reachable_bits
from modgrok.capacity.memorizing.capacity_run import CapacityRun
from modgrok.capacity.memorizing.part_scores import Scores
from modgrok.capacity.people.source_entropy import source_entropy
from modgrok.capacity.questions.questions import Questions


def measure_run(run: CapacityRun) -> Measurement:
    """Score every fact of a run's data, and count the bits."""
    data, people, dictionaries = run.data, run.data.people, run.data.notation.dictionaries
    scores = {name: run.score(name) for name in data.scored_sets}
    one_hop = scores["one_hop"]
    bits = memorized_bits(people, dictionaries, one_hop)
    reachable = reachable_bits(people, dictionaries, data.config["score_names"])
    entropy = source_entropy(people).total + sum(d.entropy for d in dictionaries.values())
    half = [h["bits/total"] for h in run.history if h["update"] <= run.update / 2]
    published, corrected = _estimates(run, scores)
    stored, guess = _needed(run) if data.hops == 2 else ({}, None)
    return Measurement(
        run=run.name,
        n=len(people),
        relations=len(people.relation_names),
        notation=data.config["notation"],
        parameters=run.parameters,
        parameters_without_embeddings=run.parameters_without_embeddings,
        updates=run.update,
        exposures=data.exposures(run.update),
        bits=bits.plain(),
        reachable=reachable.plain(),
        entropy=entropy,
        gain=1 - half[-1] / bits.total if half and bits.total else None,
        losses={name: score.loss for name, score in scores.items()},
        accuracies={name: score.accuracy for name, score in scores.items()},
        published=published,
        corrected=corrected,
        stored=stored,
        guess=guess,
        allen_zhu=_allen_zhu(run, one_hop),
        history=run.history,
        morris=_morris(run, one_hop),
        seconds=run.seconds,
    )


def _estimates(run: CapacityRun, scores: dict[str, Scores]) -> tuple[dict[str, float], dict[str, float]]:
    data, people = run.data, run.data.people
    asked = scores["two_hop" if data.hops == 2 else "one_hop"]
    losses = {
        name: loss for name, loss in zip(people.subjects, asked.losses, strict=True) if loss is not None
    }
    trained = None
    if data.hops == 2:
        assert isinstance(data.questions, Questions)
        seconds = [people.subjects[i] for i in data.questions.second_subjects.tolist()]
        trained = count_trained(people.relations, data.split.numpy(), seconds)
    corrected = all_estimates(
        lambda encoding, selection: sum(
            corrected_capacity(
                people, losses, encoding, selection, scores["one_hop"].name_loss, trained
            ).values()
        ),
        data.hops,
    )
    if len(losses) < len(
        people.subjects
    ):  # the published estimators know no subjects that are not asked about
        return {}, corrected
    observed = observe(people)
    published = all_estimates(
        lambda encoding, selection: sum(
            capacity_by_subject(observed, losses, data.hops, encoding, selection).values()
        ),
        data.hops,
    )
    return published, corrected


def _needed(run: CapacityRun) -> tuple[dict[Encoding, float], float]:
    """Return the bits that each encoding stores when all is known, and the two-hop loss of a guess."""
    data, people = run.data, run.data.people
    assert isinstance(data.questions, Questions)
    seconds = [people.subjects[i] for i in data.questions.second_subjects.tolist()]
    trained = count_trained(people.relations, data.split.numpy(), seconds)
    zero = dict.fromkeys(seconds, 0.0)
    facts = reachable_bits(people, {})

    def known(encoding: Encoding) -> float:
        return sum(corrected_capacity(people, zero, encoding, "optimal", trained=trained).values())

    entropy = {
        name: log2(len(people)) if name in people.relation_names else people.space.entropy(name)
        for name in seconds
    }
    questions = sum(trained.questions.values())
    guess = sum(entropy[name] * count for name, count in trained.questions.items()) / questions
    return {
        "optimal": facts.total,
        "2-hop-double": known("2-hop-double"),
        "2-hop-big-hash": known("2-hop-big-hash") + facts.total,
    }, guess


def compare_schemes(measurements: Sequence[Measurement]) -> list[SchemeFit]:
    """Return how well each encoding predicts the two-hop losses of runs, the best first; none of fewer than three."""
    runs = [m for m in measurements if m.guess is not None]
    if len(runs) < 3:
        return []
    fits = [
        fit_scheme(
            encoding,
            [m.stored[encoding] for m in runs],
            [m.parameters for m in runs],
            [m.guess or 0.0 for m in runs],
            [m.losses["two_hop"] for m in runs],
        )
        for encoding in SCHEMES
    ]
    return sorted(fits, key=lambda fit: fit.misfit)


def _allen_zhu(run: CapacityRun, one_hop: Scores) -> tuple[float, float] | None:
    data, people = run.data, run.data.people
    if one_hop.name_loss is None or data.hops == 2:
        return None
    entropy = source_entropy(people)
    shape: dict[str, Any] = {
        "n": len(people),
        "names": log2(people.space.names),
        "value_bits": (entropy.total - entropy.names) / len(people),
        "parameters": run.parameters,
    }
    losses = [loss for loss in one_hop.losses if loss is not None]
    ratio = capacity_ratio(**shape, name_loss=one_hop.name_loss * LN2, value_loss=sum(losses) * LN2)
    return ratio, highest_ratio(**shape)


def _morris(run: CapacityRun, biographies: Scores) -> float | None:
    data, people = run.data, run.data.people
    if data.config["notation"] != "biographies" or biographies.name_loss is None:
        return None
    entropy = source_entropy(people)
    person = log2(people.space.names) + (entropy.total - entropy.names) / len(people)
    return float(morris_bits(biographies.row_bits.numpy(), person).sum())


def capacity_of(measurements: Sequence[Measurement]) -> dict[int, float]:
    """Return the most bits that networks of each number of parameters have memorized, by parameters."""
    capacity: dict[int, float] = {}
    for m in measurements:
        capacity[m.parameters] = max(capacity.get(m.parameters, 0.0), m.bits["total"])
    return dict(sorted(capacity.items()))


def slope_of(measurements: Sequence[Measurement]) -> Slope:
    """Return bits per parameter at the plateau, over the networks measured."""
    return fit_slope(capacity_of(measurements))


def table_rows(measurements: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """Return the main numbers of runs, a row of titles first."""
    lines: list[tuple[str, ...]] = [
        ("run", "people", "parameters", "updates", "exposures", "bits", "of", "bits/parameter", "")
    ]
    lines += [
        (
            m.run,
            f"{m.n:,}",
            f"{m.parameters:,}",
            f"{m.updates:,}",
            f"{m.exposures:,.0f}",
            f"{m.bits['total']:,.0f}",
            f"{m.reachable['total']:,.0f}",
            f"{m.bits_per_parameter:.2f}",
            "not converged" if m.converged is False else "",
        )
        for m in sorted(measurements, key=lambda m: (m.parameters, m.n))
    ]
    return lines


def table(measurements: Sequence[Measurement]) -> str:
    """Return the main numbers of runs as text, one run a line."""
    lines = table_rows(measurements)
    run_width, *widths = (max(map(len, column)) for column in zip(*lines, strict=True))
    return "\n".join(
        "  ".join([run.ljust(run_width), *map(str.rjust, cells, widths)]).rstrip() for run, *cells in lines
    )


def sets_table(measurement: Measurement) -> str:
    """Return the loss and accuracy of every scored set of a run as text, one set a line, and when it rose."""
    width = max(map(len, measurement.losses))
    lines = []
    for name, loss in measurement.losses.items():
        at = measurement.half_right_at(name)
        rise = "not half of them yet" if at is None else f"half of them by update {at:,}"
        lines.append(
            f"{name:<{width}}  {loss:8.3f} bits per answer, {measurement.accuracies[name]:.1%} right, {rise}"
        )
    return "\n".join(lines)
