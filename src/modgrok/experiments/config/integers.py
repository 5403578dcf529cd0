"""Integers as people write them: 1e4 is one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import NoneType
from typing import Any, get_args

from jsonargparse import ArgumentParser


def with_integers(parser: ArgumentParser, args: Sequence[str]) -> list[str]:
    """Return options with 10000 for 1e4 wherever a field takes an integer, and neither another number nor text.

    Args:
        parser: the parser that knows the fields.
        args: options, with the content of config files, as JSON, in the place of their paths.
    """
    _read_integers_first(parser)
    options = list(args)
    for i, (name, value) in enumerate(pairwise(["", *args])):
        if name in ("--config", "-c") and value[:1] == "{":
            options[i] = json.dumps(_of_config(parser, json.loads(value)))
        elif value.startswith("--") and "=" in value:
            option, _, number = value.partition("=")
            options[i] = f"{option}={_integer(parser, option[2:], number)}"
        elif name.startswith("--"):
            options[i] = str(_integer(parser, name[2:], value))
    return options


def _read_integers_first(parser: ArgumentParser) -> None:
    """Let fields of integers and other numbers read 1 as an integer: one batch, where 1.0 is all of them.

    `typing` keeps one of `Union[int, float]` and `Union[float, int]` for both, whichever a process wrote first,
    and the parser takes the first kind that fits.
    """
    for action in parser._actions:
        kinds = get_args(getattr(action, "_typehint", None))
        if int in kinds and float in kinds and all(kind in (int, float, NoneType) for kind in kinds):
            action._typehint = int | float | None if NoneType in kinds else int | float  # type: ignore[attr-defined]


def _of_config(parser: ArgumentParser, config: Any, field: str = "") -> Any:
    if isinstance(config, Mapping):
        return {
            name: _of_config(parser, value, f"{field}.{name}" if field else name)
            for name, value in config.items()
        }
    return _integer(parser, field, config)


def _integer(parser: ArgumentParser, field: str, value: Any) -> Any:
    action = parser._option_string_actions.get(f"--{field}")
    hint = getattr(action, "_typehint", getattr(action, "type", None))
    kinds = get_args(hint) or (hint,)
    if int not in kinds or float in kinds or str in kinds or isinstance(value, int):
        return value
    if isinstance(value, str) and not set(value) & set(".eE"):
        return value  # an integer already, of any length
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value  # the parser says what is wrong with it
    return int(number) if number.is_integer() else value
