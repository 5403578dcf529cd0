"""An independent reading of formulas, to which tasks are held."""

import itertools
import re


class Exact:
    """Recursive descent over Python's integers, one tuple at a time."""

    def __init__(self, text: str, modulus: int, values: tuple[int, ...]) -> None:
        self.tokens = [*re.findall(r"[0-9]+|\*\*|\S", text), "end"]
        self.modulus = modulus
        self.values = dict(zip("xyz", values, strict=False))

    def answer(self) -> int | None:
        """The answer in 0 … p − 1, None where a divisor has no inverse."""
        try:
            value = self.sum()
        except ValueError:
            return None
        assert self.tokens == ["end"]
        return value % self.modulus

    def sum(self) -> int:
        value = self.product()
        while self.tokens[0] in "+-":
            sign = 1 if self.tokens.pop(0) == "+" else -1
            value += sign * self.product()
        return value

    def product(self) -> int:
        value = self.signed()
        while self.tokens[0] in ("*", "/"):
            if self.tokens.pop(0) == "*":
                value *= self.signed()
            else:
                value *= pow(self.signed(), -1, self.modulus)
            value %= self.modulus
        return value

    def signed(self) -> int:
        if self.tokens[0] == "-":
            self.tokens.pop(0)
            return -self.signed()
        base = self.atom()
        if self.tokens[0] == "**":
            self.tokens.pop(0)
            return pow(base, self.atom(), self.modulus)
        return base

    def atom(self) -> int:
        token = self.tokens.pop(0)
        if token == "(":
            value = self.sum()
            assert self.tokens.pop(0) == ")"
            return value
        return self.values[token] if token in self.values else int(token)


def exact_rows(text: str, modulus: int) -> list[tuple[tuple[int, ...], int]]:
    """Every tuple that has an answer, with the answer."""
    rows = [
        (values, Exact(text, modulus, values).answer())
        for values in itertools.product(range(modulus), repeat=3 if "z" in text else 2)
    ]
    return [(values, answer) for values, answer in rows if answer is not None]
