"""The circuit of a group: against sums written out, against clocks, and against the published figures."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from modgrok import MLP, ModularDataModule, Transformer
from modgrok.analysis import (
    GroupMeasures,
    GroupPairs,
    additive_clock,
    find_cosets,
    logit_directions,
    place_in_group,
    place_on_clock,
    read_circuit,
    sum_logits_by_class,
    task_views,
)
from modgrok.analysis.group_measures import key_irreps, measure_group, similarities, two_sided_shares
from modgrok.analysis.group_neurons import group_neurons
from modgrok.analysis.group_sums import GroupSums
from modgrok.data import ModularData
from modgrok.interop import read_weights
from modgrok.models.losses import CROSS_ENTROPY
from modgrok.tasks import make_group, structure_of


def pairs_of(notation: str) -> GroupPairs:
    group = make_group(notation)
    elements = np.arange(group.order)
    grid = torch.cartesian_prod(torch.arange(group.order), torch.arange(group.order))
    return place_in_group(group, [elements, elements], grid)


def sums(pairs: GroupPairs, logits: Tensor, neurons: Tensor, inputs: Tensor | None = None):
    found = GroupSums(pairs, neurons.shape[1], inputs is not None)
    for part in torch.randperm(len(logits), generator=torch.Generator().manual_seed(0)).split(7):
        found.add(part, logits[part], neurons[part], None if inputs is None else inputs[part])
    return found.result()


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("notation", ["S3", "Q8", "C5", "A4"])
def test_the_measures_are_the_sums_written_out(notation: str) -> None:
    pairs, group = pairs_of(notation), make_group(notation)
    n, m = group.order, 6
    logits, neurons = random(n * n, n), random(n * n, m, seed=1)
    embeddings, W_logit = (random(n, 4, seed=2), random(n, 4, seed=3)), random(m, n, seed=4)
    keys = [i for i in range(len(pairs.irreps)) if i != pairs.trivial][:2]
    training = torch.arange(0, n * n, 3)
    answers = pairs.products
    measures = measure_group(
        sums(pairs, logits, neurons),
        None,
        logits=[(part, logits[part].float().double()) for part in training.split(5)],
        embeddings=embeddings,
        W_logit=W_logit,
        weights=[W_logit],
        answers=answers,
        keys=keys,
        loss=CROSS_ENTROPY,
    )

    L = (logits - logits.mean(1, keepdim=True)).view(n, n, n).numpy()
    T, inverse = group.table, group.inverses
    total = (L**2).sum()
    errors = np.array(
        [[[T[T[inverse[a], c], inverse[b]] for c in range(n)] for b in range(n)] for a in range(n)]
    )
    F = np.array([L[errors == g].mean() for g in range(n)])
    assert measures.bi_equivariant_share == pytest.approx((F[errors] ** 2).sum() / total)
    classes = np.array([F[group.classes == group.classes[g]].mean() for g in range(n)])
    assert measures.class_function_share == pytest.approx((classes[errors] ** 2).sum() / total)
    traces = np.array([[[T[T[a, b], inverse[c]] for c in range(n)] for b in range(n)] for a in range(n)])
    kept, hidden = np.zeros_like(L), np.zeros((n, m))
    H = neurons.numpy().reshape(n, n, m)
    centered = H - H.mean((0, 1))
    by_product = np.stack([H[n_by == g].mean(0) for n_by in [T] for g in range(n)])
    for i, (irrep, found) in enumerate(zip(pairs.irreps, measures.irreps, strict=True)):
        cube = irrep.character[traces]
        cosine = (L * cube).sum() / math.sqrt(total * (cube**2).sum())
        assert found.similarity == pytest.approx(cosine, abs=1e-12)
        P = irrep.basis @ irrep.basis.T
        assert found.share == pytest.approx(((P @ F)[errors] ** 2).sum() / total)
        for matrix, share in zip(embeddings, (found.embedding_x, found.embedding_y), strict=True):
            assert share == pytest.approx(((P @ matrix.numpy()) ** 2).sum() / matrix.square().sum().item())
        assert found.unembedding == pytest.approx(
            ((P @ W_logit.numpy().T) ** 2).sum() / W_logit.square().sum().item()
        )
        rho = irrep.matrices.reshape(n, -1)
        for where, share in (
            (np.arange(n)[:, None] + 0 * T, found.hidden_x),
            (np.arange(n) + 0 * T, found.hidden_y),
            (T, found.hidden_xy),
        ):
            entries = rho[where].reshape(n * n, -1)
            projected = entries @ np.linalg.lstsq(entries, centered.reshape(n * n, m), rcond=1e-10)[0]
            assert share == pytest.approx((projected**2).sum() / (centered**2).sum(), abs=1e-12)
        if i in keys:
            kept += cosine * math.sqrt(total / (cube**2).sum()) * cube
            hidden += P @ by_product

    def loss(values: np.ndarray, where: Tensor) -> float:
        return float(CROSS_ENTROPY(torch.from_numpy(values.reshape(n * n, n))[where], answers[where]).mean())

    everywhere = torch.arange(n * n)
    rounded = logits.float().double().numpy().reshape(n, n, n)
    assert measures.restricted_loss == pytest.approx(loss(kept, everywhere))
    assert measures.excluded_loss == pytest.approx(loss(rounded - kept, training))
    written = (hidden @ W_logit.numpy())[T]
    assert measures.hidden_restricted_loss == pytest.approx(loss(written, everywhere))
    assert measures.hidden_excluded_loss == pytest.approx(loss(rounded - written, training))
    assert measures.logits_explained == pytest.approx(
        sum(irrep.similarity**2 for irrep in measures.irreps if irrep.name != "trivial")
    )


def test_a_character_is_all_there_is() -> None:
    pairs, group = pairs_of("S4"), make_group("S4")
    standard = next(i for i, irrep in enumerate(pairs.irreps) if irrep.name == "standard")
    at_errors = group.table[group.table[:, :, None], group.inverses]  # a·b·c⁻¹
    logits = 3.0 * torch.from_numpy(pairs.irreps[standard].character[at_errors]).reshape(24 * 24, 24)
    found = sums(pairs, logits + random(24 * 24, 1), torch.zeros(24 * 24, 1))
    assert two_sided_shares(found)[standard] == pytest.approx(1)
    assert similarities(found)[standard] == pytest.approx(1)
    assert key_irreps(found) == (standard,)
    # other functions of the error are bi-equivariant too, and no character sees them
    entry = pairs.irreps[standard].matrices[:, 0, 1]
    errors = group.table[group.table[group.inverses][:, None, :], group.inverses[None, :, None]]  # a⁻¹·c·b⁻¹
    found = sums(pairs, torch.from_numpy(entry[errors]).reshape(24 * 24, 24), torch.zeros(24 * 24, 1))
    assert two_sided_shares(found)[standard] == pytest.approx(1)
    assert similarities(found).abs().max() < 1e-12
    # and a function of a alone is not
    logits = random(24, 24)[:, None].expand(24, 24, 24).reshape(24 * 24, 24)
    assert two_sided_shares(sums(pairs, logits, torch.zeros(24 * 24, 1))).sum() < 0.2


@pytest.mark.parametrize("p", [7, 12])
def test_on_a_clock_the_shares_are_those_of_the_cosines(p: int) -> None:
    pairs = pairs_of(f"C{p}")
    logits = random(p * p, p) + 2 * (2 * math.pi * 3 / p * (pairs.products[:, None] - torch.arange(p))).cos()
    grid = torch.stack([pairs.first, pairs.second], dim=1)
    clocked = place_on_clock(additive_clock(p), [torch.arange(p)] * 2, grid, pairs.products)
    directions = logit_directions(sum_logits_by_class(logits, clocked))
    found = sums(pairs, logits, torch.zeros(p * p, 1))
    for irrep, similarity in zip(pairs.irreps, similarities(found).tolist(), strict=True):
        if irrep.name != "trivial":
            k = p // 2 if irrep.name == "sign" else int(irrep.name.split()[1])
            assert similarity == pytest.approx(float(directions.cosine_similarities[k - 1]), abs=1e-9)


def test_pairs_under_other_names_have_the_same_measures() -> None:
    group = make_group("S3")
    rng = np.random.default_rng(3)
    f, g, h = (rng.permutation(6) for _ in range(3))
    grid = torch.cartesian_prod(torch.arange(6), torch.arange(6))
    renamed = place_in_group(group, [f, g], grid, h)
    plain = pairs_of("S3")
    logits, neurons = random(36, 6), random(36, 3, seed=1)
    to_plain = torch.from_numpy(f)[grid[:, 0]] * 6 + torch.from_numpy(g)[grid[:, 1]]
    other = torch.empty(36, 6, dtype=torch.float64)
    other[:, torch.from_numpy(h)] = logits[to_plain]
    one, two = sums(plain, logits, neurons), sums(renamed, other, neurons[to_plain])
    for name in ("two_sided", "by_trace", "neurons", "neuron_squares"):
        torch.testing.assert_close(getattr(one, name), getattr(two, name))
    assert (
        renamed.answer_at[renamed.products] == torch.from_numpy(h)[group.table[f[grid[:, 0]], g[grid[:, 1]]]]
    ).all()


@pytest.mark.parametrize(
    ("notation", "name"), [("S4", "standard"), ("A4", "2"), ("Q8", "4"), ("D7", "frequency 2")]
)
def test_a_neuron_of_one_irrep_is_found_with_its_rank(notation: str, name: str) -> None:
    pairs = pairs_of(notation)
    n, number = pairs.group.order, next(i for i, irrep in enumerate(pairs.irreps) if irrep.name == name)
    rho = torch.from_numpy(pairs.irreps[number].matrices)
    D, e = rho.shape[1], pairs.irreps[number].commutant
    u, v = random(D, seed=1), random(D, seed=2)
    one = torch.einsum("i,gij,j->g", u, rho, v)
    several = torch.einsum("ij,gij->g", random(D, D, seed=3), rho)
    X = torch.stack([one + 5.0, several, torch.zeros(n)], dim=1)
    inputs = X[pairs.first] + 2 * X[pairs.second]
    neurons = inputs.clone()
    found = group_neurons(sums(pairs, random(n * n, n), neurons, inputs))
    assert found is not None
    assert found.irreps.tolist() == [number, number, -1]
    assert found.active.tolist() == [True, True, False]
    assert found.counts == {name: 2}
    torch.testing.assert_close(found.purity[:2], torch.ones(2, dtype=torch.float64))
    assert found.rank_one[0] == pytest.approx(1)
    if e < D:
        assert 1 / (D / e) <= found.rank_one[1] < 0.99
    assert found.cosets[2] is None


def every_subgroup(notation: str) -> set[frozenset[int]]:
    group = make_group(notation)
    return {
        frozenset(group.generated_by((a, b)).tolist()) for a in range(group.order) for b in range(group.order)
    }


@pytest.mark.parametrize("notation", ["S4", "A5", "Q8", "D6"])
def test_the_largest_subgroup_is_found(notation: str) -> None:
    """Functions that are constant on cosets of each subgroup, and a little more, against trying every subgroup."""
    pairs, group = pairs_of(notation), make_group(notation)
    n, subgroups = group.order, sorted(every_subgroup(notation), key=sorted)
    rng = np.random.default_rng(0)
    functions = []
    for subgroup in subgroups:
        members = np.array(sorted(subgroup))
        noise = rng.standard_normal(n)
        if len(members) < n:
            functions += [
                noise[moved].mean(axis=1) + rng.choice([0.0, 1e-3, 0.3]) * rng.standard_normal(n)
                for moved in (group.table[:, members], group.table[members].T)  # (n, |H|): g·h, and h·g
            ]
    F = np.stack(functions, axis=1)
    centered = F - F.mean(axis=0)

    def within(subgroup: frozenset[int], side: str) -> np.ndarray:
        members = np.array(sorted(subgroup))
        means = centered[group.table[:, members] if side == "left" else group.table[members].T].mean(axis=1)
        return ((centered - means) ** 2).sum(axis=0) / (centered**2).sum(axis=0)

    shares = {(s, side): within(s, side) for s in subgroups for side in ("left", "right")}
    for i, found in enumerate(find_cosets(torch.from_numpy(F), pairs)):
        largest = max(len(s) for (s, _), share in shares.items() if share[i] < 0.01)
        assert found.order == largest
        assert found.within == pytest.approx(
            min(share[i] for (s, side), share in shares.items() if len(s) == largest and side == found.side),
            abs=0.01,
        )


@pytest.mark.parametrize("network", ["transformer", "concatenation", "two_hot", "sum"])
def test_a_network_is_read_in_its_group(network: str) -> None:
    torch.manual_seed(0)
    data = ModularDataModule("x * y**-1 in S3", train_fraction=0.5)
    if network == "transformer":
        model = Transformer(**data.network_shape, d_model=16, d_mlp=12, n_heads=2)
    else:
        model = MLP(**data.network_shape, d_mlp=12, input=network)
    (view,) = task_views(data)
    assert view.structure.kind == "group"
    assert "irreducible representations of S3" in view.reason
    circuit = read_circuit(model, view)
    measures = circuit.measures()
    assert isinstance(measures, GroupMeasures)
    assert 0 < measures.bi_equivariant_share < 1
    for part in ("embedding_x", "embedding_y", "unembedding"):
        assert sum(getattr(irrep, part) for irrep in measures.irreps) == pytest.approx(1)
    assert measures.bi_equivariant_share == pytest.approx(sum(irrep.share for irrep in measures.irreps))
    scalars = measures.scalars()
    assert scalars["share_standard"] == measures.irreps[2].share
    assert all(isinstance(value, int | float) and math.isfinite(value) for value in scalars.values())
    assert circuit.group_neurons is not None
    inputs = circuit.group.inputs
    if network != "transformer":
        # without attention a neuron's input is a sum of what it takes from x and from y
        x, y = circuit.operand_embeddings
        if network == "sum":
            x, y = x @ model.layers[0].W_in, y @ model.layers[0].W_in
        for take, mean, symbols in zip((x, y), inputs, view.group_pairs.symbols, strict=True):
            take = take[symbols].double()
            torch.testing.assert_close(mean - mean.mean(0), take - take.mean(0), atol=1e-6, rtol=1e-5)


def test_a_clock_chosen_by_hand_leaves_the_group_out() -> None:
    torch.manual_seed(0)
    data = ModularDataModule("x * y in S3")
    (view,) = task_views(data, "additive")
    assert view.group_pairs is None
    assert read_circuit(Transformer(**data.network_shape, d_model=16, d_mlp=12), view).group is None


def published(reference, name: str) -> dict[str, float]:
    return json.loads(reference(f"groups/{name}/summary_metrics.json").read_text())


@pytest.fixture(scope="module")
def of_s5(request):
    """The published network on S5, its elements in its own order, on its own split; and the figures."""
    reference = request.getfixturevalue("reference")
    figures = published(reference, "S5_MLP_seed2")
    snapshot = read_weights(reference("groups/S5_MLP_seed2/model.pt"), "x * y in S5", 120).snapshot
    # their split is that of the same generator, over the pairs in their order
    data = ModularData(**{**snapshot.data.config, "train_fraction": 0.4, "split_seed": 2})
    (view,) = task_views(data)
    return read_circuit(snapshot.network, view), figures


def test_the_published_figures_of_s5(of_s5) -> None:
    circuit, figures = of_s5
    measures = circuit.measures()
    assert circuit.right.all()
    assert circuit.loss(circuit.view.training) == pytest.approx(figures["train_loss"], rel=1e-5)
    named = {
        "trivial": "trivial",
        "sign": "sign",
        "standard": "standard",
        "standard·sign": "standard_sign",
        "6": "s5_6d",
    }
    for irrep in measures.irreps:
        if (theirs := named.get(irrep.name)) is None:
            continue
        ours = {
            f"logit_{theirs}_rep_trace_similarity": irrep.similarity,
            f"percent_x_embed_{theirs}_rep": irrep.embedding_x,
            f"percent_y_embed_{theirs}_rep": irrep.embedding_y,
            f"percent_unembed_{theirs}_rep": irrep.unembedding,
            f"percent_hidden_x_{theirs}_rep": irrep.hidden_x,
            f"percent_hidden_y_{theirs}_rep": irrep.hidden_y,
            f"percent_hidden_xy_{theirs}_rep": irrep.hidden_xy,
        }
        for name, value in ours.items():
            if name in figures:
                assert value == pytest.approx(figures[name], abs=1e-6), name
    assert measures.logits_explained == pytest.approx(figures["percent_logits_explained"], abs=1e-6)
    assert measures.key_irreps == ("sign", "standard")
    assert measures.restricted_loss == pytest.approx(
        figures["total_logit_restricted_loss"], abs=1e-6, rel=1e-5
    )
    assert measures.excluded_loss == pytest.approx(figures["total_logit_excluded_loss"], abs=1e-6, rel=1e-6)
    assert measures.hidden_restricted_loss == pytest.approx(figures["total_hidden_restricted_loss"], rel=1e-5)
    assert measures.hidden_excluded_loss == pytest.approx(figures["total_hidden_excluded_loss"], rel=1e-6)


def test_the_circuit_of_s5(of_s5) -> None:
    """Computed from the definitions with other code."""
    circuit, _ = of_s5
    measures = circuit.measures()
    shares = {irrep.name: irrep.share for irrep in measures.irreps}
    assert measures.bi_equivariant_share == pytest.approx(0.992567, abs=1e-6)
    assert shares["sign"] == pytest.approx(0.25912, abs=1e-5)
    assert shares["standard"] == pytest.approx(0.73344, abs=1e-5)
    assert measures.class_function_share == pytest.approx(measures.logits_explained, abs=1e-9)
    neurons = circuit.group_neurons
    assert int(neurons.active.sum()) == 126
    assert neurons.counts == {"sign": 7, "standard": 119}
    assert measures.purity == pytest.approx(1, abs=1e-6)
    assert measures.rank_one == pytest.approx(1, abs=1e-6)
    subgroups = [found.subgroup for found in neurons.cosets if found is not None]
    # of order 24, 12 and 60: what fixes one thing, two things as a pair, and the even permutations
    assert {name: subgroups.count(name) for name in set(subgroups)} == {"S4": 108, "D6": 11, "A5": 7}


def test_the_published_figures_of_a_cyclic_group(reference) -> None:
    """Their figures of hidden activations count two directions too many, and are not compared."""
    figures = published(reference, "C113_T_seed1")
    snapshot = read_weights(reference("groups/C113_T_seed1/model.pt"), "x + y", 113).snapshot
    (view,) = task_views(snapshot.data, split_known=False)
    elements = np.arange(113)
    placed = place_in_group(make_group("C113"), [elements, elements], snapshot.data.operands)
    circuit = read_circuit(snapshot.network, replace(view, group_pairs=placed))
    measures = circuit.measures()
    assert isinstance(measures, GroupMeasures)
    assert circuit.right.all()
    assert float(circuit.losses.mean()) == pytest.approx(1.59e-7, abs=1e-9)
    assert circuit.key_frequencies == (16, 30, 56)
    assert measures.key_irreps == ("frequency 16", "frequency 30", "frequency 56")
    assert measures.logits_explained == pytest.approx(figures["percent_logits_explained"], abs=1e-6)
    for irrep in measures.irreps[1:]:
        theirs = f"freq_{irrep.name.split()[1]}_rep"
        for name, value in (
            (f"logit_{theirs}_trace_similarity", irrep.similarity),
            (f"percent_x_embed_{theirs}", irrep.embedding_x),
            (f"percent_unembed_{theirs}", irrep.unembedding),
        ):
            assert value == pytest.approx(figures[name], abs=2e-6), name
    # the squared cosines with cos w(s − c); sines of s − c are bi-equivariant too
    cosines = float(circuit.directions.variance_explained.sum())
    assert measures.logits_explained == pytest.approx(cosines, abs=1e-9)
    assert 0 < measures.bi_equivariant_share - cosines < 1e-6


def test_tables_under_other_names_are_recognized_as_tasks(tmp_path) -> None:
    group, rng = make_group("D4"), np.random.default_rng(0)
    rows, columns, answers = (rng.permutation(8) for _ in range(3))
    np.save(tmp_path / "hidden.npy", answers[group.table[np.ix_(rows, columns)]])
    data = ModularDataModule(str(tmp_path / "hidden.npy"))
    structure = structure_of(data.tasks[0])
    assert structure.group.name == "D4"
    (view,) = task_views(data)
    assert view.group_pairs is not None
    assert (view.group_pairs.answer_at[view.group_pairs.products] == data.pairs.answers).all()
