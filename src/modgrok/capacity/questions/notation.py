"""How names, subjects and values are written: as short codes, or as the sentences of the published system."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from modgrok.capacity.people.profiles import ABSENT, Profiles
from modgrok.capacity.people.streams import Stream, generator
from modgrok.capacity.people.words import SYLLABLES, syllables_per_word
from modgrok.capacity.questions.codes import Codes, digits_needed, even, ragged, spell, stacked
from modgrok.capacity.questions.dictionary import Dictionary
from modgrok.capacity.questions.templates import PUBLISHED_TEMPLATE, TEMPLATES, parts_of
from modgrok.errors import InputError, install_hint

BEGIN = 0
END_OF_TEXT = "<|endoftext|>"
COMPARED, WITH, COMPARISONS = "Question: How did", " compare with that of", (" less", " equal", " greater")
TRAINED_ON = 50_000  # sentences, which is enough for a vocabulary of syllables
LEAST_TOKENIZER = 300


class Comparing(NamedTuple):
    """Tables of what a comparison of two people is made of, besides names and subjects.

    Attributes:
        opening: One row that stands before the name of the first person.
        between: One row that stands between the attribute and the name of the other person.
        closing: One row that stands before the answer.
        answers: Three rows: the first person's value is less, equal, or greater.
    """

    opening: Codes
    between: Codes
    closing: Codes
    answers: Codes


@dataclass(frozen=True)
class Notation:
    """Tables of what a question is made of.

    Attributes:
        vocabulary_size: The number of tokens, v.
        opening: A row for each template, which stands first in a question.
        names: N rows, one a person.
        subjects: S rows that say after the name what is asked about, then one that stands for no second subject.
        subjects_of: The same, for templates that say it before the name.
        of: Whether each template does, (templates,).
        closing: A row for each template, which stands before the answer.
        bridges: N rows, the name of each person in an answer that continues after it.
        answers: The values of each attribute one after another, then N names.
        dictionaries: The dictionary of each attribute whose strings the network has to learn.
        text: Returns tokens as text.
        templates: The names of the templates of sentences; codes, which have none, have one row for them.
        comparing: The tables of comparisons; None where there are none.
    """

    vocabulary_size: int
    opening: Codes
    names: Codes
    subjects: Codes
    subjects_of: Codes
    of: Tensor
    closing: Codes
    bridges: Codes
    answers: Codes
    dictionaries: Mapping[str, Dictionary]
    text: Callable[[list[int]], str]
    templates: tuple[str, ...] = ()
    comparing: Comparing | None = None


def write_codes(
    profiles: Profiles, alphabet: int, seed: int, subjects: bool = True, comparisons: bool = False
) -> Notation:
    """Write everything in an alphabet: bioD of Allen-Zhu & Li (2024).

    The words of a name are their numbers in digits of the alphabet; a part for which there is one word only takes no
    token. The values of an attribute are random strings, distinct, and as short as the alphabet allows. Token 0 begins
    a row, then come the alphabet, the subjects, the token for no second subject, and the three answers of comparisons.

    Args:
        profiles: The people whose values are written.
        alphabet: The number of symbols.
        seed: Decides the strings.
        subjects: Whether questions are asked; biographies need no tokens for subjects.
        comparisons: Whether people are compared.

    Raises:
        InputError: if the alphabet has fewer than two symbols.
    """
    if not 2 <= alphabet <= 1_000_000:
        raise InputError(f"alphabet must be from 2 to 1,000,000 symbols, got {alphabet:,}")
    rng = generator(seed, Stream.CODES)
    space = profiles.space
    first = BEGIN + 1
    parts = [
        spell(numbers, alphabet, digits_needed(size, alphabet))
        for numbers, size in zip(profiles.names.T.astype(np.int64), space.name_words, strict=True)
    ]
    names = even(first + np.concatenate(parts, axis=1))
    values, dictionaries = [], {}
    occurring = occurring_values(profiles)
    for attribute in space.attributes:
        words = space.values(attribute)
        length = digits_needed(words, alphabet)
        strings = alphabet**length
        values.append(even(first + spell(rng.permutation(strings)[:words], alphabet, length)))
        if words < strings:
            dictionaries[attribute] = Dictionary(words, strings, occurring[attribute])
    asked = len(profiles.subjects) + 1 if subjects else 0
    begin, nothing = even(np.full((1, 1), BEGIN)), even(np.zeros((1, 0), np.int64))
    answers = first + alphabet + asked + np.arange(3 if comparisons else 0)[:, None]
    return Notation(
        vocabulary_size=first + alphabet + asked + len(answers),
        opening=begin,
        names=names,
        subjects=even(first + alphabet + np.arange(asked)[:, None]),
        subjects_of=nothing,
        of=torch.tensor([False]),
        closing=nothing,
        bridges=names,
        answers=stacked([*values, names]),
        dictionaries=dictionaries,
        text=as_numbers,
        comparing=Comparing(begin, nothing, nothing, even(answers)) if comparisons else None,
    )


def as_numbers(tokens: list[int]) -> str:
    """Return tokens that stand for nothing in a language: their numbers."""
    return " ".join(map(str, tokens))


def write_text(
    profiles: Profiles,
    tokenizer_size: int,
    templates: Sequence[str] = (PUBLISHED_TEMPLATE,),
    comparisons: bool = False,
    biographies: bool = False,
) -> Notation:
    """Write sentences, with a byte-level BPE tokenizer trained on them.

    The published ones are "Question: What was {name}'s {subject}? Answer: {value}", with token 0 before and behind.
    Every piece begins where the tokenizer splits words, so that pieces put together are the tokens of the sentence.
    Comparisons, which the published system has not, are "Question: How did {name}'s {subject} compare with that of
    {name}? Answer: less". In biographies a space stands before each sentence and a full stop behind it, in place of the
    second token 0.

    Args:
        profiles: The people whose values are written.
        tokenizer_size: The vocabulary of the tokenizer; the published one has 3,000.
        templates: The names of the templates that facts are told in.
        comparisons: Whether people are compared.
        biographies: Whether sentences follow one another.

    Raises:
        InputError: if the vocabulary has no room for all bytes, or `tokenizers` is not installed.
    """
    tokenizer = train_tokenizer(profiles, tokenizer_size, templates, comparisons, biographies)
    space_before, stop = (" ", ".") if biographies else ("", "")

    def encode(texts: list[str], begin: bool = False, end: bool = False) -> Codes:
        coded = tokenizer.encode_batch([f"{text}{stop}" for text in texts] if end else texts)
        closed = end and not biographies
        return ragged([[*[BEGIN] * begin, *text.ids, *[BEGIN] * closed] for text in coded])

    space = profiles.space
    names = [f" {name}" for name in profiles.full_names]
    values = [
        encode([f" {text}" for text in profiles.value_texts(name)], end=True) for name in space.attributes
    ]
    occurring, parts = occurring_values(profiles), [parts_of(name) for name in templates]
    subjects = [subject_text(name) for name in profiles.subjects]
    compared = Comparing(
        opening=encode([COMPARED], begin=True),
        between=encode([WITH]),
        closing=encode(["? Answer:"]),
        answers=encode([*COMPARISONS], end=True),
    )
    return Notation(
        vocabulary_size=tokenizer.get_vocab_size(),
        opening=encode([f"{space_before}{part.opening}" for part in parts], begin=True),
        names=encode(names),
        subjects=encode([*(f"'s {subject}" for subject in subjects), ""]),
        subjects_of=encode([*(f" the {subject} of" for subject in subjects), ""]),
        of=torch.tensor([part.of for part in parts]),
        closing=encode([part.closing for part in parts]),
        bridges=encode([f"{name}," for name in names]),
        answers=stacked([*values, encode(names, end=True)]),
        dictionaries={
            name: Dictionary(size, len(SYLLABLES) ** syllables_per_word(size), occurring[name])
            for name, size in space.attributes.items()
            if profiles.generated and name != "birth_date"
        },
        text=tokenizer.decode,
        templates=tuple(templates),
        comparing=compared if comparisons else None,
    )


def occurring_values(profiles: Profiles) -> dict[str, int]:
    """Return how many different values of each attribute occur, u."""
    columns = zip(profiles.space.attributes, profiles.attributes.T, strict=True)
    return {name: len(np.unique(values)) for name, values in columns}


def subject_text(subject: str) -> str:
    """Return a subject in words."""
    return subject.replace("_", " ")


def sentences(profiles: Profiles, templates: Sequence[str]) -> Iterator[str]:
    """Yield one sentence a person with its value, the subjects and then the templates taking turns."""
    texts = {name: profiles.value_texts(name) for name in profiles.space.attributes}
    names, absent = profiles.full_names, bool((profiles.relations == ABSENT).any())
    for person, name in enumerate(names[:TRAINED_ON]):
        having = np.flatnonzero(profiles.facts[person] != ABSENT) if absent else range(len(profiles.subjects))
        subject = int(having[person % len(having)])
        attributes = len(texts)
        if subject < attributes:
            key = profiles.subjects[subject]
            answer = texts[key][profiles.attributes[person, subject]]
        else:
            answer = names[profiles.relations[person, subject - attributes]]
        template = templates[person // len(having) % len(templates)]
        asked = subject_text(profiles.subjects[subject])
        yield TEMPLATES[template].format(name=name, subject=asked, value=answer)


def comparison_sentences(profiles: Profiles) -> Iterator[str]:
    """Yield one comparison a person with somebody, the attributes and the answers taking turns."""
    names, attributes = profiles.full_names, [*profiles.space.attributes]
    for person, name in enumerate(names[:TRAINED_ON] if attributes else ()):
        subject, other = subject_text(attributes[person % len(attributes)]), names[person - 1]
        yield f"{COMPARED} {name}'s {subject}{WITH} {other}? Answer:{COMPARISONS[person % 3]}"


def train_tokenizer(
    profiles: Profiles,
    tokenizer_size: int,
    templates: Sequence[str] = (PUBLISHED_TEMPLATE,),
    comparisons: bool = False,
    biographies: bool = False,
) -> Any:
    """Return a byte-level BPE tokenizer of the sentences; `<|endoftext|>` is token 0. Arguments as in `write_text`.

    Raises:
        InputError: as in `write_text`.
    """
    try:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    except ImportError:
        raise InputError(
            f"notation: text needs the tokenizers library ({install_hint('capacity')}), or take notation: tokens"
        ) from None
    if tokenizer_size < LEAST_TOKENIZER:
        raise InputError(
            f"tokenizer_size must be ≥ {LEAST_TOKENIZER} (256 bytes, 2 special tokens and some merges), "
            f"got {tokenizer_size}"
        )
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=tokenizer_size,
        special_tokens=[END_OF_TEXT, "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    told: Iterable[str] = sentences(profiles, templates)
    if biographies:
        told = (f" {sentence}." for sentence in told)
    compared = comparison_sentences(profiles) if comparisons else ()
    tokenizer.train_from_iterator(chain(told, compared), trainer)
    return tokenizer
