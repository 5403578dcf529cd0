"""Parsing whose errors are a line or two."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from itertools import pairwise
from types import NoneType
from typing import NoReturn, get_args

from jsonargparse import ArgumentParser, Namespace

from modgrok.errors import InputError, did_you_mean
from modgrok.experiments.config.integers import with_integers

LONGEST_MESSAGE = 500

UNKNOWN = re.compile(
    r"unrecognized arguments: --([\w.]+)|Group '([\w.]+)' does not accept option '([\w.]+)'|"
    r"Option '([\w.]+)' is not accepted"
)
"""How jsonargparse begins its messages about unknown fields."""

ALTERNATIVES = re.compile(
    r"- Expected a path but .*? either not accessible or invalid - |"
    r"Does not validate against any of the Union subtypes Subtypes: .*? Errors: - "
    r"(?=.* - Expected a <class 'NoneType'>)|"
    r" - Expected a <class 'NoneType'> Given value type: .*"
)
"""What jsonargparse says of a value besides what is wrong with it: it could be a path, or null, and is neither."""


def shortened(message: object) -> str:
    """Shorten third-party messages, which list every accepted type, to a line that can be read."""
    text = " ".join(str(message).split())
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 100]} … {text[-100:]}"


class CommandParser(ArgumentParser):
    """A parser whose errors are a line or two, with the known field nearest to one that is unknown."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise the message as an InputError."""
        said = re.sub(r'Parser key "([^"]*)":', r"\1:", " ".join(message.split()))
        text = shortened(ALTERNATIVES.sub("", said))
        if unknown := UNKNOWN.match(text):
            name = ".".join(filter(None, unknown.groups()))
            options = [
                option.removeprefix("--") for action in self._actions for option in action.option_strings
            ]
            text += did_you_mean(name, options)
        raise InputError(text) from None


def parse(parser: ArgumentParser, args: Sequence[str]) -> Namespace:
    """Parse options.

    Raises:
        InputError: if one is wrong, or so large that Python does not take it.
    """
    try:
        return parser.parse_args(with_integers(parser, args))
    except InputError:
        raise
    except (OverflowError, RecursionError, ValueError) as error:
        raise InputError(f"a value cannot be read: {shortened(error)}") from None


def check_null(section: str, kind: type, values: Namespace, others: Sequence[str] = ()) -> None:
    """Raise an InputError if a field of a section is null that must have a value: the parser lets it through.

    Args:
        section: its name.
        kind: the class whose arguments its fields are.
        values: the values of its fields.
        others: arguments that the section does not have.
    """
    for name, parameter in inspect.signature(kind, eval_str=True).parameters.items():
        if name in others or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if values.get(name, parameter.default) is None and NoneType not in get_args(parameter.annotation):
            raise InputError(f"{section}.{name}: it must have a value, and is null")


def option_values(args: Sequence[str], *names: str) -> list[str]:
    """Return the values of an option that is needed before the parser is made."""
    values = [value for name, value in pairwise(args) if name in names]
    prefixes = tuple(f"{name}=" for name in names)
    return values + [argument.partition("=")[2] for argument in args if argument.startswith(prefixes)]
