import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from modgrok import GrokkingModule, ModularDataModule, Transformer
from modgrok.callbacks import LogMeasures, Milestones, budgeted
from modgrok.errors import InputError
from modgrok.runs.findings import read_findings


@pytest.fixture(autouse=True)
def enough_time(monkeypatch) -> None:
    monkeypatch.setattr(budgeted, "TIME_SHARE", float("inf"))


def train(
    directory, task="x + y", updates=25, kind=Transformer, **arguments
) -> tuple[EventAccumulator, Transformer]:
    torch.manual_seed(0)
    data = ModularDataModule(task, None if "S3" in task else 11)
    network = kind(**data.network_shape, d_model=16, d_mlp=24)
    logger = TensorBoardLogger(directory, name="", version="")
    trainer = Trainer(
        accelerator="cpu",
        max_steps=updates,
        logger=logger,
        callbacks=[LogMeasures(**arguments), Milestones()],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(GrokkingModule(network, evaluate_every=1), data)
    events = EventAccumulator(str(directory))
    events.Reload()
    return events, network


def test_measures_and_a_figure_are_logged_when_due_and_at_the_end(tmp_path) -> None:
    events, _ = train(tmp_path, every=7)
    tags = [tag for tag in events.Tags()["scalars"] if tag.startswith("progress/")]
    assert {
        "progress/restricted_loss",
        "progress/gini_embedding_x",
        "progress/sum_of_squared_weights",
    } <= set(tags)
    assert [event.step for event in events.Scalars("progress/restricted_loss")] == [7, 14, 21, 25]
    assert [event.step for event in events.Images("circuit")] == [7, 14, 21, 25]


def test_the_numbers_are_those_of_the_network(tmp_path) -> None:
    events, network = train(tmp_path, every=25)
    squares = sum(float(p.detach().double().square().sum()) for p in network.parameters())
    assert events.Scalars("progress/sum_of_squared_weights")[-1].value == pytest.approx(squares, rel=1e-6)


def test_each_task_of_a_mixture_has_its_own(tmp_path) -> None:
    events, _ = train(tmp_path, ["x + y", "x * y"], every=25)
    tags = events.Tags()
    assert {"progress/tuned_fraction/x + y", "progress/tuned_fraction/x * y"} <= set(tags["scalars"])
    assert set(tags["images"]) == {"circuit/x + y", "circuit/x * y"}
    assert [event.step for event in events.Images("circuit/x + y")] == [25], "the end is not measured twice"


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("x + y", {"key_frequencies", "logit_variance", "circle_pizza", "least_margin"}),
        ("x * y in S3", {"key_irreps", "bi_equivariant_share", "similarity_sign", "neurons_standard"}),
    ],
)
def test_the_last_measures_are_findings(tmp_path, task, names) -> None:
    events, _ = train(tmp_path, task, every=20)
    ((formula, circuit),) = read_findings(tmp_path).circuits.items()
    assert (formula, circuit["update"]) == (task, 25)
    assert names <= set(circuit)
    assert "NaN" not in (tmp_path / "findings.json").read_text()
    for tag in events.Tags()["scalars"]:
        if tag.startswith("progress/"):
            last = events.Scalars(tag)[-1]
            assert circuit[tag.removeprefix("progress/")] == pytest.approx(last.value, rel=1e-6), tag


def test_looking_changes_nothing(tmp_path) -> None:
    _, looked_at = train(tmp_path / "a", every=5)
    _, left_alone = train(tmp_path / "b", every=None)
    weights = left_alone.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in looked_at.state_dict().items())


def test_null_measures_nothing(tmp_path) -> None:
    events, _ = train(tmp_path, every=None)
    assert not [tag for tag in events.Tags()["scalars"] if tag.startswith("progress/")]
    assert read_findings(tmp_path).circuits == {}


class Unreadable(Transformer):
    """A network that does not say where its circuit is."""

    readout_paths = None


def test_a_network_without_readout_paths_is_left_out(tmp_path) -> None:
    events, _ = train(tmp_path, every=7, kind=Unreadable)
    assert not [tag for tag in events.Tags()["scalars"] if tag.startswith("progress/")]
    assert not events.Tags()["images"]


def test_a_measurement_that_would_take_too_much_of_the_time_is_left_out(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(budgeted, "TIME_SHARE", 0.02)
    monkeypatch.setattr(budgeted, "FIRST_COST_SECONDS", 1e6)
    events, _ = train(tmp_path, every=1)
    assert [event.step for event in events.Scalars("progress/tuned_fraction")] == [25], "only at the end"


def test_every_is_a_positive_number() -> None:
    with pytest.raises(InputError, match="every must be a positive integer"):
        LogMeasures(0)
