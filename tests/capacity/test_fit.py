import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback

from modgrok.capacity import Llama, load_capacity_run
from modgrok.capacity.measuring.measure import measure_run
from modgrok.capacity.measuring.memorized import read_measurement
from modgrok.capacity.measuring.scheme_comparison import measured_capacities
from modgrok.capacity.memorizing.capacity_run import score_rows
from modgrok.capacity.people.parquet import write_profiles
from modgrok.capacity.people.profiles import generate_profiles
from modgrok.capacity.people.space import Space
from modgrok.capacity.people.streams import Stream
from modgrok.errors import InputError
from modgrok.experiments.assembly.capacity_experiment import CapacityExperiment, fit_capacity
from modgrok.experiments.plans.kind import CapacityRuns

DATA = [
    *("--data.n", "40", "--data.relations", "2", "--data.notation", "tokens", "--data.batch_size", "64"),
    *("--data.name_words", "[16,16,16]", "--data.attributes", "{color: 16}", "--data.alphabet", "16"),
]
NETWORK = [
    *("--model.network", "modgrok.capacity.Llama", "--model.network.d_model", "16"),
    *("--model.network.n_layers", "1", "--model.lr_scheduler.warmup", "10"),
]
TRAINER = ["--trainer.enable_progress_bar", "false", "--trainer.val_check_interval", "20"]


def fit(options):
    return CapacityExperiment(options).fit()


def train(root, *options, updates=40):
    return fit(
        [
            *DATA,
            *NETWORK,
            *TRAINER,
            "--trainer.max_steps",
            str(updates),
            "--trainer.default_root_dir",
            str(root),
            *options,
        ]
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("fit"))


def test_a_run_is_a_directory_as_lightning_has_it(run):
    assert run.name == "version_0"
    assert (run / "config.yaml").is_file()
    assert list(run.glob("events.*"))
    assert {file.name for file in (run / "checkpoints").iterdir()} == {
        "update=000020.ckpt",
        "update=000040.ckpt",
    }


def test_a_run_is_read_back(run):
    read = load_capacity_run(run)
    assert read.update == 40
    assert [entry["update"] for entry in read.history] == [20, 40]
    assert read.history[-1]["exposures"] == 40 * 64 / (40 * 3)
    measured = measure_run(read)
    assert measured.bits["total"] == pytest.approx(read.history[-1]["bits/total"])
    assert measured.losses["one_hop"] == pytest.approx(read.history[-1]["one_hop/loss"])
    assert measured.losses["one_hop"] < read.history[0]["one_hop/loss"]


class ThreadsSeen(Callback):
    def on_train_batch_end(self, *_):
        self.threads = torch.get_num_threads()


@pytest.mark.parametrize(
    ("size", "threads"), [({}, 1), ({"data.batch_size": 4096, "trainer.max_steps": 1}, 2)]
)
def test_threads_follow_the_size_of_an_update(tmp_path, size, threads):
    seen, before = ThreadsSeen(), torch.get_num_threads()
    config = [
        *DATA,
        *NETWORK,
        *TRAINER,
        "--trainer.max_steps",
        "2",
        "--trainer.default_root_dir",
        str(tmp_path),
    ]
    torch.set_num_threads(2)
    try:
        experiment = CapacityExperiment([*config, *(f"--{name}={value}" for name, value in size.items())])
        experiment.trainer.callbacks.append(seen)
        experiment.fit()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen.threads == threads


def test_a_run_that_ended_has_its_findings(run):
    found, measured = read_measurement(run), measure_run(load_capacity_run(run))
    assert found.plain() == {**measured.plain(), "allen_zhu": found.allen_zhu}
    assert found.seconds > 0


@pytest.mark.parametrize(("updates", "scored"), [(30, [20, 30]), (10, [10])])
def test_the_last_update_is_scored_even_where_no_validation_is_due(tmp_path, updates, scored):
    read = load_capacity_run(train(tmp_path, updates=updates))
    assert read.update == updates
    assert [entry["update"] for entry in read.history] == scored


def test_a_run_from_python_is_made_once(tmp_path, monkeypatch):
    given = [*DATA, *NETWORK]
    overrides = {
        option.removeprefix("--"): value for option, value in zip(given[::2], given[1::2], strict=True)
    }
    overrides |= {"trainer.max_steps": 20, "trainer.val_check_interval": 20}
    one = fit_capacity({"data.seed": 1}, overrides, directory=tmp_path / "one")
    assert one.update == 20
    assert one.data.seed == 1
    monkeypatch.setattr("modgrok.experiments.assembly.capacity_experiment.CapacityExperiment", None)
    again = fit_capacity({"data.seed": 1}, overrides, directory=tmp_path / "one")
    assert again.history == one.history


def test_tensorboard_has_bits_and_exposures(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run))
    events.Reload()
    assert {"bits/total", "bits/per_parameter", "exposures", "one_hop/loss", "one_hop/accuracy"} <= set(
        events.Tags()["scalars"]
    )
    assert [event.step for event in events.Scalars("bits/total")] == [20, 40]


def test_the_loss_is_logged_where_lightning_writes_it(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(train(tmp_path, "--trainer.log_every_n_steps", "10"))).Reload()
    assert [event.step for event in events.Scalars("train/loss")] == [9, 19, 29, 39]


def test_a_run_resumed_is_the_same_run(run, tmp_path):
    half = train(tmp_path, updates=20)
    resumed = train(tmp_path, "--ckpt_path", str(half), updates=40)
    for name, weight in load_capacity_run(run).network.state_dict().items():
        assert torch.equal(load_capacity_run(resumed).network.state_dict()[name], weight), name
    assert load_capacity_run(resumed).history == load_capacity_run(run).history


def test_a_signal_ends_a_run_with_a_checkpoint_to_resume_from(tmp_path):
    place = ["--trainer.default_root_dir", str(tmp_path), "--trainer.max_steps", "1000000"]
    command = [sys.executable, "-m", "modgrok", "capacity", "fit", *DATA, *NETWORK, *TRAINER, *place]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    stopped = tmp_path / "lightning_logs" / "version_0"
    while not list(stopped.glob("checkpoints/*.ckpt")):
        time.sleep(0.1)
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "stopped by SIGTERM; to resume" in said
    update = load_capacity_run(stopped).update
    resumed = train(tmp_path, "--ckpt_path", str(stopped), updates=update + 7)
    through = train(tmp_path, updates=update + 7)
    for name, weight in load_capacity_run(through).network.state_dict().items():
        assert torch.equal(load_capacity_run(resumed).network.state_dict()[name], weight), name


def test_checkpoints_are_weights_and_plain_data(run):
    assert torch.load(run / "checkpoints" / "update=000040.ckpt", weights_only=True)["global_step"] == 40


def test_two_hops_and_a_curriculum(tmp_path):
    options = (
        *("--data.hops", "2", "--data.hop_ratio", "1", "--data.held_out", "{complete_two_hop: 0.2}"),
        *("--trainer.callbacks", "modgrok.capacity.Curriculum", "--trainer.callbacks.below", "100"),
    )
    read = load_capacity_run(train(tmp_path, *options))
    assert set(read.data.scored_sets) == {"one_hop", "two_hop", "complete_two_hop"}
    # 20 updates of one-hop questions, the one already made, then halves
    assert read.history[-1]["exposures"] == pytest.approx((21 * 64 + 19 * 32) / (40 * 3))
    measured = measure_run(read)
    assert set(measured.published) == set(measured.corrected)
    assert set(measured.losses) == set(read.data.scored_sets)


def test_transformers_llama_trains_on_text(tmp_path):
    path = fit(
        [
            *("--data.n", "20", "--data.name_words", "[20,20,20]", "--data.tokenizer_size", "350"),
            *("--data.batch_size", "16", "--model.network.d_model", "16", "--model.network.n_layers", "1"),
            *TRAINER[:2],
            *("--trainer.max_steps", "2", "--trainer.val_check_interval", "2"),
            *("--trainer.default_root_dir", str(tmp_path)),
        ]
    )
    read = load_capacity_run(path)
    assert type(read.network).__name__ == "TransformersLlama"
    assert read.history[0]["bits/names"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data.n", "1"], "n must be from 2"),
        (["--data.n", "100000"], "name_words"),
        (["--data.relations", "1001"], "0 to 1,000"),
        (["--data.relations", "0", "--data.hops", "2"], "need relations"),
        (["--data.notation", "biographies", "--data.hops", "2"], "biographies"),
        (["--data.hops", "2", "--data.second_subjects", "[shoe]"], "among color, .* got 'shoe'"),
        (["--data.hops", "2", "--data.held_out", "{everybody: 0.1}"], "everybody"),
        (["--data.identity_bridge", "true"], "identity_bridge has no effect without hops: 2"),
        (["--data.notation", "morse"], "notation"),
        (["--data.nn", "3"], "nn"),
        (["--model.lr_scheduler.final_rate", "2"], "final_rate"),
        (["--model.lr_scheduler.final_rate", "0.1"], "length of the cosine"),
        (["--model.threshold", "0"], "threshold"),
        (["--model.network.d_model", "20"], "d_model"),
        (["--data.batch_size", "0"], "batch_size"),
        (["--trainer.callbacks", "modgrok.capacity.Curriculum"], "two-hop"),
        (["--ckpt_path", "nowhere"], "nowhere"),
        (["--trainer.max_steps", "-1"], "never end"),
    ],
)
def test_bad_input_is_refused(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        train(tmp_path, *options)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no checkpoint in"):
        load_capacity_run(tmp_path)
    grokking = tmp_path / "grokking.ckpt"
    torch.save({"modgrok": {}, "state_dict": {}}, grokking)
    with pytest.raises(InputError, match="modgrok analyze opens it"):
        load_capacity_run(grokking)
    torch.save({"weights": 1}, grokking)
    with pytest.raises(InputError, match="not a checkpoint of"):
        load_capacity_run(grokking)
    grokking.write_text("text")
    with pytest.raises(InputError, match="cannot be read"):
        load_capacity_run(grokking)


@pytest.mark.parametrize("name", ["comparison", "composition", "plateau", "templates", "two_hops"])
def test_the_configs_train(tmp_path, name):
    config = Path(__file__).parents[2] / "configs" / "capacity" / f"{name}.yaml"
    options = ["--config", str(config), "--model.compile", "false", "--trainer.max_steps", "30"]
    read = load_capacity_run(
        fit([*options, "--trainer.val_check_interval=30", f"--trainer.default_root_dir={tmp_path}"])
    )
    untrained = Llama(read.data.vocabulary_size, read.data.context_length, **read.network.hparams)
    asked = read.data.inferred or "one_hop"
    assert read.history[0][f"{asked}/loss"] < score_rows(untrained, read.data, asked).loss - 0.1
    parameters = {"comparison": 31_320, "composition": 31_800, "plateau": 10_352}
    assert read.parameters == (parameters | {"templates": 149_328, "two_hops": 47_720})[name]


def test_a_set_is_half_right_from_the_first_validation_on_at_which_it_is(run):
    found = replace(
        measure_run(load_capacity_run(run)),
        history=[
            {"update": 10, "one_hop/accuracy": 0.2},
            {"update": 20, "one_hop/accuracy": 0.5},
            {"update": 30, "one_hop/accuracy": 0.4},
        ],
    )
    assert found.reached_at("one_hop", 0.5) == 20
    assert replace(found, history=found.history[:1]).reached_at("one_hop", 0.5) is None


OWN_NETWORK = """
import torch
from modgrok.capacity import Llama as Ours
from modgrok.capacity.networks.llama_shape import at_positions

class Net(Ours):
    "A network of the user's own."

class Llama(Ours):
    "One that is called as ours is."

class Unrecorded(torch.nn.Module):
    def __init__(self, vocabulary_size: int, context_length: int, width: int = 8) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(vocabulary_size, vocabulary_size)

    def forward(self, tokens, positions=None):
        return at_positions(self.embed(tokens), positions)

class Forgetful(Ours):
    def __init__(self, vocabulary_size: int, context_length: int, width: int = 8) -> None:
        super().__init__(vocabulary_size, context_length, d_model=width, n_layers=1, d_head=8)
        self.hparams.pop("width")
"""


@pytest.fixture
def own_networks(tmp_path, monkeypatch):
    (tmp_path / "own_networks.py").write_text(OWN_NETWORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("own_networks", None)


@pytest.mark.parametrize("name", ["Net", "Llama"])
def test_a_network_of_ones_own_is_read_back_as_itself(own_networks, name):
    network = ["--model.network", f"own_networks.{name}", *NETWORK[2:]]
    run = train(own_networks, *network)
    assert type(load_capacity_run(run).network).__qualname__ == name
    assert type(load_capacity_run(run).network).__module__ == "own_networks"
    sys.modules.pop("own_networks")
    with pytest.raises(InputError, match=f"no network class 'own_networks.{name}' is known"):
        load_capacity_run(run)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["own_networks.Unrecorded"], "has no hparams"),
        (["own_networks.Forgetful", "--model.network.width", "16"], "is not the same"),
    ],
)
def test_a_network_that_could_not_be_read_back_is_refused_before_it_trains(own_networks, options, message):
    with pytest.raises(InputError, match=message):
        fit([*DATA, *TRAINER, "--trainer.default_root_dir", str(own_networks), "--model.network", *options])
    assert not (own_networks / "lightning_logs").exists()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--data.n", "41", r"\bn is 41 here and 40 there"),
        ("--data.seed", "1", r"seed is 1 here and 0 there"),
        ("--model.network.d_model", "32", r"d_model is 32 here and 16 there"),
        ("--model.optimizer.lr", "0.5", r"optimizer\.lr is 0\.5 here and 0\.001 there"),
        ("--model.lr_scheduler.warmup", "11", r"lr_scheduler\.warmup is 11 here and 10 there"),
    ],
)
def test_another_run_cannot_resume_a_run(run, tmp_path, option, value, message):
    optimizer = ["--model.optimizer", "torch.optim.AdamW"] if "optimizer" in option else []
    same = ["--model.optimizer.lr", "0.001"] if optimizer else []
    with pytest.raises(InputError, match=message):
        train(tmp_path, *optimizer, *same, "--ckpt_path", str(run), option, value, updates=60)
    assert not (tmp_path / "lightning_logs").exists()


def test_people_that_have_changed_are_noticed(tmp_path, monkeypatch):
    profiles = tmp_path / "people.parquet"
    write_profiles(generate_profiles(40, 2, space=Space((16, 16, 16), {"color": 16})), profiles)
    monkeypatch.chdir(tmp_path)
    run = train(tmp_path, "--data.profiles", "people.parquet")
    monkeypatch.chdir("/")
    assert load_capacity_run(run).update == 40  # a relative path is found from anywhere
    profiles.unlink()
    write_profiles(generate_profiles(40, 2, space=Space((16, 16, 16), {"color": 16}), seed=1), profiles)
    with pytest.raises(InputError, match=r"the people are not those .*people\.parquet has changed"):
        load_capacity_run(run)


@pytest.mark.parametrize("stream", ["PEOPLE", "CODES", "SPLIT"])
def test_data_that_are_drawn_differently_are_noticed(tmp_path, monkeypatch, stream):
    run = train(tmp_path, "--data.hops", "2", "--data.held_out", "{complete_two_hop: 0.2}", updates=1)
    drawn = np.random.default_rng
    changed = int(Stream[stream])
    monkeypatch.setattr(
        "numpy.random.default_rng", lambda seed: drawn([9, *seed] if list(seed)[1] == changed else seed)
    )
    with pytest.raises(InputError, match="are not those that it was trained on: another version of NumPy"):
        load_capacity_run(run)


def test_a_run_of_before_the_digests_is_read(run, tmp_path):
    checkpoint = torch.load(run / "checkpoints" / "update=000040.ckpt", weights_only=True)
    record = checkpoint["modgrok.capacity"]
    for name in ("digests", "threshold"):
        del record[name]
    del record["data"]["phi"], record["data"]["sample"], record["data"]["out_of_distribution"]
    record["network"] = "Llama"
    torch.save(checkpoint, tmp_path / "update=000040.ckpt")
    assert load_capacity_run(tmp_path / "update=000040.ckpt").update == 40


def test_averaged_weights_are_scored_and_kept(tmp_path):
    optimizer = ["--model.optimizer", "pytorch_optimizer.ScheduleFreeAdamW", "--model.optimizer.lr", "0.01"]
    half = train(tmp_path, *optimizer, updates=20)
    through = train(tmp_path, *optimizer, updates=40)
    read = load_capacity_run(half)
    assert read.history[-1]["one_hop/loss"] == pytest.approx(
        score_rows(read.network, read.data, "one_hop").loss
    )
    resumed = train(tmp_path, *optimizer, "--ckpt_path", str(half), updates=40)
    for name, weight in load_capacity_run(through).network.state_dict().items():
        assert torch.equal(load_capacity_run(resumed).network.state_dict()[name], weight), name


def test_rules_that_go_by_names_train(tmp_path):
    read = load_capacity_run(train(tmp_path, "--model.optimizer", "modgrok.training.MuonAdamW"))
    assert read.history[-1]["one_hop/loss"] < read.history[0]["one_hop/loss"]


def test_a_run_says_when_it_memorised_and_composed(tmp_path):
    options = (
        *(
            "--data.hops",
            "2",
            "--data.held_out",
            "{}",
            "--data.phi",
            "1.2",
            "--data.out_of_distribution",
            "0.2",
        ),
        *("--model.threshold", "0.05", "--data.identity_bridge", "true"),
    )
    found = read_measurement(train(tmp_path, *options))
    assert 0 < found.accuracies["identity"] <= 1
    assert found.phi == pytest.approx(1.2, abs=0.01)
    assert set(found.composed_at) == {"in_in", "in_out", "out_in", "out_out"}
    assert found.memorised_at == found.reached_at("two_hop", 0.05)
    never = replace(found, threshold=0.999)
    assert never.memorised_at is None
    assert never.censored_at == 40


def test_a_held_out_template_is_scored_and_not_trained_on(tmp_path):
    options = [
        *("--data.notation", "text", "--data.tokenizer_size", "350", "--data.name_words", "[4,4,4]"),
        *(
            "--data.alphabet",
            "64",
            "--data.relations",
            "0",
            "--data.n",
            "16",
            "--data.templates",
            "[question, statement, record]",
        ),
        *("--data.held_out_templates", "[record]", "--data.sample", "10"),
    ]
    read = load_capacity_run(train(tmp_path, *options))
    found = measure_run(read)
    assert list(found.losses) == ["one_hop", "template_record"]
    assert found.exposures == 40 * 64 / 16 == read.history[-1]["exposures"]
    assert found.losses["one_hop"] < read.history[0]["one_hop/loss"]
    assert found.losses["template_record"] == pytest.approx(read.history[-1]["template_record/loss"])
    assert found.bits_error == read.score("one_hop").error_of_all / 2  # each fact is there twice
    assert measure_run(read, exact=True).bits_error == 0


def test_a_run_says_when_it_composed_comparisons(tmp_path):
    options = (
        "--data.relations",
        "0",
        "--data.comparisons",
        "true",
        "--data.phi",
        "8",
        "--data.hop_ratio",
        "1",
    )
    out = ("--data.out_of_distribution", "0.2", "--model.threshold", "0.1")
    read = load_capacity_run(path := train(tmp_path, *options, *out))
    found = read_measurement(path)
    assert found.phi == 8 == read.data.size("comparison") / 32
    assert set(found.composed_at) == {"in_in", "in_out", "out_in", "out_out"}
    assert found.memorised_at == found.reached_at("comparison", 0.1) is not None
    assert found.accuracies["in_in"] > 0.3  # of three answers
    assert replace(found, threshold=0.999).censored_at == 40
    assert found.bits["total"] == pytest.approx(read.history[-1]["bits/total"])
    assert not measured_capacities([found])  # it had answers of two facts to store besides
    table = CapacityRuns().findings(path)
    assert table["comparison_accuracy"] == found.accuracies["comparison"]
    assert table["composed_at"] == found.composed_at["in_in"]


def test_a_sampled_set_is_scored_whole_on_request(tmp_path):
    read = load_capacity_run(train(tmp_path, "--data.sample", "50"))
    sampled, exact = measure_run(read), measure_run(read, exact=True)
    assert sampled.bits_error > 0
    assert sampled.errors["one_hop"] > 0 == exact.errors["one_hop"]
    assert abs(sampled.losses["one_hop"] - exact.losses["one_hop"]) < 5 * sampled.errors["one_hop"]
