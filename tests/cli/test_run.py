"""A real run through the command line, and everything it leaves."""

import csv
import json
import shutil
from dataclasses import asdict

import pytest
import torch
import yaml
from lightning.pytorch import Trainer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.backend_context import Context
from tensorboard.plugins.hparams.metadata import SESSION_START_INFO_TAG
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from modgrok import GrokkingModule, ModularDataModule, Transformer, load_run
from modgrok.callbacks import Checkpoints
from modgrok.cli import main
from modgrok.errors import InputError
from modgrok.tasks import CATALOG


@pytest.fixture(scope="module")
def events(small_run):
    accumulator = EventAccumulator(str(small_run), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    return accumulator.Reload()


def curve(events, tag):
    return {event.step: event.value for event in events.Scalars(tag)}


def test_checkpoints_are_on_schedule_and_their_names_carry_the_update(small_run):
    names = sorted(file.name for file in (small_run / "checkpoints").iterdir())
    assert names == [f"update={update:06d}.ckpt" for update in (0, 40, 80, 90)]


def test_tensorboard_counts_updates_without_a_gap_or_a_doubled_step(events):
    evaluated = [0, 20, 40, 60, 80, 90]
    for tag in (
        "train/loss",
        "train/accuracy",
        "heldout/loss",
        "heldout/accuracy",
        "norm/embed.W_E",
        "norm_l1/total",
    ):
        assert [event.step for event in events.Scalars(tag)] == evaluated, tag
    assert [event.step for event in events.Scalars("perf/updates_per_second")] == evaluated[1:]
    assert [event.step for event in events.Scalars("train/batch_loss")] == [*range(9, 90, 10)]


def test_logged_scores_are_those_of_the_checkpoints(small_run, events):
    run = load_run(small_run)
    assert run.updates == [0, 40, 80, 90]
    for update in run.updates:
        snapshot = run.snapshot(update)
        assert snapshot.update == update
        for side, pairs in (
            ("train", snapshot.data.training_pairs),
            ("heldout", snapshot.data.heldout_pairs),
        ):
            with torch.no_grad():
                logits = snapshot.network(pairs.tokens).double()
            loss = torch.nn.functional.cross_entropy(logits, pairs.answers).item()
            accuracy = (logits.argmax(-1) == pairs.answers).double().mean().item()
            assert curve(events, f"{side}/loss")[update] == pytest.approx(loss, rel=1e-5)
            assert curve(events, f"{side}/accuracy")[update] == pytest.approx(accuracy, rel=1e-5)
        parameters = {name: weight.double() for name, weight in snapshot.network.state_dict().items()}
        everything = torch.cat([weight.flatten() for weight in parameters.values()])
        for tag, order in (("norm", 2), ("norm_l1", 1)):
            for name, weight in {**parameters, "total": everything}.items():
                norm = weight.flatten().norm(order).item()
                assert curve(events, f"{tag}/{name}")[update] == pytest.approx(norm, rel=1e-5), (tag, name)


def test_a_run_of_seconds_has_its_measures_and_pictures_at_its_end(events):
    """With the share of the time that callbacks have unless a test changes it."""
    assert 90 in curve(events, "progress/restricted_loss")
    assert {"circuit", "weights", "curves"} <= set(events.Tags()["images"])


def test_one_threshold_holds_everywhere(tmp_path):
    """At an accuracy of 0.3, between two checkpoints that are due."""
    main(
        [
            *("fit", "--data.task", "x", "--data.modulus", "11", "--data.train_fraction", "0.8"),
            *("--model.network.d_model", "32", "--model.network.d_mlp", "64", "--model.threshold", "0.3"),
            *("--model.evaluate_every", "5", "--trainer.max_steps", "600", "--stop.grokked_for", "10"),
            *("--trainer.default_root_dir", str(tmp_path)),
        ]
    )
    run = load_run(tmp_path / "lightning_logs" / "version_0")
    history = run.snapshot().history
    reached = [u for u, a in zip(history.update, history.heldout_accuracy, strict=True) if a >= 0.3]
    assert max(history.heldout_accuracy) < 0.99, "the usual threshold would say the same"
    assert (run.findings.threshold, run.findings.grokked_at) == (0.3, reached[0])
    assert run.updates == [0, reached[0], run.findings.updates]
    events = EventAccumulator(str(run.path)).Reload()
    assert curve(events, "milestones/grokked_at") == {reached[0]: reached[0]}
    assert curve(events, "final/grokked_at") == {run.findings.updates: reached[0]}


def shown_by_tensorboard(*runs):
    """The names of the hyperparameters in the order of TensorBoard's table, of runs given by their tags."""
    tags = {str(number): run for number, run in enumerate(runs)}
    shown = Context(None).experiment_from_metadata(None, "", False, tags, None)
    return [hyperparameter.name for hyperparameter in shown.hparam_infos]


def test_tensorboard_has_the_curves_and_the_hyperparameters(events):
    tags = {tag: found.plugin_data.content for tag, found in events.summary_metadata.items()}
    for name in (b"weight_decay", b"modulus", b"x + y", b"split_seed", b"d_mlp"):
        assert name in tags[SESSION_START_INFO_TAG]
    first = ["1 task", "2 modulus", "3 optimizer.lr", "4 optimizer.weight_decay", "5 seed"]
    assert shown_by_tensorboard(tags)[:6] == [*first, "activation"]
    other = HParamsPluginData.FromString(tags[SESSION_START_INFO_TAG])
    other.session_start_info.hparams["d_mlp"].number_value += 1
    other.session_start_info.hparams["of another network"].number_value = 1
    shown = shown_by_tensorboard(tags, {SESSION_START_INFO_TAG: other.SerializeToString()})
    assert shown[:6] == ["d_mlp", *first], "what differs between the runs is first"
    assert "of another network" in shown
    assert curve(events, "final/heldout_accuracy") == {90: curve(events, "heldout/accuracy")[90]}


def test_phases_are_the_first_evaluations_at_the_threshold(small_run, events):
    found = json.loads((small_run / "findings.json").read_text())
    for phase, tag in (("memorised_at", "train/accuracy"), ("grokked_at", "heldout/accuracy")):
        first = next((step for step, value in sorted(curve(events, tag).items()) if value >= 0.05), None)
        assert found[phase] == first
        if first:
            assert curve(events, f"milestones/{phase}") == {first: first}
    assert asdict(load_run(small_run).findings) == found


def test_config_repeats_the_run(small_run, tmp_path):
    main(["fit", "--config", str(small_run / "config.yaml"), "--trainer.default_root_dir", str(tmp_path)])
    again = load_run(tmp_path / "lightning_logs" / "version_0").snapshot()
    first = load_run(small_run).snapshot().network.state_dict()
    assert all(torch.equal(weight, first[name]) for name, weight in again.network.state_dict().items())


def test_resumed_run_equals_the_uninterrupted_one_bit_for_bit(small_run, tmp_path):
    middle = small_run / "checkpoints" / "update=000040.ckpt"
    main(
        [
            *("fit", "--config", str(small_run / "config.yaml"), "--ckpt_path", str(middle)),
            *("--trainer.default_root_dir", str(tmp_path)),
        ]
    )
    resumed = load_run(tmp_path / "lightning_logs" / "version_0").snapshot()
    expected = load_run(small_run).snapshot()
    assert all(
        torch.equal(w, expected.network.state_dict()[k]) for k, w in resumed.network.state_dict().items()
    )
    assert resumed.history == expected.history
    assert resumed.update == 90


@pytest.mark.parametrize("which", ["run", "checkpoint"])
@pytest.mark.parametrize("command", ["test", "validate"])
def test_test_needs_nothing_but_the_checkpoint(small_run, tmp_path, monkeypatch, capsys, command, which):
    monkeypatch.chdir(tmp_path)
    path = (
        small_run
        if which == "run"
        else shutil.copy(small_run / "checkpoints/update=000090.ckpt", tmp_path / "a.ckpt")
    )
    main([command, "--ckpt_path", str(path)])
    out = capsys.readouterr().out
    history = load_run(small_run).snapshot().history
    assert f"{history.heldout_loss[-1]:.4g}" in out
    assert f"{history.heldout_accuracy[-1]:.4f}" in out
    assert " 61 " in out  # held-out pairs
    assert not (tmp_path / "lightning_logs").exists()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_predictions_are_a_table_of_every_pair(small_run, tmp_path, suffix):
    file = tmp_path / f"pairs{suffix}"
    main(["predict", "--ckpt_path", str(small_run), "--predictions.file", str(file)])
    if suffix == ".csv":
        rows = list(csv.DictReader(file.open()))
    else:
        rows = pytest.importorskip("pyarrow.parquet").read_table(file).to_pylist()
    snapshot = load_run(small_run).snapshot()
    with torch.no_grad():
        probabilities = snapshot.network(snapshot.data.pairs.tokens).double().softmax(-1)
    assert len(rows) == 121
    for i, row in enumerate(rows):
        x, y = int(row["x"]), int(row["y"])
        assert (x, y) == divmod(i, 11)
        assert int(row["answer"]) == (x + y) % 11
        assert int(row["predicted"]) == probabilities[i].argmax()
        assert float(row["probability"]) == pytest.approx(probabilities[i].max().item(), rel=1e-6)
        assert (row["split"] == "trained-on") == bool(snapshot.data.trained_on[i])
        mirrored = bool(snapshot.data.trained_on[11 * y + x])
        assert (str(row["new"]) == "True") == (row["split"] == "held-out" and not mirrored)
    before = file.read_bytes()
    with pytest.raises(SystemExit) as stopped:
        main(["predict", "--ckpt_path", str(small_run), "--predictions.file", str(file)])
    assert stopped.value.code == 2
    assert file.read_bytes() == before


def test_closing_lines_say_what_happened_and_what_to_type(modgrok, tmp_path):
    done = modgrok(
        *("fit", "--data.task", "x2_y2", "--data.modulus", "7", "--trainer.max_steps", "30"),
        *("--model.network.d_model", "16", "--model.network.d_mlp", "16"),
    )
    assert done.returncode == 0, done.stderr
    assert "did not grok within 30 updates" in done.stdout
    assert "modgrok test --ckpt_path lightning_logs/version_0" in done.stdout
    assert "tensorboard --logdir lightning_logs" in done.stdout
    assert done.stderr == ""


def test_stop_after_grokking(tmp_path, capsys):
    common = [
        *("fit", "--data.task", "x + y", "--data.modulus", "7", "--data.train_fraction", "0.9"),
        *("--data.split_seed", "1"),  # every held-out pair is known by symmetry
        *(
            "--trainer.max_steps",
            "400",
            "--model.evaluate_every",
            "10",
            "--trainer.default_root_dir",
            str(tmp_path),
        ),
    ]
    main([*common, "--stop.grokked_for", "30", "--model.threshold", "0.0001"])
    history = load_run(tmp_path / "lightning_logs" / "version_0").snapshot().history
    above = [u for u, a in zip(history.update, history.heldout_accuracy, strict=True) if a < 0.0001]
    assert history.update[-1] == (max(above) + 10 if above else 0) + 30


def test_run_without_checkpoints_and_missing_update_say_so(small_run, tmp_path):
    with pytest.raises(InputError, match="no checkpoint"):
        load_run(tmp_path)
    with pytest.raises(InputError, match=r"no checkpoint at update 41; there are \[0, 40, 80, 90\]"):
        load_run(small_run).snapshot(41)


def test_diverging_run_stops_and_names_update_rate_and_checkpoint(modgrok, tmp_path):
    done = modgrok(
        *("fit", "--data.task", "x + y", "--data.modulus", "7", "--trainer.max_steps", "500"),
        *("--model.optimizer.lr", "1e30", "--model.optimizer.weight_decay", "0"),
        *("--model.lr_scheduler.updates", "0", "--model.evaluate_every", "10", "--checkpoint.every", "1"),
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "learning rate 1e+30" in done.stderr
    last = load_run(tmp_path / "lightning_logs" / "version_0").last_checkpoint
    named = done.stderr.split("the last good checkpoint is ")[1].strip()
    assert (tmp_path / named).samefile(last)
    state = torch.load(last, weights_only=True)["state_dict"]
    assert all(weight.isfinite().all() for weight in state.values())


def test_config_says_all_that_is_needed(small_run):
    config = yaml.safe_load((small_run / "config.yaml").read_text())
    assert config["data"]["task"] == "x + y"
    assert config["data"]["modulus"] == 11
    assert config["seed_everything"] == 0
    assert config["trainer"]["max_steps"] == 90
    assert config["model"]["network"]["init_args"]["d_model"] == 32


def test_module_fitted_twice_starts_anew(tmp_path):
    data = ModularDataModule("x + y", 7)
    torch.manual_seed(0)
    module = GrokkingModule(Transformer(**data.network_shape, d_model=16, d_mlp=16), engine="eager")
    start = {name: weight.clone() for name, weight in module.network.state_dict().items()}
    histories = []
    for _ in range(2):
        module.network.load_state_dict(start)
        trainer = Trainer(
            max_steps=30, callbacks=[Checkpoints()], default_root_dir=tmp_path, accelerator="cpu"
        )
        trainer.fit(module, data)
        histories.append(module.history)
    assert histories[0] == histories[1]
    assert histories[0].update == [0, 30]
    assert histories[0].train_loss[1] != histories[0].train_loss[0]


def test_tasks_lists_every_name(capsys):
    main(["tasks"])
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == ["name", *CATALOG]
