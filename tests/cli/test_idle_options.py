"""An option that would do nothing beside the others is refused by its name."""

import pytest
import torch
import yaml

from modgrok.capacity import WarmUpCosine
from modgrok.errors import InputError
from modgrok.experiments.claims.claim import read_claim
from modgrok.experiments.plans.sweep_file import read_plan
from modgrok.interop.said import translate

FIT = ("fit", "--data.task", "x + y", "--data.modulus", "11", "--trainer.max_steps", "2")
MLP = (*FIT, "--model.network", "modgrok.MLP")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([*FIT, "--data.batch_seed", "1"], "batch_seed: 1 orders mini-batches; give batch_size"),
        ([*FIT, "--data.label_seed", "1"], "label_seed: 1 draws the answers of the task random"),
        (
            [*MLP, "--model.network.input", "two_hot", "--model.network.d_model", "64"],
            "d_model: two_hot input has no embedding; leave its width out, got 64",
        ),
        (
            [*FIT, "--model.network.d_mlp", "0", "--model.network.activation", "gelu"],
            "d_mlp is 0, so that no MLP can have biases, a normalization before it or an activation",
        ),
        (
            [*FIT, "--trainer.gradient_clip_algorithm", "value"],
            "trainer.gradient_clip_algorithm: nothing is clipped; give gradient_clip_val too",
        ),
        (["runs", ".", "--descending"], "--descending needs --sort"),
        (["runs", ".", "--csv", "--json"], "--csv and --json: give one of them"),
        (["reproduce", "--workers", "2"], "--workers needs a claim to run; name one"),
        (
            ["reproduce", "nanda_weights", "--workers", "2"],
            "--workers: nanda_weights is about other people's",
        ),
        (
            ["sweep", "--config", "sweeps/powers", "--on", "slurm", "--workers", "2"],
            "--workers needs --on local; with --on slurm leave it out",
        ),
        (
            ["sweep", "--config", "sweeps/powers", "--slurm.gpus", "1"],
            "--slurm.gpus needs --on slurm; with --on local leave it out",
        ),
        (
            ["analyze", ".", "--modulus", "11"],
            "--modulus describes other people's weights; give --formula and --modulus too",
        ),
        (
            ["certify", ".", "--modulus", "11"],
            "--modulus describes other people's weights; give --formula and --modulus too",
        ),
        (["capacity", "describe", "--n", "20", "--write", "no/such.parquet"], "there is no folder no"),
    ],
)
def test_it_is_refused_on_the_command_line(refused, options, message):
    assert message in refused(*options)


def test_weights_to_start_from_are_refused_beside_a_checkpoint(refused, small_run):
    for field, named in (
        ("pretrained", "model.pretrained: the weights are those of"),
        ("pretrained_parts", "needs"),
    ):
        value = f"[{small_run}]" if field == "pretrained_parts" else small_run
        said = refused("fit", "--ckpt_path", small_run, f"--model.{field}", value)
        assert named in said


def test_runs_alone_are_refused_beside_other_peoples_weights(refused, small_run, tmp_path):
    from modgrok.cli import main

    weights = tmp_path / "weights.safetensors"
    main(["export", str(small_run), str(weights)])
    asked = ("analyze", weights, "--formula", "x + y", "--modulus", "11", "--alone", small_run)
    assert "--alone needs a run on a mixture, not other people's weights" in refused(*asked)


def test_the_length_of_a_cosine_that_is_none():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))])
    with pytest.raises(InputError, match="updates: a final_rate of 1 has no cosine"):
        WarmUpCosine(optimizer, updates=100)


def test_what_a_claim_about_weights_would_run(tmp_path):
    figures = [{"name": "n", "measure": "key_frequencies", "published": 5, "tolerance": 0}]
    weights = {"file": "w.pth", "formula": "x + y", "modulus": 11}
    claim = {"says": "s", "source": "s", "left_out": "nothing", "weights": weights, "figures": figures}
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump({"claim": claim, "vary": {"seed": "0..1"}}))
    with pytest.raises(InputError, match="vary: a claim about other people's weights runs nothing"):
        read_claim(file)


def test_groups_of_cells_that_no_page_compares(tmp_path):
    file = tmp_path / "sweep.yaml"
    spec = {
        "command": "capacity fit",
        "config": {},
        "vary": {"data.n": [20, 30]},
        "groups": {"few": "data.n < 25"},
    }
    file.write_text(yaml.safe_dump(spec))
    with pytest.raises(InputError, match="groups: the page of capacity fit compares none"):
        read_plan(file)


def test_the_activation_that_a_file_names_for_no_neurons_is_left_out():
    assert "activation" not in translate({"attn_only": True, "act_fn": "gelu"})
