"""Biographies: everything about a person in one row, in short codes or in sentences."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from modgrok.capacity.people.profiles import Profiles
from modgrok.capacity.questions.codes import NAME, SUBJECT, UNSCORED, Codes, Piece, Rows, fitted, join
from modgrok.capacity.questions.notation import Notation
from modgrok.capacity.questions.questions import Questions
from modgrok.capacity.questions.templates import EVERY_TEMPLATE, TemplateChoice


class Biographies:
    """Everything about a person in one row: the name, then the value of every subject.

    Args:
        profiles: The people whose facts are told.
        notation: The tables that they are written with, even codes for each subject.
        score_names: Whether the name is scored.

    Attributes:
        rows_per_person: 1.
        sets: The numbers of the biographies, as `one_hop`.
    """

    rows_per_person = 1
    n_two_hop = 0
    wordings = 1.0

    def __init__(self, profiles: Profiles, notation: Notation, score_names: bool = True) -> None:
        self.notation = notation
        self.n_one_hop = len(profiles)
        self.sets = {"one_hop": np.arange(self.n_one_hop, dtype=np.int32)}
        self.name_part = NAME if score_names else UNSCORED
        self.facts = torch.from_numpy(profiles.facts)
        self.tables: list[Codes] = []
        sizes = [profiles.space.values(name) for name in profiles.space.attributes]
        for tokens, lengths in zip(
            notation.answers.tokens[: sum(sizes)].split(sizes),
            notation.answers.lengths[: sum(sizes)].split(sizes),
            strict=True,
        ):
            self.tables.append(Codes(tokens[:, : int(lengths[0])], lengths))
        self.tables += [notation.names] * len(profiles.relation_names)
        widths = [table.width for table in (notation.opening, notation.names, *self.tables)]
        self.context_length = sum(widths)
        self.scored_tokens = sum(widths[1 if score_names else 2 :])

    def one_hop(self, numbers: Tensor) -> Rows:
        """Return the biographies of people."""
        pieces = [
            Piece(self.notation.opening, torch.zeros_like(numbers), torch.full_like(numbers, UNSCORED)),
            Piece(self.notation.names, numbers, torch.full_like(numbers, self.name_part)),
        ]
        for subject, table in enumerate(self.tables):
            part = torch.full_like(numbers, SUBJECT + subject)
            pieces.append(Piece(table, self.facts[numbers, subject], part))
        return join(pieces)


class TextBiographies:
    """Sentences about a person, one for every subject and all in one template, in one row.

    A fact that stands behind others can be learned as what follows them, and is then known only there (Allen-Zhu & Li
    2023, arXiv 2309.14316, section 4). So every fact is scored by itself too, in a row of one sentence.

    Args:
        profiles: The people whose facts are told.
        notation: The tables that sentences are written with.
        score_names: Whether a name is scored where a biography begins with it.
        choice: The templates that each person's biography is trained on in.

    Attributes:
        rows_per_person: The number of rows that a person's number is multiplied with in the number of a row.
        sets: The numbers of the rows of each set: `one_hop`, the biographies that are trained on; `alone`, their facts
            by themselves; and facts by themselves in other templates, as `Questions` has them.
    """

    n_two_hop = 0

    def __init__(
        self,
        profiles: Profiles,
        notation: Notation,
        score_names: bool = False,
        choice: TemplateChoice = EVERY_TEMPLATE,
    ) -> None:
        self.notation, self.n_one_hop = notation, len(profiles)
        self.questions = Questions(profiles, notation)
        self.name_part = NAME if score_names else UNSCORED
        self.n_subjects, self.n_templates = self.questions.n_subjects, len(notation.templates)
        self.rows_per_person = (self.n_subjects + 1) * self.n_templates
        shape = (len(profiles), self.n_subjects + 1, self.n_templates)
        rows = np.arange(len(profiles) * self.rows_per_person, dtype=np.int32).reshape(shape)
        kept = [number for number, name in enumerate(notation.templates) if name not in choice.held_out]
        trained, facts = choice.trained(len(profiles), len(kept)), rows[:, :-1, kept]
        told = np.broadcast_to(trained[:, None], facts.shape)
        self.sets = {"one_hop": rows[:, -1, kept][trained], "alone": facts[told]}
        if not trained.all():
            self.sets["other_templates"] = facts[~told]
        for name in choice.held_out:
            self.sets[f"template_{name}"] = rows[:, :-1, notation.templates.index(name)].ravel()
        of, subjects = notation.of[:, None], slice(self.n_subjects)
        asking = torch.where(
            of, notation.subjects_of.lengths[subjects], notation.subjects.lengths[subjects]
        ).sum(1)
        asking += (notation.opening.lengths + notation.closing.lengths) * self.n_subjects
        answers = self.questions.answers_of(
            torch.arange(len(profiles))[:, None], torch.arange(self.n_subjects)
        )
        answering = notation.answers.lengths[answers].sum(1)
        naming = notation.names.lengths * self.n_subjects
        self.context_length = int((naming + answering).max() + asking.max()) - (self.n_subjects - 1)
        self.scored_tokens = int(answering.max()) + (notation.names.width if score_names else 0)

    @property
    def wordings(self) -> float:
        """The number of templates that a biography is trained on in."""
        return len(self.sets["one_hop"]) / self.n_one_hop

    def facts_of(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return person, subject and template of rows; subject S is all of them."""
        fact, template = numbers // self.n_templates, numbers % self.n_templates
        return fact // (self.n_subjects + 1), fact % (self.n_subjects + 1), template

    def one_hop(self, numbers: Tensor) -> Rows:
        """Return the rows of numbers (person · (S + 1) + subject) · templates + template.

        All of them are biographies, or all of them single facts, as they are in each of `sets`.
        """
        person, subject, template = self.facts_of(numbers)
        if (subject < self.n_subjects).all():
            pieces = self._sentence(person, subject, template, UNSCORED)
        else:
            opened = Codes(self.notation.opening.tokens[:, 1:], self.notation.opening.lengths - 1)
            pieces = []
            for number in range(self.n_subjects):
                subject = torch.full_like(person, number)
                opening, *others = self._sentence(
                    person, subject, template, UNSCORED if number else self.name_part
                )
                pieces += [opening._replace(codes=opened) if number else opening, *others]
        return fitted(join(pieces), self.context_length)

    def _sentence(self, person: Tensor, subject: Tensor, template: Tensor, name_part: int) -> list[Piece]:
        none = torch.full_like(subject, self.n_subjects)
        asked = self.questions.ask(person, subject, none, template, name_part)
        return [*asked, self.questions.answer(person, subject)]
