"""Tables of token strings, and rows put together from them without a loop over the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

PAD = 0
UNSCORED, NAME, SUBJECT = 0, 1, 2
"""Parts of a row: what no loss is taken of, a name, and the answer about subject s as SUBJECT + s; S is no hop."""


class Rows(NamedTuple):
    """Questions as the network reads them.

    Attributes:
        tokens: (n, t), padded with `PAD`.
        parts: (n, t), the part that each token belongs to.
    """

    tokens: Tensor
    parts: Tensor


@dataclass(frozen=True)
class Codes:
    """Strings of tokens, one a row.

    Attributes:
        tokens: (rows, w) int32, padded with `PAD`.
        lengths: (rows,) tokens of each row.
    """

    tokens: Tensor
    lengths: Tensor

    @property
    def width(self) -> int:
        """The length of the longest string."""
        return self.tokens.shape[1]

    @cached_property
    def is_even(self) -> bool:
        """Whether all strings have the same length."""
        return bool((self.lengths == self.width).all())


def ragged(strings: Sequence[Sequence[int]]) -> Codes:
    """Make a table of strings of any lengths."""
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    width = int(lengths.max(initial=0))
    tokens = np.full((len(strings), width), PAD, np.int32)
    tokens[np.arange(width) < lengths[:, None]] = np.fromiter(
        chain.from_iterable(strings), np.int32, int(lengths.sum())
    )
    return Codes(torch.from_numpy(tokens), torch.from_numpy(lengths))


def even(tokens: NDArray[np.integer]) -> Codes:
    """Make a table of strings of one length, (rows, w)."""
    rows, width = tokens.shape
    return Codes(torch.from_numpy(tokens.astype(np.int32)), torch.full((rows,), width))


def stacked(tables: Sequence[Codes]) -> Codes:
    """Put tables below one another."""
    width = max(table.width for table in tables)
    padded = [F.pad(table.tokens, (0, width - table.width), value=PAD) for table in tables]
    return Codes(torch.cat(padded), torch.cat([table.lengths for table in tables]))


class Piece(NamedTuple):
    """A stretch of every row: row `rows[i]` of a table, belonging to part `part[i]`."""

    codes: Codes
    rows: Tensor
    part: Tensor


def join(pieces: Sequence[Piece]) -> Rows:
    """Put pieces one after another, (n, t) with t the sum of their widths."""
    if all(piece.codes.is_even for piece in pieces):
        return Rows(
            torch.cat([piece.codes.tokens[piece.rows] for piece in pieces], 1).long(),
            torch.cat([piece.part[:, None].expand(-1, piece.codes.width) for piece in pieces], 1),
        )
    n, width = len(pieces[0].rows), sum(piece.codes.width for piece in pieces)
    rows = Rows(torch.full((n, width), PAD), torch.full((n, width), UNSCORED))
    start = torch.zeros(n, 1, dtype=torch.long)
    for codes, chosen, part in pieces:  # each writes its padding too, and the next begins where it begins
        offset = torch.arange(codes.width)
        length = codes.lengths[chosen][:, None]
        rows.tokens.scatter_(1, start + offset, codes.tokens[chosen].long())
        rows.parts.scatter_(1, start + offset, torch.where(offset < length, part[:, None], UNSCORED))
        start = start + length
    return rows


def fitted(rows: Rows, length: int) -> Rows:
    """Pad rows (n, t) to a length, or cut padding off: pieces may leave one another out."""
    missing = length - rows.tokens.shape[1]
    return Rows(F.pad(rows.tokens, (0, missing), value=PAD), F.pad(rows.parts, (0, missing), value=UNSCORED))


def spell(numbers: NDArray[np.integer], alphabet: int, length: int) -> NDArray[np.int64]:
    """Write numbers with `length` digits of an alphabet, (n, length), the highest digit first."""
    return numbers[:, None] // alphabet ** np.arange(length)[::-1] % alphabet


def digits_needed(count: int, alphabet: int) -> int:
    """Return how many digits of an alphabet tell `count` things apart; a single thing takes none."""
    return next(length for length in range(64) if alphabet**length >= count)
