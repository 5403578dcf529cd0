"""Stock parts of Lightning, through a real fit."""

import csv
import math

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import EarlyStopping, LearningRateMonitor, ModelCheckpoint, Timer
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.profilers import SimpleProfiler
from torch import nn
from torch.optim import SGD

from modgrok import GrokkingModule, ModularDataModule, Network, Transformer
from modgrok.callbacks import LogNorms
from modgrok.errors import InputError
from modgrok.runs import load_snapshot
from modgrok.training import updates_per_step
from modgrok.training.engine_choice import update_multiplications


def data(**arguments):
    return ModularDataModule("x + y", **{"modulus": 11, "train_fraction": 0.5, **arguments})


def module(pairs, kind=GrokkingModule, **arguments):
    torch.manual_seed(0)
    network = Transformer(**pairs.network_shape, d_model=16, n_heads=2, d_mlp=24)
    return kind(network, **{"evaluate_every": 20, **arguments})


def trainer(tmp_path, max_steps=60, **arguments):
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    arguments = {"logger": False, "enable_checkpointing": False, **arguments}
    return Trainer(max_steps=max_steps, default_root_dir=tmp_path, **quiet, **arguments)


def columns(path, name):
    """The rows of a CSVLogger's file that have a value in the column, by step."""
    with (path / "metrics.csv").open() as file:
        return {int(row["step"]): float(row[name]) for row in csv.DictReader(file) if row.get(name)}


def test_metrics_are_there_after_a_fit_and_at_every_validation(tmp_path):
    class Reader(Callback):
        def __init__(self):
            self.seen = []

        def on_validation_end(self, trainer, pl_module):
            if not trainer.sanity_checking:
                metrics = trainer.callback_metrics
                self.seen.append((trainer.global_step, float(metrics["heldout/loss"])))

    reader, pairs = Reader(), data()
    trained = module(pairs)
    fitted = trainer(tmp_path, callbacks=[reader, LogNorms()])
    fitted.fit(trained, pairs)
    assert [step for step, _ in reader.seen] == [0, 20, 40, 60] == trained.history.update
    assert [loss for _, loss in reader.seen] == pytest.approx(trained.history.heldout_loss, rel=1e-6)
    metrics = fitted.callback_metrics
    for side in ("train", "heldout"):
        for name in ("loss", "accuracy", "probability"):
            column = getattr(trained.history, f"{side}_{name}")
            assert float(metrics[f"{side}/{name}"]) == pytest.approx(column[-1], rel=1e-6)
    weights = torch.cat([weight.detach().flatten() for weight in trained.network.parameters()])
    assert float(metrics["norm/total"]) == pytest.approx(float(weights.norm()), rel=1e-5)


def test_early_stopping_ends_the_run_at_a_validation(tmp_path):
    pairs = data()
    stop = EarlyStopping("train/loss", stopping_threshold=1.0, patience=10**6, check_on_train_epoch_end=False)
    fitted = trainer(tmp_path, max_steps=2000, callbacks=[stop])
    trained = module(pairs)
    fitted.fit(trained, pairs)
    assert 0 < fitted.global_step < 2000
    assert fitted.global_step % 20 == 0
    assert trained.history.update == list(range(0, fitted.global_step + 1, 20))  # none of them twice
    assert trained.history.train_loss[-1] < 1.0 < trained.history.train_loss[-2]


def test_model_checkpoint_saves_every_30_updates_exactly(tmp_path):
    pairs = data()
    saving = ModelCheckpoint(tmp_path / "checkpoints", "{step}", every_n_train_steps=30, save_top_k=-1)
    fitted = trainer(tmp_path, max_steps=100, callbacks=[saving], enable_checkpointing=True)
    fitted.fit(module(pairs), pairs)
    names = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert names == {f"step={update}.ckpt" for update in (30, 60, 90)}
    assert load_snapshot(tmp_path / "checkpoints" / "step=30.ckpt").update == 30


def test_model_checkpoint_follows_a_monitored_score(tmp_path):
    pairs = data()
    saving = ModelCheckpoint(tmp_path, monitor="train/accuracy", mode="max", save_on_train_epoch_end=False)
    fitted = trainer(tmp_path, callbacks=[saving], enable_checkpointing=True)
    trained = module(pairs)
    fitted.fit(trained, pairs)
    assert float(saving.best_model_score) == pytest.approx(max(trained.history.train_accuracy))
    history = load_snapshot(saving.best_model_path and type(tmp_path)(saving.best_model_path)).history
    assert history.train_accuracy[-1] == max(trained.history.train_accuracy)


@pytest.mark.parametrize("updates_per_step", [1, 10])
def test_learning_rates_and_losses_are_logged_by_update(tmp_path, updates_per_step):
    pairs, logger = data(), CSVLogger(tmp_path, "", "")
    fitted = trainer(tmp_path, logger=logger, callbacks=[LearningRateMonitor()], log_every_n_steps=10)
    fitted.fit(module(pairs, updates_per_step=updates_per_step, threads=1), pairs)
    assert [*columns(tmp_path, "heldout/loss")] == [0, 20, 40, 60]
    assert [*columns(tmp_path, "train/loss")] == [0, 20, 40, 60]  # of all pairs, at evaluations
    losses = columns(tmp_path, "train/batch_loss")
    assert [*losses] == [9, 19, 29, 39, 49, 59]
    rates = columns(tmp_path, "lr-GrokkingAdamW")
    assert [*rates] == [9, 19, 29, 39, 49, 59]
    assert rates[59] == pytest.approx(1e-3)
    # the loss before update 19, whatever a step is
    plain = module(pairs)
    reference = trainer(tmp_path / "reference", max_steps=19)
    reference.fit(plain, pairs)
    assert losses[19] == pytest.approx(plain.history.train_loss[-1], rel=1e-4)


def test_profilers_see_steps_and_validations(tmp_path):
    profiler = SimpleProfiler()
    pairs = data()
    trainer(tmp_path, profiler=profiler, num_sanity_val_steps=0).fit(
        module(pairs, updates_per_step=20), pairs
    )
    counts = {name.rpartition(".")[2]: len(times) for name, times in profiler.recorded_durations.items()}
    assert counts["run_training_batch"] == 3
    assert counts["validation_step"] == 8  # two sides at updates 0, 20, 40 and 60


def test_a_run_ends_after_max_epochs_evaluations_and_one_without_an_end_is_refused(tmp_path):
    pairs = data()
    for arguments, last in (({"max_epochs": 2}, 40), ({"max_epochs": 2, "max_steps": 30}, 30)):
        trained = module(pairs)
        trainer(tmp_path, **{"max_steps": -1, **arguments}).fit(trained, pairs)
        assert trained.history.update == [0, 20, last]
    with pytest.raises(InputError, match="never end"):
        trainer(tmp_path, max_steps=-1, max_epochs=-1).fit(module(pairs), pairs)
    timed = trainer(tmp_path, max_steps=-1, callbacks=[Timer(duration={"seconds": 1})], max_epochs=-1)
    timed.fit(module(pairs), pairs)
    assert timed.global_step > 0


def test_load_from_checkpoint_test_and_predict(tmp_path):
    pairs = data()
    fitted = trainer(tmp_path)
    trained = module(pairs, threshold=0.5)
    fitted.fit(trained, pairs)
    fitted.save_checkpoint(tmp_path / "end.ckpt")
    loaded = GrokkingModule.load_from_checkpoint(tmp_path / "end.ckpt")
    for name, weight in trained.network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], weight), name
    assert (loaded.history, loaded.threshold, loaded.evaluate_every) == (trained.history, 0.5, 20)

    tested = trainer(tmp_path)
    (scores,) = tested.test(loaded, data(), verbose=False)
    assert scores["heldout/accuracy"] == pytest.approx(trained.history.heldout_accuracy[-1])
    fresh = module(pairs)
    (from_file,) = trainer(tmp_path).test(fresh, data(), ckpt_path=tmp_path / "end.ckpt", verbose=False)
    assert from_file == scores
    (probabilities,) = trainer(tmp_path).predict(loaded, data())
    assert probabilities.shape == (121, 11)
    assert torch.allclose(probabilities.sum(1), torch.ones(121, dtype=torch.float64))


class Sgd(GrokkingModule):
    """A module whose optimizer is its own, without a schedule."""

    def configure_optimizers(self):
        return SGD(self.network.parameters(), lr=0.1, momentum=0.9)


def test_a_subclass_with_its_own_optimizer_trains_and_resumes(tmp_path):
    pairs = data()
    whole, first = module(pairs, Sgd), module(pairs, Sgd)
    trainer(tmp_path, max_steps=40).fit(whole, pairs)
    half = trainer(tmp_path, max_steps=20)
    half.fit(first, pairs)
    half.save_checkpoint(tmp_path / "half.ckpt")
    second = module(pairs, Sgd)
    resumed = trainer(tmp_path, max_steps=40)
    resumed.fit(second, pairs, ckpt_path=tmp_path / "half.ckpt")
    assert resumed.global_step == 40
    assert second.history == whole.history
    for one, other in zip(whole.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(InputError, match="optimizer is GrokkingAdamW here and SGD there"):
        trainer(tmp_path).fit(module(pairs), pairs, ckpt_path=tmp_path / "half.ckpt")


class Squares(ModularDataModule):
    """A data module with another signature."""

    def __init__(self, p: int) -> None:
        super().__init__("x**2 + y**2", p, train_fraction=0.5)


class OwnSplit(ModularDataModule):
    """A data module whose split no config describes."""

    def draw(self):
        return [(numbers + 1) % len(self.tables[0].answers) for numbers in super().draw()]


def test_a_subclass_of_the_data_module_trains_and_is_read_back(tmp_path):
    pairs = Squares(11)
    fitted = trainer(tmp_path)
    fitted.fit(module(pairs), pairs)
    fitted.save_checkpoint(tmp_path / "end.ckpt")
    snapshot = load_snapshot(tmp_path / "end.ckpt")
    assert snapshot.data.tasks[0].name == "x**2 + y**2"
    assert torch.equal(snapshot.data.training_index, pairs.training_index)
    own = OwnSplit("x + y", 11)
    with pytest.raises(InputError, match="does not have the split that its config describes"):
        trainer(tmp_path).fit(module(own), own)


class Bag(Network):
    """A user's own network: an ordinary module."""

    def __init__(self, vocabulary_size: int, n_answers: int, context_length: int, width: int = 16) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary_size, width)
        self.out = nn.Linear(width * context_length, n_answers)

    def forward(self, tokens):
        return self.out(self.embed(tokens).flatten(1).relu())


class Unreadable(Bag):
    """A network with an argument that is no plain data."""

    def __init__(self, vocabulary_size: int, n_answers: int, context_length: int, activation) -> None:
        super().__init__(vocabulary_size, n_answers, context_length)
        self.activation = activation


@pytest.mark.parametrize("engine", ["eager", pytest.param("compile", marks=pytest.mark.compiler)])
def test_a_network_of_the_users_own_trains_and_is_read_back(tmp_path, engine):
    pairs = data()
    network = Bag(**pairs.network_shape, width=12)
    fitted = trainer(tmp_path)
    trained = GrokkingModule(network, evaluate_every=20, engine=engine)
    fitted.fit(trained, pairs)
    assert trained.history.train_loss[-1] < trained.history.train_loss[0]
    fitted.save_checkpoint(tmp_path / "end.ckpt")
    again = load_snapshot(tmp_path / "end.ckpt").network
    assert (type(again), again.config["width"]) == (Bag, 12)


def test_a_network_that_could_not_be_read_back_is_refused_before_training(tmp_path):
    pairs = data()
    with pytest.raises(InputError, match=r"Unreadable could not be read back: its argument activation"):
        trainer(tmp_path).fit(GrokkingModule(Unreadable(**pairs.network_shape, activation=torch.relu)), pairs)
    assert not list(tmp_path.iterdir())


def test_what_automatic_optimization_would_do_is_refused_with_what_to_do_instead(tmp_path):
    pairs = data()
    with pytest.raises(InputError, match=r"val_check_interval: model\.evaluate_every"):
        trainer(tmp_path, val_check_interval=7).fit(module(pairs), pairs)
    saving = ModelCheckpoint(tmp_path, every_n_train_steps=25)
    with pytest.raises(InputError, match=r"every 25 updates need a model\.updates_per_step that divides it"):
        trainer(tmp_path, callbacks=[saving], enable_checkpointing=True).fit(
            module(pairs, updates_per_step=10), pairs
        )


@pytest.mark.parametrize("max_steps", [55, 60])
def test_the_last_update_is_scored_once_wherever_it_lies(tmp_path, max_steps):
    pairs = data()
    trained = module(pairs)
    trainer(tmp_path, max_steps=max_steps).fit(trained, pairs)
    assert trained.history.update == [0, 20, 40, max_steps]
    assert trained.global_step == max_steps


def test_steps_of_several_updates_are_those_updates(tmp_path):
    """One update a step, ten, and a step cut short by `max_steps`: the same weights to the bit, batches shuffled."""
    ends = {}
    for per_step, max_steps in ((1, 40), (10, 40), (20, 40)):
        pairs = data(batch_size=16)
        trained = module(pairs, updates_per_step=per_step, threads=1)
        trainer(tmp_path, max_steps=max_steps).fit(trained, pairs)
        ends[per_step] = [weight.clone() for weight in trained.network.parameters()]
    for weights in (ends[10], ends[20]):
        assert all(map(torch.equal, ends[1], weights))


def test_a_step_has_fewer_updates_where_they_are_large(tmp_path, monkeypatch):
    sizes, pairs = [], data()
    multiplications = update_multiplications(module(pairs).network, pairs.training_pairs.size)
    for most in (1e4, 13.5, 1.5, 0.5):
        monkeypatch.setattr(updates_per_step, "STEP_MULTIPLICATIONS", most * multiplications)
        trained = module(pairs, evaluate_every=100)
        trainer(tmp_path, max_steps=2).fit(trained, pairs)
        sizes.append(trained.used_updates_per_step)
    assert sizes == [100, 10, 1, 1]


def test_the_process_computes_as_before_after_a_fit(tmp_path):
    threads, tiny = torch.get_num_threads(), torch.tensor(2.0**-120)
    pairs = data()
    trainer(tmp_path).fit(module(pairs, threads=2), pairs)
    assert torch.get_num_threads() == threads
    assert (tiny * 2.0**-20).item() > 0.0
    assert math.isfinite(tiny)
