"""The characters of a clock as an orthonormal basis for functions of an operand or of the answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from modgrok.analysis.clock import Clock
from modgrok.errors import InputError

# A vector whose part outside the span of the others is this small beside it is taken to lie in the span.
# Rounding leaves about 1e-15 and the characters of a small clock are much further apart than 1e-8.
TOLERANCE = 1e-8


@dataclass(frozen=True, eq=False)
class Basis:
    """Characters of a clock, seen from the symbols 0…s−1 through a map f of symbols to residues mod p.

    There are as many symbols as residues, s = p, except in a sum that no modulus reduces.

    Attributes:
        clock: the clock whose characters they are.
        rows: (r, s) float64, orthonormal: constant, then cos and sin of each frequency, then the indicator of
            the symbols with f(x) = 0 where 0 is off the clock. Characters that the rows before them already
            span are left out, so r is the dimension of the span.
        frequencies: the frequency of each row; 0 for the constant, −1 for the indicator.
        names: each row in words: "constant", "cos 1", "sin 1", …, "zero".
        planes: (⌊q/2⌋+1, 2, s) float64: for each frequency by itself an orthonormal pair spanning cos and sin
            of w_k·f(x), a zero row where one vanishes. Where f is one-to-one these are the rows again; where
            it is not, the planes of different frequencies overlap.
        indistinguishable: the groups of two or more frequencies that cannot be told apart from functions of
            this operand, frequency 0 being the constant. They are the smallest groups whose spans are
            linearly independent of one another: within a group the same function can be written with
            different frequencies, between groups it cannot.

    Example:
        >>> from modgrok.analysis import additive_clock, characters
        >>> characters(additive_clock(5)).names
        ('constant', 'cos 1', 'sin 1', 'cos 2', 'sin 2')
    """

    clock: Clock
    rows: Tensor
    frequencies: tuple[int, ...]
    names: tuple[str, ...]
    planes: Tensor
    indistinguishable: tuple[tuple[int, ...], ...]

    @property
    def dimension(self) -> int:
        """The dimension of the span; at most s."""
        return len(self.rows)

    def describe(self) -> str:
        """One sentence for a reader: which characters, how many dimensions, what cannot be told apart."""
        p = self.clock.modulus
        group = f"ℤ/{p}" if self.clock.law == "additive" else f"(ℤ/{p})*"
        sentence = (
            f"{self.clock.law} characters of {group}: {self.dimension} of {self.rows.shape[1]} dimensions"
        )
        for frequencies in self.indistinguishable:
            sentence += f"; frequencies {_spans(frequencies)} cannot be told apart"
        return sentence


def characters(clock: Clock) -> Basis:
    """The characters of the residues themselves: p orthonormal rows over 0…p−1.

    Additive: the constant, then cos and sin of 2πkx/p for k = 1…⌊p/2⌋, where the sine of p/2 vanishes (Nanda
    et al. 2023, arXiv 2301.05217, section 3). Multiplicative: the same in log x mod p − 1, with 0 as a row of
    its own ("The Discrete-Log Clock", arXiv 2606.17399).

    Example:
        >>> from modgrok.analysis import additive_clock, characters
        >>> characters(additive_clock(113)).rows.shape
        torch.Size([113, 113])
    """
    return pullback(clock, torch.arange(clock.modulus))


def pullback(clock: Clock, part: npt.NDArray[np.int64] | Tensor) -> Basis:
    """The characters of f(x) as functions of the symbol x, orthonormalized.

    Where f is many-to-one the characters are linearly dependent as functions of x. They are orthonormalized
    by Gram and Schmidt from the constant upwards in frequency, and those without a new direction are left
    out.

    Args:
        clock: the clock whose characters are pulled back.
        part: (s,) int64, the residue f(x) of each symbol x; −1 where f is not defined.

    Raises:
        InputError: if `part` is not a row of residues, or f is nowhere on the clock.

    Example:
        >>> import torch
        >>> from modgrok.analysis import additive_clock, pullback
        >>> basis = pullback(additive_clock(7), torch.arange(7) ** 2 % 7)
        >>> basis.dimension  # x**2 has four values mod 7
        4
    """
    p = clock.modulus
    f = torch.as_tensor(part, dtype=torch.int64)
    if f.dim() != 1 or f.min() < -1 or f.max() >= p:
        raise InputError(
            f"part of shape {tuple(f.shape)}: needs a residue 0…{p - 1} for each symbol, −1 where undefined"
        )
    positions = torch.where(f >= 0, clock.position[f], -1)
    if (positions < 0).all():
        raise InputError("part: no symbol has a value on the clock, so it has no characters")
    return _basis(clock, clock.waves(positions), (f >= 0) & (positions < 0))


def pushforward(clock: Clock, answer_map: npt.NDArray[np.int64] | Tensor, n_answers: int) -> Basis:
    """The characters as functions of the answer h(s): their means over the residues s that have it, orthonormalized.

    They are what a read-out of the answers can see of a clock. Where h is one-to-one this is a pullback by its inverse.

    Args:
        clock: the clock whose characters they are.
        answer_map: h, (p,) int64, the answer at each residue; −1 where there is none.
        n_answers: a, the number of answers.

    Returns:
        A basis of functions of the answers, (…, a).
    """
    h = torch.as_tensor(answer_map, dtype=torch.int64)
    at = h[clock.residues]
    reached = at >= 0
    waves = torch.zeros(clock.top_frequency + 1, 2, n_answers, dtype=torch.float64)
    waves.index_add_(2, at[reached], clock.waves(torch.arange(clock.size))[..., reached])
    residues = torch.bincount(at[reached], minlength=n_answers)
    waves /= residues.clamp(min=1)
    zeros = torch.zeros(n_answers, dtype=torch.bool)
    if clock.law == "multiplicative" and h[0] >= 0:
        zeros[h[0]] = not residues[h[0]]
    return _basis(clock, waves, zeros)


def _basis(clock: Clock, waves: Tensor, zeros: Tensor) -> Basis:
    labels = [
        (k, trig) for k in range(len(waves)) for trig in (0, 1) if waves[k, trig].abs().max() > TOLERANCE
    ]
    vectors = torch.stack([waves[k, trig] / waves[k, trig].norm() for k, trig in labels])
    rows, chosen = _orthonormalize(vectors)
    frequencies = [labels[i][0] for i in chosen]
    names = [
        ("cos", "sin")[labels[i][1]] + f" {labels[i][0]}" if labels[i][0] else "constant" for i in chosen
    ]
    if zeros.any():
        rows = torch.cat([rows, (zeros / zeros.sum().sqrt()).double()[None]])
        frequencies.append(-1)
        names.append("zero")

    groups = _dependent_groups(vectors, [k for k, _ in labels], chosen)
    return Basis(clock, rows, tuple(frequencies), tuple(names), _planes(waves), groups)


def _orthonormalize(vectors: Tensor) -> tuple[Tensor, list[int]]:
    """Gram–Schmidt on unit vectors: orthonormal rows, and the indices of those that had a new direction."""
    rows = torch.zeros_like(vectors)
    chosen: list[int] = []
    for i, vector in enumerate(vectors):
        done = rows[: len(chosen)]
        rest = vector - (done @ vector) @ done
        rest = rest - (done @ rest) @ done  # once leaves the rounding of nearly dependent vectors
        if (norm := rest.norm()) > TOLERANCE:
            rows[len(chosen)] = rest / norm
            chosen.append(i)
    return rows[: len(chosen)], chosen


def _planes(waves: Tensor) -> Tensor:
    """Each frequency's (cos, sin) made orthonormal; a wave without a direction of its own becomes 0."""
    cosines, sines = _unit(waves[:, 0]), _unit(waves[:, 1])
    for _ in range(2):
        sines = _unit(sines - (sines * cosines).sum(dim=1, keepdim=True) * cosines)
    return torch.stack([cosines, sines], dim=1)


def _unit(vectors: Tensor) -> Tensor:
    norms = vectors.norm(dim=1, keepdim=True)
    return torch.where(norms > TOLERANCE, vectors / norms.clamp(min=TOLERANCE), 0.0)


def _dependent_groups(
    vectors: Tensor, frequencies: Sequence[int], chosen: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    """The connected components of the linear dependences among the frequencies, of two or more.

    Each vector left out is a unique combination of the chosen ones; the frequencies it needs belong together.
    The components of these fundamental dependences are the components of all of them (matroid connectivity).
    """
    left_out = sorted(set(range(len(vectors))) - set(chosen))
    if not left_out:
        return ()
    group = {k: {k} for k in frequencies}
    needs = torch.linalg.pinv(vectors[list(chosen)].T) @ vectors[left_out].T
    for column, i in enumerate(left_out):
        for row in (needs[:, column].abs() > 1e-6).nonzero().flatten().tolist():
            joined = group[frequencies[i]] | group[frequencies[chosen[row]]]
            group.update(dict.fromkeys(joined, joined))
    return tuple(sorted({tuple(sorted(members)) for members in group.values() if len(members) > 1}))


def _spans(numbers: Sequence[int]) -> str:
    """Sorted numbers in words, runs shortened: 1…4, 9."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = ", ".join(f"{run[0]}…{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
    return f"{words} (0 is the constant)" if 0 in numbers else words
