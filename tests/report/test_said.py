"""Every sentence that opens a report asserts what a number that was measured shows."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from clock_network import clock_mlp, clock_network, history
from group_network import built

from modgrok import ModularDataModule, Transformer
from modgrok.analysis import GroupMeasures, Worth, additive_clock, multiplicative_clock
from modgrok.analysis.run_analysis import RunAnalysis, TaskAnalysis, analyze_network
from modgrok.figures.numbers import listed, number, percent
from modgrok.models import Network
from modgrok.report.prose import opening
from modgrok.report.worth import worth_table
from modgrok.runs import History, Score, Snapshot


def clock(size: float, seed: int = 0) -> tuple[ModularDataModule, Network]:
    data = ModularDataModule("x + y", 23)
    return data, noisy(clock_network(data, additive_clock(23), [2, 5, 9]), size, seed)


def product(size: float) -> tuple[ModularDataModule, Network]:
    data = ModularDataModule("x * y", 23)
    return data, noisy(clock_network(data, multiplicative_clock(23), [1, 4, 6]), size)


def perceptron(size: float) -> tuple[ModularDataModule, Network]:
    data = ModularDataModule("x + y", 23)
    return data, noisy(clock_mlp(data, additive_clock(23), [5]), size)


def of_another_task(size: float) -> tuple[ModularDataModule, Network]:
    """Neurons tuned to frequencies in a network that does something else."""
    data = ModularDataModule("2*x + y", 23)
    return data, noisy(clock_network(data, additive_clock(23), [2, 5, 9]), size)


def untrained(task: str | list[str], modulus: int | None = 11) -> tuple[ModularDataModule, Network]:
    torch.manual_seed(0)
    data = ModularDataModule(task, modulus) if modulus else ModularDataModule(task)
    return data, Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=24)


def on_group(size: float) -> tuple[ModularDataModule, Network]:
    snapshot = built("S3", "standard")
    return snapshot.data, noisy(snapshot.network, size)


def noisy(network: Network, size: float, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight += size * weight.std() * torch.randn_like(weight)
    return network.eval()


NETWORKS: list[Callable[[], tuple[ModularDataModule, Network]]] = [
    *[
        lambda size=size, seed=seed: clock(size, seed)
        for size in (0.0, 0.1, 0.2, 0.3, 0.45, 0.6)
        for seed in (0, 1)
    ],
    *[lambda size=size: product(size) for size in (0.0, 0.1, 0.25)],
    *[lambda size=size: perceptron(size) for size in (0.0, 0.2, 0.4)],
    lambda: of_another_task(0.05),
    lambda: untrained("x + y"),
    lambda: untrained(["x - y", "x * y"]),
    lambda: untrained("x**3 + x*y"),
    lambda: untrained("x * y in S3", None),
    *[lambda size=size: on_group(size) for size in (0.0, 0.5, 3.0)],
]
HISTORIES: list[tuple[History, bool]] = [(history(1000), True), (History(), True), (history(1000), False)]


def restricted(task: TaskAnalysis) -> float:
    """The share of right pairs with the key frequencies alone, pair by pair from the logits' definition."""
    circuit, pairs = task.circuit, task.circuit.view.clocked_pairs
    with torch.no_grad():
        logits = circuit.network(circuit.view.tokens).double()
    on = pairs.answer_positions >= 0
    angles = (
        2
        * torch.pi
        * pairs.answer_positions[on, None]
        * torch.tensor(circuit.key_frequencies)
        / pairs.clock.size
    )
    waves = torch.cat([torch.ones(int(on.sum()), 1), angles.cos(), angles.sin()], dim=1).double()
    kept = torch.empty_like(logits)
    kept[on] = waves @ torch.linalg.lstsq(waves, logits[on], driver="gelsd").solution
    kept[~on] = logits[~on].mean(dim=0)
    return float((kept.argmax(dim=1) == pairs.answers).double().mean())


def frequencies(task: TaskAnalysis) -> str:
    return listed([str(k) for k in task.circuit.key_frequencies])


def is_clock(said: re.Match[str], analysis: RunAnalysis, task: TaskAnalysis) -> bool:
    circuit = task.circuit
    return (
        (said[1].lower(), int(said[2]), said[3]) == (circuit.clock.law, len(circuit.keys), frequencies(task))
        and circuit.view.clocked_pairs.separates
        and restricted(task) >= 0.9
    )


def is_tuned(said: re.Match[str], analysis: RunAnalysis, task: TaskAnalysis) -> bool:
    return said[2] == task.circuit.clock.law and said[3] == frequencies(task)


def with_and_without(said: re.Match[str], analysis: RunAnalysis, task: TaskAnalysis) -> bool:
    pairs = "the training pairs" if analysis.snapshot.split_known else "all pairs"
    loss, guess = task.last.measures.excluded_loss, task.circuit.guess
    return said.groups() == (percent(restricted(task)), pairs, number(loss), number(guess))


def no_keys(said: re.Match[str], analysis: RunAnalysis, task: TaskAnalysis) -> bool:
    tuned = torch.bincount(task.circuit.tuning.clusters.clamp(min=0))[1:]
    active = int(task.circuit.tuning.active.sum())
    return int(said[1]) == active and int(tuned.max() if len(tuned) else 0) < max(2, active / 100)


def learned(said: re.Match[str], analysis: RunAnalysis, task: TaskAnalysis) -> bool:
    last, seen = task.last, analysis.history(task)
    assert last.heldout_accuracy is not None
    return (
        said[1] == f"{seen.memorised_at:,}"
        and said[2] == f"{seen.grokked_at:,}"
        and (said[3] or "")
        == ("" if last.heldout_accuracy >= seen.threshold else percent(last.heldout_accuracy))
    )


def not_learned(said: re.Match[str], analysis: RunAnalysis, task: TaskAnalysis) -> bool:
    seen, last = analysis.history(task), task.last
    return bool(
        seen.update
        and (seen.memorised_at, seen.grokked_at) == (None, None)
        and said[1] == percent(last.train_accuracy)
    )


def split_shares(said: re.Match[str], analysis: RunAnalysis, task: TaskAnalysis) -> bool:
    last = task.last
    return not analysis.history(task).update and said.groups() == (
        percent(last.train_accuracy),
        percent(last.heldout_accuracy),
    )


def all_pairs(said: re.Match[str], analysis: RunAnalysis, task: TaskAnalysis) -> bool:
    right = task.circuit.answered_right(task.circuit.network).double().mean()
    return not analysis.snapshot.split_known and said[1] == percent(float(right))


def of_group(name: str) -> Callable[[re.Match[str], RunAnalysis, TaskAnalysis], bool]:
    def holds(said: re.Match[str], analysis: RunAnalysis, task: TaskAnalysis) -> bool:
        measures = task.last.measures
        assert isinstance(measures, GroupMeasures)
        value = getattr(measures, name) if hasattr(measures, name) else getattr(task.last, name)
        return said[1] in (percent(value), number(value))

    return holds


def least(said: re.Match[str], analysis: RunAnalysis, task: TaskAnalysis) -> bool:
    """The part named is the one without which the fewest are right, measured anew."""
    whole, *parts = task.worth
    side = "new" if whole.new is not None else "accuracy"
    worst = min(getattr(part, side) for part in parts)
    return (
        any(part.part in said[1] and getattr(part, side) == worst for part in parts)
        and worst < getattr(whole, side)
        and said[2] == percent(worst)
        and said[4] == percent(getattr(whole, side))
    )


def idle(said: re.Match[str], analysis: RunAnalysis, task: TaskAnalysis) -> bool:
    whole, *parts = task.worth

    def named(part: Worth) -> str:
        return part.part if part.size is None else f"the {part.size} {part.part}"

    names = re.split(", | and ", said[2])
    found = {named(part): part.accuracy for part in parts}
    return len(names) == (1 if "This" in said[1] else len(names)) and all(
        found[name] >= whole.accuracy for name in names
    )


RULES = {
    r"(\w+) clock on (\d+) frequenc(?:y|ies): (.*)": is_clock,
    r"Neurons tuned to (\d+) frequenc(?:y|ies) of the (\w+) clock: (.*)": is_tuned,
    r"With (?:this|these) alone in the logits (\S+) of all pairs are right; without (?:it|them) the loss of (.*) is "
    r"(.*), where a guess has (.*)": with_and_without,
    r"No key frequencies: too few of the (\d+) active neurons are tuned .*": no_keys,
    r"It memorised at update (\S+) and grokked at update ([\d,]+?)(?:, but (\S+) of the held-out pairs are right after "
    r"1,000 updates)?": learned,
    r"It has not memorised: (\S+) of the training pairs are right and has not grokked: .*": not_learned,
    r"The network gets (\S+) of the training pairs and (\S+) of the held-out pairs right": split_shares,
    r"The network gets (\S+) of all pairs right": all_pairs,
    r"(\S+) of the logits are bi-equivariant .*": of_group("bi_equivariant_share"),
    r"With the characters of .* the loss over all pairs is (.*?) \(restricted loss\).*": of_group(
        "restricted_loss"
    ),
    r"The loss over all pairs is (.*?), where .*": of_group("loss"),
    r"(Without .*?), (\S+) of the (.*) are right; with it (\S+)": least,
    r"(Each of these|This part) can go .*without one more wrong answer: (.*)": idle,
}


def sentences(analysis: RunAnalysis, task: TaskAnalysis) -> Iterator[str]:
    table = worth_table(analysis, task, None)
    for text in (opening(analysis, task), *(table.sentences if table else ())):
        yield from re.split(r"\.(?: |$)", str(text))[:-1]


@pytest.mark.parametrize("make", NETWORKS)
def test_a_sentence_says_what_was_measured(make: Callable) -> None:
    data, network = make()
    for seen, split_known in HISTORIES:
        found = analyze_network(Snapshot(network, data, 1000, seen, split_known=split_known), "somewhere")
        for task in found.tasks:
            for sentence in sentences(found, task):
                (rule,) = [rule for rule in RULES if re.fullmatch(rule, sentence)] or pytest.fail(sentence)
                said = re.fullmatch(rule, sentence)
                assert said is not None
                assert RULES[rule](said, found, task), sentence


def test_a_clock_that_does_not_do_the_task_is_not_said_to() -> None:
    """Neurons tuned to frequencies, with which the loss is far below a guess and many answers are wrong."""
    data, network = clock(0.3)
    found = analyze_network(Snapshot(network, data, 1000, history(1000)), "somewhere")
    (task,) = found.tasks
    assert task.last.measures.restricted_loss < task.circuit.guess / 2
    assert restricted(task) < 0.9
    assert opening(found, task).startswith("Neurons tuned to")


def test_a_share_below_the_threshold_is_not_rounded_up_to_it() -> None:
    data, network = clock(0.0)
    seen = History()
    seen.append(1000, Score(0.1, 1.0, 1.0), Score(0.1, 0.9896, 0.9))
    found = analyze_network(Snapshot(network, data, 1000, seen), "somewhere")
    (task,) = found.tasks
    last = replace(task.last, heldout_accuracy=0.9896)
    assert "has not grokked: 98.96% of the held-out pairs" in opening(found, replace(task, moments=(last,)))
