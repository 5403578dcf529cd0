"""Comparisons of two people by an attribute, and the choice of those that are trained on.

They are those of Wang et al. 2024 (arXiv 2405.15071), section 4: a network is told the value of every attribute of
every person, and which of <, =, > holds between the values of some pairs of people. Here the three answers are the same
for all attributes, where the paper has three of each attribute's own; the order of values is that of their numbers.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modgrok.capacity.people.profiles import Profiles
from modgrok.capacity.people.streams import Stream, generator
from modgrok.capacity.questions.codes import SUBJECT, UNSCORED, Piece, Rows, fitted, join
from modgrok.capacity.questions.notation import Notation
from modgrok.capacity.questions.questions import Questions
from modgrok.capacity.questions.templates import EVERY_TEMPLATE, TemplateChoice
from modgrok.capacity.questions.two_hops import (
    MOST_QUESTIONS,
    NO_QUESTION,
    TRAINED,
    hold_out,
    numbers_of,
    set_number,
    trained_count,
)
from modgrok.errors import InputError


class Comparisons(Questions):
    """One-hop questions, and comparisons, person × other person × attribute.

    Args:
        profiles: The people whose facts are asked and compared.
        notation: The tables that questions are written with, those of comparisons among them.
        score_names: Whether the name of the first person is scored.
        choice: The templates that facts are trained on in.

    Raises:
        InputError: if there is nothing to compare, or there are too many comparisons.
    """

    def __init__(
        self,
        profiles: Profiles,
        notation: Notation,
        score_names: bool = False,
        choice: TemplateChoice = EVERY_TEMPLATE,
    ) -> None:
        super().__init__(profiles, notation, score_names=score_names, choice=choice)
        assert notation.comparing is not None
        self.n, self.comparing = len(profiles), notation.comparing
        if not self.n_attributes:
            raise InputError("comparisons are of attributes: give attributes, got {}")
        for attribute, values in zip(profiles.space.attributes, profiles.attributes.T, strict=True):
            if (values == values[0]).all():
                raise InputError(
                    f"comparisons: all {self.n:,} people have one value of attributes.{attribute}, so that there is "
                    "nothing to compare; leave it out"
                )
        if self.n**2 * self.n_attributes >= MOST_QUESTIONS:
            raise InputError(
                f"n must make fewer than 2**31 comparisons; {self.n:,} people make {self.n**2 * self.n_attributes:,}"
            )
        asked = [self.comparing.opening, notation.names, notation.subjects, self.comparing.between]
        rest = [notation.names, self.comparing.closing, self.comparing.answers]
        self.context_length = max(self.context_length, sum(codes.width for codes in (*asked, *rest)))
        scored = self.comparing.answers.width + (notation.names.width if score_names else 0)
        self.scored_tokens = max(self.scored_tokens, scored)

    def compare(self, numbers: Tensor) -> Rows:
        """Return the comparisons of numbers (person · N + other person) · A + attribute."""
        person, other, attribute = self.pairs(numbers)
        zero = torch.zeros_like(person)
        given, names = torch.full_like(person, UNSCORED), torch.full_like(person, self.name_part)
        pieces = [
            Piece(self.comparing.opening, zero, given),
            Piece(self.notation.names, person, names),
            Piece(self.notation.subjects, attribute, given),
            Piece(self.comparing.between, zero, given),
            Piece(self.notation.names, other, given),
            Piece(self.comparing.closing, zero, given),
            Piece(self.comparing.answers, self.answers(numbers), SUBJECT + attribute),
        ]
        return fitted(join(pieces), self.context_length)

    def pairs(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return person, other person and attribute of the numbers of comparisons."""
        pair = numbers // self.n_attributes
        return pair // self.n, pair % self.n, numbers % self.n_attributes

    def answers(self, numbers: Tensor) -> Tensor:
        """Return 0, 1 or 2: the value of the person is less than, equal to or greater than that of the other."""
        person, other, attribute = self.pairs(numbers)
        return 1 + (self.facts[person, attribute] - self.facts[other, attribute]).sign().long()


def split_comparisons(out: NDArray[np.bool_], phi: float | None, seed: int) -> NDArray[np.uint8]:
    """Return the set of every comparison, (N, N, A), `TRAINED` or the number of a held-out set.

    The sets are those of two hops: comparisons of two facts in distribution are trained on, or `in_in` if `phi` leaves
    them out, and those with a fact out of distribution are `in_out`, `out_in` and `out_out`, the first person's fact
    first. Both orders of two people are in the same set, or in `in_out` and `out_in`: one says what the other is.

    Args:
        out: (N, A) whether each fact is out of distribution.
        phi: Trained comparisons per fact in distribution; all of two facts in distribution if None.
        seed: Decides which.

    Raises:
        InputError: if there are not that many comparisons, or none is left to train on.
    """
    n, n_attributes = out.shape
    split = np.full((n, n, n_attributes), TRAINED, np.uint8)
    split[np.arange(n), np.arange(n)] = NO_QUESTION
    for person in range(n):
        hold_out(split[person], out[person], out)
    free = numbers_of(split, TRAINED)
    if not len(free):
        raise InputError(
            "out_of_distribution: the share leaves no comparison to train on; give a smaller one"
        )
    if phi is None:
        return split
    count = trained_count(phi, int((~out).sum()), len(free), "comparisons")
    pairs, attribute = np.divmod(free, n_attributes)
    first, second = np.divmod(pairs, n)
    once = np.flatnonzero(first < second)
    generator(seed, Stream.COMBINATIONS).shuffle(once)
    left = once[max(1, round(count / 2)) :]
    for one, two in ((first, second), (second, first)):
        split[one[left], two[left], attribute[left]] = set_number("in_in")
    return split
