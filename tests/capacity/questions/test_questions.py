from math import comb, log2

import numpy as np
import pytest
import torch

from modgrok.capacity.people.profiles import generate_profiles
from modgrok.capacity.people.space import Space
from modgrok.capacity.questions.biographies import Biographies
from modgrok.capacity.questions.codes import NAME, SUBJECT, UNSCORED
from modgrok.capacity.questions.dictionary import Dictionary
from modgrok.capacity.questions.notation import (
    digits_needed,
    spell,
    subject_text,
    train_tokenizer,
    write_codes,
    write_text,
)
from modgrok.capacity.questions.questions import Questions
from modgrok.errors import InputError

SPACE = Space((10, 20, 30), {"birth_date": 73_048, "color": 16, "town": 40})
PROFILES = generate_profiles(60, 3, space=SPACE, seed=5)
SUBJECTS = PROFILES.subjects
EVERYTHING = range(len(SUBJECTS))


@pytest.fixture(scope="module")
def text():
    """The tokenizer, and the notation that it makes."""
    return train_tokenizer(PROFILES, 400), write_text(PROFILES, 400)


def value(person, subject):
    if subject < 3:
        return PROFILES.value_texts(SUBJECTS[subject])[PROFILES.attributes[person, subject]]
    return PROFILES.full_names[PROFILES.relations[person, subject - 3]]


def decoded(tokenizer, rows):
    return [tokenizer.decode(tokens) for tokens in rows.tokens.numpy()]


def test_one_hop_sentences(text):
    tokenizer, notation = text
    questions = Questions(PROFILES, notation, score_names=True)
    assert questions.n_one_hop == 60 * 6
    rows = questions.one_hop(torch.arange(questions.n_one_hop))
    for number in range(0, 360, 7):
        tokens = rows.tokens[number]
        person, subject = divmod(number, 6)
        sentence = (
            f"Question: What was {PROFILES.full_names[person]}'s {subject_text(SUBJECTS[subject])}? "
            f"Answer: {value(person, subject)}"
        )
        whole = tokenizer.encode(sentence).ids
        assert tokens.tolist() == [0, *whole, *[0] * (len(tokens) - len(whole) - 1)]
        assert (
            tokenizer.decode(tokens[rows.parts[number] == NAME].numpy()) == f" {PROFILES.full_names[person]}"
        )
        answer = tokens[rows.parts[number] == SUBJECT + subject]
        assert answer[-1] == 0  # its end is learned
        assert tokenizer.decode(answer.numpy()) == f" {value(person, subject)}"


@pytest.mark.parametrize("chain_of_thought", [False, True])
def test_two_hop_sentences(text, chain_of_thought):
    tokenizer, notation = text
    questions = Questions(PROFILES, notation, EVERYTHING, chain_of_thought)
    numbers = torch.arange(0, questions.n_two_hop, 11)
    rows = questions.two_hop(numbers)
    for number, sentence in zip(numbers.tolist(), decoded(tokenizer, rows), strict=True):
        person, relation, subject = np.unravel_index(number, (60, 3, 6))
        bridge = PROFILES.relations[person, relation]
        step = f"{PROFILES.full_names[bridge]}, " if chain_of_thought else ""
        assert sentence == (
            f"Question: What was {PROFILES.full_names[person]}'s {subject_text(SUBJECTS[3 + relation])}'s "
            f"{subject_text(SUBJECTS[subject])}? Answer: {step}{value(bridge, subject)}"
        )
    if not chain_of_thought:
        assert set(rows.parts[0].tolist()) == {UNSCORED, SUBJECT}


def test_an_identity_bridge_is_asked_for_by_name_and_answered_with_it(text):
    tokenizer, notation = text
    questions = Questions(PROFILES, notation, EVERYTHING, score_names=True, identity_bridge=True)
    bridges = sorted({person for row in PROFILES.relations.tolist() for person in row})
    assert 0 < len(bridges) < 60
    numbers = torch.from_numpy(questions.sets["identity"]).long()
    rows = questions.one_hop(numbers)
    names = [PROFILES.full_names[person] for person in bridges]
    assert decoded(tokenizer, rows) == [f"Question: What was {name}? Answer: {name}" for name in names]
    for tokens, parts, name in zip(rows.tokens, rows.parts, names, strict=True):
        assert set(parts.tolist()) == {UNSCORED, SUBJECT + 6}
        assert tokenizer.decode(tokens[parts == SUBJECT + 6].numpy()) == f" {name}"
    asked = questions.one_hop(torch.from_numpy(questions.sets["one_hop"]).long())
    plain = Questions(PROFILES, notation, EVERYTHING, score_names=True)
    for ours, theirs in zip(asked, plain.one_hop(torch.arange(plain.n_one_hop)), strict=True):
        assert torch.equal(ours, theirs)


def test_codes_are_told_apart():
    notation = write_codes(PROFILES, 16, seed=0)
    assert notation.vocabulary_size == 1 + 16 + 6 + 1
    questions = Questions(PROFILES, notation, [0, 1], score_names=True)
    rows = questions.one_hop(torch.arange(questions.n_one_hop))
    # bos, a name of 1 + 2 + 2 digits, subject, none, and up to 5 digits of a date or a name
    assert rows.tokens.shape == (360, 13) == (360, questions.context_length)
    assert len(rows.tokens[:, 1:6].unique(dim=0)) == 60
    answers = {}
    for number in range(360):
        person, subject = divmod(number, 6)
        answer = tuple(rows.tokens[number][rows.parts[number] == SUBJECT + subject].tolist())
        assert answers.setdefault((subject if subject < 3 else 3, value(person, subject)), answer) == answer
        assert max(answer) <= 16
    assert len(set(answers.values())) >= len({a for s, a in answers if s == 3})
    two = questions.two_hop(torch.arange(questions.n_two_hop))
    assert two.tokens.shape[1] == 13
    person, relation, subject = questions.hops(torch.tensor([2 * 6 + 1 * 2 + 1]))
    assert (person, relation, subject) == (2, 1, 1)


def test_a_biography_says_everything():
    notation = write_codes(PROFILES, 16, seed=0, subjects=False)
    biographies = Biographies(PROFILES, notation)
    rows = biographies.one_hop(torch.arange(60))
    assert biographies.context_length == rows.tokens.shape[1]
    questions = Questions(PROFILES, write_codes(PROFILES, 16, seed=0))
    asked = questions.one_hop(torch.arange(360))
    for number in range(360):
        person, subject = divmod(number, 6)
        expected = asked.tokens[number][asked.parts[number] == SUBJECT + subject]
        assert torch.equal(rows.tokens[person][rows.parts[person] == SUBJECT + subject], expected)
    assert (rows.parts == NAME).sum() == 60 * 5


@pytest.mark.parametrize("count", [2, 64, 65, 4096, 4097])
def test_digits(count):
    length = digits_needed(count, 64)
    digits = spell(np.arange(count), 64, length)
    assert len(np.unique(digits, axis=0)) == count
    assert 64 ** (length - 1) < count


def test_a_dictionary_is_known_to_whoever_knows_the_values():
    occurring = len(np.unique(PROFILES.attributes[:, 2]))
    words = Dictionary(words=40, strings=256, occurring=occurring)
    assert write_codes(PROFILES, 16, seed=0).dictionaries["town"] == words
    assert words.known(20.0) == 0
    assert (
        0 < words.entropy - words.known(0.0) < 40 * 1.4427
    )  # as names: a set costs less than its words in turn


def test_only_words_that_occur_are_in_a_dictionary():
    all_of_them = Dictionary(words=4, strings=16, occurring=4)
    assert all_of_them.entropy == pytest.approx(log2(comb(16, 4)))
    assert Dictionary(words=4, strings=16, occurring=1).entropy == pytest.approx(log2(16 / 4))
    few = generate_profiles(20, 0, seed=0)  # of 73,048 days, 20 at most occur
    dictionaries = write_codes(few, 64, seed=0).dictionaries
    for attribute, dictionary in dictionaries.items():
        assert dictionary.occurring <= 20
        limit = 20 * log2(dictionary.strings / dictionary.words)
        assert dictionary.known(0.0) <= limit, attribute
    assert sum(one.entropy for one in dictionaries.values()) < 1_600  # not the 200,000 of all the words


def test_a_name_part_of_one_word_takes_no_token():
    people = generate_profiles(20, 2, space=Space((32, 1, 1), {}))
    notation = write_codes(people, 32, seed=0)
    assert notation.names.width == 1
    assert len(notation.names.tokens.unique(dim=0)) == 20


@pytest.mark.parametrize("alphabet", [0, 1])
def test_an_alphabet_of_one_symbol_says_nothing(alphabet):
    with pytest.raises(InputError, match="alphabet"):
        write_codes(PROFILES, alphabet, 0)


def test_a_vocabulary_without_room_for_bytes_is_refused():
    with pytest.raises(InputError, match=r"tokenizer_size must be ≥ 300 .* got 200"):
        write_text(PROFILES, 200)
