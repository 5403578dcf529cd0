"""A run of the second wing that is resumed: with its own config, and no other hyperparameters."""

import shutil

import pytest
import yaml

from modgrok.cli import main

FIT = [
    *("capacity", "fit", "--data.n", "40", "--data.relations", "2", "--data.notation", "tokens"),
    *("--data.batch_size", "64", "--data.name_words", "[16,16,16]", "--data.attributes", "{color: 16}"),
    *("--data.alphabet", "16", "--model.network", "modgrok.capacity.Llama", "--model.network.d_model", "16"),
    *("--model.network.n_layers", "1", "--trainer.enable_progress_bar", "false"),
    *("--trainer.val_check_interval", "10", "--trainer.max_steps", "20"),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    root = tmp_path_factory.mktemp("finished")
    logger = ("--trainer.logger", "CSVLogger", "--trainer.logger.save_dir", str(root))
    main([*FIT, "--trainer.default_root_dir", str(root), *logger])
    return root / "lightning_logs" / "version_0"


@pytest.fixture
def run(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(finished, tmp_path / "lightning_logs" / "version_0")


def checkpoints(run):
    return sorted(path.name for path in (run / "checkpoints").iterdir())


def test_it_has_its_own_config_and_what_is_said_comes_on_top(run, capsys):
    main(["capacity", "fit", "--ckpt_path", str(run), "--trainer.max_steps", "30"])
    assert checkpoints(run) == [f"update={update:06d}.ckpt" for update in (10, 20, 30)]
    config = yaml.safe_load((run / "config_from_000020.yaml").read_text())
    assert (config["data"]["n"], config["trainer"]["max_steps"]) == (40, 30)
    assert config["model"]["network"]["init_args"]["d_model"] == 16
    capsys.readouterr()
    main(["capacity", "fit", "--ckpt_path", "last"])
    assert "finished at 30, no update made; --trainer.max_steps N continues" in capsys.readouterr().out
    assert not (run.parent / "version_1").exists()


def test_a_logger_of_the_config_is_beside_the_runs_own(finished):
    assert (finished / "metrics.csv").is_file()
    assert len(list(finished.glob("events*"))) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["--data.n", "50"], "n is 50 here and 40 there"),
        (["--model.network.d_model", "32"], "d_model is 32 here and 16 there"),
        (
            ["--model.optimizer", "torch.optim.SGD", "--model.optimizer.lr", "1"],
            "optimizer is SGD here and AdamW there",
        ),
    ],
)
def test_a_hyperparameter_that_changed_is_refused_by_name(run, capsys, changed, said):
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    with pytest.raises(SystemExit) as stopped:
        main(["capacity", "fit", "--ckpt_path", str(run), "--trainer.max_steps", "30", *changed])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
