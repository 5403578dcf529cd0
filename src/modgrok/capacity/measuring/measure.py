"""Measuring what a run has memorized."""

from __future__ import annotations

from dataclasses import asdict
from math import log2
from typing import Any

from modgrok.capacity.estimators.all_estimates import all_estimates, trained_facts
from modgrok.capacity.estimators.corrected_estimators import Trained
from modgrok.capacity.estimators.other_papers import capacity_ratio, highest_ratio, surprise_bits
from modgrok.capacity.estimators.schemes import TwoHopBits
from modgrok.capacity.measuring.memorized import Measurement, WhatIsLeft
from modgrok.capacity.memorizing.bits import memorized_bits, reachable_bits
from modgrok.capacity.memorizing.capacity_run import CapacityRun, score_rows
from modgrok.capacity.memorizing.earlier_people import set_name
from modgrok.capacity.memorizing.part_scores import Scores
from modgrok.capacity.people.source_entropy import LN2, Entropy, source_entropy
from modgrok.capacity.questions.profiles_data import ProfilesData


def measure_run(run: CapacityRun, exact: bool = False) -> Measurement:
    """Score the questions of a run and count the bits.

    Args:
        run: The run.
        exact: Whether every question is scored; if not, a random sample of large sets.
    """
    data, people, dictionaries = run.data, run.data.people, run.data.notation.dictionaries
    scores = {name: run.score(name, exact) for name in data.scored_sets}
    one_hop = scores["one_hop"]
    entropy = source_entropy(people)
    bits = memorized_bits(people, dictionaries, one_hop)
    half = [h["bits/total"] for h in run.history if h["update"] <= run.update / 2]
    losses = {name: _by_subject(data, scores.get(name)) for name in ("one_hop", "two_hop")}
    trained = trained_facts(data)
    estimates = all_estimates(data, trained, losses["one_hop"], losses["two_hop"], one_hop.name_loss)
    return Measurement(
        run=run.name,
        data=dict(data.config),
        n=len(people),
        relations=len(people.relation_names),
        notation=data.config["notation"],
        parameters=run.parameters,
        parameters_without_embeddings=run.parameters_without_embeddings,
        updates=run.update,
        exposures=data.exposures(run.update),
        bits=bits.plain(),
        bits_error=one_hop.error_of_all / data.questions.wordings,
        reachable=reachable_bits(people, dictionaries, data.config["score_names"]).plain(),
        entropy=entropy.total + sum(dictionary.entropy for dictionary in dictionaries.values()),
        gain=1 - half[-1] / bits.total if half and bits.total else None,
        losses={name: score.loss for name, score in scores.items()},
        errors={name: score.standard_error for name, score in scores.items()},
        accuracies={name: score.accuracy for name, score in scores.items()},
        threshold=run.threshold,
        published=estimates.published,
        corrected=estimates.corrected,
        two_hops=None if trained is None else asdict(two_hop_bits(data, trained)),
        phi=data.phi,
        allen_zhu=_allen_zhu(run, one_hop, entropy),
        history=run.history,
        surprise=_surprise(run, one_hop, entropy),
        seconds=run.seconds,
        earlier=[asdict(_what_is_left(run, number, exact)) for number in range(len(run.earlier))],
    )


def _what_is_left(run: CapacityRun, number: int, exact: bool) -> WhatIsLeft:
    people = run.earlier[number]
    data, scores = people.data, score_rows(run.network, people.data, "one_hop", exact)
    reachable = reachable_bits(data.people, data.notation.dictionaries, data.config["score_names"])
    return WhatIsLeft(
        name=set_name(number),
        run=people.run,
        n=len(data.people),
        bits=people.bits(scores).total,
        reachable=reachable.total,
        loss=scores.loss,
        accuracy=scores.accuracy,
        shared_names=people.shared_names(run.data),
    )


def _by_subject(data: ProfilesData, scores: Scores | None) -> dict[str, float]:
    """Return the mean loss of the answers about every subject that is asked about."""
    if scores is None:
        return {}
    pairs = zip(data.people.subjects, scores.losses, strict=True)
    return {name: loss for name, loss in pairs if loss is not None}


def two_hop_bits(data: ProfilesData, trained: Trained) -> TwoHopBits:
    """Return what there is to store of the one-hop facts and the trained two-hop questions of data."""
    people, pointer = data.people, log2(len(data.people))
    bits = {
        name: pointer if name in trained.targets else people.space.entropy(name) for name in trained.questions
    }
    answers = sum(bits[name] * count for name, count in trained.questions.items())
    questions = sum(trained.questions.values())
    twos = data.batch_size - data.one_hops_per_update
    return TwoHopBits(
        facts=reachable_bits(people, {}, score_names=False).total,
        copies=trained.both * pointer,
        answers=answers,
        guess=answers / questions,
        facts_first=data.one_hops_per_update * data.questions.wordings / len(data.one_hop_order)
        > twos / questions,
    )


def _allen_zhu(run: CapacityRun, one_hop: Scores, entropy: Entropy) -> tuple[float, float] | None:
    people = run.data.people
    if one_hop.name_loss is None or run.data.inferred:
        return None
    shape: dict[str, Any] = {
        "n": len(people),
        "names": log2(people.space.names),
        "value_bits": (entropy.total - entropy.names) / len(people),
        "parameters": run.parameters,
    }
    losses = [loss for loss in one_hop.losses if loss is not None]
    ratio = capacity_ratio(**shape, name_loss=one_hop.name_loss * LN2, value_loss=sum(losses) * LN2)
    return ratio, highest_ratio(**shape)


def _surprise(run: CapacityRun, biographies: Scores, entropy: Entropy) -> float | None:
    people = run.data.people
    if "biographies" not in run.data.config["notation"] or biographies.name_loss is None:
        return None
    person = log2(people.space.names) + (entropy.total - entropy.names) / len(people)
    return float(surprise_bits(biographies.row_bits.numpy(), person).sum()) / biographies.share
