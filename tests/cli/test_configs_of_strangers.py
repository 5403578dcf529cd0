"""Configs that somebody else wrote: every error is a line or two, and nothing but modgrok's own classes is made."""

from types import NoneType
from typing import get_args

import pytest
import yaml

from modgrok.cli import main
from modgrok.cli.describe import SECTIONS
from modgrok.errors import InputError
from modgrok.experiments import Experiment, check

TASK = {"task": "x + y", "modulus": 11}
WRONG = [
    ["a", ["b"]],
    {"a": {"b": 1}},
    "no such value",
    -1.5,
    float("nan"),
    10**400,
    "\0",
    True,
    None,
    "/etc/passwd",
]


@pytest.fixture
def outcome(tmp_path, monkeypatch, capsys):
    """Run `modgrok` on a config; it either succeeds, or says in a line or two what is wrong, and writes nothing."""
    monkeypatch.chdir(tmp_path)

    def run(text, command="describe", *options):
        (tmp_path / "config.yaml").write_text(text)
        before = sorted(tmp_path.rglob("*"))
        code = 0
        try:
            main([command, "--config", "config.yaml", *options])
        except SystemExit as stopped:
            code = stopped.code
        said = capsys.readouterr().err
        if code == 0:
            return None
        assert code == 2
        assert said.startswith("modgrok: error: ")
        assert said.count("\n") <= 2
        assert len(said) < 700
        assert "Traceback" not in said
        assert sorted(tmp_path.rglob("*")) == before
        return said

    return run


def fields() -> dict[str, object]:
    """Every field of a config and its type, from the parser itself."""
    parser = Experiment("fit", ["--data.task", "x + y", "--data.modulus", "11"]).parser
    actions = {action.dest: action for action in parser._actions if not action.dest.endswith("help")}
    return {
        name: getattr(action, "_typehint", action.type)
        for name, action in actions.items()
        if name not in ("config", "print_config", "print_shtab")
    }


def takes_numbers_alone(kind: object) -> bool:
    return all(each in (int, float, NoneType) for each in get_args(kind) or (kind,))


def with_value(field: str, value: object) -> str:
    *sections, name = field.split(".")
    config: dict = {"data": dict(TASK)}
    node = config
    for section in sections:
        node = node.setdefault(section, {})
    node[name] = value
    return yaml.safe_dump(config)


@pytest.fixture(scope="module")
def every_field():
    found = fields()
    assert len(found) > 60
    assert sum(map(takes_numbers_alone, found.values())) > 20
    return found


def test_describe_knows_the_sections_of_a_config(every_field):
    assert {field.partition(".")[0] for field in every_field} == set(SECTIONS)


@pytest.mark.parametrize("every", [37, pytest.param(1, marks=pytest.mark.slow)])
def test_wrong_types_in_every_field(every_field, every, tmp_path, monkeypatch):
    """Some of the combinations, each value among them; the slow test takes all."""
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "config.yaml"
    combinations = [(field, value) for field in every_field for value in WRONG]
    for field, value in combinations[::every]:
        config.write_text(with_value(field, value))
        said = ""
        try:
            check(config)
        except InputError as error:
            said = str(error)
        assert said.count("\n") <= 1
        assert len(said) < 700
        assert [*tmp_path.iterdir()] == [config]
        if takes_numbers_alone(every_field[field]) and isinstance(value, (str, list, dict)):
            assert said, f"{field}: {value!r} was taken for a number"


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a configuration"),
        ("data: [", "line 1"),
        ("data: {task: x + y, modulus: 11", "line 1"),
        ("\tdata: 1", "line 1"),
        (
            "data: {task: x + y, modulus: 11}\ndata: {task: x - y, modulus: 11}",
            "line 2: 'data' is given twice",
        ),
        ("data:\n  task: x + y\n  modulus: 11\n  modulus: 13", "line 4: 'modulus' is given twice"),
        (LAUGHS, "more than 10,000 values"),
        ("a: &a [*a]", "values"),
        ("x: " + "[" * 5_000, "not a YAML file"),
        ("x" * 2_000_000, "at most"),
        ("x: " + "9" * 5000, "not a YAML file"),
        ("x: !!python/object/apply:os.system [touch marker]", "line 1"),
        ("x: !!python/name:os.system", "line 1"),
        ("? [a, b]\n: c", "line 1"),
        ("data: *nothing", "line 1"),
        ("\0", "not a YAML file"),
        ('data: {task: "x\\0y"}', "line 1: a NUL character"),
        ("1: 2", ""),
        ("config: config.yaml", "inherits from itself"),
        ("config: [base.yaml]", "names one file"),
        ("config: ../base.yaml", "no such config file"),
        ("config: /dev/zero", "no such config file"),
    ],
    ids=range(22),
)
def test_what_is_no_configuration(outcome, text, message):
    assert message in outcome(text)


@pytest.mark.parametrize("file", ["/etc/passwd", "/", "/dev/zero", "/proc/self/mem", ".", "a\0b", "x" * 5000])
def test_paths_that_are_no_config(outcome, file):
    assert outcome(yaml.safe_dump({"data": TASK}), "describe", "--config", file)


CALLED = {
    "os.system": ["command"],
    "subprocess.Popen": ["args"],
    "builtins.eval": ["source"],
    "builtins.open": ["file"],
    "pathlib.Path": ["args"],
    "shutil.rmtree": ["path"],
    "no.such.module": [],
    "modgrok": [],
    "": [],
}


FIELDS = ["model.network", "trainer.logger", "trainer.callbacks", "trainer.plugins", "trainer.profiler"]


@pytest.mark.parametrize(
    "class_path",
    [
        "subprocess.Popen",
        *[pytest.param(other, marks=pytest.mark.slow) for other in CALLED if "Popen" not in other],
    ],
)
@pytest.mark.parametrize("field", FIELDS)
def test_classes_that_are_not_for_this_are_not_called(outcome, field, class_path, tmp_path):
    what = {
        "class_path": class_path,
        "init_args": dict.fromkeys(CALLED[class_path], f"touch {tmp_path}/marker"),
    }
    assert outcome(with_value(field, [what] if field == "trainer.callbacks" else what), "fit")
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    ("field", "value", "command"),
    [
        ("trainer.default_root_dir", "/proc/nowhere", "fit"),
        ("trainer.default_root_dir", "/etc/passwd", "fit"),
        ("trainer.default_root_dir", "/dev/null/a", "fit"),
        ("trainer.default_root_dir", "x" * 5000, "fit"),
        ("trainer.default_root_dir", "a\0b", "fit"),
        ("predictions.file", "nowhere/pairs.csv", "predict"),
        ("predictions.file", "/proc/pairs.csv", "predict"),
        ("predictions.file", "/etc/passwd", "predict"),
        ("predictions.file", ".", "predict"),
        ("predictions.file", "x" * 5000 + ".csv", "predict"),
        ("predictions.file", "a\0b.csv", "predict"),
    ],
)
def test_paths_that_cannot_be_written(outcome, small_run, field, value, command):
    options = ["--ckpt_path", str(small_run)] if command == "predict" else []
    config = yaml.safe_load(with_value(field, value))
    if command == "predict":
        del config["data"]
    assert outcome(yaml.safe_dump(config), command, *options)
