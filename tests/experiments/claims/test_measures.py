"""What a claim may name is what is measured."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from modgrok import load_run
from modgrok.analysis import GeneralMeasures, Measures
from modgrok.errors import InputError
from modgrok.experiments.claims.claim import PHASES, SCORES, Claim, PublishedFigure, check_measures
from modgrok.experiments.claims.measurement import measure

FIGURE = PublishedFigure("a number", "grokked", 1.0, 0.1)
NAMES = (
    *("grokked", *SCORES, *PHASES, "key_frequencies"),
    *(name for name in (*Measures.names(), *GeneralMeasures.names()) if not name.endswith("_z")),
)


def claim(**changed: object) -> Claim:
    return Claim("a", "It is so.", "Somewhere.", (replace(FIGURE, **changed),), "Nothing.")


@pytest.mark.parametrize("name", NAMES)
def test_every_measure_that_a_claim_may_name_is_measured(small_run: Path, name: str) -> None:
    check_measures(claim(measure=name), Path("a.yaml"))
    found = load_run(small_run).findings
    row = {**vars(found), "status": "finished", "path": small_run.name}
    measure(replace(FIGURE, measure=name), pd.DataFrame([row]), small_run.parent)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"measure": "excluded_loss_each"}, "'excluded_loss_each' is none of"),
        ({"measure": "gini_embedding"}, "'gini_embedding' is none of"),
        ({"basis": "additve"}, "basis: 'additve' is not one of auto, additive, multiplicative"),
    ],
)
def test_what_is_not_measured_is_refused_before_any_run(changed: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_measures(claim(**changed), Path("a.yaml"))
