"""The configs that modgrok comes with are found by name from any directory."""

from pathlib import Path

import pytest
import yaml

from modgrok.cli import main
from modgrok.errors import InputError
from modgrok.experiments import check
from modgrok.experiments.claims.reproduce import find_claim
from modgrok.experiments.config.shipped import find_config, shipped_configs, title
from modgrok.experiments.plans.sweep_file import read_plan

ROOT = Path(__file__).parents[3] / "configs"


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_config_of_the_checkout_has_a_name_and_a_title():
    assert {find_config(name).resolve() for name in shipped_configs()} == {*ROOT.rglob("*.yaml")}
    assert all(title(file) for file in shipped_configs().values())


def test_a_name_means_a_run_a_sweep_or_a_claim(capsys):
    check("poly")
    main(["describe", "--config", "poly"])
    assert "x**2 + y**2 mod 97" in capsys.readouterr().out
    assert read_plan("sweeps/powers_29").varied
    claim, path = find_claim("mainline")
    assert (claim.name, path.name) == ("mainline", "mainline.yaml")


def test_the_path_of_a_checkout_means_the_same():
    assert find_config("configs/sweeps/powers.yaml") == find_config("sweeps/powers")


def test_a_file_of_ones_own_comes_first(capsys):
    Path("poly").write_text("data: {task: x - y, modulus: 7}")
    main(["describe", "--config", "poly"])
    assert "x - y mod 7" in capsys.readouterr().out


def test_a_claim_of_ones_own_comes_first():
    own = Path("configs", "claims", "mainline.yaml")
    own.parent.mkdir(parents=True)
    shipped = yaml.safe_load((ROOT / "claims" / "mainline.yaml").read_text())
    shipped["claim"]["says"] = "Mine."
    own.write_text(yaml.safe_dump({**shipped, "config": str(ROOT / "add.yaml")}))
    assert find_claim("mainline")[0].says == "Mine."


@pytest.mark.parametrize(
    ("name", "near"),
    [("polly", "'poly'"), ("sweeps/power", "'sweeps/powers'"), ("nothing like it", "modgrok configs")],
)
def test_a_name_that_is_none_says_which_is_near(name, near):
    with pytest.raises(InputError, match=f"{name}: no such config file; .*{near}"):
        find_config(name)


def test_configs_are_listed_and_copied(capsys):
    main(["configs"])
    assert "claims/mainline" in capsys.readouterr().out
    main(["configs", "--copy", "mine"])
    assert {file.relative_to("mine") for file in Path("mine").rglob("*.yaml")} == {
        file.relative_to(ROOT) for file in ROOT.rglob("*.yaml")
    }
    main(["describe", "--config", "mine/poly.yaml"])


def test_copying_overwrites_nothing(refused):
    Path("mine").mkdir()
    assert "mine: exists already" in refused("configs", "--copy", "mine")
