"""What is said on a terminal fits it, and is broken between words."""

from pathlib import Path

import pytest

from modgrok.cli import main
from modgrok.cli.runs import apart
from modgrok.cli.terminal import wrapped

RUN = """seed_everything: 0
data: {{task: x + y, modulus: {modulus}, train_fraction: 0.3, split_seed: {seed}}}
trainer: {{max_steps: {steps}}}
model:
  optimizer: {{class_path: torch.optim.AdamW, init_args: {{lr: {lr}, weight_decay: {decay}}}}}
"""


@pytest.fixture(params=[80, 120])
def width(request, monkeypatch):
    monkeypatch.setattr("modgrok.cli.terminal.columns", lambda stream=None: request.param)
    return request.param


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["tasks"],
        ["tasks", "s5conj"],
        ["describe", "x + y", "97"],
        ["describe", "x * y in S4"],
        ["capacity", "--help"],
        ["capacity", "describe", "--n", "20"],
    ],
    ids=" ".join,
)
def test_no_line_is_wider_than_the_terminal(command, width, capsys) -> None:
    main(command)
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= width
    assert len(said) > 100


def test_an_error_fits_too(width, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["fit", "a + b", "97"])
    assert max(map(len, capsys.readouterr().err.splitlines())) <= width


def test_the_rest_of_a_line_stands_under_what_it_says() -> None:
    assert wrapped("  pairs      9,409: 2,822 trained on, 6,587 held out", 32) == [
        "  pairs      9,409: 2,822",
        "             trained on, 6,587",
        "             held out",
    ]
    command = "  modgrok analyze lightning_logs/version_0"
    assert wrapped(command, 20) == [command]
    assert wrapped("a\n\nb\n", 20) == ["a", "", "b", ""]


def test_an_operation_is_one_line_of_the_list(width, capsys) -> None:
    main(["tasks"])
    listed = capsys.readouterr().out.partition("\n\n")[0].splitlines()
    assert not [line for line in listed if line.startswith(" ")]
    assert {"add", "s5conj"} < {line.split()[0] for line in listed}


def test_runs_that_differ_in_much_are_listed_below_one_another(tmp_path: Path, width, capsys) -> None:
    rates = [1e-3, 3e-3, 1e-2]
    for seed, lr in enumerate(rates):
        run = tmp_path / f"rate={lr}" / "lightning_logs" / "version_0"
        run.mkdir(parents=True)
        values = {"modulus": 97 + seed, "seed": seed, "steps": 10**seed, "lr": lr, "decay": seed + 0.5}
        (run / "config.yaml").write_text(RUN.format(**values))
    main(["runs", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    for seed, lr in enumerate(rates):
        assert f"rate={lr}" in text
        assert all(part in text for part in (f"lr={lr}", f"max_steps={10**seed}", f"split_seed={seed}"))


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a/logs/version_0", "b/logs/version_0"], ["a", "b"]),
        (["logs/version_0", "logs/version_1"], ["version_0", "version_1"]),
        (["a", "a/b"], ["a", "a/b"]),
        (["a/b", "a/c/b"], ["a/b", "a/c/b"]),
        (["a/b/c", "a/d/c", "a/b/e"], ["b/c", "d/c", "b/e"]),
        (["a/b"], ["a/b"]),
    ],
)
def test_paths_are_told_apart_by_as_little_as_that_takes(paths, expected) -> None:
    assert apart(paths) == expected
