from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from modgrok.capacity.people.profiles import generate_profiles
from modgrok.capacity.people.space import Space
from modgrok.capacity.questions.codes import NAME, SUBJECT, UNSCORED
from modgrok.capacity.questions.comparisons import Comparisons, split_comparisons
from modgrok.capacity.questions.notation import train_tokenizer, write_codes, write_text
from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule
from modgrok.capacity.questions.two_hops import HELD_OUT, NO_QUESTION, TRAINED
from modgrok.errors import InputError

PROFILES = generate_profiles(20, 1, space=Space((10, 20, 30), {"birth_date": 90, "color": 3}), seed=5)
COMPARED = {
    "n": 30,
    "relations": 2,
    "name_words": [64, 1, 1],
    "attributes": {"age": 8, "height": 5},
    "notation": "tokens",
    "comparisons": True,
    "out_of_distribution": 0.2,
}


def everything(questions):
    """The numbers of all comparisons of a person with another."""
    numbers = torch.arange(20 * 20 * 2)
    person, other, _ = questions.pairs(numbers)
    return numbers[person != other]


def compared(person, other, attribute):
    ours, theirs = PROFILES.attributes[[person, other], attribute]
    return "less" if ours < theirs else "equal" if ours == theirs else "greater"


def test_sentences_of_comparisons():
    tokenizer = train_tokenizer(PROFILES, 400, comparisons=True)
    questions = Comparisons(PROFILES, write_text(PROFILES, 400, comparisons=True))
    numbers = everything(questions)[::7]
    rows = questions.compare(numbers)
    assert rows.tokens.shape[1] == questions.context_length
    answers = set()
    for number, tokens, parts in zip(numbers.tolist(), rows.tokens, rows.parts, strict=True):
        (person, other), attribute = divmod(number // 2, 20), number % 2
        answer = compared(person, other, attribute)
        answers.add(answer)
        sentence = (
            f"Question: How did {PROFILES.full_names[person]}'s {('birth date', 'color')[attribute]} compare with "
            f"that of {PROFILES.full_names[other]}? Answer: {answer}"
        )
        whole = tokenizer.encode(sentence).ids
        assert tokens.tolist() == [0, *whole, *[0] * (len(tokens) - len(whole) - 1)]
        assert tokenizer.decode(tokens[parts == SUBJECT + attribute].numpy()) == f" {answer}"
        assert set(parts.tolist()) == {UNSCORED, SUBJECT + attribute}
    assert answers == {"less", "equal", "greater"}


def test_codes_of_comparisons():
    notation = write_codes(PROFILES, 16, seed=0, comparisons=True)
    questions = Comparisons(PROFILES, notation, score_names=True)
    numbers = everything(questions)
    rows = questions.compare(numbers)
    assert rows.tokens.shape[1] == questions.context_length
    names, width = notation.names.tokens, notation.names.width
    meaning = {}
    for number, tokens, parts in zip(numbers.tolist(), rows.tokens, rows.parts, strict=True):
        (person, other), attribute = divmod(number // 2, 20), number % 2
        assert torch.equal(tokens[1 : width + 1], names[person])
        assert torch.equal(tokens[width + 2 : 2 * width + 2], names[other])
        (answer,) = tokens[parts == SUBJECT + attribute].tolist()
        assert meaning.setdefault(answer, compared(person, other, attribute)) == compared(
            person, other, attribute
        )
        assert (parts == NAME).nonzero().flatten().tolist() == list(range(1, width + 1))
    assert len(meaning) == 3
    assert min(meaning) == notation.vocabulary_size - 3


@pytest.mark.parametrize("phi", [0.5, 4.2])
def test_the_sets_of_comparisons_are_counted_by_brute_force(phi):
    data = ProfilesDataModule(**COMPARED, phi=phi)
    out, people = data.facts_out, range(30)
    sets = {(0, 0): "in_in", (0, 1): "in_out", (1, 0): "out_in", (1, 1): "out_out"}
    split, counted, trained = data.split, Counter(), 0
    for a, b, attribute in product(people, people, range(2)):
        if a == b:
            assert split[a, b, attribute] == NO_QUESTION
            continue
        where = sets[int(out[a, attribute]), int(out[b, attribute])]
        if split[a, b, attribute] == TRAINED:
            assert where == "in_in"
            assert split[b, a, attribute] == TRAINED  # the one says the other
            trained += 1
        else:
            assert HELD_OUT[split[a, b, attribute] - 1] == where
            counted[where] += 1
    facts = int((~out[:, :2]).sum())
    assert trained == pytest.approx(phi * facts, abs=2)  # two a pair
    assert data.phi == trained / facts
    assert data.size("comparison") == trained
    assert {name: data.size(name) for name in data.scored_sets[2:]} == dict(counted)
    assert set(data.scored_sets[2:]) == set(sets.values())
    asked = torch.cat([data.batches(update)[0].tokens for update in range(40)])
    of_comparisons = {tuple(row) for row in asked.tolist() if row[4] != data.vocabulary_size - 4 and row[2]}
    allowed = {tuple(row) for rows in data.chunks("comparison") for row in rows.tokens.tolist()}
    facts = {tuple(row) for rows in data.chunks("one_hop") for row in rows.tokens.tolist()}
    assert of_comparisons <= allowed | facts
    assert of_comparisons & allowed


def test_all_comparisons_of_facts_in_distribution_are_trained_on_without_phi():
    out = np.random.default_rng(0).random((9, 3)) < 0.3
    split = split_comparisons(out, None, 0)
    assert (split == TRAINED).sum() == sum((n := int((~out[:, a]).sum())) * (n - 1) for a in range(3))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"phi": 99}, r"phi must be > 0 and ≤ 2\d\.\d+, 1,\d{3} comparisons for \d\d facts; got 99"),
        ({"phi": 0}, "phi must be > 0"),
        ({"attributes": {"age": 1}}, "attributes.age must be from 2"),
        ({"attributes": {}}, "comparisons are of attributes"),
        ({"n": 2, "seed": 0, "out_of_distribution": 0.5}, "leaves no comparison to train on"),
        ({"hops": 2}, "give hops: 1"),
        ({"notation": "biographies"}, "biographies .* ask nothing"),
        ({"hop_ratio": -1}, "hop_ratio must be"),
        ({"identity_bridge": True}, "without hops: 2"),
    ],
)
def test_comparisons_that_cannot_be_made_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        ProfilesDataModule(**COMPARED | given).setup()


def test_an_attribute_of_one_value_cannot_be_compared():
    attributes = np.stack([np.full(20, 7), np.arange(20) % 3], axis=1).astype(np.int32)
    profiles = replace(PROFILES, attributes=attributes)
    with pytest.raises(InputError, match=r"all 20 people have one value of attributes\.birth_date"):
        Comparisons(profiles, write_codes(profiles, 16, seed=0, comparisons=True))
