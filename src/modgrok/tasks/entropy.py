"""How evenly a task uses its answers."""

import numpy as np

from modgrok.tasks.residues import Integers


def label_entropy(answers: Integers, n_answers: int) -> float:
    """Compute the entropy of the histogram of the answers, −Σ q·ln q, in nats.

    It is the lowest loss of a network that does not look at its input: ln n_answers where every answer is as
    frequent as any other.

    Args:
        answers: (n,), each in 0 … n_answers − 1, at least one.
        n_answers: the number of possible answers.

    Example:
        >>> import numpy as np
        >>> from modgrok.tasks import label_entropy
        >>> round(label_entropy(np.array([0, 1, 0, 1]), 2), 4)  # ln 2
        0.6931
    """
    counts = np.bincount(answers, minlength=n_answers)
    frequencies = counts[counts > 0] / len(answers)
    return float(-(frequencies * np.log(frequencies)).sum()) + 0.0
