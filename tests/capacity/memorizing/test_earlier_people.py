"""A trained network is trained on with other people, and what it still knows of the first is counted."""

import shutil

import pytest
import torch

from modgrok.capacity import ProfilesDataModule, load_capacity_run
from modgrok.capacity.measuring.capacity_points import comparable
from modgrok.capacity.measuring.measure import measure_run
from modgrok.capacity.measuring.measure_page import measure_page, opening
from modgrok.capacity.measuring.memorized import read_measurement
from modgrok.capacity.memorizing.capacity_run import score_rows
from modgrok.capacity.memorizing.earlier_people import EarlierPeople, check_earlier
from modgrok.cli import main
from modgrok.errors import InputError
from modgrok.experiments.assembly.capacity_experiment import CapacityExperiment
from modgrok.experiments.plans.kind import KINDS

OPTIONS = {
    "data.n": 40,
    "data.relations": 1,
    "data.notation": "tokens",
    "data.batch_size": 64,
    "data.name_words": [16, 16, 16],
    "data.attributes": {"color": 16},
    "data.alphabet": 16,
    "model.network": "modgrok.capacity.Llama",
    "model.network.d_model": 16,
    "model.network.n_layers": 1,
    "model.optimizer": "torch.optim.AdamW",
    "model.optimizer.lr": 0.01,
    "model.lr_scheduler.warmup": 10,
    "trainer.enable_progress_bar": False,
    "trainer.val_check_interval": 20,
    "trainer.max_steps": 40,
}


def train(root, updates=40, **changes):
    given = OPTIONS | {"trainer.default_root_dir": root, "trainer.max_steps": updates}
    given |= {name.replace("__", "."): value for name, value in changes.items()}
    return CapacityExperiment([f"--{name}={value}" for name, value in given.items()]).fit()


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return train(tmp_path_factory.mktemp("first"), updates=200)


@pytest.fixture(scope="module")
def second(first, tmp_path_factory):
    return train(tmp_path_factory.mktemp("second"), data__seed=1, model__pretrained=first)


@pytest.fixture(scope="module")
def rehearsed(first, tmp_path_factory):
    given = {"data__seed": 1, "model__pretrained": first, "model__rehearsal": 1.0}
    return train(tmp_path_factory.mktemp("rehearsed"), **given)


def test_it_begins_with_what_the_first_run_ended_with(first, second):
    ended, began = load_capacity_run(first).history[-1], load_capacity_run(second).history[0]
    assert began["update"] == 0
    assert began["bits/set_1"] == ended["bits/total"] > 50
    assert began["set_1/loss"] == ended["one_hop/loss"]
    assert began["bits/total"] == 0  # people that the network has never seen


def test_what_is_left_is_measured_as_it_was_during_training(first, second):
    run, found = load_capacity_run(second), read_measurement(second)
    assert [entry["update"] for entry in run.history] == [0, 20, 40]
    (left,) = measure_run(run).left
    assert found.left == [left]
    assert left.bits == pytest.approx(run.history[-1]["bits/set_1"])
    assert left.bits < run.history[0]["bits/set_1"]
    before = load_capacity_run(first)
    assert left.loss == pytest.approx(score_rows(run.network, before.data, "one_hop").loss)
    assert left.reachable == read_measurement(first).reachable["total"]
    names = [set(one.data.people.full_names) for one in (before, run)]
    assert left.shared_names == 0 < len(names[0])


def test_rehearsal_keeps_what_was_known(second, rehearsed):
    forgot, kept = (load_capacity_run(run).history for run in (second, rehearsed))
    assert kept[0] == forgot[0]
    assert kept[-1]["bits/set_1"] > 0.5 * kept[0]["bits/set_1"]
    assert kept[-1]["bits/set_1"] > forgot[-1]["bits/set_1"]
    assert kept[-1]["exposures"] == forgot[-1]["exposures"]


def test_a_third_set_comes_after_two(first, second, tmp_path):
    run = load_capacity_run(train(tmp_path, updates=20, data__seed=2, model__pretrained=second))
    ended, began = load_capacity_run(second).history[-1], run.history[0]
    assert [len(one.data.people) for one in run.earlier] == [40, 40]
    assert (began["bits/set_1"], began["bits/set_2"]) == (ended["bits/set_1"], ended["bits/total"])


def test_it_is_resumed_bit_for_bit_without_the_first_run(first, rehearsed, tmp_path):
    gone = shutil.copytree(first, tmp_path / "first")
    given = {"data__seed": 1, "model__pretrained": gone, "model__rehearsal": 1.0}
    half = train(tmp_path, updates=20, **given)
    shutil.rmtree(gone)
    through = load_capacity_run(rehearsed)
    resumed = load_capacity_run(train(tmp_path, **given, ckpt_path=half))
    assert resumed.history == through.history
    for name, weight in resumed.network.state_dict().items():
        assert torch.equal(through.network.state_dict()[name], weight), name
    with pytest.raises(InputError, match=r"rehearsal is 0\.0 here and 1\.0 there"):
        train(tmp_path, **given | {"model__rehearsal": 0}, ckpt_path=half)


def test_the_page_and_the_table_say_what_is_left(first, second, tmp_path, capsys):
    main(["capacity", "measure", str(second), "--output", str(tmp_path / "page")])
    said = capsys.readouterr().out
    assert "set_1: 40 people before" in said
    assert "Of the 40 people that" in said
    measured = [read_measurement(run) for run in (first, second)]
    (left,) = measured[1].left
    assert [KINDS["capacity fit"].findings(run)["earlier_bits"] for run in (first, second)] == [
        None,
        left.bits,
    ]
    page = measure_page(measured, {})
    assert "What is left of the people before" in page
    (group,) = comparable(m for m in measured if m.facts_alone)
    assert [m.run for m in group.runs] == [measured[0].run]  # what holds other bits too weighs no capacity
    assert opening(measured).count("less than such a network can hold") == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, r"data\.seed must be another than 0, that of .*first"),
        ({"data__seed": 1, "model__network.d_model": 32}, "another network: d_model is 32 here and 16 there"),
        (
            {"data__seed": 1, "data__alphabet": 32},
            r"another network: model\.embed_tokens.* is \(36, 16\) here",
        ),
        ({"data__seed": 1, "data__attributes": {"shade": 16}}, r"data\.attributes: .* was trained with"),
        ({"data__seed": 1, "model__pretrained": "nowhere"}, "nowhere: no such file"),
        ({"data__seed": 1, "model__rehearsal": -1}, "rehearsal must be ≥ 0"),
        ({"data__seed": 1, "model__rehearsal": 1, "model__pretrained": "null"}, "rehearsal needs pretrained"),
    ],
)
def test_another_network_language_or_the_same_people_are_refused(first, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        train(tmp_path, **{"model__pretrained": first, **changes})
    assert not (tmp_path / "lightning_logs").exists()


def test_a_tokenizer_of_other_people_is_another_language():
    small = {
        "n": 20,
        "relations": 1,
        "tokenizer_size": 300,
        "name_words": [8, 8, 8],
        "attributes": {"color": 8},
    }
    before = EarlierPeople("run", 10, {"data": dict(ProfilesDataModule(**small).hparams)})
    with pytest.raises(InputError, match=r"data\.notation: text trains its tokenizer on the people"):
        check_earlier([before], ProfilesDataModule(**small, seed=1))
