from collections import Counter, defaultdict
from dataclasses import fields, replace
from math import log2
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from modgrok.capacity.estimators.all_estimates import trained_facts
from modgrok.capacity.estimators.corrected_estimators import corrected_capacity, count_trained
from modgrok.capacity.estimators.plateau import fit_slope
from modgrok.capacity.estimators.published_estimators import Encoding
from modgrok.capacity.estimators.schemes import name_loss
from modgrok.capacity.measuring.capacity_figures import capacity_figure, comparison_figure
from modgrok.capacity.measuring.capacity_points import capacity_points, comparable, slope_of
from modgrok.capacity.measuring.composition import composition_figure, compositions, compositions_in_words
from modgrok.capacity.measuring.measure import two_hop_bits
from modgrok.capacity.measuring.measure_page import opening
from modgrok.capacity.measuring.memorized import Measurement
from modgrok.capacity.measuring.scheme_comparison import compare_encodings, compare_selections
from modgrok.capacity.memorizing.bits import memorized_bits, reachable_bits
from modgrok.capacity.memorizing.capacity_run import score_rows
from modgrok.capacity.networks.llama import Llama
from modgrok.capacity.networks.llama_shape import at_positions
from modgrok.capacity.people.profiles import ABSENT
from modgrok.capacity.questions.dictionary import names_shown
from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule
from modgrok.figures import Points

SMALL = {
    "n": 60,
    "alphabet": 16,
    "name_words": [16, 16, 16],
    "attributes": {"color": 16, "town": 40},
    "score_names": True,
}


class Oracle(nn.Module):
    """Gives every token the share of the rows it was shown in which it follows the tokens before it."""

    def __init__(self, tokens, vocabulary_size):
        super().__init__()
        self.vocabulary_size = vocabulary_size
        self.after = defaultdict(Counter)
        for row in tokens.tolist():
            for t in range(1, len(row)):
                self.after[tuple(row[:t])][row[t]] += 1

    def forward(self, tokens, positions=None):
        logits = torch.full((*tokens.shape, self.vocabulary_size), -60.0)
        for i, row in enumerate(tokens.tolist()):
            for t in range(len(row)):
                for token, count in self.after[tuple(row[: t + 1])].items():
                    logits[i, t, token] = np.log(count)
        return at_positions(logits, positions)


def shown(data, name="one_hop"):
    return torch.cat([rows.tokens for rows in data.chunks(name)])


@pytest.fixture(scope="module", params=["biographies", "tokens"])
def data(request):
    return ProfilesDataModule(**SMALL, relations=2, notation=request.param)


def bits_of(network, data):
    return memorized_bits(data.people, data.notation.dictionaries, score_rows(network, data, "one_hop"))


def test_a_network_that_knows_everything_has_all_the_bits(data):
    bits = bits_of(Oracle(shown(data), data.vocabulary_size), data)
    reachable = reachable_bits(data.people, data.notation.dictionaries)
    assert bits.total == pytest.approx(reachable.total, rel=1e-4)
    assert bits.parts == pytest.approx(reachable.parts, rel=1e-4)
    assert bits.names == pytest.approx(60 * log2(16**3 / 60), rel=1e-4)


def test_an_untrained_network_has_none(data):
    torch.manual_seed(0)
    network = Llama(data.vocabulary_size, data.context_length)
    reachable = reachable_bits(data.people, data.notation.dictionaries)
    assert 0 <= bits_of(network, data).total < 0.01 * reachable.total


def test_permuted_values_are_not_known(data):
    oracle = Oracle(shown(data), data.vocabulary_size)
    other = ProfilesDataModule(**data.hparams)
    facts = other.questions.facts
    facts[:] = facts[torch.randperm(60, generator=torch.Generator().manual_seed(1))]
    bits = bits_of(oracle, other)
    assert max(*bits.attributes.values(), *bits.relations.values()) <= 0
    assert bits.parts["attributes"] == bits.parts["relations"] == 0


def test_bipartite_relations_are_worth_their_entropy():
    data = ProfilesDataModule(**SMALL, relations=4, bipartite=True, notation="biographies")
    bits = bits_of(Oracle(shown(data), data.vocabulary_size), data)
    assert bits.relations == pytest.approx(
        reachable_bits(data.people, data.notation.dictionaries).relations, abs=0.1
    )
    assert sum(bits.relations.values()) < 3 * 60 * log2(60)


def test_facts_of_trained_questions_are_counted():
    data = ProfilesDataModule(
        **SMALL, relations=3, notation="tokens", hops=2, held_out={"complete_two_hop": 0.3}
    )
    relations, split = data.people.relations, data.split
    trained = count_trained(data.people, split, list(data.people.subjects))
    questions, first, second = Counter(), set(), defaultdict(set)
    for person, relation, subject in zip(*np.nonzero(split == 0), strict=True):
        name = data.people.subjects[subject]
        questions[name] += 1
        first.add((person, relation))
        second[name].add(relations[person, relation])
    assert trained.questions == dict(questions)
    assert trained.first_hops == len(first)
    assert trained.second_hops == {name: len(people) for name, people in second.items()}


def test_the_corrected_form_counts_trained_questions_only():
    shares = {"complete_two_hop": 0.5}
    data = ProfilesDataModule(**SMALL, relations=2, notation="tokens", hops=2, held_out=shares)
    trained = count_trained(data.people, data.split, list(data.people.subjects))
    zero = dict.fromkeys(data.people.subjects, 0.0)
    stored = corrected_capacity(data.people, zero, "2-hop-big-hash", "optimal", trained=trained)
    assert stored["values"] == pytest.approx(60 * (log2(16) + log2(40) + 2 * log2(60)), rel=0.1)
    guessing = {"color": 4.0, "town": log2(40), "parent": 12.0, "child": 12.0}
    assert corrected_capacity(data.people, guessing, "2-hop-big-hash", "enumerate", trained=trained) == {
        "names": 0.0,
        "values": 0.0,
    }


def test_one_hop_corrected_is_what_is_memorized():
    data = ProfilesDataModule(**SMALL, relations=2, notation="biographies")
    scores = score_rows(Oracle(shown(data), data.vocabulary_size), data, "one_hop")
    losses = dict(zip(data.people.subjects, scores.losses, strict=True))
    stored = corrected_capacity(data.people, losses, "optimal", "optimal", scores.name_loss)
    bits = memorized_bits(data.people, {}, scores)
    assert sum(stored.values()) == pytest.approx(bits.total, rel=1e-6)


def test_the_slope_of_capacity():
    slope = fit_slope({100: 200.0, 200: 420.0, 300: 590.0})
    assert slope.bits_per_parameter == pytest.approx((100 * 200 + 200 * 420 + 300 * 590) / 140_000)
    low, high = slope.interval
    assert low < slope.bits_per_parameter < high
    assert fit_slope({100: 250.0}).interval is None


def test_who_answers_with_names_knows_those_that_are_answers():
    data = ProfilesDataModule(**SMALL | {"score_names": False}, relations=2, notation="tokens")
    oracle = Oracle(shown(data), data.vocabulary_size)
    answers = len(np.unique(data.people.relations))
    assert 45 < answers < 60
    assert bits_of(oracle, data).names == pytest.approx(answers * log2(16**3 / 60), rel=1e-4)
    reachable = reachable_bits(data.people, data.notation.dictionaries, score_names=False)
    assert reachable.names == pytest.approx(answers * log2(16**3 / 60))
    without = ProfilesDataModule(**SMALL | {"score_names": False}, relations=0, notation="tokens")
    reachable = reachable_bits(without.people, without.notation.dictionaries, score_names=False)
    assert reachable.names == bits_of(Oracle(shown(without), without.vocabulary_size), without).names == 0


def test_more_relations_show_more_names_at_the_loss_of_the_worst():
    targets = {"parent": np.arange(30), "child": np.arange(20, 60)}
    each = log2(16**3 / 60)
    assert names_shown(60, 16**3, {"parent": 0.0}, targets) == pytest.approx(30 * each)
    assert names_shown(60, 16**3, {"parent": 0.0, "child": 0.0}, targets) == pytest.approx(60 * each)
    assert names_shown(60, 16**3, {"parent": 0.0, "child": each}, targets) == pytest.approx(30 * each)
    assert names_shown(60, 16**3, {"parent": 2.0, "child": 1.0}, targets) == pytest.approx(60 * (each - 2))


@pytest.fixture(scope="module")
def composed():
    """Two-hop data whose second subjects are attributes and relations."""
    return ProfilesDataModule(
        **SMALL | {"score_names": False},
        relations=2,
        notation="tokens",
        hops=2,
        held_out={"complete_two_hop": 0.2},
    )


def corrected(data, losses, encoding):
    return corrected_capacity(data.people, losses, encoding, "optimal", trained=trained_facts(data))


@pytest.mark.parametrize("encoding", get_args(Encoding))
def test_a_guesser_of_two_hops_is_credited_nothing(composed, encoding):
    guess = {"color": 4.0, "town": log2(40), "parent": log2(60), "child": log2(60)}
    assert corrected(composed, guess, encoding)["values"] == pytest.approx(0, abs=1e-6)
    shares = np.linspace(0, 1, 6)
    bits = [sum(corrected(composed, {n: s * b for n, b in guess.items()}, encoding).values()) for s in shares]
    assert bits == sorted(bits, reverse=True)
    assert bits[0] > 0


def test_twice_costs_more_than_once_by_the_facts_of_both_hops(composed):
    trained = trained_facts(composed)
    zero = dict.fromkeys(trained.questions, 0.0)
    once, twice = (sum(corrected(composed, zero, name).values()) for name in ("optimal", "2-hop-double"))
    assert trained.both > 0
    assert twice - once == pytest.approx(trained.both * log2(60))
    stored = two_hop_bits(composed, trained).stored
    assert stored["optimal"] < stored["2-hop-double"] < stored["2-hop-big-hash"]


def test_a_sample_of_the_rows_has_a_standard_error():
    every = ProfilesDataModule(**SMALL, relations=2, notation="tokens")
    sampled = ProfilesDataModule(**SMALL, relations=2, notation="tokens", sample=100)
    torch.manual_seed(0)
    network = Llama(every.vocabulary_size, every.context_length, initializer_range=None)
    exact, estimate = (score_rows(network, data, "one_hop") for data in (every, sampled))
    assert exact.standard_error == exact.error_of_all == 0
    assert len(estimate.row_bits) == 100
    assert abs(estimate.loss - exact.loss) < 5 * estimate.standard_error
    again = score_rows(network, sampled, "one_hop", exact=True)
    assert again.loss == exact.loss
    variance = float(exact.row_bits.var(correction=0))
    assert estimate.standard_error == pytest.approx((variance / 100 * (1 - 100 / 240)) ** 0.5, rel=0.3)


def test_logits_are_computed_where_something_is_scored(data):
    seen = []

    class Watched(Llama):
        def forward(self, tokens, positions=None):
            seen.append(tokens.shape[1] if positions is None else positions.shape[1])
            return super().forward(tokens, positions)

    score_rows(Watched(data.vocabulary_size, data.context_length), data, "one_hop")
    assert max(seen) == data.questions.scored_tokens


def run_of(parameters, n, bits, reachable, **others):
    """A measurement of a run whose other numbers do not matter."""
    parts = {"total": bits, "names": 0.0, "attributes": {"color": 4.0}, "relations": {}}
    plain = {
        **dict.fromkeys((one.name for one in fields(Measurement)), None),
        "run": f"{parameters} {n} {others}",
        "parameters": parameters,
        "n": n,
        "bits": parts,
        "reachable": {"total": reachable},
        "data": {"relations": 0},
        "earlier": [],
        "relations": 0,
        "updates": 100,
        "losses": {},
    }
    return Measurement(**plain | others)


def all_marks_differ(panel):
    """Return whether points that differ in color differ in their marks too."""
    marks = [trace.symbol for trace in panel.traces if isinstance(trace, Points)]
    return len(marks) == len({*marks}) > 1


def test_networks_that_know_everything_are_lower_bounds():
    runs = [
        run_of(1000, 100, 2000.0, 9000.0),
        run_of(2000, 100, 4100.0, 9000.0),
        run_of(9000, 100, 8900.0, 9000.0),
    ]
    (group,) = comparable(runs)
    points = capacity_points(group.runs)
    assert [point.full for point in points] == [True, True, False]
    assert slope_of(points).bits_per_parameter == pytest.approx((1000 * 2000 + 2000 * 4100) / 5_000_000)
    assert slope_of(points[2:]) is None
    assert "capacity grows by" in opening(runs)
    (panel,) = capacity_figure([group]).panels
    assert {"all of 100 people", "all known: at least"} <= {trace.name for trace in panel.traces}
    assert all_marks_differ(panel)


def test_where_no_network_was_full_no_capacity_is_claimed():
    runs = [run_of(1000 * k, 100, 990.0, 1000.0) for k in (1, 2, 3)]
    words = opening(runs)
    assert "none was full" in words
    assert "grows" not in words


def test_unlike_data_are_not_drawn_as_one_and_a_run_counts_once():
    one = run_of(1000, 100, 2000.0, 9000.0)
    other = run_of(1000, 200, 2500.0, 9000.0, data={"relations": 2})
    assert len(comparable([one, other])) == 2
    assert [len(group.runs) for group in comparable([one, one])] == [1]


def test_seeds_show_their_spread():
    runs = [run_of(1000, 100, bits, 9000.0, seconds=bits) for bits in (1900.0, 2100.0)]
    (point,) = capacity_points(runs)
    assert (point.low, point.bits, point.high) == (1900.0, 2000.0, 2100.0)


def test_names_alone_are_something_to_know():
    data = ProfilesDataModule(**SMALL | {"attributes": {}}, relations=0, notation="biographies")
    scores = score_rows(Oracle(shown(data), data.vocabulary_size), data, "one_hop")
    assert scores.loss == scores.name_loss == pytest.approx(log2(60), rel=1e-4)
    bits = memorized_bits(data.people, data.notation.dictionaries, scores)
    assert bits.total == pytest.approx(60 * log2(16**3 / 60), rel=1e-4)


def test_facts_that_nobody_has_are_neither_asked_nor_counted():
    few = SMALL | {"score_names": False}
    data = ProfilesDataModule(
        **few, relations=6, out_degree=2, notation="tokens", hops=2, held_out={}, phi=0.5
    )
    facts, people = data.people.facts, data.people
    assert data.questions.n_one_hop == 60 * 4 == (facts != ABSENT).sum() == data.facts_in
    person, relation, subject = (
        part.numpy() for part in data.questions.hops(torch.from_numpy(data.numbers("two_hop")))
    )
    bridge = people.relations[person, relation]
    assert (bridge != ABSENT).all()
    assert (facts[bridge, subject] != ABSENT).all()
    assert len(person) == round(0.5 * data.facts_in)
    bits = bits_of(Oracle(shown(data), data.vocabulary_size), data)
    assert bits.relations == pytest.approx(
        {r: people.holders[r] * log2(60) for r in people.relation_names}, rel=1e-3
    )
    asked = {tuple(row[:6]) for row in data.batches(0)[0].tokens.tolist()}
    assert asked <= {tuple(row[:6]) for name in ("one_hop", "two_hop") for row in shown(data, name).tolist()}


def test_bridges_are_asked_for_as_often_as_facts_and_are_worth_no_bits():
    given = dict(**SMALL, relations=2, notation="tokens", hops=2, hop_ratio=1)
    data = ProfilesDataModule(**given, batch_size=32, identity_bridge=True)
    bridges = len(set(data.people.relations.flatten().tolist()))
    pool = 60 * 4 + bridges
    asked = torch.cat([data.batches(update)[0].tokens[:16] for update in range(-(-pool // 16))])
    counted = Counter(map(tuple, asked[:pool].tolist()))
    assert counted == Counter(map(tuple, torch.cat([shown(data), shown(data, "identity")]).tolist()))
    assert data.exposures(100) == pytest.approx(1600 / pool)
    assert data.scored_sets[-1] == "identity"
    oracle = Oracle(torch.cat([shown(data), shown(data, "identity")]), data.vocabulary_size)
    assert score_rows(oracle, data, "identity").loss == pytest.approx(0, abs=1e-3)
    without = ProfilesDataModule(**given, batch_size=32)
    assert bits_of(oracle, data).total == pytest.approx(bits_of(oracle, without).total)
    assert data.digests == without.digests


@pytest.mark.parametrize(
    ("selection", "words"), [("optimal", "a set of names"), ("enumerate", "a list of names")]
)
def test_the_selection_that_made_losses_of_names_is_found(selection, words):
    values = {f"value_{i}": 64 for i in range(8)}
    runs = [run_of(1000, 100, 5000.0, 9000.0, data={"attributes": values, "name_words": [64, 64]})]
    for n in (200, 400, 800, 1600):
        bits = n * (12 - name_loss(selection, n, 64 * 64, 5000.0))
        parts = {"total": bits, "names": bits, "attributes": {}, "relations": {}}
        data = {"attributes": {}, "name_words": [64, 64]}
        runs.append(replace(run_of(1000, n, bits, n * log2(64 * 64 / n), data=data), bits=parts))
    assert f"Which selection of names: {words}." in compare_selections(runs).words
    assert [group.title for group in comparable(runs)] == [
        "after 100 updates, attributes value_0 (64) to value_7 (64), 8 in all",
        "after 100 updates, attributes none",
    ]


def composing(parameters, phi, right, at=None):
    """A measurement of a two-hop run at some φ."""
    history = [{"update": 100, "in_in/accuracy": 0.0}, {"update": at or 200, "in_in/accuracy": right}]
    stored = {"facts": 1000.0, "copies": 500.0, "answers": 2000.0 * phi, "guess": 5.0, "facts_first": True}
    return run_of(
        parameters,
        30,
        1000.0,
        1000.0,
        phi=phi,
        two_hops=stored,
        history=history,
        updates=200,
        losses={"one_hop": 0.1, "two_hop": 0.1, "in_in": 1.0},
        accuracies={"one_hop": 1.0, "two_hop": 1.0, "in_in": right},
        threshold=0.9,
        data={"hops": 2, "phi": phi},
    )


def test_composition_is_told_by_phi_and_by_the_load_of_the_memory():
    one_hop = run_of(1000, 100, 5000.0, 9000.0, data={"hops": 1})
    too_many = run_of(1000, 900, 2000.0, 9000.0, data={"hops": 1})  # each is seen too rarely
    runs = [
        one_hop,
        too_many,
        composing(1000, 2.0, 0.1),
        composing(1000, 8.0, 0.95),
        composing(2000, 8.0, 0.2),
    ]
    found = compositions(runs)
    assert [(one.phi, one.composed_at) for one in found] == [(2.0, None), (8.0, 200), (8.0, None)]
    assert [one.load for one in found] == [pytest.approx(1.0), pytest.approx(3.4), None]
    assert "0 of 1 at φ = 2, 1 of 2 at φ = 8" in compositions_in_words(found)
    by_phi, by_load = composition_figure(found).panels
    assert [list(trace.x) for trace in by_phi.traces] == [[2.0, 8.0], [8.0]]
    assert all_marks_differ(by_phi)
    assert [list(trace.x) for trace in by_load.traces] == [pytest.approx([1.0, 3.4])]
    (panel,) = comparison_figure(compare_encodings(runs)).panels
    assert list(panel.traces[-1].x) == [2.0, 8.0]
    assert panel.x.title.startswith("φ")
    assert "at φ = 8.0, two-hop questions that were trained on" in opening(runs)
