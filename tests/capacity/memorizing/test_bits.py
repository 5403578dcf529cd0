from collections import Counter, defaultdict
from math import log2

import numpy as np
import pytest
import torch
from torch import nn

from modgrok.capacity.estimators.corrected_estimators import corrected_capacity, count_trained
from modgrok.capacity.estimators.plateau import fit_slope, t_quantile
from modgrok.capacity.memorizing.bits import memorized_bits, reachable_bits
from modgrok.capacity.memorizing.capacity_run import score_rows
from modgrok.capacity.networks.llama import Llama
from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule

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

    def forward(self, tokens):
        logits = torch.full((*tokens.shape, self.vocabulary_size), -60.0)
        for i, row in enumerate(tokens.tolist()):
            for t in range(len(row)):
                for token, count in self.after[tuple(row[: t + 1])].items():
                    logits[i, t, token] = np.log(count)
        return logits


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
    other = ProfilesDataModule(**data.config)
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
    relations, split = data.people.relations, data.split.numpy()
    trained = count_trained(relations, split, list(data.people.subjects))
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
    trained = count_trained(data.people.relations, data.split.numpy(), list(data.people.subjects))
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


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.706), (2, 4.303), (9, 2.262), (100, 1.984)])
def test_t_quantile(freedom, quantile):
    assert t_quantile(freedom) == pytest.approx(quantile, abs=2e-3)


def test_who_answers_with_names_knows_them():
    data = ProfilesDataModule(**SMALL | {"score_names": False}, relations=2, notation="tokens")
    oracle = Oracle(shown(data), data.vocabulary_size)
    assert bits_of(oracle, data).names == pytest.approx(60 * log2(16**3 / 60), rel=1e-4)
    without = ProfilesDataModule(**SMALL | {"score_names": False}, relations=0, notation="tokens")
    reachable = reachable_bits(without.people, without.notation.dictionaries, score_names=False)
    assert reachable.names == bits_of(Oracle(shown(without), without.vocabulary_size), without).names == 0
