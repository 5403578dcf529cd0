"""A formula and a modulus before all options: `modgrok fit "x + y" 97`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, takewhile

MOST_UPDATES, AFTER_GROKKING = 20_000, 300
END = (
    f"stops {AFTER_GROKKING} updates after it has grokked, at {MOST_UPDATES:,} at the latest "
    "(--stop.grokked_for, --trainer.max_steps)"
)
ENDS = ("--trainer.max_", "--trainer.callbacks", "--trainer.fast_dev_run", "--stop.")
"""Options that say when a run ends."""


def formula_first(args: Sequence[str]) -> list[str]:
    """Turn words before the options into `--data.task` and `--data.modulus`.

    A word of a group, which has its own modulus, stands by itself.
    """
    words = list(takewhile(lambda arg: not arg.startswith("-"), args[:2]))
    named = zip(("--data.task", "--data.modulus"), words, strict=False)
    return [*chain.from_iterable(named), *args[len(words) :]]


def with_an_end(args: Sequence[str]) -> list[str]:
    """Add an end to the options of a run that begin with its formula and name no end."""
    if (args[:1] and args[0].startswith("-")) or any(arg.startswith((*ENDS, "--config")) for arg in args):
        return list(args)
    end = ("--trainer.max_steps", str(MOST_UPDATES), "--stop.grokked_for", str(AFTER_GROKKING))
    return [*args, *end] if args else []
