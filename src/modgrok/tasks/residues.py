"""Exact arithmetic on all residues of ℤ/p at once, as numpy int64 tables."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def power_table(exponent: int, modulus: int) -> Integers:
    """Raise every residue to a power, by squaring.

    Args:
        exponent: a non-negative integer of any size; 0**0 is 1.
        modulus: p.

    Returns:
        (p,): r**exponent mod p at index r.
    """
    square = np.arange(modulus, dtype=np.int64)
    power = np.ones(modulus, dtype=np.int64)
    while exponent:
        if exponent & 1:
            power = power * square % modulus
        square = square * square % modulus
        exponent >>= 1
    return power


@lru_cache(maxsize=4)
def inverse_table(modulus: int) -> Integers:
    """Invert every residue that has an inverse.

    Returns:
        (p,): the r' with r·r' = 1 mod p at index r; 0, which inverts nothing, where there is none.
    """
    inverses = [pow(r, -1, modulus) if math.gcd(r, modulus) == 1 else 0 for r in range(modulus)]
    return np.array(inverses, dtype=np.int64)


def is_prime(n: int) -> bool:
    """Say whether n is a prime, by trial division, which is fast enough for a modulus whose residues are listed.

    Example:
        >>> from modgrok.tasks import is_prime
        >>> is_prime(113), is_prime(91)
        (True, False)
    """
    return n > 1 and all(n % divisor for divisor in range(2, math.isqrt(n) + 1))


def primitive_root(prime: int) -> int:
    """Find the smallest generator of the multiplicative group (ℤ/p)*.

    Example:
        >>> from modgrok.tasks import primitive_root
        >>> primitive_root(113)
        3
    """
    order = prime - 1
    maximal = [order // q for q in range(2, order + 1) if order % q == 0 and is_prime(q)]
    return next(g for g in range(1, prime) if all(pow(g, e, prime) != 1 for e in maximal))


def exponentials(prime: int) -> Integers:
    """List the powers of the primitive root.

    Returns:
        (p − 1,): primitive_root(p)**k mod p at index k.

    Example:
        >>> from modgrok.tasks import exponentials
        >>> exponentials(5).tolist()
        [1, 2, 4, 3]
    """
    root = primitive_root(prime)
    powers = np.ones(prime - 1, dtype=np.int64)
    for k in range(1, prime - 1):
        powers[k] = powers[k - 1] * root % prime
    return powers


def discrete_logarithms(prime: int) -> Integers:
    """List the logarithms to the primitive root, the inverse of `exponentials`.

    Returns:
        (p,): the k in 0 … p − 2 with primitive_root(p)**k = r mod p at index r; −1 at 0, which has none.

    Example:
        >>> from modgrok.tasks import discrete_logarithms
        >>> discrete_logarithms(5).tolist()  # to the primitive root 2; 0 has none
        [-1, 0, 1, 3, 2]
    """
    logarithms = np.full(prime, -1, dtype=np.int64)
    logarithms[exponentials(prime)] = np.arange(prime - 1)
    return logarithms
