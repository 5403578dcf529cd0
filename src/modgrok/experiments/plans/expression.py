"""Expressions over a cell's values, such as `m > n or gcd(m, 28) == 1`, evaluated without running them as code."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from modgrok.errors import InputError, brief, did_you_mean

MAX_LENGTH = 500

_GRAMMAR = (
    "an expression has varied fields, numbers, quoted strings, + - * / // %, comparisons, in, and, or, not, "
    "gcd(a, b)"
)
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, among: value in among,
    ast.NotIn: lambda value, among: value not in among,
}


@dataclass(frozen=True)
class Expression:
    """A parsed expression.

    Attributes:
        text: the expression as it was written.
        where: the place that errors name, such as `skip`.
    """

    text: str
    where: str
    _tree: ast.expr = field(repr=False, compare=False)

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Evaluate the expression on a cell's values.

        Raises:
            InputError: if the values are not what the expression needs, such as a string in a sum.
        """
        try:
            return _evaluate(self._tree, values)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise InputError(f"{self.where}: {brief(self.text)} cannot be evaluated: {error}") from None


def parse_expression(text: object, names: Collection[str], where: str) -> Expression:
    """Read an expression over the varied `names`.

    Raises:
        InputError: if the text is not an expression (see `_GRAMMAR`), or has a name that does not vary.
    """
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        raise InputError(f"{where}: {brief(text)} must be an expression of at most {MAX_LENGTH} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InputError(f"{where}: {brief(text)} cannot be read; {_GRAMMAR}") from None
    _check(tree, text, names, where)
    return Expression(text, where, tree)


def _check(node: ast.expr, text: str, names: Collection[str], where: str) -> None:
    """Refuse every node that is not on the list."""
    match node:
        case ast.Constant(value=int() | float() | str() | None):
            children: list[ast.expr] = []
        case ast.Name() | ast.Attribute():
            if (name := _dotted(node)) not in names:
                hint = did_you_mean(name, names) or f"; it may use {', '.join(names)}"
                raise InputError(f"{where}: {brief(text)} has {brief(name)}, which does not vary{hint}")
            children = []
        case ast.Tuple(elts=children) | ast.List(elts=children) | ast.BoolOp(values=children):
            pass
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            children = [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            children = [left, right]
        case ast.Compare(left=left, ops=ops, comparators=others) if {type(op) for op in ops} <= set(
            _COMPARISONS
        ):
            children = [left, *others]
        case ast.Call(func=ast.Name(id="gcd"), args=[_, _] as children, keywords=[]):
            pass
        case _:
            part = ast.get_source_segment(text.strip(), node) or text
            raise InputError(f"{where}: {brief(text)} cannot have {brief(part)}; {_GRAMMAR}")
    for child in children:
        _check(child, text, names, where)


def _evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name() | ast.Attribute():
            return values[_dotted(node)]
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return tuple(_evaluate(element, values) for element in elements)
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_evaluate(part, values) for part in parts)
        case ast.BoolOp(values=parts):
            return any(_evaluate(part, values) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _evaluate(operand, values)
        case ast.UnaryOp(operand=operand):
            return -_number(_evaluate(operand, values))
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_number(_evaluate(left, values)), _number(_evaluate(right, values)))
        case ast.Compare(left=left, ops=ops, comparators=others):
            terms = [_evaluate(term, values) for term in (left, *others)]
            return all(_COMPARISONS[type(op)](*pair) for op, pair in zip(ops, pairwise(terms), strict=True))
        case ast.Call(args=arguments):
            return math.gcd(*(_evaluate(argument, values) for argument in arguments))
    raise AssertionError(node)  # _check has refused it


def _dotted(node: ast.expr) -> str:
    """Return the name of a field, such as `data.train_fraction`; empty where the node is none."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name) if section := _dotted(value):
            return f"{section}.{name}"
    return ""


def _number(value: Any) -> int | float:
    if not isinstance(value, int | float):
        raise TypeError(f"{brief(value)} is not a number")
    return value
