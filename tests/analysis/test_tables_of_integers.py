"""Tables of integers are read by the group or the clock that they are, whatever their symbols are called."""

import math

import numpy as np
import pytest
import torch

from modgrok import ModularDataModule, Transformer
from modgrok.analysis import analyze
from modgrok.runs import History, Snapshot
from modgrok.tasks import make_task, structure_of

X, Y = np.ogrid[:13, :13]
DRAWS = np.random.default_rng(0)
F, G, H = (DRAWS.permutation(13) for _ in range(3))
TABLES = {
    "a sum with other names": (H[(F[X] + G[Y]) % 13], "additive", 13),
    "a product with other names": (H[F[X] * G[Y] % 13], "multiplicative", 13),
    "a sum of which two answers are told": ((F[X] + G[Y]) % 13 // 7, "additive", 2),
    "a square, whose largest residue is below p": ((X[:11] + Y[:, :11]) ** 2 % 11, "additive", 10),
    "no structure": (DRAWS.integers(13, size=(13, 13)), "neither", 13),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_on_its_clock(name):
    table, kind, n_answers = TABLES[name]
    data = ModularDataModule("t", train_fraction=0.5, answer_tables={"t": table.tolist()})
    (task,) = data.tasks
    structure = structure_of(task)
    assert (structure.kind, task.n_answers) == (kind, n_answers)
    torch.manual_seed(0)
    network = Transformer(**data.network_shape, d_model=16, d_mlp=24, n_heads=2)
    (circuit,) = analyze(Snapshot(network, data, 0, History()))
    assert circuit.view.matches_structure == (kind != "neither")
    assert circuit.view.clocked_pairs.separates == (kind != "neither")
    assert circuit.clock.modulus == len(table)
    assert circuit.W_logit.shape == (24, n_answers)
    assert circuit.guess == pytest.approx(math.log(n_answers))
    assert 0 <= circuit.measures().gini_logit <= 1
    assert circuit.directions.residual <= 1 + 1e-9


def test_a_table_has_the_structure_of_the_formula_that_it_is():
    for text, p in (("(x + y)**2", 11), ("x*y + x + y", 11), ("x**2 + y**2", 13), ("(x*y + 1)**2", 11)):
        formula = make_task(text, p)
        table = make_task("t", answers=formula.grid()[0])
        one, other = structure_of(formula), structure_of(table)
        assert one.kind == other.kind
        assert [part.tolist() for part in one.parts] == [part.tolist() for part in other.parts]


def test_the_table_of_a_group_is_that_group():
    table = make_task("x * y in S3").grid()[0]
    shuffled = np.random.default_rng(1).permutation(6)
    structure = structure_of(make_task("t", answers=shuffled[table][shuffled][:, shuffled]))
    assert (structure.kind, str(structure.group)) == ("group", "S3")
