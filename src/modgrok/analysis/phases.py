"""Memorisation, circuit formation and cleanup, found from the measures over the checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from modgrok.errors import InputError

# Cleanup has ended when Σw² has done this much of its fall.
_SETTLED = 0.9


@dataclass(frozen=True)
class Phase:
    """A phase of training.

    Attributes:
        name: which.
        start: the update of the first checkpoint in it.
        end: the update of the checkpoint at which it is over; None where it lasts to the end of the run.

    Example:
        >>> from modgrok.analysis import Phase
        >>> Phase("circuit formation", 1400, 9400).end
        9400
    """

    name: Literal["memorisation", "circuit formation", "cleanup"]
    start: int
    end: int | None


def find_phases(
    updates: Sequence[int],
    *,
    train_loss: Sequence[float],
    heldout_loss: Sequence[float],
    excluded_loss: Sequence[float],
    sum_of_squared_weights: Sequence[float],
    guess: float,
) -> tuple[Phase, ...]:
    """Divide a run into the three phases of Nanda et al. 2023, section 5.2, by this rule.

    Each argument has one number for each checkpoint; excluded_loss is that of the training pairs with the
    run's final key frequencies taken out all together. With the loss of a uniform guess, ln p for the
    cross-entropy, as the yardstick:

    - There is a circuit from the first checkpoint at which taking the key frequencies out costs the training
      pairs half of it or more (excluded − training loss).
    - Memorisation lasts to the checkpoint of the smallest excluded loss before that: until then the network
      gets better without the key frequencies, from then on worse.
    - Circuit formation lasts from there to the first checkpoint from which on the held-out loss stays below
      it: the network is never again worse than a guess.
    - Cleanup lasts from there until the sum of squared weights has done 90% of its fall from this checkpoint
      to the run's last one.

    A boundary that is not met is not found: a run that never groks ends in memorisation or circuit formation,
    one whose weights do not fall never ends its cleanup. Where the network groks and no circuit is seen (no
    key frequencies), memorisation is followed by cleanup.

    Returns:
        The phases that occurred, in order.

    Raises:
        InputError: if the arguments are empty or of different lengths.

    Example:
        >>> from modgrok.analysis import find_phases
        >>> phases = find_phases(
        ...     [0, 100, 200, 300],
        ...     train_loss=[4.6, 0.1, 0.01, 0.001],
        ...     heldout_loss=[4.6, 9.0, 4.0, 0.01],
        ...     excluded_loss=[4.6, 0.1, 2.0, 8.0],
        ...     sum_of_squared_weights=[2000.0, 1900.0, 1500.0, 1200.0],
        ...     guess=4.6,
        ... )
        >>> [(phase.name, phase.start, phase.end) for phase in phases]
        [('memorisation', 0, 100), ('circuit formation', 100, 200), ('cleanup', 200, 300)]
    """
    columns = (updates, train_loss, heldout_loss, excluded_loss, sum_of_squared_weights)
    lengths = {len(column) for column in columns}
    if lengths == {0} or len(lengths) > 1:
        raise InputError(
            f"find_phases: each measure needs one value for each checkpoint, not {sorted(lengths)}"
        )
    train, heldout, excluded, squares = (torch.tensor(c, dtype=torch.float64) for c in columns[1:])
    last = len(updates)

    worse = (heldout >= guess).nonzero().flatten().tolist()
    grokked = worse[-1] + 1 if worse else 0
    circuit = next(iter((excluded - train >= guess / 2).nonzero().flatten().tolist()), last)
    # without a circuit the excluded loss has no turning point: memorisation lasts until the network groks
    memorised = int(excluded[: min(circuit, grokked) + 1].argmin()) if circuit < last else grokked

    found = [Phase("memorisation", updates[0], updates[memorised] if memorised < last else None)]
    if memorised < grokked:
        end = updates[grokked] if grokked < last else None
        found.append(Phase("circuit formation", updates[memorised], end))
    if grokked < last:
        fallen = squares[grokked] - squares[grokked:]
        settled = fallen >= _SETTLED * fallen[-1]
        end = updates[grokked + int(settled.int().argmax())] if fallen[-1] > 0 else None
        found.append(Phase("cleanup", updates[grokked], end))
    return tuple(phase for phase in found if phase.end != phase.start)
