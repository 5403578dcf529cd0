"""Profiles, the questions about them, and the choice of those that are trained on; without Lightning."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modgrok.capacity.people.parquet import read_profiles
from modgrok.capacity.people.profiles import ABSENT, Profiles, generate_profiles
from modgrok.capacity.people.space import ATTRIBUTES, NAME_WORDS, Space
from modgrok.capacity.people.streams import Stream, generator
from modgrok.capacity.questions.biographies import Biographies, TextBiographies
from modgrok.capacity.questions.chunks import Chunks
from modgrok.capacity.questions.codes import Rows
from modgrok.capacity.questions.comparisons import Comparisons, split_comparisons
from modgrok.capacity.questions.data_options import without_effect
from modgrok.capacity.questions.notation import Notation, write_codes, write_text
from modgrok.capacity.questions.questions import TRAINED_SETS, Questions
from modgrok.capacity.questions.shuffled import Shuffled
from modgrok.capacity.questions.templates import (
    PUBLISHED_TEMPLATE,
    TEMPLATES,
    TemplateChoice,
    check_templates,
)
from modgrok.capacity.questions.two_hops import (
    HELD_OUT,
    SHARES,
    TRAINED,
    draw_facts_out,
    hold_out_facts,
    keep_trained,
    numbers_of,
    set_number,
    split_two_hops,
)
from modgrok.errors import InputError, brief, check_choice, did_you_mean

NotationName = Literal["text", "tokens", "biographies", "text_biographies"]


class ProfilesData:
    """People, the questions about them, and the choice of questions that are trained on.

    Args:
        n: The number of people, N.
        relations: The number of relations of a profile, R; the first 17 are the published ones.
        bipartite: Whether parent, child, best friend and worst enemy are matchings.
        out_degree: The number of relations that each person has, a random choice of the R; all of them if None.
        name_words: The numbers of first, middle and last names.
        attributes: The number of values by attribute; `birth_date` counts days from 1900-01-01.
        profiles: A Parquet file in the published schema, or a folder of them, instead of generated profiles.
        notation: `text` for the published sentences, `tokens` for questions in short codes, `biographies` for rows
            that tell everything about a person in short codes, `text_biographies` for such rows in sentences.
        alphabet: The number of symbols of the short codes.
        tokenizer_size: The vocabulary of the tokenizer that is trained for sentences.
        templates: The names of the sentences that every fact is told in: `question`, the published one,
            `question_of`, `statement`, `statement_of`, `record` and `record_of`. Two-hop questions are asked in the
            first of them that is not held out.
        held_out_templates: Those of them that are never trained on; the facts in each are scored as a set of their own.
        templates_per_fact: The number of templates that each fact, or biography, is trained on in, a random choice of
            those that are not held out; all of them if None. The facts in the others are a set of their own.
        hops: 1, or 2 to ask two-hop questions too.
        hop_ratio: The number of one-hop questions for every two-hop question, or for every comparison.
        chain_of_thought: Whether the answer of a two-hop question first names the person that the first hop leads to.
        second_subjects: The subjects that are asked about after a first hop; all of them if None.
        held_out: Shares of the published held-out two-hop sets, by name; the published shares if None.
        phi: Trained two-hop questions, or comparisons, for every fact in distribution; all that are not held out if
            None.
        out_of_distribution: The share of the facts that are never part of a trained two-hop question or comparison.
        identity_bridge: Whether every person that a relation leads to is asked for by name too, as often as a fact is,
            and answered with that name: the zero-hop rows of Lin et al. 2025 (arXiv 2509.24653), beside two hops.
        comparisons: Whether it is asked, too, which of two people has the lesser value of an attribute: the comparisons
            of Wang et al. 2024 (arXiv 2405.15071), section 4; the order of values is that of their numbers.
        score_names: Whether the loss includes the names.
        sample: The most rows of a set that are scored during training; a random sample of larger sets. None scores
            every row.
        batch_size: Questions, or biographies, of an update.
        seed: Decides the profiles, the codes, the held-out sets, the samples and the order of questions.

    Raises:
        InputError: if a field is out of range, or the profiles cannot be read.

    Example:
        >>> from modgrok.capacity.questions.profiles_data import ProfilesData
        >>> data = ProfilesData(n=20, relations=2, notation="tokens", hops=2, held_out={}, phi=1)
        >>> data.size("one_hop"), data.size("two_hop"), data.size("in_in")
        (120, 120, 120)
    """

    def __init__(
        self,
        n: int = 1000,
        relations: int = 4,
        bipartite: bool = False,
        out_degree: int | None = None,
        name_words: list[int] = list(NAME_WORDS),  # noqa: B006
        attributes: dict[str, int] = dict(ATTRIBUTES),  # noqa: B006
        profiles: str | None = None,
        notation: NotationName = "text",
        alphabet: int = 64,
        tokenizer_size: int = 3000,
        templates: list[str] = [PUBLISHED_TEMPLATE],  # noqa: B006
        held_out_templates: list[str] = [],  # noqa: B006
        templates_per_fact: int | None = None,
        hops: Literal[1, 2] = 1,
        hop_ratio: float = 0.1,
        chain_of_thought: bool = False,
        second_subjects: list[str] | None = None,
        held_out: dict[str, float] | None = None,
        phi: float | None = None,
        out_of_distribution: float = 0.0,
        identity_bridge: bool = False,
        comparisons: bool = False,
        score_names: bool = False,
        sample: int | None = 20_000,
        batch_size: int = 512,
        seed: int = 0,
    ) -> None:
        chosen = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
        super().__init__()
        self.config: dict[str, Any] = chosen
        """The arguments that make these data again, as plain data."""
        if profiles:  # as it is found from anywhere
            self.config["profiles"] = str(Path(profiles).absolute())
        check_choice("notation", notation, NotationName)
        check_choice("hops", hops, Literal[1, 2])
        for name, size in (("batch_size", batch_size), ("sample", sample)):
            if size is not None and size < 1:
                raise InputError(f"{name} must be ≥ 1, got {size}")
        check_templates(templates, held_out_templates, templates_per_fact)
        for name, need in without_effect(self.config, DEFAULTS).items():
            raise InputError(f"{name} has no effect without {need}; got {brief(self.config[name])}")
        if comparisons and hops == 2:
            raise InputError("comparisons are asked beside one-hop questions: give hops: 1, got 2")
        if hop_ratio < 0:
            raise InputError(f"hop_ratio must be ≥ 0, got {hop_ratio}")
        self.batch_size, self.seed, self.hops = batch_size, seed, hops
        self.inferred = "two_hop" if hops == 2 else "comparison" if comparisons else None
        """The set of questions of two facts that are trained on, if there are any."""
        self.people: Profiles = self._make_people()
        if not self.people.subjects and not (notation == "biographies" and score_names):
            raise InputError("attributes and relations are empty: give one, or score_names with biographies")
        self.notation: Notation = (
            write_text(self.people, tokenizer_size, templates, comparisons, notation == "text_biographies")
            if "text" in notation
            else write_codes(self.people, alphabet, seed, notation == "tokens", comparisons)
        )
        self.questions: Questions | Biographies | TextBiographies = self._make_questions()
        inferred = round(batch_size / (1 + hop_ratio)) if self.inferred else 0
        self.one_hops_per_update = batch_size - inferred
        self.mixed_from: int | None = 0
        """The first update that asks for two facts too; None while a curriculum has not come to that."""
        trained = [self.questions.sets[name] for name in TRAINED_SETS if name in self.questions.sets]
        self.one_hop_order = Shuffled(np.concatenate(trained), seed, Stream.ONE_HOP_ORDER)

    def _make_people(self) -> Profiles:
        given = self.config
        if not given["profiles"]:
            space = Space(tuple(given["name_words"]), given["attributes"])
            drawn = (given["n"], given["relations"], given["bipartite"])
            return generate_profiles(*drawn, space, self.seed, given["out_degree"])
        people = read_profiles(Path(given["profiles"]))
        for name, there in (("n", len(people)), ("relations", len(people.relation_names))):
            if given[name] not in (there, DEFAULTS[name]):
                raise InputError(
                    f"{name} must be {there}, as in {given['profiles']}, or be left out; got {given[name]}"
                )
        return people

    def _make_questions(self) -> Questions | Biographies | TextBiographies:
        given, names = self.config, self.config["score_names"]
        choice = TemplateChoice(given["held_out_templates"], given["templates_per_fact"], self.seed)
        if given["notation"] == "biographies":
            return Biographies(self.people, self.notation, names)
        if given["notation"] == "text_biographies":
            return TextBiographies(self.people, self.notation, names, choice)
        if given["comparisons"]:
            return Comparisons(self.people, self.notation, names, choice)
        seconds = self._second_subjects() if self.hops == 2 else ()
        steps, bridges = given["chain_of_thought"], given["identity_bridge"]
        return Questions(self.people, self.notation, seconds, steps, names, bridges, choice)

    def _second_subjects(self) -> list[int]:
        names, subjects = self.config["second_subjects"], self.people.subjects
        for name in names or ():
            if name not in subjects:
                raise InputError(
                    f"second_subjects must be among {', '.join(subjects)}; got {name!r}{did_you_mean(name, subjects)}"
                )
        return [subjects.index(name) for name in subjects if names is None or name in names]

    @property
    def vocabulary_size(self) -> int:
        """Tokens, v."""
        return self.notation.vocabulary_size

    @property
    def context_length(self) -> int:
        """Tokens of a row, t."""
        return self.questions.context_length

    @cached_property
    def facts_out(self) -> NDArray[np.bool_]:
        """Whether each fact is out of distribution, (N, S)."""
        share = self.config["out_of_distribution"]
        return draw_facts_out(self.people.facts, share, self.seed)

    @property
    def facts_in(self) -> int:
        """The number of facts in distribution, of those that questions of two facts can ask."""
        there = ~self.facts_out & (self.people.facts != ABSENT)
        asked = self.questions.n_attributes if isinstance(self.questions, Comparisons) else None
        return int(there[:, :asked].sum())

    @property
    def phi(self) -> float | None:
        """Trained questions of two facts per fact in distribution; None where there are none."""
        return self.size(self.inferred) / self.facts_in if self.inferred else None

    @cached_property
    def split(self) -> NDArray[np.uint8]:
        """The set of every question of two facts: of two hops (N, R, S2), of comparisons (N, N, A)."""
        assert isinstance(self.questions, Questions)
        if isinstance(self.questions, Comparisons):
            out = self.facts_out[:, : self.questions.n_attributes]
            return split_comparisons(out, self.config["phi"], self.seed)
        relations, seconds = self.people.relations, self.questions.second_subjects.numpy()
        held_out, second_facts = self.config["held_out"], self.people.facts[:, seconds]
        shares = SHARES if held_out is None else held_out
        split = split_two_hops(relations, len(seconds), shares, self.seed, second_facts)
        if self.config["out_of_distribution"]:
            first = self.facts_out[:, self.questions.n_attributes :]
            hold_out_facts(split, relations, first, self.facts_out[:, seconds])
        if self.config["phi"] is not None:
            keep_trained(split, self.config["phi"], self.facts_in, self.seed)
        return split

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of what the seed decides: the people, the codes they are written in, and the split."""
        codes = sha256()
        for table in (self.notation.names, self.notation.subjects, self.notation.answers):
            codes.update(table.tokens.numpy().astype("<i4").tobytes())
        digests = {"people": self.people.digest, "codes": codes.hexdigest()}
        if self.notation.templates:
            sentences = "\n".join(TEMPLATES[name] for name in self.notation.templates)
            digests["templates"] = sha256(sentences.encode()).hexdigest()
        return digests | ({"split": sha256(self.split.tobytes()).hexdigest()} if self.inferred else {})

    @cached_property
    def inferred_order(self) -> Shuffled:
        """The questions of two facts that are trained on, in the order of training."""
        return Shuffled(numbers_of(self.split, TRAINED), self.seed, Stream.TWO_HOP_ORDER)

    @cached_property
    def scored_sets(self) -> tuple[str, ...]:
        """The names of the scored sets: one-hop facts, then the trained and held-out questions of two facts."""
        one_hop, *others = self.questions.sets
        if not self.inferred:
            return (one_hop, *others)
        held_out = (name for number, name in enumerate(HELD_OUT, 1) if (self.split == number).any())
        return (one_hop, self.inferred, *held_out, *others)

    def setup(self, stage: str | None = None) -> None:
        """Raise an InputError where the questions of two facts cannot be split."""
        if self.inferred:
            _ = self.split

    def of_two_facts(self, numbers: Tensor) -> Rows:
        """Return the two-hop questions, or the comparisons, of numbers in the split."""
        assert isinstance(self.questions, Questions)
        questions = self.questions
        return (
            questions.compare(numbers) if isinstance(questions, Comparisons) else questions.two_hop(numbers)
        )

    def batches(self, update: int, count: int = 1) -> list[Rows]:
        """Return the questions of `count` updates, made at once; the seed and the update decide what they are.

        Args:
            update: The first of them.
            count: How many; 1 as long as only one-hop questions are asked.
        """
        if self._one_hop_only(update):
            return split_rows(self._one_hop(update * self.batch_size, count * self.batch_size), count)
        assert self.mixed_from is not None
        before, ones = self.mixed_from, self.one_hops_per_update
        after = update - before
        twos = self.batch_size - ones
        kinds = []
        if ones:
            kinds.append(
                split_rows(self._one_hop(before * self.batch_size + after * ones, count * ones), count)
            )
        if twos:
            numbers = self.inferred_order.take(after * twos, count * twos)
            kinds.append(split_rows(self.of_two_facts(numbers), count))
        mixed = zip(*kinds, strict=True)
        return [Rows(*(torch.cat(columns) for columns in zip(*batch, strict=True))) for batch in mixed]

    def _one_hop_only(self, update: int) -> bool:
        return not self.inferred or self.mixed_from is None or update < self.mixed_from

    def _one_hop(self, position: int, count: int) -> Rows:
        return self.questions.one_hop(self.one_hop_order.take(position, count))

    def exposures(self, updates: int) -> float:
        """Return how often each one-hop fact has been trained on after some updates."""
        if not self.inferred or self.mixed_from is None:
            asked = updates * self.batch_size
        else:
            before = min(updates, self.mixed_from)
            asked = before * self.batch_size + (updates - before) * self.one_hops_per_update
        return asked * self.questions.wordings / len(self.one_hop_order)

    def size(self, name: str) -> int:
        """Return how many questions one of `scored_sets` has."""
        if name in self.questions.sets:
            return len(self.questions.sets[name])
        return int((self.split == set_number(name)).sum())

    def share(self, name: str) -> float:
        """Return the share of one of `scored_sets` that is scored during training."""
        sample = self.config["sample"]
        return 1.0 if sample is None else min(1.0, sample / self.size(name))

    def numbers(self, name: str) -> NDArray[np.int32]:
        """Return the numbers of all questions of one of `scored_sets`."""
        if name in self.questions.sets:
            return self.questions.sets[name]
        return numbers_of(self.split, set_number(name))

    def chunks(self, name: str, exact: bool = False) -> Chunks:
        """Return the rows of one of `scored_sets` in chunks: a sample of a large set, every row if `exact`."""
        numbers = self.numbers(name)
        of = len(numbers)
        if self.share(name) < 1 and not exact:
            rng = generator(self.seed, Stream.SAMPLE, self.scored_sets.index(name))
            numbers = numbers[np.sort(rng.choice(of, self.config["sample"], replace=False))]
        ask = self.questions.one_hop if name in self.questions.sets else self.of_two_facts
        return Chunks(ask, torch.from_numpy(numbers), of, self.context_length * self.vocabulary_size)


DEFAULTS = {name: option.default for name, option in signature(ProfilesData).parameters.items()}
"""The default of every option of the data."""


def split_rows(rows: Rows, count: int) -> list[Rows]:
    """Cut rows into batches of one size."""
    return [Rows(*columns) for columns in zip(*(column.chunk(count) for column in rows), strict=True)]
