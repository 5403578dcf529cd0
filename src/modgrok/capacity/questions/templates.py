"""Templates: the sentences that the notation `text` tells a fact in, and the choice of those that are trained on.

A fact that a network knows in one wording need not be known in another. Allen-Zhu & Li 2023 (arXiv 2309.14316) find
that it takes several wordings of a fact in training for it to be found by a question. So a fact can be told in several
templates, and a template can be held out of training: its loss says whether facts are known whatever the wording. All
words of a template occur in others, so that a held-out one is new as a sentence only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modgrok.capacity.people.streams import Stream, generator
from modgrok.errors import InputError, did_you_mean

PUBLISHED_TEMPLATE = "question"
TEMPLATES = {
    PUBLISHED_TEMPLATE: "Question: What was {name}'s {subject}? Answer: {value}",
    "question_of": "Question: What was the {subject} of {name}? Answer: {value}",
    "statement": "It is known that {name}'s {subject} was {value}",
    "statement_of": "It is known that the {subject} of {name} was {value}",
    "record": "Records say of {name}'s {subject}: It was {value}",
    "record_of": "Records say of the {subject} of {name}: It was {value}",
}
"""Sentences by name. The subject follows the name, or comes before it; what is scored, the value, comes last."""


class Template(NamedTuple):
    """The parts of a sentence.

    Attributes:
        opening: What stands before the name and the subject.
        of: Whether it says "the subject of name", not "name's subject".
        closing: What stands between these and the value.
    """

    opening: str
    of: bool
    closing: str


class TemplateChoice(NamedTuple):
    """The choice of templates that facts are trained on in.

    Attributes:
        held_out: The names of the templates that no fact is trained on in.
        per_fact: The number of other templates that each fact is trained on in, a random choice; all of them if None.
        seed: Decides that choice.
    """

    held_out: Sequence[str] = ()
    per_fact: int | None = None
    seed: int = 0

    def trained(self, facts: int, kept: int) -> NDArray[np.bool_]:
        """Return whether each fact is trained on in each of the templates that are kept, (facts, kept)."""
        if self.per_fact is None or self.per_fact == kept:
            return np.ones((facts, kept), bool)
        ranks = generator(self.seed, Stream.TEMPLATES).random((facts, kept)).argsort(1).argsort(1)
        return ranks < self.per_fact


EVERY_TEMPLATE = TemplateChoice()


def parts_of(name: str) -> Template:
    """Return the parts of a template."""
    sentence = TEMPLATES[name].removesuffix(" {value}")
    of = " the {subject} of {name}" in sentence
    opening, closing = sentence.split(" the {subject} of {name}" if of else " {name}'s {subject}")
    return Template(opening, of, closing)


def check_templates(templates: Sequence[str], held_out: Sequence[str], per_fact: int | None) -> None:
    """Check which templates are used, which of them are held out, and how many a fact is trained on in.

    Raises:
        InputError: if there is no such template, one is named twice, none is left, or a fact cannot have that many.
    """
    for field, names, there in (
        ("templates", templates, tuple(TEMPLATES)),
        ("held_out_templates", held_out, tuple(templates)),
    ):
        for name in names:
            if name not in there:
                raise InputError(
                    f"{field} must be among {', '.join(there)}; got {name!r}{did_you_mean(name, there)}"
                )
        if len(set(names)) < len(names):
            raise InputError(f"{field} must name each template once, got {', '.join(names)}")
    if not templates:
        raise InputError(f"templates must name at least one of {', '.join(TEMPLATES)}; got []")
    kept = len(templates) - len(held_out)
    if not kept:
        raise InputError(
            f"held_out_templates must leave a template to train on, got all of {', '.join(templates)}"
        )
    if per_fact is not None and not 1 <= per_fact <= kept:
        raise InputError(
            f"templates_per_fact must be from 1 to {kept}, the templates that are trained on; got {per_fact}"
        )
