"""Sweep files: the cells they make, and what is wrong with them."""

import itertools
import json
import math
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from modgrok.errors import InputError
from modgrok.experiments.plans.expression import parse_expression
from modgrok.experiments.plans.sweep_file import read_plan

BASE = "data:\n  task: x + y\n  modulus: 11\ntrainer:\n  max_steps: 100\n"


@pytest.fixture
def plan_of(tmp_path):
    """Read a sweep file with this text, beside a config base.yaml."""
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "loop.yaml").write_text("config: loop.yaml")

    def read(text, name="sweep.yaml"):
        file = tmp_path / name
        file.write_text(text if "config:" in text else f"config: base.yaml\n{text}")
        return read_plan(file)

    return read


def test_the_cells_are_the_product_without_those_that_the_condition_skips(plan_of) -> None:
    plan = plan_of("set: {data.task: 'x**{m} + y**{n}'}\nvary: {m: 1..4, n: 1..4, seed: 0..1}\nskip: m > n\n")
    expected = [(m, n, s) for m, n, s in itertools.product(range(1, 5), range(1, 5), range(2)) if not m > n]
    assert [tuple(cell.values.values()) for cell in plan.cells] == expected
    cell = plan.cells[3]
    assert cell.name == "m=1,n=2,seed=1"
    assert cell.overrides == {"data.task": "x**1 + y**2", "seed_everything": 1, "data.split_seed": 1}


def test_fields_vary_together(plan_of) -> None:
    plan = plan_of("vary:\n  data.modulus, trainer.max_steps: [[11, 100], [13, 200]]\n  model.lr: [1e-3]\n")
    assert [cell.overrides for cell in plan.cells] == [
        {"data.modulus": 11, "trainer.max_steps": 100, "model.lr": 0.001},
        {"data.modulus": 13, "trainer.max_steps": 200, "model.lr": 0.001},
    ]


def test_a_number_with_an_exponent_is_one_and_a_name_that_begins_with_it_is_not(plan_of) -> None:
    plan = plan_of("vary:\n  rate:\n    2e-3, late: {model.lr: 2e-3}\n")
    (cell,) = plan.cells
    assert cell.values == {"rate": "2e-3, late"}
    assert cell.overrides == {"model.lr": 0.002}


def test_cells_of_one_shape_are_counted(plan_of) -> None:
    plan = plan_of(
        "set: {data.task: 'x**{m} + y'}\n"
        "vary: {m: 1..3, data.modulus: [11, 13], model.optimizer.lr: [1e-3, 1e-2], seed: 0..4}\n"
        "skip: m > 2 and data.modulus > 11\n"
    )
    alike = {cell.values["data.modulus"]: plan.alike(cell) for cell in plan.cells}
    assert alike == {11: 30, 13: 20}


def test_alternatives_set_several_fields_under_a_name(plan_of, tmp_path) -> None:
    plan = plan_of(
        "vary:\n  rule:\n    plain: {}\n    decay: {model.lr: 0.1, trainer: {max_steps: 7}}\n  data.modulus: [11, 13]\n"
        "groups: {rule: rule}\n"
    )
    assert [cell.name for cell in plan.cells][:2] == ["rule=plain,modulus=11", "rule=plain,modulus=13"]
    assert plan.cells[1].overrides == {"data.modulus": 13}
    assert plan.cells[2].overrides == {"model.lr": 0.1, "trainer.max_steps": 7, "data.modulus": 11}
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(plan.spec(), sort_keys=False))
    assert read_plan(tmp_path / "again.yaml") == plan


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1..4", [1, 2, 3, 4]),
        ("-1..1", [-1, 0, 1]),
        ("0..100 by 40", [0, 40, 80]),
        ("0.1..0.9 by 0.2", [0.1, 0.3, 0.5, 0.7, 0.9]),
        ("0.2..0.2", [0.2]),
    ],
)
def test_a_range_has_both_ends_and_no_rounding(plan_of, text, values) -> None:
    assert [cell.values["data.x"] for cell in plan_of(f"vary: {{data.x: {text}}}").cells] == values


def test_a_config_brings_what_it_inherits(plan_of, tmp_path) -> None:
    (tmp_path / "child.yaml").write_text("config: base.yaml\ndata.task: x - y\ntrainer: {max_steps: 7}\n")
    plan = plan_of("config: child.yaml\nvary: {seed: [0]}\n")
    assert plan.config == {"data": {"task": "x - y", "modulus": 11}, "trainer": {"max_steps": 7}}


def test_a_plan_written_down_is_read_as_the_same_plan(plan_of, tmp_path) -> None:
    plan = plan_of(
        "question: which?\nset: {data.task: 'x + {k}*y'}\nskip: k == 2\ngroups: {odd: k % 2}\n"
        "vary:\n  k: 1..3\n  model.lr, data.task_seed: [[1e-3, 1], [0.1, 2]]\n"
    )
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(plan.spec(), sort_keys=False))
    again = read_plan(tmp_path / "again.yaml")
    assert again == plan
    assert again.cells == plan.cells
    assert plan.difference(again) is None


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("vary: {seed: 0..3}", ["seed=3", "only there"]),
        ("vary: {seed: 0..1}", ["seed=2", "only here"]),
        ("set: {data.modulus: 13}\nvary: {seed: 0..2}", ["data.modulus", "13 there"]),
    ],
)
def test_two_plans_are_told_apart_by_what_differs(plan_of, other, words) -> None:
    difference = plan_of("vary: {seed: 0..2}").difference(plan_of(other, "other.yaml"))
    assert all(word in difference for word in words), difference


def test_the_names_are_the_same_in_every_process(tmp_path) -> None:
    (tmp_path / "base.yaml").write_text(BASE)
    file = tmp_path / "s.yaml"
    file.write_text("config: base.yaml\nvary: {data.task: [x*y, 'x/y', x * y + 1], seed: 0..2}\n")
    cells = f"[cell.name for cell in read_plan({str(file)!r}).cells]"
    code = f"from modgrok.experiments.plans.sweep_file import read_plan; print({cells})"
    elsewhere = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert elsewhere.stdout == f"{[cell.name for cell in read_plan(file).cells]}\n"


@given(
    st.lists(
        st.text(st.characters(codec="utf-8")), min_size=2, max_size=6, unique_by=lambda s: "".join(s.split())
    )
)
def test_a_name_is_a_directorys_and_the_cells_alone(tmp_path_factory, texts) -> None:
    directory = tmp_path_factory.mktemp("names")
    values = [text.replace("{", "(") for text in texts]
    if len({"".join(value.split()) for value in values}) < len(values):
        return
    (directory / "s.yaml").write_text(json.dumps({"config": {"a": 1}, "vary": {"data.task": values}}))
    names = [cell.name for cell in read_plan(directory / "s.yaml").cells]
    assert len(set(names)) == len(names)
    for name in names:
        (directory / name).mkdir()
        assert len(name) <= 120


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vary: {rule: {a: 1}}", "vary.rule: 'a' must be a name with the fields that it sets below"),
        ("vary: {rule: {a: {data.task: x}}, data.task: [y]}", "data.task is given twice"),
        ("vary: {rule: {a: {trainer.devices: 2}}}", "trainer.devices cannot be given in a sweep"),
        ("", ["nothing varies"]),
        ("vary: {}", ["nothing varies"]),
        ("vary: {seed: []}", ["vary.seed", "list"]),
        ("vary: {seed: 3}", ["vary.seed", "3", "range"]),
        ("vary: {seed: 3..1}", ["vary.seed", "empty"]),
        ("vary: {seed: 0..1}\nvary: {seed: 0..2}", ["line 3", "vary", "twice"]),
        ("vary: {seed: 0..1, seed: 0..2}", ["seed", "twice"]),
        ("vary: {seed: 0..1, seed_everything: [3]}", ["seed_everything", "twice", "seed sets it"]),
        ("set: {data.modulus: 3}\nvary: {data.modulus: [3, 5]}", ["data.modulus", "twice"]),
        ("set: {data.modulus: 3, data: {modulus: 4}}\nvary: {seed: [0]}", ["data.modulus", "twice"]),
        ("vary: {'a.x, b.x': [1, 2]}", ["vary.a.x, b.x", "2 values"]),
        ("vary: {'a.x, b.x': [[1, 2, 3]]}", ["vary.a.x, b.x", "2 values"]),
        ("vary: {trainer.default_root_dir: [a, b]}", ["trainer.default_root_dir", "own directory"]),
        ("vary: {ckpt_path: [a, b]}", ["ckpt_path"]),
        ("set: {data.task: 'x**{k}'}\nvary: {m: [1]}", ["vary.m", "no formula has {m}"]),
        ("set: {data.task: 'x**{k}'}\nvary: {seed: [1]}", ["{k}", "not under vary"]),
        ("vary: {seed: 0..400, data.a: 0..400}", ["160,801", "100,000"]),
        ("vary: {seed: 0..100000000000}", ["100,000"]),
        ("vary: {data.fraction: [0.5, 0.5]}", ["vary.data.fraction", "one name", "0.5"]),
        ("vary: {data.task: [x + y, x+y]}", ["vary.data.task", "one name"]),
        ("vary: {seed: [0]}\nskip: seed == 0", ["skip", "leaves no cell"]),
        ("vary: {seed: [0]}\nskip: m > 1", ["skip", "'m'", "does not vary"]),
        ("vary: {seed: [0]}\nskip: __import__('os')", ["skip", "cannot have"]),
        ("vary: {seed: [0]}\nskip: seed +", ["skip", "cannot be read"]),
        ("vary: {seed: [0]}\nskip: seed % 0 == 1", ["skip", "zero"]),
        ("vary: {seed: [0]}\nskip: 'seed + ''a'' == 1'", ["skip", "not a number"]),
        ("vary: {seed: [0]}\ngroups: {a: b}", ["groups.a", "'b'"]),
        ("vray: {seed: [0]}", ["'vray'", "did you mean 'vary'"]),
        ("vary: [seed]", ["vary", "mapping"]),
        ("config: {}\nvary: {seed: [0", ["line"]),
        ("config: missing.yaml\nvary: {seed: [0]}", ["missing.yaml", "no such config file"]),
        ("config: loop.yaml\nvary: {seed: [0]}", ["inherits from itself"]),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_in_a_line_or_two(plan_of, text, words) -> None:
    with pytest.raises(InputError) as raised:
        plan_of(text)
    message = str(raised.value)
    assert all(word in message for word in words), message
    assert len(message.splitlines()) <= 2


def test_a_plan_without_a_config_is_refused(tmp_path) -> None:
    (tmp_path / "s.yaml").write_text("vary: {seed: [0]}\n")
    with pytest.raises(InputError, match="config is missing"):
        read_plan(tmp_path / "s.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("m > n or (m == 3 and n == 5)", True),
        ("1 < m < 3", False),
        ("(gcd(m, 28), gcd(n, 28))", (1, 1)),
        ("data.task in ('add', 'mul')", True),
        ("-m // 2 * 3 % 7 + m / 2 - 1", -3 // 2 * 3 % 7 + 3 / 2 - 1),
        ("m % n == 0", False),
    ],
)
def test_expressions_have_pythons_meaning(text, value) -> None:
    values = {"m": 3, "n": 5, "data.task": "add"}
    assert parse_expression(text, values, "skip")(values) == value


@given(
    st.integers(1, 50), st.integers(1, 50), st.sampled_from(["+", "-", "*", "%", "//", "<", "<=", "==", "!="])
)
def test_an_operator_is_pythons(m, n, sign) -> None:
    assert parse_expression(f"m {sign} n", ["m", "n"], "")({"m": m, "n": n}) == eval(f"{m} {sign} {n}")
    assert parse_expression("gcd(m, n)", ["m", "n"], "")({"m": m, "n": n}) == math.gcd(m, n)


@pytest.mark.parametrize(
    "text",
    ["m.__class__", "m[0]", "lambda: 1", "m ** 9", "f'{m}'", "[m for m in m]", "print(m)", "m if m else m", "x" * 501,
     "(" * 300, "m := 1", 5, None, "b'1'", "gcd(m, m, m)", "gcd(*m)", "1j", "..."],
)  # fmt: skip
def test_anything_else_is_no_expression(text) -> None:
    with pytest.raises(InputError):
        parse_expression(text, ["m"], "skip")
