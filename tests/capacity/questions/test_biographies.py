from itertools import product

import pytest
import torch

from modgrok.capacity.memorizing.bits import memorized_bits, reachable_bits
from modgrok.capacity.memorizing.capacity_run import score_rows
from modgrok.capacity.questions.codes import NAME, SUBJECT, UNSCORED
from modgrok.capacity.questions.notation import subject_text, train_tokenizer
from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule
from modgrok.capacity.questions.templates import TEMPLATES

NAMES = list(TEMPLATES)
TOLD = {
    "n": 24,
    "relations": 2,
    "name_words": [8, 8, 8],
    "attributes": {"birth_date": 90, "town": 8},
    "notation": "text_biographies",
    "tokenizer_size": 400,
    "templates": NAMES,
    "held_out_templates": ["statement", "record_of"],
    "batch_size": 16,
}


def sentences(people, person, template):
    names = people.full_names
    values = {name: people.value_texts(name) for name in people.space.attributes}
    for column, subject in enumerate(people.subjects):
        fact = people.facts[person, column]
        value = values[subject][fact] if subject in values else names[fact]
        said = TEMPLATES[template].format(name=names[person], subject=subject_text(subject), value=value)
        yield f" {said}.", f" {value}."


@pytest.mark.parametrize("score_names", [False, True])
def test_a_biography_is_every_fact_in_a_sentence_of_one_template(score_names):
    data = ProfilesDataModule(**TOLD, score_names=score_names)
    tokenizer = train_tokenizer(data.people, 400, NAMES, biographies=True)
    for name in data.scored_sets:
        numbers = torch.from_numpy(data.numbers(name)).long()
        rows = data.questions.one_hop(numbers)
        assert rows.tokens.shape[1] == data.context_length
        assert int((rows.parts != UNSCORED).sum(1).max()) <= data.questions.scored_tokens
        asked = zip(*data.questions.facts_of(numbers), rows.tokens, rows.parts, strict=True)
        for person, subject, template, tokens, parts in asked:
            told = list(sentences(data.people, person, NAMES[template]))
            facts = range(4) if name == "one_hop" else [int(subject)]
            expected = [0, *tokenizer.encode("".join(told[fact][0] for fact in facts)).ids]
            assert tokens.tolist() == expected + [0] * (len(tokens) - len(expected))
            for fact in facts:
                answer = tokens[parts == SUBJECT + fact]
                assert tokenizer.decode(answer.tolist()) == told[fact][1]
            first = tokenizer.decode(tokens[parts == NAME].tolist())
            scored = score_names and name == "one_hop"
            assert first == (f" {data.people.full_names[person]}" if scored else "")


@pytest.mark.parametrize("per_person", [1, 3, None])
def test_every_fact_is_alone_once_in_every_template(per_person):
    data = ProfilesDataModule(**TOLD, templates_per_fact=per_person)
    asked = {name: data.questions.facts_of(torch.from_numpy(data.numbers(name))) for name in data.scored_sets}
    rows = {name: list(zip(*(part.tolist() for part in parts), strict=True)) for name, parts in asked.items()}
    biographies = rows.pop("one_hop")
    assert {subject for _, subject, _ in biographies} == {4}
    told = {(person, template) for person, _, template in biographies}
    assert len(told) == len(biographies) == 24 * (per_person or 4)
    assert sorted(fact for facts in rows.values() for fact in facts) == list(
        product(range(24), range(4), range(6))
    )
    for name, facts in rows.items():
        for person, _, template in facts:
            assert ((person, template) in told) == (name == "alone")
            assert (NAMES[template] in TOLD["held_out_templates"]) == name.startswith("template_")
    assert data.exposures(3) == 3 * 16 / 24


def test_the_bits_of_biographies_are_those_of_their_values():
    class Knowing(torch.nn.Module):
        """Gives the next token of every row all probability."""

        def forward(self, tokens, positions):
            following = next(chunks).tokens[:, 1:]
            logits = 100.0 * torch.nn.functional.one_hot(following, data.vocabulary_size)
            return logits.gather(1, positions[..., None].expand(-1, -1, data.vocabulary_size))

    data = ProfilesDataModule(**TOLD, score_names=True)
    chunks = iter(data.chunks("one_hop"))
    scores = score_rows(Knowing(), data, "one_hop")
    bits = memorized_bits(data.people, data.notation.dictionaries, scores)
    assert scores.accuracy == 1
    reachable = reachable_bits(data.people, data.notation.dictionaries)
    assert bits.names == pytest.approx(24 * 9)  # of 512; each name stands at its place
    assert bits.attributes == pytest.approx(reachable.attributes)
    assert bits.relations == pytest.approx(reachable.relations)
