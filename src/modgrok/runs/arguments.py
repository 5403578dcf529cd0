"""Whether arguments that a file gives are those that a class takes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from modgrok.errors import InputError


def check_arguments(of: type, given: object, where: str) -> None:
    """Compare arguments with the signature and the type hints of the class `of`.

    Raises:
        InputError: if they are no dictionary, or one is missing, unknown or of another type; `where` says whose.
    """
    if not isinstance(given, Mapping):
        raise InputError(f"{where}: not the arguments of a {of.__name__}")
    parameters = inspect.signature(of, eval_str=True).parameters
    for name, parameter in parameters.items():
        if name not in given and parameter.default is parameter.empty:
            raise InputError(f"{where}: {name} is missing")
        if name in given and not _is(given[name], parameter.annotation):
            raise InputError(f"{where}: {name} is not {_said(parameter.annotation)}")
    for name in sorted(map(str, set(given) - set(parameters))):
        raise InputError(f"{where}: {name[:40]!r} is unknown to a {of.__name__}")


def _is(value: object, hint: Any) -> bool:
    match get_origin(hint):
        case origin if origin in (Union, UnionType):
            return any(_is(value, member) for member in get_args(hint))
        case origin if origin is Literal:
            return isinstance(value, str) and value in get_args(hint)
        case origin if origin is list:
            return isinstance(value, list) and all(_is(item, get_args(hint)[0]) for item in value)
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def _said(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_said, get_args(hint)))
    if get_origin(hint) is Literal:
        return " or ".join(map(str, get_args(hint)))
    if get_origin(hint) is list:
        return f"a list of {_said(get_args(hint)[0])}"
    return {str: "text", int: "an integer", float: "a number", bool: "true or false", NoneType: "null"}[hint]
