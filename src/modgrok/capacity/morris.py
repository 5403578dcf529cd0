"""Memorized bits as Morris et al., "How much do language models memorize?" (arXiv 2505.24832), count them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def memorized_bits(
    losses: NDArray[np.float64], reference: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return max(0, log2 p(x|θ̂)/p(x|θ)) of every sample x; for uniform data the reference is its entropy.

    The maximum makes it an estimate and not a bound: a code that chooses, for each sample, between the network and
    the reference has to say which.

    Args:
        losses: of the network, bits of a whole sample.
        reference: losses of the reference model θ, bits of a whole sample.
    """
    return np.maximum(0.0, reference - losses)
