"""Published claims: the shipped files, a run through the command line, verdicts, and bad files."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

import modgrok
from modgrok.cli import main
from modgrok.errors import InputError
from modgrok.experiments.claims.claim import PublishedFigure, read_claim
from modgrok.experiments.claims.reproduce import find_claim
from modgrok.experiments.claims.verdict import judge
from modgrok.experiments.plans.check_cells import check_cells
from modgrok.experiments.sweeps.interval import Interval

CONFIGS = Path(__file__).parents[2] / "configs"
FILES = sorted((CONFIGS / "claims").glob("*.yaml"))
SHORT = {
    "data.modulus": 11,
    "data.batch_size": None,
    "trainer.max_steps": 4,
    "model.engine": "eager",
    "model.evaluate_every": 2,
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_cells_of_a_shipped_claim_can_run_and_the_first_does(file, tmp_path):
    plan = read_claim(file).plan
    if plan is None:
        return  # it is about other people's weights
    check_cells(plan)
    cell = plan.cells[0]
    overrides = SHORT | cell.overrides | {"trainer.max_steps": SHORT["trainer.max_steps"]}
    assert modgrok.fit(plan.config, overrides, directory=tmp_path / "run").findings.updates == 4


@pytest.fixture
def claims(tmp_path, monkeypatch):
    """A place with two claims: the analytic solution at p = 11, and weights that are not at hand."""
    (tmp_path / "configs" / "claims").mkdir(parents=True)
    claim = yaml.safe_load((CONFIGS / "claims" / "analytic_solution.yaml").read_text())
    neurons = "model.network.init_args.d_mlp"
    claim["vary"] = {neurons: [2, 300], "seed": [0, 1]}
    claim["config"]["data"]["modulus"] = 11
    figure = {"measure": "heldout_accuracy", "published": 1.0, "tolerance": 0.001}
    claim["claim"]["figures"] = [
        {"name": "300 neurons", **figure, "where": {neurons: 300}},
        {"name": "2 neurons", **figure, "where": {neurons: 2}},
        {"name": "key frequencies", **figure, "measure": "key_frequencies", "published": 0},
    ]
    write(tmp_path, "analytic_solution", claim)
    shutil.copy(CONFIGS / "claims" / "nanda_weights.yaml", tmp_path / "configs" / "claims")
    monkeypatch.chdir(tmp_path)
    return claim


def write(root, name, content):
    (root / "configs" / "claims" / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def listed(capsys):
    capsys.readouterr()
    main(["reproduce"])
    lines = capsys.readouterr().out.splitlines()
    return {line.split()[0]: line for line in lines if not line.startswith((" ", "claim"))}


def test_a_claim_is_run_judged_written_and_listed_only_while_its_runs_are_there(claims, tmp_path, capsys):
    assert "no run" in listed(capsys)["analytic_solution"]
    main(["reproduce", "analytic_solution", "--workers", "1"])
    out = capsys.readouterr().out
    assert "not reproduced; 4 runs" in out
    directory = tmp_path / "lightning_logs" / "claims" / "analytic_solution"
    saved = json.loads((directory / "verdict.json").read_text())
    verdicts = {one["figure"]["name"]: one["verdict"] for one in saved["figures"]}
    assert verdicts == {
        "300 neurons": "reproduced",
        "2 neurons": "not reproduced",
        "key frequencies": "reproduced",  # each explains 4/5 of its neurons' variance, too little to count
    }
    runs = [modgrok.load_run(path) for path in sorted((directory / "cells").glob("*=300*"))]
    assert saved["figures"][0]["ours"]["estimate"] == sum(r.findings.heldout_accuracy for r in runs) / 2
    page = (directory / "report" / "claim.html").read_text()
    assert "Not reproduced" in page
    assert page.count('class="estimate"') == 2 * len(verdicts)
    assert 'href="index.html"' in page
    assert "not reproduced" in listed(capsys)["analytic_solution"]

    claims["claim"]["figures"].pop(1)  # the runs are judged anew by the file as it is now
    write(tmp_path, "analytic_solution", claims)
    assert "no run" in listed(capsys)["analytic_solution"]
    main(["reproduce", "analytic_solution", "--workers", "1"])
    assert "reproduced; 4 runs" in capsys.readouterr().out
    shutil.rmtree(directory / "cells" / runs[0].path.name)
    assert "no run" in listed(capsys)["analytic_solution"]


def test_weights_that_are_not_at_hand_are_out_of_reach(claims, capsys):
    assert "out of reach here" in listed(capsys)["nanda_weights"]
    main(["reproduce", "nanda_weights"])
    assert "full_run_data.pth is not at hand" in capsys.readouterr().out


def figure(published, tolerance, beyond=None):
    return PublishedFigure("f", "grokked_at", published, tolerance, fails_beyond=beyond)


@pytest.mark.parametrize(
    ("expected", "ours", "verdict"),
    [
        (figure(44, 15, 1), Interval(30.0, 20.0, 50.0), "reproduced"),
        (figure(44, 15, 1), Interval(10.0, 5.0, 20.0), "not reproduced"),
        (figure(44, 15, 1), Interval(0.5, 0.2, 0.9), "contradicted"),
        (figure(44, 15, 1), Interval(0.5, 0.2, 1.5), "not reproduced"),
        (figure(44, 15), Interval(0.5, 0.2, 0.9), "not reproduced"),
        (figure(0, 0.1, 0.5), Interval(1.0, 0.6, 1.0), "contradicted"),
        (figure(100, 10), Interval(95.0, None, None), "reproduced"),
        (figure(100, 10), Interval(85.0, None, None), "not reproduced"),
        (figure(100, 10), Interval(60.0, 50.0, None), "reproduced"),
        (figure(100, 10), Interval(None, 60.0, None), "not reproduced"),
    ],
)
def test_a_verdict_follows_from_the_interval(expected, ours, verdict):
    assert judge(expected, ours) == verdict


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda claim: claim["claim"].pop("source"), r"claim\.source is missing"),
        (lambda claim: claim.pop("claim"), r"claim is missing; it has says, source, figures"),
        (
            lambda claim: claim["claim"]["figures"][0].pop("measure"),
            r"claim\.figures\[0\]\.measure is missing",
        ),
        (
            lambda claim: claim["claim"]["figures"][0].update(published="many"),
            r"claim\.figures\[0\]\.published must be a number, got 'many'",
        ),
        (
            lambda claim: claim["claim"]["figures"][0].update(wher={}),
            r"unknown key claim\.figures\[0\]\.wher; did you mean 'where'\?",
        ),
        (
            lambda claim: claim["claim"]["figures"][0].update(where={"data.task": "x"}),
            r"claim\.figures\[0\]: data\.task does not vary; model.*, seed do",
        ),
        (lambda claim: claim["claim"].update(figures=[]), r"claim\.figures must be a list"),
        (lambda claim: claim.pop("vary"), "nothing varies"),
        (
            lambda claim: claim["claim"]["figures"][0].update(measure="happiness"),
            r"claim\.figures\[0\]\.measure: 'happiness' is none of grokked_at, grokked, ",
        ),
    ],
)
def test_a_bad_claim_file_is_refused_by_field(claims, tmp_path, change, message):
    change(claims)
    write(tmp_path, "analytic_solution", claims)
    with pytest.raises(InputError, match=message):
        find_claim(str(tmp_path / "configs" / "claims" / "analytic_solution.yaml"))


def test_an_unknown_claim_names_the_nearest_and_starts_nothing(claims, tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["reproduce", "analitic"])
    assert exit_.value.code == 2
    assert "no claim 'analitic'; the nearest is 'analytic_solution'" in capsys.readouterr().err
    assert not (tmp_path / "lightning_logs").exists()


@pytest.mark.slow  # .ci/installed reproduces the analytic solution
@pytest.mark.parametrize("name", ["analytic_solution", "quick_transformer"])
def test_the_quick_claims_are_reproduced(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(CONFIGS.parent)
    main(["reproduce", name, "--directory", str(tmp_path / name)])
    assert "reproduced;" in capsys.readouterr().out.replace("not reproduced;", "missed;")
