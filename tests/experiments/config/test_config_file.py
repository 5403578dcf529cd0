"""One reader for the YAML of configs, sweeps and claims."""

from pathlib import Path

import pytest

from modgrok.errors import InputError
from modgrok.experiments.config.config_file import read_config
from modgrok.experiments.plans.sweep_file import read_sweep

READERS = (read_config, read_sweep)


@pytest.mark.parametrize("read", READERS)
def test_a_number_is_a_number_in_every_file(tmp_path: Path, read) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a: {b: 1e-3, c: 2E5, d: -1.5e+2, e: .5e1, f: '1e-3', g: 1e, h: x1e3, i: 0.1}")
    assert read(file) == {
        "a": {"b": 1e-3, "c": 2e5, "d": -150.0, "e": 5.0, "f": "1e-3", "g": "1e", "h": "x1e3", "i": 0.1}
    }


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: {c: 1, c: 2}", "line 2: 'c' is given twice"),
        ("a: [", "line 1"),
        ("[a, b]", "not a"),
        ("", "not a"),
        (f"a: &a [{'x, ' * 999}]\nb: [{'*a, ' * 1_010}]", "values, with what its aliases repeat"),
        (f"a: [{'x' * 10_000_000}]", "at most"),
    ],
    ids=range(6),
)
def test_the_same_is_wrong_in_every_file(tmp_path: Path, read, text, said) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=said) as refused:
        read(file)
    assert str(refused.value).startswith(str(file))
