"""Linear probes: what can be read off the residual stream at every layer and position, for people not fitted on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from modgrok.capacity.memorizing.capacity_run import CapacityRun
from modgrok.capacity.people.source_entropy import LN2
from modgrok.capacity.people.streams import Stream, generator
from modgrok.capacity.questions.codes import NAME
from modgrok.capacity.questions.questions import Questions
from modgrok.errors import InputError

ROWS = 3000  # of a probe, a random choice where there are more
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)
"""L2 penalties for standardized inputs. The best on people of their own is taken, a probe of no weights included."""
ITERATIONS = 60
SHARES_OF_PEOPLE = (0.6, 0.2, 0.2)  # of the people: to fit on, to choose the penalty on, to report


@dataclass(frozen=True)
class Probe:
    """The bits that linear probes know about a target, at every layer and position.

    Attributes:
        target: The name of what is read off: an attribute, or the first token of the bridge person's name.
        positions: Token positions, counted back from the first token of the answer, or forward in biographies.
        entropy: Bits of the target, to someone who knows its frequencies.
        bits: (layers + 1, positions), `entropy` minus the probe's loss on people that it was not fitted on.
        control: The same bits for a target shuffled between people.
    """

    target: str
    positions: list[int]
    entropy: float
    bits: list[list[float]]
    control: list[list[float]]

    def plain(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return asdict(self)


def probe_run(run: CapacityRun, seed: int = 0) -> list[Probe]:
    """Probe a run's network: two-hop questions for the bridge and its attributes, else for a person's attributes.

    Args:
        run: The trained network and its data.
        seed: Decides the choice of rows, the split of people and the control.

    Raises:
        InputError: if there are too few people to split.
    """
    data, people = run.data, run.data.people
    if len(people) < 20:
        raise InputError(
            f"{run.path}: n must be ≥ 20 for probes, which split people in three; got {len(people)}"
        )
    rng = generator(seed, Stream.PROBE)
    name = "two_hop" if data.hops == 2 else "alone" if "alone" in data.questions.sets else "one_hop"
    numbers = data.numbers(name)
    numbers = rng.permutation(numbers)[:ROWS].astype(np.int64)
    rows = (data.questions.two_hop if data.hops == 2 else data.questions.one_hop)(torch.from_numpy(numbers))  # type: ignore[union-attr]
    if data.hops == 2:
        assert isinstance(data.questions, Questions)
        person, relation, _ = (t.numpy() for t in data.questions.hops(torch.from_numpy(numbers)))
        whom, unit = people.relations[person, relation], person * len(people.relation_names) + relation
    else:
        person = numbers // data.questions.rows_per_person
        whom = unit = person
    answers = (rows.parts > NAME).int()
    biography = data.config["notation"] == "biographies"
    length = rows.tokens.shape[1] if biography else int(answers.argmax(1).min())
    start = (
        torch.zeros(len(numbers), 1, dtype=torch.long) if biography else answers.argmax(1)[:, None] - length
    )
    with torch.no_grad():
        stream = torch.stack(run.network.residual_stream(rows.tokens))  # type: ignore[operator]
    index = (start + torch.arange(length))[None, :, :, None].expand(len(stream), -1, -1, stream.shape[-1])
    states = stream.gather(2, index).transpose(1, 2).flatten(0, 1)  # (layers · positions, rows, d)
    group = rng.choice(3, len(people), p=SHARES_OF_PEOPLE)[person]
    targets: dict[str, NDArray[np.int64]] = {}
    if data.hops == 2:
        first_tokens = data.notation.answers.tokens[-len(people) :, 0].numpy()
        targets["bridge"] = np.unique(first_tokens[whom], return_inverse=True)[1]
    for column, attribute in enumerate(people.space.attributes):
        targets[attribute] = people.attributes[whom, column].astype(np.int64)
    shape = (len(stream), length)
    positions = list(range(length)) if biography else list(range(-length, 0))
    found = []
    for target, labels in targets.items():
        shuffled = _shuffled(labels, unit, rng)
        bits, entropy = _information(states, labels, group)
        control, _ = _information(states, shuffled, group)
        found.append(
            Probe(target, positions, entropy, bits.view(shape).tolist(), control.view(shape).tolist())
        )
    return found


def _shuffled(
    labels: NDArray[np.int64], unit: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Shuffle labels between units, so that rows that shared a label still share one."""
    _, first, index = np.unique(unit, return_index=True, return_inverse=True)
    return rng.permutation(labels[first])[index]


def _information(states: Tensor, labels: NDArray[np.int64], group: NDArray[np.int64]) -> tuple[Tensor, float]:
    """Return the bits that each of a stack of probes, (probes, rows, d), knows, and the bits of the labels."""
    classes = int(labels.max()) + 1
    fit, choose, report = (torch.from_numpy(np.flatnonzero(group == g)) for g in range(3))
    y = torch.from_numpy(labels)
    frequencies = (y[fit].bincount(minlength=classes) + 1.0) / (len(fit) + classes)
    entropy = float(-frequencies[y[report]].log2().mean())
    mean, deviation = states[:, fit].mean(1, keepdim=True), states[:, fit].std(1, keepdim=True)
    x = (states - mean) / (deviation + 1e-6)
    unaided = -frequencies.log2()[y]
    losses = [torch.stack([unaided[rows].mean().expand(len(x)) for rows in (choose, report)])]
    for penalty in PENALTIES:
        weights = torch.zeros(len(x), x.shape[-1], classes, requires_grad=True)
        bias = frequencies.log().expand(len(x), 1, -1).clone().requires_grad_()
        _minimize(x[:, fit], y[fit], weights, bias, penalty)
        with torch.no_grad():
            loss = _loss(x @ weights + bias, y) / LN2
        losses.append(torch.stack([loss[:, choose].mean(1), loss[:, report].mean(1)]))
    chosen, reported = torch.stack(losses).unbind(1)  # (penalties, probes) each
    best = chosen.argmin(0, keepdim=True)
    return entropy - reported.gather(0, best)[0], entropy


def _loss(logits: Tensor, y: Tensor) -> Tensor:
    """Return losses (probes, rows) in nats of logits (probes, rows, classes)."""
    return F.cross_entropy(logits.movedim(-1, 1), y.expand(len(logits), -1), reduction="none")


def _minimize(x: Tensor, y: Tensor, weights: Tensor, bias: Tensor, penalty: float) -> None:
    """Fit a stack of probes at once with L-BFGS."""
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = _loss(x @ weights + bias, y).mean(1).sum() + penalty * weights.square().sum() / 2
        loss.backward()
        return loss

    optimizer.step(closure)
