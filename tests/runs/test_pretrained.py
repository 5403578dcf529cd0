"""Starting from another run's weights, and keeping parts as they are."""

import json

import pytest
import torch
from lightning.pytorch import Trainer

from modgrok import GrokkingModule, ModularDataModule, Transformer, load_run
from modgrok.cli import main
from modgrok.errors import InputError

SHAPE = ("--model.network.d_model", "32", "--model.network.d_mlp", "64")


def fit(root, *args):
    main(
        [
            *("fit", "--data.task", "x2_y2", "--data.modulus", "11", "--data.train_fraction", "0.5", *SHAPE),
            *("--trainer.max_steps", "40", "--model.evaluate_every", "20", "--checkpoint.every", "20"),
            *("--trainer.default_root_dir", str(root), "--model.engine", "eager", *map(str, args)),
        ]
    )
    return load_run(root / "lightning_logs" / "version_0")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return fit(tmp_path_factory.mktemp("scratch"))


def weights(run, update=None):
    return run.snapshot(update).network.state_dict()


def test_pregrokked_embedding_stays_and_the_rest_trains_from_scratch(small_run, scratch, tmp_path, capsys):
    run = fit(
        tmp_path,
        *("--model.pretrained", small_run, "--model.pretrained_parts", "[embedding]"),
        *("--model.frozen", "[embedding]"),
    )
    source = weights(load_run(small_run))
    for name, weight in weights(run, 0).items():
        expected = source if name == "embed.W_E" else weights(scratch, 0)
        assert torch.equal(weight, expected[name]), name
    for name, weight in weights(run).items():
        assert torch.equal(weight, weights(run, 0)[name]) == (name == "embed.W_E"), name
    main(["analyze", str(run.path)])
    said = f"Training started with the embedding from {small_run} (x + y mod 11, update 90)."
    assert said in capsys.readouterr().out
    assert said in (run.path / "report" / "index.html").read_text()
    assert json.loads((run.path / "report" / "summary.json").read_text())["origin"]["parts"] == ["embedding"]


def test_pregrokked_model_starts_where_the_other_run_ended(small_run, tmp_path, capsys):
    run = fit(tmp_path, "--model.pretrained", small_run)
    assert all(torch.equal(w, weights(load_run(small_run))[name]) for name, w in weights(run, 0).items())
    origin = run.snapshot().pretrained_from
    assert (origin.tasks, origin.modulus, origin.update) == (["x + y"], 11, 90)
    assert f"started with the embedding, transformer, unembedding from {small_run}" in capsys.readouterr().out


def test_frozen_random_embedding_is_the_initial_one(scratch, tmp_path):
    run = fit(tmp_path, "--model.frozen", "[embedding]")
    assert run.snapshot().frozen == ("embedding",)
    assert torch.equal(weights(run)["embed.W_E"], weights(scratch, 0)["embed.W_E"])
    assert not torch.equal(weights(run)["unembed.W_U"], weights(scratch, 0)["unembed.W_U"])


def test_transferred_run_is_gone_on_from_without_its_source(small_run, tmp_path):
    source = tmp_path / "source"
    source.symlink_to(small_run)
    options = ("--model.pretrained", source, "--model.frozen", "[embedding]")
    run = fit(tmp_path / "whole", *options)
    source.unlink()
    main(
        [
            *("fit", "--config", str(run.path / "config.yaml")),
            *("--ckpt_path", str(run.path / "checkpoints" / "update=000020.ckpt")),
            *("--trainer.default_root_dir", str(tmp_path / "resumed")),
        ]
    )
    resumed = load_run(tmp_path / "resumed" / "lightning_logs" / "version_0")
    assert all(torch.equal(w, weights(run)[name]) for name, w in weights(resumed).items())
    assert resumed.snapshot().pretrained_from == run.snapshot().pretrained_from
    assert resumed.snapshot().frozen == ("embedding",)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data.modulus", "13"], "embed.W_E is (14, 32) here and (12, 32) there"),
        (["--data.template", "[x, op, y, '=']"], "embed.W_E is (13, 32) here and (12, 32) there"),
        (["--model.network.d_mlp", "48"], "blocks.0.mlp.W_in is (32, 48) here and (32, 64) there"),
        (["--model.network.n_layers", "2"], "blocks.1.attn.W_Q is (4, 32, 8) here and missing there"),
        (["--model.pretrained_parts", "[embeding]"], "no part 'embeding'; it has embedding, transformer"),
        (["--model.frozen", "[head]"], "no part 'head'"),
        (["--model.frozen", "[embedding, transformer, unembedding]"], "nothing is left to train"),
        (["--model.pretrained", "nowhere"], "nowhere: no such file"),
        (["--model.pretrained", "null", "--model.pretrained_parts", "[embedding]"], "RUN_OR_CKPT"),
    ],
)
def test_what_does_not_fit_is_said_before_training(small_run, tmp_path, capsys, options, said):
    with pytest.raises(SystemExit) as stopped:
        fit(tmp_path, "--model.pretrained", small_run, *options)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "lightning_logs").exists()


def test_another_modulus_is_refused_where_the_shapes_happen_to_fit(small_run):
    # 10 symbols, the operator and = are as many tokens as 11 symbols and =
    data = ModularDataModule("x + y", 10, template=["x", "op", "y", "="])
    network = Transformer(**data.network_shape, d_model=32, d_mlp=64)
    trainer = Trainer(max_steps=2, logger=False, enable_checkpointing=False, enable_progress_bar=False)
    module = GrokkingModule(network, pretrained=str(small_run), pretrained_parts=["embedding"])
    with pytest.raises(InputError, match=r"was trained mod 11, this run is mod 10"):
        trainer.fit(module, data)
