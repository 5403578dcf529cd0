"""Memorized information as other papers count it: Allen-Zhu & Li, and Morris et al."""

from __future__ import annotations

from math import log2

import numpy as np
from numpy.typing import NDArray

from modgrok.capacity.people.source_entropy import LN2


def capacity_ratio(
    *,
    n: int,
    names: float,
    name_loss: float,
    value_bits: float,
    value_loss: float,
    parameters: int,
    dictionary_words: int = 0,
    dictionary_bits: float = 0.0,
    first_chunk_loss: float = 0.0,
) -> float:
    """Return the bits per parameter that a network stores, by Allen-Zhu & Li (arXiv 2404.05405), Definition 4.1.

    R = [N·log2(N0/e^p1) + N·log2(S0/e^p2) + K·D·log2(T^L/(D·e^p3))] / P; a perfect network has p1 = ln N and
    p2 = p3 = 0.

    Args:
        n: The number of people, N.
        names: log2 N0, with N0 the number of possible names.
        name_loss: p1, nats of a whole name.
        value_bits: log2 S0, bits of all the values of a person: K·C·log2 D in bioD.
        value_loss: p2, nats of all the values of a person.
        parameters: The number of parameters, P.
        dictionary_words: K·D, the distinct values of all attributes.
        dictionary_bits: log2(T^L/D), bits that a value has as a string beyond those that tell it from the others.
        first_chunk_loss: p3, nats of the first chunk of a value.
    """
    bits = n * (names - name_loss / LN2) + n * (value_bits - value_loss / LN2)
    return (bits + dictionary_words * (dictionary_bits - first_chunk_loss / LN2)) / parameters


def highest_ratio(
    *,
    n: int,
    names: float,
    value_bits: float,
    parameters: int,
    dictionary_words: int = 0,
    dictionary_bits: float = 0.0,
) -> float:
    """Return R_max, the ratio of a network that knows everything; arguments as in `capacity_ratio`."""
    return capacity_ratio(
        n=n,
        names=names,
        name_loss=LN2 * log2(n),
        value_bits=value_bits,
        value_loss=0.0,
        parameters=parameters,
        dictionary_words=dictionary_words,
        dictionary_bits=dictionary_bits,
    )


def surprise_bits(losses: NDArray[np.float64], reference: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return max(0, log2 p(x|θ̂)/p(x|θ)) of every sample x, as Morris et al. count it (arXiv 2505.24832).

    For uniform data the reference is its entropy.

    The maximum makes it an estimate and not a bound: a code that chooses, for each sample, between the network and
    the reference has to say which.

    Args:
        losses: The losses of the network, bits of a whole sample.
        reference: The losses of the reference model θ, bits of a whole sample.
    """
    return np.maximum(0.0, reference - losses)
