"""The functions of a pair that neurons are compared with to find their frequencies."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
from einops import einsum, rearrange
from torch import Tensor

from modgrok.analysis.clocked_pairs import ClockedPairs


@dataclass(frozen=True, eq=False)
class TuningFunctions:
    """The waves of u signed sums of the operands' positions, over the pairs with every operand on the clock.

    The products of 1, cos(w_k f(x)), sin(w_k f(x)) with the same in the other operands span the same functions as the
    waves of f(x), g(y), f(x) + g(y) and f(x) − g(y): a function of a pair need only be summed over the pairs that
    share such a sum.

    Attributes:
        clocked_pairs: the n pairs on their clock.
        on_clock: (n,) bool, whether every operand of a pair is on the clock.
        signs: (u, o) int64, the sign of each operand in each sum.
        counts: (u, q) float64, the pairs on the clock that share each value of each sum.
        waves: (⌊q/2⌋, 2, q) float64, cos and sin of frequencies 1…⌊q/2⌋.
        inverse_gram: (⌊q/2⌋, 2u, 2u) float64, for each frequency the pseudoinverse of the inner products of its waves
            about their means.
    """

    clocked_pairs: ClockedPairs
    on_clock: Tensor
    signs: Tensor
    counts: Tensor
    waves: Tensor
    inverse_gram: Tensor

    def sums(self, pairs: Tensor) -> Tensor:
        """Compute the signed sums mod q, (u, i), of the pairs with indices (i,)."""
        return _signed_sums(
            self.signs, self.clocked_pairs.operand_positions[pairs], self.clocked_pairs.clock.size
        )


def tuning_functions(clocked_pairs: ClockedPairs) -> TuningFunctions:
    """Compute what the tuning of every network on these pairs has in common."""
    q, positions = clocked_pairs.clock.size, clocked_pairs.operand_positions
    on_clock = (positions >= 0).all(dim=1)
    positions = positions[on_clock]
    signs = torch.tensor(
        [sign for sign in product((0, 1, -1), repeat=positions.shape[1]) if _leads(sign)],
        device=positions.device,
    )
    waves = clocked_pairs.clock.waves(torch.arange(q, device=positions.device))[1:]
    u, k = len(signs), len(waves)
    counts = waves.new_empty(u, q)
    gram = waves.new_empty(k, u, 2, u, 2)
    for i in range(u):
        first = _signed_sums(signs[i : i + 1], positions, q)[0]
        counts[i] = torch.bincount(first, minlength=q)
        for j in range(i, u):
            second = _signed_sums(signs[j : j + 1], positions, q)[0]
            joint = torch.bincount(first * q + second, minlength=q * q).view(q, q).double()
            gram[:, i, :, j, :] = (waves @ joint) @ waves.mT
            gram[:, j, :, i, :] = gram[:, i, :, j, :].mT
    means = rearrange(einsum(waves, counts, "k w q, u q -> k u w"), "k u w -> k (u w)")
    gram = rearrange(gram, "k u w v x -> k (u w) (v x)")
    gram = gram - means[:, :, None] * means[:, None, :] / max(1, len(positions))
    inverse = torch.linalg.pinv(gram, rtol=1e-10, hermitian=True)
    return TuningFunctions(clocked_pairs, on_clock, signs, counts, waves, inverse)


def _signed_sums(signs: Tensor, positions: Tensor, q: int) -> Tensor:
    """Σ ± positions mod q, (u, i), for signs (u, o) and positions (i, o); CUDA has no product of integer matrices."""
    terms = [sign[:, None] * position for sign, position in zip(signs.T, positions.T, strict=True)]
    return torch.stack(terms).sum(0) % q


def _leads(signs: Sequence[int]) -> bool:
    """Whether the first of the signs that is not 0 is +: of a combination and its negative only one is needed."""
    return next((sign for sign in signs if sign), 0) == 1
