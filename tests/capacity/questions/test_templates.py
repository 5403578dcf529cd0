import re
from collections import Counter
from itertools import product
from math import log2

import numpy as np
import pytest
import torch

from modgrok.capacity.memorizing.bits import memorized_bits
from modgrok.capacity.memorizing.capacity_run import score_rows
from modgrok.capacity.people.profiles import generate_profiles
from modgrok.capacity.people.space import Space
from modgrok.capacity.questions.codes import SUBJECT, UNSCORED
from modgrok.capacity.questions.notation import subject_text, train_tokenizer, write_text
from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule
from modgrok.capacity.questions.questions import Questions
from modgrok.capacity.questions.templates import TEMPLATES
from modgrok.errors import InputError

PROFILES = generate_profiles(20, 2, space=Space((10, 20, 30), {"birth_date": 90, "color": 3}), seed=5)
SUBJECTS = [subject_text(name) for name in PROFILES.subjects]
NAMES = list(TEMPLATES)
TOLD = {
    "n": 24,
    "relations": 0,
    "name_words": [8, 8, 8],
    "attributes": {"color": 4, "town": 8},
    "tokenizer_size": 400,
    "templates": NAMES,
    "held_out_templates": ["statement", "record_of"],
    "batch_size": 16,
}


def value(person, subject):
    if subject < 2:
        name = PROFILES.subjects[subject]
        return PROFILES.value_texts(name)[PROFILES.attributes[person, subject]]
    return PROFILES.full_names[PROFILES.relations[person, subject - 2]]


def whole(tokenizer, sentence, width):
    tokens = [0, *tokenizer.encode(sentence).ids, 0]
    return tokens + [0] * (width - len(tokens))


def test_facts_are_told_in_every_template():
    tokenizer = train_tokenizer(PROFILES, 400, NAMES)
    questions = Questions(PROFILES, write_text(PROFILES, 400, NAMES))
    numbers = questions.sets["one_hop"]
    assert len(numbers) == 20 * 4 * 6
    rows = questions.one_hop(torch.from_numpy(numbers).long())
    assert rows.tokens.shape[1] == questions.context_length
    told = product(range(20), range(4), NAMES)
    for (person, subject, template), tokens, parts in zip(told, rows.tokens, rows.parts, strict=True):
        answer = value(person, subject)
        sentence = TEMPLATES[template].format(
            name=PROFILES.full_names[person], subject=SUBJECTS[subject], value=answer
        )
        assert tokens.tolist() == whole(tokenizer, sentence, len(tokens))
        assert tokenizer.decode(tokens[parts == SUBJECT + subject].numpy()) == f" {answer}"
        assert set(parts.tolist()) == {UNSCORED, SUBJECT + subject}  # the wording is no fact


@pytest.mark.parametrize(("template", "asked"), [("record", "{1}'s {2}"), ("record_of", "the {2} of {1}")])
def test_two_hops_are_asked_in_a_template_that_is_trained_on(template, asked):
    templates = ["question", template]
    given = {
        "templates": templates,
        "held_out_templates": ["question"],
        "relations": 2,
        "hops": 2,
        "held_out": {},
    }
    data = ProfilesDataModule(**TOLD | given)
    tokenizer = train_tokenizer(data.people, 400, templates)
    numbers = torch.from_numpy(data.numbers("two_hop")).long()
    for number, tokens in zip(numbers.tolist(), data.questions.two_hop(numbers).tokens, strict=True):
        person, relation, subject = np.unravel_index(number, (24, 2, 4))
        first = subject_text(data.people.relation_names[relation])
        second = subject_text(data.people.subjects[subject])
        inner = asked.format(None, data.people.full_names[person], first)
        question = f"Records say of {asked.format(None, inner, second)}: It was"
        said = tokenizer.decode(tokens.numpy())
        assert said.startswith(f"{question} ")
        assert tokens.tolist() == whole(tokenizer, said, len(tokens))


@pytest.mark.parametrize("per_fact", [1, 3, None])
def test_every_fact_in_every_template_is_in_one_set(per_fact):
    data = ProfilesDataModule(**TOLD, templates_per_fact=per_fact)
    kept = per_fact or 4
    counted = Counter()
    trained, told = Counter(), set()
    for name in data.scored_sets:
        person, subject, template = data.questions.facts_of(torch.from_numpy(data.numbers(name)))
        counted[name] = len(person)
        for p, s, t in zip(person.tolist(), subject.tolist(), template.tolist(), strict=True):
            assert (p, s, t) not in told
            told.add((p, s, t))
            trained[p, s] += name == "one_hop"
            if name.startswith("template_"):
                assert NAMES[t] == name.removeprefix("template_")
            else:
                assert NAMES[t] not in TOLD["held_out_templates"]
    assert told == set(product(range(24), range(2), range(6)))
    assert set(trained.values()) == {kept}
    expected = {"one_hop": 48 * kept, "template_statement": 48, "template_record_of": 48}
    assert counted == expected | ({"other_templates": 48 * (4 - kept)} if kept < 4 else {})
    epoch = torch.cat([data.batches(update)[0].tokens for update in range(3 * kept)])
    rows = torch.cat([rows.tokens for rows in data.chunks("one_hop")])
    assert sorted(epoch.tolist()) == sorted(rows.tolist())
    assert data.exposures(3 * kept) == kept  # once in each of its templates
    again = ProfilesDataModule(**TOLD, templates_per_fact=per_fact, seed=0)
    other = ProfilesDataModule(**TOLD, templates_per_fact=per_fact, seed=1)
    assert np.array_equal(again.numbers("one_hop"), data.numbers("one_hop"))
    assert np.array_equal(other.numbers("one_hop"), data.numbers("one_hop")) == (per_fact is None)


class Values(torch.nn.Module):
    """Knows the sentences of a data set, and of each fact the value (sure), or the values that it might be."""

    def __init__(self, data, name, sure):
        super().__init__()
        self.vocabulary_size, self.after = data.vocabulary_size, {}
        facts = data.questions.facts.clone()
        for guess in range(1 if sure else 8):
            if not sure:
                data.questions.facts[:] = torch.tensor([guess % 4, guess])
            for row in torch.cat([rows.tokens for rows in data.chunks(name)]).tolist():
                for t in range(1, len(row)):
                    self.after.setdefault(tuple(row[:t]), Counter())[row[t]] += 1
        data.questions.facts[:] = facts

    def forward(self, tokens, positions=None):
        logits = torch.full((*tokens.shape, self.vocabulary_size), -60.0)
        for i, row in enumerate(tokens.tolist()):
            for t in range(len(row)):
                for token, count in self.after.get(tuple(row[: t + 1]), {}).items():
                    logits[i, t, token] = np.log(count)
        if positions is None:
            return logits
        return logits.gather(1, positions[:, :, None].expand(-1, -1, self.vocabulary_size))


def test_bits_are_of_facts_however_often_they_are_told():
    data = ProfilesDataModule(**TOLD)
    knows = score_rows(Values(data, "one_hop", sure=True), data, "one_hop")
    bits = memorized_bits(data.people, data.notation.dictionaries, knows)
    assert bits.attributes == pytest.approx({"color": 24 * 2, "town": 24 * 3}, rel=1e-4)
    guesses = score_rows(Values(data, "one_hop", sure=False), data, "one_hop")
    assert guesses.losses == pytest.approx([log2(4), log2(8)], rel=1e-4)
    bits = memorized_bits(data.people, data.notation.dictionaries, guesses)
    assert bits.attributes == pytest.approx({"color": 0, "town": 0}, abs=1e-3)
    one = ProfilesDataModule(**TOLD | {"templates": ["question"], "held_out_templates": []})
    knows = score_rows(Values(one, "one_hop", sure=True), one, "one_hop")
    assert memorized_bits(one.people, one.notation.dictionaries, knows).attributes == pytest.approx(
        {"color": 24 * 2, "town": 24 * 3}, rel=1e-4
    )


def test_the_words_of_a_template_occur_in_others():
    words = {name: set(re.findall(r"\w+", text)) for name, text in TEMPLATES.items()}
    for name in words:
        assert words[name] <= set().union(*(words[other] for other in words if other != name))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"templates": ["question", "limerick"], "held_out_templates": []},
            "templates must be among .* got 'limerick'",
        ),
        ({"templates": ["question", "statment"]}, "statement"),
        ({"templates": [], "held_out_templates": []}, r"templates must name at least one of .* got \[\]"),
        ({"templates": ["question", "question"], "held_out_templates": []}, "must name each template once"),
        ({"templates": ["question"], "held_out_templates": ["record"]}, "among question; got 'record'"),
        ({"templates": ["record"], "held_out_templates": ["record"]}, "must leave a template to train on"),
        ({"templates_per_fact": 0}, "templates_per_fact must be from 1 to 4, .* got 0"),
        ({"templates_per_fact": 5}, "templates_per_fact must be from 1 to 4"),
        ({"notation": "tokens"}, "without notation: text"),
    ],
)
def test_bad_templates_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        ProfilesDataModule(**TOLD | given)
