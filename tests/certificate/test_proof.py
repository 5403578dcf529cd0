"""What a certificate says is so: against exact arithmetic, float32 in many orders, and broken networks."""

import subprocess
import sys

import mpmath
import pytest
import torch

from modgrok import MLP, Transformer
from modgrok.analysis import task_views
from modgrok.certificate import explained_margin, prove
from modgrok.certificate.balls import FLOAT32, exact, softmax
from modgrok.certificate.proved_network import check_provable, evaluation
from modgrok.data import ModularData
from modgrok.errors import InputError
from modgrok.interop import read_weights

TRANSFORMERS = [
    {},
    {"biases": True, "d_head": 3},
    {"attention_rate": 0.4, "biases": "mlp"},
    {"attention_rate": 0.0, "positional_embedding": False},
]
MLPS = [
    {"input": "sum", "biases": True},
    {"input": "concatenation", "n_layers": 2},
    {"input": "two_hot", "d_model": 128},
]
CASES = [(Transformer, {"n_heads": 2, **variant}) for variant in TRANSFORMERS] + [(MLP, one) for one in MLPS]


def make(kind, scale=1.0, **variant):
    torch.manual_seed(0)
    data = ModularData("x + y", 7, 0.5)
    network = kind(**data.network_shape, **{"d_model": 8, "d_mlp": 12, **variant}).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(scale * (parameter + 0.3 * torch.randn_like(parameter)))
    return network, data, task_views(data)[0]


@pytest.mark.parametrize(("kind", "variant"), CASES, ids=str)
def test_the_real_ball_holds_what_float64_computes(kind, variant) -> None:
    network, data, _ = make(kind, 2.0, **variant)
    balls = evaluation(network, (0.0, FLOAT32)).logits(data.pairs.tokens)
    with torch.no_grad():
        logits = network.double()(data.pairs.tokens)
    assert ((logits - balls.mid).abs() <= balls.radius[0] + 1e-11).all()
    assert balls.radius[0].max() < 1e-6 * balls.radius[1].max()
    assert (balls.radius[1] > balls.radius[0]).all()


@pytest.mark.parametrize(("kind", "variant"), CASES, ids=str)
def test_the_float32_ball_holds_every_order_of_summation(kind, variant) -> None:
    """Renumbering what is summed over does not change the function, and does change the rounding."""
    network, data, _ = make(kind, 2.0, **variant)
    balls = evaluation(network, (0.0, FLOAT32)).logits(data.pairs.tokens)
    weights = network.state_dict()
    generator = torch.Generator().manual_seed(0)
    d = variant.get("input") != "two_hot" and torch.tensor(8)
    rounded = set()
    for _ in range(1000):
        permuted = dict(weights)
        if d is not False:
            over_d = torch.randperm(8, generator=generator)
            for name, weight in weights.items():
                leaf = name.rpartition(".")[2]
                last = leaf in ("W_E", "W_pos", "W_O", "W_out", "b_O", "b_out")
                first = {"W_Q": 1, "W_K": 1, "W_V": 1, "W_in": weight.dim() - 2}.get(leaf)
                if last:
                    permuted[name] = weight[..., over_d]
                elif first is not None and "layers.1" not in name:
                    permuted[name] = weight.index_select(first, over_d)
                elif leaf == "W_U" and kind is Transformer:
                    permuted[name] = weight[over_d]
        if kind is MLP:
            over_m = torch.randperm(12, generator=generator)
            last_layer = f"layers.{variant.get('n_layers', 1) - 1}"
            for name in (f"{last_layer}.W_in", f"{last_layer}.b_in"):
                if name in permuted:
                    permuted[name] = permuted[name][..., over_m]
            permuted["unembed.W_U"] = permuted["unembed.W_U"][over_m]
        network.load_state_dict(permuted)
        with torch.no_grad():
            logits = network(data.pairs.tokens)
        rounded.add(logits.numpy().tobytes())
        assert ((logits.double() - balls.mid).abs() <= balls.radius[1]).all()
    assert len(rounded) > 1


def test_a_softmax_holds_what_40_digits_compute() -> None:
    scores = torch.tensor([[3.0, -2.5, 30.0, 0.1], [0.0, 0.0, 0.0, -60.0]])
    ball = softmax(exact(scores, (0.0,)))
    with mpmath.workdps(40):
        for i, row in enumerate(scores.tolist()):
            exponentials = [mpmath.exp(mpmath.mpf(value)) for value in row]
            for j, e in enumerate(exponentials):
                true = e / mpmath.fsum(exponentials)
                assert abs(true - mpmath.mpf(float(ball.mid[i, j]))) <= float(ball.radius[0, i, j])


def test_an_mlp_in_40_digits_lies_in_its_ball() -> None:
    network, data, _ = make(MLP, 2.0, input="concatenation", biases=True)
    tokens = data.pairs.tokens[::9]
    balls = evaluation(network, (0.0,)).logits(tokens)
    w = {name: weight.double().tolist() for name, weight in network.state_dict().items()}
    with mpmath.workdps(40):
        for i, row in enumerate(tokens.tolist()):
            hidden = []
            for j in range(12):
                pre = mpmath.mpf(w["layers.0.b_in"][j])
                for t, token in enumerate(row):
                    pre += mpmath.fsum(
                        mpmath.mpf(w["embed.W_E"][token][k]) * w["layers.0.W_in"][t][k][j] for k in range(8)
                    )
                hidden.append(max(pre, mpmath.mpf(0)))
            for c in range(7):
                true = (
                    mpmath.fsum(hidden[j] * w["unembed.W_U"][j][c] for j in range(12)) + w["unembed.b_U"][c]
                )
                assert abs(true - mpmath.mpf(float(balls.mid[i, c]))) <= float(balls.radius[0, i, c])


@pytest.mark.parametrize(("kind", "variant"), CASES, ids=str)
def test_a_pair_is_proved_or_refuted_as_it_is_answered(kind, variant) -> None:
    network, data, view = make(kind, 2.0, **variant)
    with torch.no_grad():
        logits = network.double()(data.pairs.tokens)
    right = logits.argmax(1) == data.pairs.answers
    network.float()
    found = prove(network, view)
    assert found.pairs == 49
    assert (found.real.proved, found.real.refuted) == (int(right.sum()), int((~right).sum()))
    assert found.float32.proved <= found.real.proved
    assert found.float32.margin <= found.real.margin < 0
    assert len(found.real.unproved) == 49 - found.real.proved
    own = logits.gather(1, data.pairs.answers[:, None])[:, 0]
    margins = own - logits.scatter(1, data.pairs.answers[:, None], -torch.inf).amax(1)
    assert found.real.margin == pytest.approx(float(margins.min()), rel=1e-9)
    assert found.real.worst_pair == tuple(data.operands[int(margins.argmin())].tolist())


def test_a_broken_pair_loses_its_proof(reference) -> None:
    snapshot = read_weights(reference("pizza/model_p99zdpze5l.pt"), "x + y", 59).snapshot
    (view,) = task_views(snapshot.data, split_known=False)
    found = prove(snapshot.network, view)
    assert found.real.proved == found.float32.proved == found.pairs == 3481
    assert found.real.margin == pytest.approx(14.2960514559, abs=1e-8)
    assert 14.0396445637 <= found.float32.margin < found.real.margin
    explained = explained_margin(snapshot.network, view)
    assert (round(explained.margin, 2), round(explained.rest, 2), explained.share) == (17.94, 11.18, 1)
    before = found.float32.margin
    for _ in range(12):
        with torch.no_grad():
            snapshot.network.embed.W_E[7] *= 0.7
            broken = snapshot.network(view.tokens).argmax(1) != view.clocked_pairs.answers
        found = prove(snapshot.network, view)
        assert found.float32.margin < before
        unproved = set(found.float32.unproved)
        assert {tuple(pair) for pair in view.clocked_pairs.operands[broken].tolist()} <= unproved
        if broken.any():
            break
    assert broken.any()


@pytest.mark.parametrize(
    ("kind", "variant", "named"),
    [
        (Transformer, {"n_heads": 2, "activation": "gelu"}, "activation gelu"),
        (Transformer, {"n_heads": 2, "normalization": True}, "layer normalization"),
        (Transformer, {"n_heads": 2, "n_layers": 2}, "2 blocks are not covered"),
        (MLP, {"activation": "square"}, "activation square"),
    ],
)
def test_what_is_not_covered_is_refused_by_name(kind, variant, named) -> None:
    with pytest.raises(InputError, match=named):
        prove(make(kind, **variant)[0], make(kind, **variant)[2])


def test_an_edited_network_is_not_covered() -> None:
    from modgrok.analysis import read_circuit

    network, _, view = make(Transformer, n_heads=2)
    with pytest.raises(InputError, match="EditedNetwork is not covered"):
        check_provable(read_circuit(network, view).without(heads=[0]))


@pytest.mark.parametrize(("task", "modulus"), [("x + y", 7), ("x*y", 7), ("x * y in S3", None)])
def test_the_explained_margin_is_that_of_its_definition(task, modulus) -> None:
    torch.manual_seed(1)
    data = ModularData(task, modulus) if modulus else ModularData(task)
    network = MLP(**data.network_shape, d_model=8, d_mlp=12, input="concatenation").eval()
    (view,) = task_views(data)
    found = explained_margin(network, view)
    with torch.no_grad():
        logits = network.double()(data.pairs.tokens)
    group, pairs = view.group_pairs, view.clocked_pairs
    rows = []
    for i, row in enumerate(logits):
        if group is None:
            if pairs.answer_positions[i] < 0:
                continue
            s, q = int(pairs.answer_positions[i]), pairs.clock.size
            of = {c: (s - place) % q for place, c in enumerate(pairs.answer_at.tolist())}
        else:
            a, b, T, inverse = group.first[i], group.second[i], group.table, group.inverses
            of = {int(c): int(T[T[inverse[a], g], inverse[b]]) for g, c in enumerate(group.answer_at)}
        kept = row[list(of)]
        rows.append((kept - kept.mean(), list(of.values())))
    classes: dict[int, list[float]] = {}
    for values, separations in rows:
        for value, separation in zip(values.tolist(), separations, strict=True):
            classes.setdefault(separation, []).append(value)
    F = {separation: sum(values) / len(values) for separation, values in classes.items()}
    right = 0 if group is None else next(g for g in F if all(int(group.table[g, h]) == h for h in F))
    margin = F[right] - max(value for separation, value in F.items() if separation != right)
    rest = [
        2 * max(abs(value - F[s]) for value, s in zip(values.tolist(), separations, strict=True))
        for values, separations in rows
    ]
    assert found.margin == pytest.approx(margin)
    assert found.rest == pytest.approx(max(rest))
    assert found.share == pytest.approx(sum(one < margin for one in rest) / len(rest))


def test_a_task_that_is_no_sum_has_no_explained_margin() -> None:
    data = ModularData("x**3 + x*y", 7)
    network = MLP(**data.network_shape, d_model=8, d_mlp=12)
    assert explained_margin(network, task_views(data)[0]) is None


@pytest.mark.slow
def test_a_large_modulus_fits_in_4_gib() -> None:
    """At p = 397, 157,609 pairs, in a process of its own."""
    code = (
        "import resource, torch; from modgrok import Transformer; from modgrok.data import ModularData\n"
        "from modgrok.analysis import task_views; from modgrok.certificate import explained_margin, prove\n"
        "data = ModularData('x + y', 397); network = Transformer(**data.network_shape).eval()\n"
        "(view,) = task_views(data); found = prove(network, view); explained_margin(network, view)\n"
        "print(found.pairs, found.seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    print(said)
    pairs, _, gib = said.split()
    assert int(pairs) == 157_609
    assert float(gib) < 4
