"""Questions of one and two hops: rows of tokens made from numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from modgrok.capacity.people.profiles import ABSENT, Profiles
from modgrok.capacity.questions.codes import NAME, SUBJECT, UNSCORED, Piece, Rows, fitted, join
from modgrok.capacity.questions.notation import Notation
from modgrok.capacity.questions.templates import EVERY_TEMPLATE, TemplateChoice

TRAINED_SETS = ("one_hop", "identity")
"""The sets of questions of one hop or none that are trained on; the others are facts in other words."""


class Questions:
    """One-hop questions, person × subject, and two-hop questions, person × relation × second subject.

    An identity bridge is a question of no hop, which asks for a bridge, a person that some relation leads to, by its
    name alone, and whose answer is that name. Lin et al. 2025 (arXiv 2509.24653) train on it beside the two hops, so
    that a bridge means the same where a first hop ends and where a second one begins.

    Args:
        profiles: The people whose facts are asked.
        notation: The tables that questions are written with.
        second_subjects: The numbers of the subjects that are asked about the person that a first hop leads to.
        chain_of_thought: Whether the answer of a two-hop question names that person first.
        score_names: Whether a name is scored where the question gives it.
        identity_bridge: Whether bridges are asked for by their names; S is the number of that subject.
        choice: The templates that facts are trained on in.

    Attributes:
        rows_per_person: The number of rows that a person's number is multiplied with in the number of a row.
        sets: The numbers of the rows of each set of questions of one hop or none: those that are trained on, `one_hop`
            and `identity`; the facts in templates that only other facts are trained on in, `other_templates`; and the
            facts in each held-out template, `template_` and its name.
    """

    def __init__(
        self,
        profiles: Profiles,
        notation: Notation,
        second_subjects: Sequence[int] = (),
        chain_of_thought: bool = False,
        score_names: bool = False,
        identity_bridge: bool = False,
        choice: TemplateChoice = EVERY_TEMPLATE,
    ) -> None:
        space = profiles.space
        self.notation = notation
        self.chain_of_thought = chain_of_thought
        self.name_part = NAME if score_names else UNSCORED
        self.n_subjects = len(profiles.subjects)
        self.n_attributes = len(space.attributes)
        self.n_relations = len(profiles.relation_names)
        self.second_subjects = torch.tensor(second_subjects, dtype=torch.long)
        self.n_rows, self.n_templates = self.n_subjects + identity_bridge, len(notation.of)
        self.rows_per_person = self.n_rows * self.n_templates
        people = np.arange(len(profiles), dtype=np.int32)
        facts = (
            np.concatenate([profiles.facts, people[:, None]], axis=1) if identity_bridge else profiles.facts
        )
        self.facts = torch.from_numpy(facts)
        there = facts != ABSENT
        if identity_bridge:
            there[:, -1] = np.isin(people, profiles.relations)
        self.n_one_hop = int(there[:, : self.n_subjects].sum())
        held_out = {f"template_{name}": notation.templates.index(name) for name in choice.held_out}
        kept = [template for template in range(self.n_templates) if template not in held_out.values()]
        self.first_template = kept[0]
        asked = np.flatnonzero(there)
        is_fact = asked % self.n_rows < self.n_subjects
        numbers = (asked[:, None] * self.n_templates + kept).astype(np.int32)
        trained = choice.trained(len(asked), len(kept))
        self.sets = {"one_hop": numbers[trained & is_fact[:, None]]}
        if identity_bridge:
            self.sets["identity"] = numbers[trained & ~is_fact[:, None]]
        if not trained.all():
            self.sets["other_templates"] = numbers[~trained & is_fact[:, None]]
        for name, template in held_out.items():
            self.sets[name] = (asked[is_fact] * self.n_templates + template).astype(np.int32)
        self.n_two_hop = len(profiles) * self.n_relations * len(second_subjects)
        values = [space.values(name) for name in space.attributes]
        self.answer_offsets = torch.tensor(
            np.cumsum([0, *values])[[*range(len(values)), *[-1] * (self.n_relations + 1)]], dtype=torch.long
        )
        subjects = torch.where(notation.of, notation.subjects_of.width, notation.subjects.width)
        asking = notation.opening.lengths + 2 * subjects + notation.closing.lengths
        answer = notation.answers.width + (
            notation.bridges.width if chain_of_thought and self.n_two_hop else 0
        )
        self.context_length = notation.names.width + int(asking.max()) + answer
        self.scored_tokens = answer + (notation.names.width if score_names else 0)

    @property
    def wordings(self) -> float:
        """The number of templates that a fact is trained on in."""
        return len(self.sets["one_hop"]) / self.n_one_hop

    def one_hop(self, numbers: Tensor) -> Rows:
        """Return the questions of numbers (person · (S, or S + 1 with bridges) + subject) · templates + template."""
        person, subject, template = self.facts_of(numbers)
        none = torch.full_like(subject, self.n_subjects)
        asked = self.ask(person, subject, none, template, self.name_part)
        return fitted(join([*asked, self.answer(person, subject)]), self.context_length)

    def facts_of(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return person, subject and template of the numbers of one-hop questions."""
        fact, template = numbers // self.n_templates, numbers % self.n_templates
        return fact // self.n_rows, fact % self.n_rows, template

    def two_hop(self, numbers: Tensor) -> Rows:
        """Return the questions of numbers (person · R + relation) · S2 + second subject, all in one template."""
        person, relation, subject = self.hops(numbers)
        template = torch.full_like(person, self.first_template)
        first = self.n_attributes + relation
        bridge = self.facts[person, first].long()
        steps = [Piece(self.notation.bridges, bridge, SUBJECT + first)] if self.chain_of_thought else []
        asked = self.ask(person, first, subject, template, self.name_part)
        return fitted(join([*asked, *steps, self.answer(bridge, subject)]), self.context_length)

    def hops(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return person, relation and second subject of the numbers of two-hop questions."""
        seconds = len(self.second_subjects)
        person, relation = numbers // (self.n_relations * seconds), numbers // seconds % self.n_relations
        return person, relation, self.second_subjects[numbers % seconds]

    def ask(
        self, person: Tensor, first: Tensor, second: Tensor, template: Tensor, name_part: int
    ) -> list[Piece]:
        """Return the pieces of questions up to their answers; subject S stands for no second subject."""
        notation, given = self.notation, torch.full_like(person, UNSCORED)
        names = torch.where(first < self.n_subjects, name_part, UNSCORED)
        of, none = notation.of[template], self.n_subjects
        before = [Piece(notation.subjects_of, torch.where(of, hop, none), given) for hop in (second, first)]
        after = [Piece(notation.subjects, torch.where(of, none, hop), given) for hop in (first, second)]
        return [
            Piece(notation.opening, template, given),
            *(before if notation.of.any() else ()),
            Piece(notation.names, person, names),
            *after,
            Piece(notation.closing, template, given),
        ]

    def answer(self, person: Tensor, subject: Tensor) -> Piece:
        """Return the piece that answers questions."""
        return Piece(self.notation.answers, self.answers_of(person, subject), SUBJECT + subject)

    def answers_of(self, person: Tensor, subject: Tensor) -> Tensor:
        """Return the rows of `Notation.answers` that answer questions."""
        return self.answer_offsets[subject] + self.facts[person, subject]
