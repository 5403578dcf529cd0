"""Every file in configs/ is a run."""

from pathlib import Path

import pytest

from modgrok import load_run
from modgrok.cli import main

CONFIGS = Path(__file__).parents[2] / "configs"
BASE = CONFIGS / "furuta" / "base.yaml"  # for any task; the files beside it inherit from it
FILES = sorted([*CONFIGS.glob("*.yaml"), *BASE.parent.glob("*.yaml")])
SMALL = ("--data.modulus", "29")  # of so many runs, none needs to be large; a group has its own order


def fit(root, *args):
    main(
        [
            *("fit", *args, "--trainer.max_steps", "2", "--model.engine", "eager"),
            *("--measures.every", "null", "--trainer.default_root_dir", str(root)),
        ]
    )
    return load_run(root / "lightning_logs" / "version_0")


@pytest.fixture(scope="module")
def pregrokked(tmp_path_factory):
    """A run whose weights the configs of the pre-grokked take over."""
    return fit(
        tmp_path_factory.mktemp("pregrokked"),
        *("--config", str(BASE), "--data.task", "add", *SMALL),
    )


@pytest.mark.parametrize("config", FILES, ids=lambda file: str(file.relative_to(CONFIGS)))
def test_config_describes_and_trains(config, pregrokked, tmp_path, capsys):
    options, small = ["--config", str(config)], () if config.stem == "groups" else SMALL
    if config.parent == BASE.parent:
        options += ["--data.task", "2x_3y"]
    main(["describe", *options, *small])
    assert "held out" in capsys.readouterr().out
    if config.name.startswith("pregrokked"):
        options += ["--model.pretrained", str(pregrokked.path)]
    run = fit(tmp_path, *options, *small)
    history = run.snapshot().history
    assert history.update == [0, 2]
    assert history.train_loss[-1] != history.train_loss[0]


@pytest.mark.parametrize("name", ["random_embedding", "pregrokked_embedding", "pregrokked_model"])
def test_a_config_that_inherits_from_the_base_keeps_its_settings(name, pregrokked, tmp_path):
    options = ["--config", str(BASE.with_name(f"{name}.yaml")), "--data.task", "add"]
    if name.startswith("pregrokked"):
        options += ["--model.pretrained", str(pregrokked.path)]
    run = fit(tmp_path, *options, *SMALL)
    assert run.snapshot().network.config == pregrokked.snapshot().network.config
