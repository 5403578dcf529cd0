"""Profiles, and the questions about them, as a LightningDataModule."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.pytorch import LightningDataModule

from modgrok.capacity.people.parquet import read_profiles
from modgrok.capacity.people.profiles import Profiles, generate_profiles
from modgrok.capacity.people.space import ATTRIBUTES, NAME_WORDS, Space
from modgrok.capacity.questions.codes import Rows
from modgrok.capacity.questions.notation import Notation, write_codes, write_text
from modgrok.capacity.questions.questions import Biographies, Questions
from modgrok.capacity.questions.shuffled import Shuffled
from modgrok.capacity.questions.two_hops import HELD_OUT, SHARES, TRAINED, numbers_of, split_two_hops
from modgrok.errors import InputError

UPDATES_AT_ONCE = 64  # of batches made together
LOGITS_AT_ONCE = 1 << 24  # of a chunk that is scored


class ProfilesDataModule(LightningDataModule):
    """People, what is asked about them, and which questions are trained on.

    Args:
        n: people.
        relations: how many of the 17 published relations a profile has.
        bipartite: whether parent, child, best friend and worst enemy are matchings.
        name_words: numbers of first, middle and last names.
        attributes: number of values by attribute; `birth_date` counts days from 1900-01-01.
        profiles: a Parquet file in the published schema, or a folder of them, instead of generated profiles.
        notation: `text` for the published sentences, `tokens` for questions in short codes, `biographies` for rows
            that tell everything about a person in short codes.
        alphabet: symbols of the short codes.
        tokenizer_size: vocabulary of the tokenizer that `text` trains.
        hops: 1, or 2 to ask two-hop questions too.
        hop_ratio: one-hop questions for every two-hop question.
        chain_of_thought: whether the answer of a two-hop question first names the person that the first hop leads to.
        second_subjects: what is asked after a first hop; everything if None.
        held_out: shares of the held-out two-hop sets, by name.
        score_names: whether the loss includes the names.
        batch_size: questions, or biographies, of an update.
        seed: of profiles, codes, held-out sets and the order of questions.

    Raises:
        InputError: if a field is out of range, or the profiles cannot be read.
    """

    def __init__(
        self,
        n: int = 1000,
        relations: int = 4,
        bipartite: bool = False,
        name_words: list[int] = list(NAME_WORDS),  # noqa: B006
        attributes: dict[str, int] = dict(ATTRIBUTES),  # noqa: B006
        profiles: str | None = None,
        notation: Literal["text", "tokens", "biographies"] = "text",
        alphabet: int = 64,
        tokenizer_size: int = 3000,
        hops: Literal[1, 2] = 1,
        hop_ratio: float = 0.1,
        chain_of_thought: bool = False,
        second_subjects: list[str] | None = None,
        held_out: dict[str, float] = dict(SHARES),  # noqa: B006
        score_names: bool = False,
        batch_size: int = 512,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "n": n,
            "relations": relations,
            "bipartite": bipartite,
            "name_words": list(name_words),
            "attributes": dict(attributes),
            "profiles": profiles,
            "notation": notation,
            "alphabet": alphabet,
            "tokenizer_size": tokenizer_size,
            "hops": hops,
            "hop_ratio": hop_ratio,
            "chain_of_thought": chain_of_thought,
            "second_subjects": second_subjects,
            "held_out": dict(held_out),
            "score_names": score_names,
            "batch_size": batch_size,
            "seed": seed,
        }
        if batch_size < 1:
            raise InputError(f"batch_size: at least 1, not {batch_size}")
        if hops == 2 and notation == "biographies":
            raise InputError("hops: biographies ask nothing; two hops need the notation text or tokens")
        if hops == 2 and hop_ratio < 0:
            raise InputError(
                f"hop_ratio: 0 or more one-hop questions for each two-hop question, not {hop_ratio}"
            )
        self.batch_size, self.seed, self.hops = batch_size, seed, hops
        self.people: Profiles = (
            read_profiles(Path(profiles))
            if profiles
            else generate_profiles(n, relations, bipartite, Space(tuple(name_words), attributes), seed)  # type: ignore[arg-type]
        )
        self.notation: Notation = (
            write_text(self.people, tokenizer_size)
            if notation == "text"
            else write_codes(self.people, alphabet, seed, subjects=notation == "tokens")
        )
        self.questions: Questions | Biographies = (
            Biographies(self.people, self.notation, score_names)
            if notation == "biographies"
            else Questions(
                self.people,
                self.notation,
                self._second_subjects(second_subjects) if hops == 2 else (),
                chain_of_thought,
                score_names,
            )
        )
        two_hops = round(batch_size / (1 + hop_ratio)) if hops == 2 else 0
        self.one_hops_per_update = batch_size - two_hops
        self.mixed_after: int | None = -1
        """The last update of one-hop questions only; None while a curriculum has not come to two hops."""
        self.one_hop_order = Shuffled(self.questions.n_one_hop, seed, 4)

    @property
    def vocabulary_size(self) -> int:
        """Tokens, v."""
        return self.notation.vocabulary_size

    @property
    def context_length(self) -> int:
        """Tokens of a row, t."""
        return self.questions.context_length

    @cached_property
    def split(self) -> torch.Tensor:
        """The set of every two-hop question, (N, R, S2) uint8."""
        assert isinstance(self.questions, Questions)
        seconds = len(self.questions.second_subjects)
        shares = self.config["held_out"]
        return torch.from_numpy(split_two_hops(self.people.relations, seconds, shares, self.seed))

    @cached_property
    def two_hop_order(self) -> Shuffled:
        """The two-hop questions that are trained on, in the order of training."""
        return Shuffled(numbers_of(self.split.numpy(), TRAINED), self.seed, 5)

    @property
    def scored_sets(self) -> tuple[str, ...]:
        """What is scored: one-hop facts, and where there are two hops the trained and held-out questions."""
        if self.hops == 1:
            return ("one_hop",)
        held_out = (name for name in HELD_OUT if self.config["held_out"].get(name))
        return ("one_hop", "two_hop", *held_out)

    def setup(self, stage: str | None = None) -> None:
        """Raise an InputError where the two-hop questions cannot be split."""
        if self.hops == 2:
            _ = self.split

    def batches(self, update: int, count: int = 1) -> list[Rows]:
        """Return the questions of `count` updates, made at once; the seed and the update decide what they are.

        Args:
            update: the first of them.
            count: how many; 1 until the last update of one-hop questions only has been.
        """
        if self._one_hop_only(update):
            return split_rows(self._one_hop(update * self.batch_size, count * self.batch_size), count)
        assert isinstance(self.questions, Questions)
        before = self.mixed_after + 1  # type: ignore[operator]
        ones, after = self.one_hops_per_update, update - before
        twos = self.batch_size - ones
        kinds = []
        if ones:
            kinds.append(
                split_rows(self._one_hop(before * self.batch_size + after * ones, count * ones), count)
            )
        if twos:
            numbers = self.two_hop_order.take(after * twos, count * twos)
            kinds.append(split_rows(self.questions.two_hop(numbers), count))
        mixed = zip(*kinds, strict=True)
        return [Rows(*(torch.cat(columns) for columns in zip(*batch, strict=True))) for batch in mixed]

    def _one_hop_only(self, update: int) -> bool:
        return self.hops == 1 or self.mixed_after is None or update <= self.mixed_after

    def _one_hop(self, position: int, count: int) -> Rows:
        return self.questions.one_hop(self.one_hop_order.take(position, count))

    def exposures(self, updates: int) -> float:
        """Return how often each one-hop fact has been trained on after some updates."""
        if self.hops == 1 or self.mixed_after is None:
            asked = updates * self.batch_size
        else:
            before = min(updates, self.mixed_after + 1)
            asked = before * self.batch_size + (updates - before) * self.one_hops_per_update
        return asked / self.questions.n_one_hop

    def chunks(self, name: str) -> Chunks:
        """Return all rows of one of `scored_sets`, in chunks."""
        return Chunks(self, name)

    def train_dataloader(self) -> Iterator[Rows]:
        """Yield the batches from the update that the trainer has come to, without end."""
        update = self.trainer.global_step if self.trainer else 0
        while True:
            count = 1 if self.hops == 2 and self._one_hop_only(update) else UPDATES_AT_ONCE
            yield from self.batches(update, count)
            update += count

    def val_dataloader(self) -> list[Chunks]:
        """Return every scored set, whole."""
        return [self.chunks(name) for name in self.scored_sets]

    test_dataloader = val_dataloader

    def state_dict(self) -> dict[str, Any]:
        """Return what the seed does not decide: where the curriculum came to two hops."""
        return {"mixed_after": self.mixed_after}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore it."""
        self.mixed_after = state_dict["mixed_after"]

    def _second_subjects(self, names: list[str] | None) -> list[int]:
        subjects = self.people.subjects
        for name in names or ():
            if name not in subjects:
                raise InputError(f"second_subjects: {name!r} is not one of {', '.join(subjects)}")
        return [subjects.index(name) for name in subjects if names is None or name in names]


class Chunks:
    """All rows of a scored set, some at a time, so that the logits of a chunk fit in memory."""

    def __init__(self, data: ProfilesDataModule, name: str) -> None:
        self.data, self.name = data, name
        self.size = max(1, LOGITS_AT_ONCE // (data.context_length * data.vocabulary_size))
        if name == "one_hop":
            self.numbers = torch.arange(data.questions.n_one_hop, dtype=torch.int32)
        else:
            number = TRAINED if name == "two_hop" else HELD_OUT.index(name) + 1
            self.numbers = torch.from_numpy(numbers_of(data.split.numpy(), number))

    def __len__(self) -> int:
        return -(-len(self.numbers) // self.size)

    def __iter__(self) -> Iterator[Rows]:
        questions = self.data.questions
        ask = questions.one_hop if self.name == "one_hop" else questions.two_hop  # type: ignore[union-attr]
        return (ask(numbers.long()) for numbers in self.numbers.split(self.size))


def split_rows(rows: Rows, count: int) -> list[Rows]:
    """Cut rows into batches of one size."""
    return [Rows(*columns) for columns in zip(*(column.chunk(count) for column in rows), strict=True)]
