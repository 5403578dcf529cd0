"""A circuit that training found, of a task whose answers are a map of a sum."""

import math
from pathlib import Path

import pytest

import modgrok

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.slow
def test_a_trained_cube_is_read_on_the_clock_of_its_sum(tmp_path) -> None:
    run = modgrok.fit(
        CONFIGS / "poly.yaml",
        {
            "data.task": "(x + y)**3",
            "data.train_fraction": 0.8,
            "trainer.max_steps": 10_000,
            "trainer.default_root_dir": str(tmp_path),
            "stop.grokked_for": 3_000,
        },
    )
    assert run.findings.grokked_at is not None
    (task,) = run.analyze().tasks
    measures, guess = task.last.measures, math.log(97)
    view = task.circuit.view
    assert (view.matches_structure, view.clocked_pairs.clock.law) == (True, "additive")
    assert 1 <= len(measures.key_frequencies) <= 12  # of 48
    assert measures.restricted_loss < guess / 20  # all that it knows is in these frequencies
    assert measures.excluded_loss > guess  # and nothing is outside them
    assert measures.trigonometric_loss < guess / 2
