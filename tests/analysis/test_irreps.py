"""Real irreps from a Cayley table: their laws, published characters, and another library's complex irreps."""

import math

import numpy as np
import pytest
import torch

from modgrok.analysis import Irrep, additive_clock, characters, real_irreps
from modgrok.tasks import Group, element_names, make_group

# dimension, and a mark for the complex (c) and the quaternionic (q) ones
DIMENSIONS = {
    "S3": "1 1 2",
    "S4": "1 1 2 3 3",
    "S5": "1 1 4 4 5 5 6",
    "S6": "1 1 5 5 5 5 9 9 10 10 16",
    "A4": "1 2c 3",
    "A5": "1 3 3 4 5",
    "D5": "1 1 2 2",
    "D6": "1 1 1 1 2 2",
    "D59": "1 1" + 29 * " 2",
    "Q8": "1 1 1 1 4q",
    "Dic3": "1 1 2 2c 4q",
    "F20": "1 1 2c 4",
    "F21": "1 2c 6c",
    "C12": "1 1" + 5 * " 2c",
    "C2 x S4": "1 1 1 1 2 2 3 3 3 3",
    "C2 x C2": "1 1 1 1",
    "C3 x S3": "1 1 2 2c 2c 4c",
}


@pytest.fixture(scope="module")
def irreps() -> dict[str, tuple[Irrep, ...]]:
    return {notation: real_irreps(make_group(notation)) for notation in DIMENSIONS}


@pytest.mark.parametrize("notation", DIMENSIONS)
def test_the_irreps_are_the_known_ones(irreps, notation: str) -> None:
    found = [f"{i.dimension}{ {1: '', 2: 'c', 4: 'q'}[i.commutant] }" for i in irreps[notation]]
    assert sorted(found) == sorted(DIMENSIONS[notation].split())
    assert [i.dimension for i in irreps[notation]] == sorted(i.dimension for i in irreps[notation])
    assert len({i.name for i in irreps[notation]}) == len(found)
    assert irreps[notation][0].name == "trivial"


@pytest.mark.parametrize("notation", DIMENSIONS)
def test_the_laws_of_characters_hold(irreps, notation: str) -> None:
    group, found = make_group(notation), irreps[notation]
    n = group.order
    assert sum(i.dimension**2 // i.commutant for i in found) == n
    # as many as there are classes of {g, g⁻¹}
    both = {frozenset((int(group.classes[g]), int(group.classes[group.inverses[g]]))) for g in range(n)}
    assert len(found) == len(both)
    table = np.stack([i.character for i in found])
    np.testing.assert_allclose(table @ table.T / n, np.diag([i.commutant for i in found]), atol=1e-9)
    for character in table:
        by_class = [character[group.classes == c] for c in range(group.n_classes)]
        assert max(np.ptp(values) for values in by_class) < 1e-9
    if notation[0] == "S":
        np.testing.assert_allclose(table, table.round(), atol=1e-9)


@pytest.mark.parametrize("notation", [name for name in DIMENSIONS if name not in ("S6", "D59")])
def test_the_matrices_are_representations(irreps, notation: str) -> None:
    group, found = make_group(notation), irreps[notation]
    n = group.order
    bases = np.concatenate([i.basis for i in found], axis=1)
    np.testing.assert_allclose(bases.T @ bases, np.eye(n), atol=1e-9)
    for irrep in found:
        rho, d, e = irrep.matrices, irrep.dimension, irrep.commutant
        np.testing.assert_allclose(rho[group.table], rho[:, None] @ rho[None], atol=1e-9)
        np.testing.assert_allclose(
            rho @ rho.transpose(0, 2, 1), np.broadcast_to(np.eye(d), rho.shape), atol=1e-12
        )
        np.testing.assert_allclose(np.trace(rho, axis1=1, axis2=2), irrep.character, atol=1e-9)
        entries = rho.reshape(n, -1)
        # the entries span the basis, and Schur's relations hold among them
        np.testing.assert_allclose(irrep.basis @ (irrep.basis.T @ entries), entries, atol=1e-9)
        assert np.linalg.matrix_rank(entries, tol=1e-8) == d * d // e == irrep.basis.shape[1]
        if e == 1:
            np.testing.assert_allclose(entries.T @ entries, n / d * np.eye(d * d), atol=1e-9)
        # irreducible: what commutes with every matrix has dimension e
        product = np.einsum("gij,gkl->ikjl", rho, rho).reshape(d * d, d * d) / n
        assert np.trace(product) == pytest.approx(e)


def value(irrep: Irrep, element: str) -> float:
    return round(float(irrep.character[element_names(irrep.group.name).index(element)]), 9)


def test_the_names_are_those_of_the_literature(irreps) -> None:
    named = {i.name: i for i in irreps["S5"]}
    assert list(named) == ["trivial", "sign", "standard", "standard·sign", "5a", "5b", "6"]
    elements = ["()", "(1 2)", "(1 2)(3 4)", "(1 2 3)", "(1 2 3)(4 5)", "(1 2 3 4)", "(1 2 3 4 5)"]
    # the character table of S5
    published = {
        "sign": [1, -1, 1, 1, -1, -1, 1],
        "standard": [4, 2, 0, 1, -1, 0, -1],
        "standard·sign": [4, -2, 0, 1, 1, 0, -1],
        "5a": [5, 1, 1, -1, 1, -1, 0],
        "5b": [5, -1, 1, -1, -1, 1, 0],
        "6": [6, 0, -2, 0, 0, 0, 1],
    }
    for name, row in published.items():
        assert [value(named[name], element) for element in elements] == row
    golden = (1 + math.sqrt(5)) / 2
    fives = {round(value(i, "(1 2 3 4 5)"), 6) for i in irreps["A5"] if i.dimension == 3}
    assert fives == {round(golden, 6), round(1 - golden, 6)}
    for i in irreps["D59"][2:]:
        k = int(i.name.removeprefix("frequency "))
        assert value(i, "r") == pytest.approx(2 * math.cos(2 * math.pi * k / 59), abs=1e-8)
    assert [i.name for i in irreps["S3"]] == ["trivial", "sign", "standard"]
    assert [i.name for i in irreps["A4"]] == ["trivial", "2", "standard"]
    standard = [value(i, "(5 6)") for i in irreps["S6"] if i.name.startswith("standard")]
    assert standard == [3, -3]


def test_the_names_do_not_hang_on_the_order_of_the_elements() -> None:
    group = make_group("S4")
    other = np.random.default_rng(1).permutation(24)
    permuted = Group("", np.argsort(other)[group.table[np.ix_(other, other)]])
    # without a name of the group only what any group has is named
    assert {i.name for i in real_irreps(permuted)} == {"trivial", "sign", "2", "3a", "3b"}


@pytest.mark.parametrize("p", [2, 7, 12, 31])
def test_the_irreps_of_a_clock_are_its_frequencies(p: int) -> None:
    planes = characters(additive_clock(p)).planes
    for irrep in real_irreps(make_group(f"C{p}")):
        if irrep.name == "trivial":
            k = 0
        elif irrep.name == "sign":
            k = p // 2
        else:
            k = int(irrep.name.removeprefix("frequency "))
        plane = planes[k].double()
        basis = torch.from_numpy(irrep.basis)
        torch.testing.assert_close(plane.T @ plane, basis @ basis.T, atol=1e-9, rtol=0)


@pytest.mark.parametrize("notation", ["S3", "S4", "A4", "A5", "Q8", "Dic3", "F20", "F21", "D6", "C3 x S3"])
def test_another_library_finds_the_same(irreps, notation: str) -> None:
    """Its complex irreps: a real irrep is one of them, two conjugate ones, or one of them twice."""
    enumerate_ = pytest.importorskip("spgrep.rep.enumerate")
    group = make_group(notation)
    n = group.order
    regular = np.zeros((n, n, n), dtype=np.complex128)
    g, h = np.ogrid[:n, :n]
    regular[g, group.table, h] = 1
    theirs = [
        np.trace(matrices, axis1=1, axis2=2)
        for matrices in enumerate_.enumerate_unitary_irreps_from_regular_representation(regular)
    ]
    found = []
    for character in theirs:
        indicator = round(float(character[group.table[np.arange(n), np.arange(n)]].mean().real))
        found.append({1: character, 0: character + character.conj(), -1: 2 * character}[indicator].real)
    ours = np.stack([i.character for i in irreps[notation]])
    for character in found:
        assert np.abs(ours - character).max(axis=1).min() < 1e-6
    for character in ours:
        assert np.abs(np.stack(found) - character).max(axis=1).min() < 1e-6
