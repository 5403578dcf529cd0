import random

import numpy as np
import pytest
import torch

from modgrok import ModularDataModule
from modgrok.data import TrainingBatches
from modgrok.data.split import permutations
from modgrok.errors import InputError


def numbers(data):
    """The training pairs as row-major numbers x·p + y."""
    p = data.config["modulus"]
    return {x * p + y for x, y in data.operands[data.training_index].tolist()}


def test_torch_split_is_that_of_the_notebooks():
    data = ModularDataModule("x + y", 113, train_fraction=0.3, split_seed=598)
    torch.manual_seed(598)
    assert numbers(data) == set(torch.randperm(113 * 113)[: int(113 * 113 * 0.3)].tolist())


@pytest.mark.parametrize(("p", "fraction", "seed"), [(97, 0.3, 0), (23, 0.5, 42), (10, 0.8, 7)])
def test_python_split_is_that_of_the_older_notebooks(p, fraction, seed):
    data = ModularDataModule("x + y", p, train_fraction=fraction, split_seed=seed, split_method="python")
    pairs = [(x, y) for x in range(p) for y in range(p)]
    random.seed(seed)
    random.shuffle(pairs)
    assert numbers(data) == {x * p + y for x, y in pairs[: int(fraction * len(pairs))]}


@pytest.mark.parametrize("method", ["torch", "python"])
def test_splitting_leaves_the_global_generators_alone(method):
    torch.manual_seed(5)
    random.seed(5)
    expected = torch.rand(1), random.random()
    torch.manual_seed(5)
    random.seed(5)
    ModularDataModule("x + y", 11, split_method=method, split_seed=3)
    assert (torch.rand(1), random.random()) == expected


def test_every_pair_is_on_exactly_one_side():
    data = ModularDataModule("x / y", 23, train_fraction=0.4)
    train = {tuple(row) for row in data.training_pairs.tokens.tolist()}
    held = {tuple(row) for row in data.heldout_pairs.tokens.tolist()}
    assert not train & held
    assert len(train) + len(held) == 23 * 22
    for _, y, equals in train | held:
        assert y != 0
        assert equals == 23
    for (x, y, _), answer in zip(data.pairs.tokens.tolist(), data.pairs.answers.tolist(), strict=True):
        assert answer * y % 23 == x


def test_templates_and_vocabulary():
    furuta = ModularDataModule("x - y", 7, template=["x", "op", "y"])
    assert (furuta.vocabulary_size, furuta.context_length, furuta.n_answers) == (8, 3, 7)
    assert furuta.pairs.tokens[10].tolist() == [1, 7, 3]
    written = ModularDataModule("x**2 + y", 7, template=["x", "*", "x", "+", "y", "="])
    assert written.vocabulary_size == 10
    assert written.pairs.tokens[10].tolist() == [1, 7, 1, 8, 3, 9]
    assert written.template.vocabulary.special == ("*", "+", "=")


def test_several_formulas_have_an_operator_each():
    data = ModularDataModule(["x + y", "x * y"], 11, train_fraction=0.5)
    assert data.template.words == ("x", "op", "y", "=")
    assert data.vocabulary_size == 11 + 2 + 1
    for (x, op, y, _), answer, task, _ in zip(*(column.tolist() for column in data.pairs), strict=True):
        assert op == 11 + task
        assert answer == ((x + y) % 11 if task == 0 else x * y % 11)
    assert torch.bincount(data.training_pairs.task_index).tolist() == [60, 60]
    alone = ModularDataModule("x + y", 11, train_fraction=0.5)
    assert torch.equal(data.training_index[:60], alone.training_index)


def test_minibatches_cover_every_pair_once_an_epoch_and_depend_on_the_update_alone():
    examples = ModularDataModule("x + y", 11).training_pairs
    batches = TrainingBatches(examples, 10, seed=3)
    per_epoch = -(-examples.size // 10)
    first = [batches.batch_at(update).tokens for update in range(per_epoch)]
    assert sorted(torch.cat(first).tolist()) == sorted(examples.tokens.tolist())
    assert (
        torch.cat(first).tolist()
        != torch.cat([batches.batch_at(per_epoch + i).tokens for i in range(per_epoch)]).tolist()
    )
    again = TrainingBatches(examples, 10, seed=3)
    assert torch.equal(again.batch_at(2 * per_epoch + 1).tokens, batches.batch_at(2 * per_epoch + 1).tokens)
    assert not torch.equal(TrainingBatches(examples, 10, seed=4).batch_at(0).tokens, first[0])


def test_config_makes_the_same_data_again():
    data = ModularDataModule(["x", "random"][1], 13, split_seed=4, label_seed=9, template=["x", "op", "y"])
    again = ModularDataModule(**data.config)
    assert again.split_fingerprint == data.split_fingerprint
    assert torch.equal(again.pairs.answers, data.pairs.answers)
    assert ModularDataModule(**{**data.config, "split_seed": 5}).split_fingerprint != data.split_fingerprint


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"train_fraction": 0.0}, "train_fraction must be between 0 and 1, got 0.0"),
        ({"train_fraction": 1.0}, "train_fraction must be between 0 and 1, got 1.0"),
        ({"train_fraction": 1e-9}, "leaves no training pairs"),
        ({"task": []}, "list is empty"),
        ({"task": ["x + y", "x + y"]}, "twice"),
        ({"task": ["x + y", "x + y + z"]}, "same number of operands"),
        ({"task": ["x + y", "x - y"], "template": ["x", "y", "="]}, 'needs "op"'),
        ({"template": ["x", "="]}, "does not show the operand y"),
        ({"template": ["x", "y", "z"]}, "shows z"),
        ({"batch_size": 0}, "batch_size must be a positive number of pairs, got 0"),
        ({"split": "pair"}, "split: .pair. is not one of pairs, classes"),
        ({"task": "x + 0*y", "modulus": 3, "split": "classes"}, "a single class, which has 3"),
        ({"split": "classes", "train_fraction": 0.999}, "leaves no held-out pairs"),
        ({"split": "classes", "train_fraction": 0.0}, "train_fraction must be between 0 and 1, got 0.0"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(InputError, match=message):
        ModularDataModule(**{"task": "x + y", "modulus": 11, **wrong})


def brute_force_known(data):
    """Which pairs of x**2 + y**2 have a training pair with x and y in another order or with another sign."""
    p = data.config["modulus"]

    def members(x, y):
        return {
            (a * one % p, b * other % p) for one, other in ((x, y), (y, x)) for a in (1, -1) for b in (1, -1)
        }

    trained = {tuple(pair) for pair in data.operands[data.training_index].tolist()}
    return [bool(members(x, y) & trained) for x, y in data.operands.tolist()]


def test_known_pairs_of_the_main_job_are_those_counted_by_hand():
    data = ModularDataModule("x**2 + y**2", 97, train_fraction=0.3)
    assert data.pairs.known.tolist() == brute_force_known(data)
    assert (data.heldout_pairs.size, int(data.heldout_pairs.known.sum())) == (6587, 6058)
    assert data.training_pairs.known.all()


def test_known_pairs_of_a_mixture_are_those_of_each_formula_alone():
    mixture = ModularDataModule(["x**2 + y**2", "x - y"], 13)
    first = mixture.pairs.task_index == 0
    alone = ModularDataModule("x**2 + y**2", 13)
    assert torch.equal(mixture.pairs.known[first], alone.pairs.known)
    assert torch.equal(mixture.pairs.known[~first], mixture.trained_on[~first])


@pytest.mark.parametrize("method", ["torch", "python"])
@pytest.mark.parametrize(
    ("task", "fraction"), [("x**2 + y**2", 0.8), ("x + y", 0.3), ("x - y", 0.5), ("x*y*z", 0.6)]
)
def test_whole_classes_leave_only_new_pairs(task, fraction, method):
    data = ModularDataModule(
        task, 11, train_fraction=fraction, split="classes", split_seed=3, split_method=method
    )
    assert not data.heldout_pairs.known.any()
    largest = max(int(np.bincount(classes).max()) for classes in data.classes)
    assert abs(len(data.training_index) - fraction * data.pairs.size) <= largest / 2
    again = ModularDataModule(**data.config)
    assert again.split_fingerprint == data.split_fingerprint
    other = ModularDataModule(**{**data.config, "split_seed": 4})
    assert other.split_fingerprint != data.split_fingerprint


def test_classes_of_one_pair_are_split_as_pairs_are():
    """x − y has no symmetry."""
    by_classes = ModularDataModule("x - y", 11, split="classes", train_fraction=0.5)
    by_pairs = ModularDataModule("x - y", 11, train_fraction=0.5)
    assert abs(len(by_classes.training_index) - len(by_pairs.training_index)) <= 1
    assert set(by_pairs.training_index.tolist()) <= set(by_classes.training_index.tolist())


@pytest.mark.parametrize("seed", [0, 598, 2**32 - 1])
def test_permutations_are_those_of_torch(seed):
    counts = [1, 2, 9409, 3, 12769]
    generator = torch.Generator().manual_seed(seed)
    expected = [torch.randperm(n, generator=generator).tolist() for n in counts]
    assert [order.tolist() for order in permutations(counts, seed, "torch")] == expected
