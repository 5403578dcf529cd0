"""Formulas: from text to exact arithmetic in ℤ/p, without ever running the text."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modgrok.errors import InputError, brief, nearest
from modgrok.tasks.operation import Operation
from modgrok.tasks.residues import Integers, inverse_table, power_table

VARIABLES = ("x", "y", "z")
MAX_LENGTH = 500
_SLAB = 1 << 16  # tuples answered at a time

_GRAMMAR = "a formula has integers, x, y, z, + - * / **, unary minus and parentheses, such as 2*x**2 + y"
# Checked before Python's parser sees the text, which would also read 0x1f, 1e3, comments and letters that
# only look like x.
_LEXEMES = re.compile(r"(?:[0-9]+(?![0-9A-Za-z_])|[A-Za-z_][0-9A-Za-z_]*|[-+*/() ])*")
_WORD = re.compile(r"\w+|.")
_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


class Step(NamedTuple):
    """One step of a formula in postfix order.

    Attributes:
        action: "integer" and "variable" push a value; the operators and "negate" replace the values on top.
        argument: the integer, the variable's index or the exponent of "**"; 0 where there is none.
    """

    action: str
    argument: int = 0


@dataclass(frozen=True)
class Formula(Operation):
    """A formula over ℤ/p in x, y and z.

    Attributes:
        text: the formula as it was written.
        steps: the same in postfix order, so that no formula is too deep to evaluate.
    """

    text: str
    steps: tuple[Step, ...] = field(repr=False)

    def __str__(self) -> str:
        return self.text

    @property
    def n_operands(self) -> int:
        """The number of operands: 3 where z occurs, otherwise 2, since the published setting is pairs."""
        return 3 if Step("variable", VARIABLES.index("z")) in self.steps else 2

    def evaluate(self, operands: Sequence[Integers], modulus: int) -> tuple[Integers, NDArray[np.bool_]]:
        """Answer all tuples, a slab of x at a time: a deep formula has many intermediate values.

        Values stay below p, and a table of p² answers fits in memory, so no product exceeds an int64.
        """
        powers = {n: power_table(n, modulus) for action, n in self.steps if action == "**"}
        shape = np.broadcast_shapes(*(operand.shape for operand in operands))
        answers, defined = np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.bool_)
        x, *others = operands
        height = max(1, _SLAB * len(x) // answers.size)
        for start in range(0, len(x), height):
            slab = slice(start, start + height)
            answers[slab], defined[slab] = self._answer((x[slab], *others), modulus, powers)
        return answers, defined

    def _answer(
        self, operands: Sequence[Integers], modulus: int, powers: Mapping[int, Integers]
    ) -> tuple[Integers, NDArray[np.bool_]]:
        """Reduce mod p after every operation.

        Dividing is multiplying by the inverse; tuples with a divisor that has none are undefined.
        """
        defined = np.ones((1,) * len(operands), dtype=np.bool_)
        stack: list[Integers] = []
        for action, argument in self.steps:
            match action:
                case "integer":
                    stack.append(np.full_like(defined, argument % modulus, dtype=np.int64))
                case "variable":
                    stack.append(operands[argument])
                case "negate":
                    stack.append(-stack.pop() % modulus)
                case "**":
                    stack.append(powers[argument][stack.pop()])
                case _:
                    right, left = stack.pop(), stack.pop()
                    if action == "/":
                        right = inverse_table(modulus)[right]
                        defined = defined & (right != 0)
                    match action:
                        case "+":
                            stack.append((left + right) % modulus)
                        case "-":
                            stack.append((left - right) % modulus)
                        case _:
                            stack.append(left * right % modulus)
        return stack.pop(), defined


def parse_formula(text: str) -> Formula:
    """Read a formula.

    Args:
        text: integers, the variables x, y and z, `+ - * / **`, unary minus and parentheses, with Python's
            precedence. An exponent is a non-negative integer literal.

    Raises:
        InputError: if the text contains anything else; the message gives the character.
    """
    if len(text) > MAX_LENGTH:
        raise InputError(
            f"task: the formula has {len(text):,} characters; a formula has at most {MAX_LENGTH}"
        )
    formula = " ".join(text.split())
    if not formula:
        raise InputError(f"task: the formula is empty; {_GRAMMAR}")
    readable = _LEXEMES.match(formula)
    end = readable.end() if readable else 0
    if end < len(formula):
        raise _misplaced(formula, _WORD.findall(formula, end)[0], end)
    try:
        tree = ast.parse(formula, mode="eval")
    except SyntaxError as error:
        where = f" at character {error.offset}" if error.offset else ""
        raise InputError(f"task: {brief(formula)} cannot be read: {error.msg}{where}; {_GRAMMAR}") from None
    except (MemoryError, RecursionError, ValueError):
        raise InputError(f"task: {brief(formula)} is nested too deeply to be read") from None
    return _translate(formula, tree.body)


def _translate(formula: str, tree: ast.expr) -> Formula:
    """Turn the syntax tree into steps, refusing every node that is not on the list."""
    reversed_steps: list[Step] = []
    pending: list[ast.expr] = [tree]
    while pending:
        match node := pending.pop():
            case ast.Constant(value=int(value)) if type(value) is int:
                reversed_steps.append(Step("integer", value))
            case ast.Name(id=name):
                if name not in VARIABLES:
                    raise InputError(
                        f"task: {brief(formula)} has an unknown variable {brief(name)} at character "
                        f"{node.col_offset + 1}; did you mean {nearest(name, VARIABLES)!r}? "
                        "A formula's variables are x, y and z"
                    )
                reversed_steps.append(Step("variable", VARIABLES.index(name)))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                reversed_steps.append(Step("negate"))
                pending.append(operand)
            case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
                reversed_steps.append(Step("**", _exponent(formula, exponent)))
                pending.append(base)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
                reversed_steps.append(Step(_BINARY[type(operator)]))
                pending += [left, right]
            case _:
                raise _misplaced(formula, ast.get_source_segment(formula, node) or "", node.col_offset)
    return Formula(formula, tuple(reversed(reversed_steps)))


def _exponent(formula: str, node: ast.expr) -> int:
    match node:
        case ast.Constant(value=int(value)) if type(value) is int:
            return value
    raise InputError(
        f"task: {brief(formula)} has an exponent {brief(ast.get_source_segment(formula, node))} at character "
        f"{node.col_offset + 1}; an exponent must be a non-negative integer such as 2"
    )


def _misplaced(formula: str, part: str, offset: int) -> InputError:
    where = f"task: {brief(formula)} cannot have {brief(part)} at character {offset + 1}"
    if part == "^":
        return InputError(f"{where}; write a power with **, such as x**2")
    if product := re.fullmatch(r"(\d+)([a-z].*)", part):
        return InputError(f"{where}; write a product with *: {product[1]}*{product[2]}")
    return InputError(f"{where}; {_GRAMMAR}")
