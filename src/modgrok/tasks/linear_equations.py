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
        n, generators, values = self.modulus, self.generators.copy(), values.copy()
        for number in range(len(values)):
            value, rest = values[number], values[number:]
            while (nonzero := np.flatnonzero(value)).size:
                divisors = np.gcd(value[nonzero], n)
                pivot = int(nonzero[divisors.argmin()])
                divisor = int(divisors.min())
                if nonzero.size == 1:
                    generators[:, pivot] = generators[:, pivot] * (n // divisor) % n
                    rest[:, pivot] = rest[:, pivot] * (n // divisor) % n
                    break
                inverse = pow(int(value[pivot]) // divisor, -1, n // divisor)
                # leaves value % divisor of the other generators: over a field 0, otherwise less each time
                others = nonzero[nonzero != pivot]
                factors = value[others] // divisor * inverse % n
                for vectors in (generators, rest):
                    vectors[:, others] = (vectors[:, others] - vectors[:, pivot, None] * factors) % n
        self.generators = generators[:, generators.any(axis=0)]
