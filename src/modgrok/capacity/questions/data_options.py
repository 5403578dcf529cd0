"""Which options of the data need which others: one that has no effect beside them is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Options = Mapping[str, Any]


class Need(NamedTuple):
    """What some options need to have an effect.

    Attributes:
        options: The names of the options.
        what: What they need, in words.
        met: Says whether all options together give it.
    """

    options: tuple[str, ...]
    what: str
    met: Callable[[Options], bool]


NEEDS = (
    Need(
        ("templates", "held_out_templates", "templates_per_fact", "tokenizer_size"),
        "notation: text or text_biographies",
        lambda given: "text" in given["notation"],
    ),
    Need(
        ("alphabet",),
        "notation: tokens or biographies",
        lambda given: "text" not in given["notation"],
    ),
    Need(
        ("hops", "comparisons", "out_degree"),
        "notation: text or tokens, since biographies tell everything and ask nothing",
        lambda given: "biographies" not in given["notation"],
    ),
    Need(
        ("chain_of_thought", "second_subjects", "held_out", "identity_bridge"),
        "hops: 2",
        lambda given: given["hops"] == 2,
    ),
    Need(
        ("hop_ratio", "phi", "out_of_distribution"),
        "hops: 2 or comparisons",
        lambda given: given["hops"] == 2 or given["comparisons"],
    ),
)


def without_effect(options: Options, defaults: Options) -> dict[str, str]:
    """Return the options that are not at their defaults and have no effect, each with what it needs.

    Args:
        options: The values of some options; the others are at their defaults.
        defaults: The value of every option.
    """
    given = {**defaults, **options}
    return {
        name: need.what
        for need in NEEDS
        if not need.met(given)
        for name in need.options
        if given[name] != defaults[name]
    }
