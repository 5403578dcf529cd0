"""What a claim may name is what is measured."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from modgrok import load_run
from modgrok.analysis import GeneralMeasures, Measures
from modgrok.errors import InputError
from modgrok.experiments.claims.claim import Claim, PublishedFigure, read_claim
from modgrok.experiments.claims.measurable import check_measures
from modgrok.experiments.claims.measurement import OF_THE_TABLE, PHASES, measure

FIGURE = PublishedFigure("a number", "grokked", 1.0, 0.1)
NAMES = (
    *(*OF_THE_TABLE, *PHASES, "key_frequencies"),
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


CONFIG = {
    "data": {"task": "x + y", "modulus": 7, "train_fraction": 0.5},
    "model": {"network": {"class_path": "modgrok.MLP", "init_args": {"d_model": 4, "d_mlp": 4}}},
    "trainer": {"max_steps": 2},
}
ON_S3 = {"data.task": "x * y in S3", "data.modulus": None}


@pytest.mark.parametrize(
    ("shared", "figure", "said"),
    [
        (
            {},
            {"measure": "gini_embedding_z"},
            "has no 'gini_embedding_z': it has key_frequencies, .*embedding_y",
        ),
        (ON_S3, {"measure": "similarity_standart"}, "share_trivial.*; did you mean 'similarity_standard'"),
        (ON_S3, {"measure": "key_frequencies"}, "has no 'key_frequencies': it has key_irreps, end of memo"),
        ({}, {"measure": "bi_equivariant_share"}, "has no 'bi_equivariant_share': it has key_frequencies"),
        ({}, {"measure": "key_irreps"}, "has no 'key_irreps': it has key_frequencies"),
        ({"data.task": "x + y + z"}, {"measure": "circle_pizza"}, "the task does not have two operands"),
        (
            {"data.task": "x**2 + y"},
            {"measure": "circularity"},
            "the clock does not have one symbol for each",
        ),
        ({"data.task": "x**2 + y"}, {"measure": "phase_moment_4"}, "the pairs do not fill a clock"),
        (
            {"data.split": "classes"},
            {"measure": "heldout_accuracy_known"},
            "no held-out pair is known by sym",
        ),
        ({"data.task": ["x + y", "x*y"]}, {"measure": "tuned_fraction"}, "the circuit of one formula"),
        ({"data.modulus": 8}, {"measure": "logit_variance", "basis": "multiplicative"}, "needs? a prime"),
        ({"trainer.enable_checkpointing": False}, {"measure": "gini_logit"}, "no checkpoint is written"),
        ({}, {"measure": "grokked", "where": {"seed": 5}}, r".where: no cell has \{'seed': 5\}"),
        ({}, {"measure": "grokked", "over": {"seed": 5}}, r".over: no cell has \{'seed': 5\}"),
    ],
)
def test_what_the_runs_do_not_have_is_refused_before_any_run(tmp_path, shared, figure, said) -> None:
    figure = {"name": "a number", "published": 1, "tolerance": 1, **figure}
    about = {"says": "It is so.", "source": "Somewhere.", "left_out": "Nothing.", "figures": [figure]}
    path = tmp_path / "a.yaml"
    path.write_text(json.dumps({"config": CONFIG, "set": shared, "vary": {"seed": [0, 1]}, "claim": about}))
    with pytest.raises(InputError, match=rf"^{path}: claim\.figures\[0\].*{said}"):
        check_measures(read_claim(path), path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["circle_clock", "phase_sum", "heldout_accuracy_new", "end of cleanup"])
def test_what_a_network_has_once_it_is_trained_may_be_named(tmp_path, name) -> None:
    figure = {"name": "a number", "published": 1, "tolerance": 1, "measure": name}
    about = {"says": "It is so.", "source": "Somewhere.", "left_out": "Nothing.", "figures": [figure]}
    path = tmp_path / "a.yaml"
    path.write_text(json.dumps({"config": CONFIG, "vary": {"seed": [0, 1]}, "claim": about}))
    check_measures(read_claim(path), path)
