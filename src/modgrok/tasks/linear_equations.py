"""Homogeneous linear equations over ℤ/n, for prime and composite n."""

import numpy as np

from modgrok.tasks.residues import Integers


class Solutions:
    """The solutions of the equations imposed so far.

    Args:
        generators: (u, d), d solutions in u unknowns whose combinations are all solutions; the identity before
            any equation is imposed.
        modulus: n.
    """

    def __init__(self, generators: Integers, modulus: int) -> None:
        self.generators = generators
        self.modulus = modulus

    def impose(self, values: Integers) -> None:
        """Keep the combinations of the generators for which every equation is 0.

        Args:
            values: (m, d), the value of each of m equations at each generator.
        """
        n = self.modulus
        while len(values := values[values.any(axis=1)]):
            value = values[0]
            divisors = np.where(value, np.gcd(value, n), n)
            pivot = int(divisors.argmin())
            divisor = int(divisors[pivot])
            inverse = pow(int(value[pivot]) // divisor, -1, n // divisor)
            # leaves value % divisor of the other generators: over a field 0, otherwise less each time
            factors = value // divisor * inverse % n
            factors[pivot] = 0
            self.generators = (self.generators - self.generators[:, pivot, None] * factors) % n
            values = (values - values[:, pivot, None] * factors) % n
            if np.count_nonzero(values[0]) == 1:
                annihilator = n // divisor
                if annihilator == n:
                    self.generators = np.delete(self.generators, pivot, axis=1)
                    values = np.delete(values, pivot, axis=1)
                else:
                    self.generators[:, pivot] = self.generators[:, pivot] * annihilator % n
                    values[:, pivot] = values[:, pivot] * annihilator % n
