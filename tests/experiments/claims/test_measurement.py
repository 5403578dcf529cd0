"""A claim may name any measure that it accepts."""

import math

import pytest

from modgrok import load_run
from modgrok.experiments.claims.claim import MEASURES, SCORES
from modgrok.experiments.claims.measurement import _of_circuit


@pytest.fixture(scope="module")
def analysis(small_run):
    return load_run(small_run).analyze()


@pytest.mark.parametrize(
    "name", [name for name in MEASURES if name not in ("grokked_at", "grokked", *SCORES)]
)
def test_every_accepted_measure_is_measured(name, analysis) -> None:
    value = _of_circuit(name, analysis)
    assert isinstance(value, float | int)
    # a third operand, and phases that a short run does not end, are missing values and no errors
    assert math.isfinite(value) or name.endswith("_z") or name.startswith("end of")
