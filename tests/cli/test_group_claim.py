"""The claim on the published network of S5, where its file is at hand, and claims on irreps."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from modgrok.cli import main

CLAIM = Path(__file__).parents[2] / "configs" / "claims" / "s5_weights.yaml"


@pytest.fixture
def claim(tmp_path, monkeypatch, reference):
    monkeypatch.chdir(tmp_path)
    file = shutil.copy(CLAIM, tmp_path / "s5_weights.yaml")
    shutil.copy(reference("groups/S5_MLP_seed2/model.pt"), tmp_path / "S5_MLP_seed2.pt")
    return Path(file)


def test_the_published_weights_give_the_published_figures(claim, capsys):
    main(["reproduce", str(claim)])
    assert "\nreproduced; " in capsys.readouterr().out
    (verdict,) = Path("lightning_logs").rglob("verdict.json")
    figures = json.loads(verdict.read_text())["figures"]
    assert len(figures) == 11
    assert {one["verdict"] for one in figures} == {"reproduced"}


def test_a_measure_of_an_irrep_that_is_not_there_is_named(claim, capsys):
    content = yaml.safe_load(claim.read_text())
    content["claim"]["figures"][0]["measure"] = "similarity_standart"
    claim.write_text(yaml.safe_dump(content))
    with pytest.raises(SystemExit) as ended:
        main(["reproduce", str(claim)])
    assert ended.value.code == 2
    assert (
        "no measure is called 'similarity_standart'; did you mean 'similarity_standard'?"
        in capsys.readouterr().err
    )
