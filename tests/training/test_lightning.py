"""Stock parts of Lightning, through a real fit."""

import csv
import math
import pickle
import signal

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import (
    EarlyStopping,
    EMAWeightAveraging,
    GradientAccumulationScheduler,
    LearningRateMonitor,
    ModelCheckpoint,
    StochasticWeightAveraging,
    Timer,
)
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.profilers import SimpleProfiler
from lightning.pytorch.tuner import Tuner
from torch import nn
from torch.optim import SGD

from modgrok import GrokkingModule, ModularDataModule, Network, Transformer
from modgrok.callbacks import Checkpoints, GracefulInterrupt, LogNorms, Milestones
from modgrok.errors import InputError
from modgrok.runs import load_snapshot
from modgrok.training import (
    GrokfastEMA,
    LabelNoise,
    MuonAdamW,
    WeightDecayOff,
    WeightNormClamp,
    engine,
    updates_per_step,
)
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


class Hooks(Callback):
    """Counts the hooks of single updates, and notes the epoch at each evaluation."""

    def __init__(self):
        self.calls, self.epochs = {}, []

    def count(self, hook):
        self.calls[hook] = self.calls.get(hook, 0) + 1

    def on_before_backward(self, trainer, pl_module, loss):
        assert loss.requires_grad
        self.count("before_backward")

    def on_after_backward(self, trainer, pl_module):
        assert all(w.grad.isfinite().all() for w in pl_module.parameters() if w.grad is not None)
        self.count("after_backward")

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        assert any(w.grad.norm() > 0 for w in pl_module.parameters() if w.grad is not None)
        self.count("before_optimizer_step")

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.count("train_batch_end")

    def on_validation_end(self, trainer, pl_module):
        if not trainer.sanity_checking:
            self.epochs.append(trainer.current_epoch)


def weights(trained):
    return [weight.detach().clone() for weight in trained.network.parameters()]


RULES = {
    "plain": dict,
    "every rule": lambda: {
        "optimizer": MuonAdamW,
        "gradient_filters": [GrokfastEMA()],
        "interventions": [WeightNormClamp(20, 5, 30), LabelNoise(0.2, first=10), WeightDecayOff(7, 23)],
    },
}


@pytest.mark.parametrize("batch_size", [None, 16])
@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize(
    "kind", ["eager", pytest.param("compile", marks=pytest.mark.compiler), "microbatches"]
)
def test_hooks_are_called_once_per_update_and_see_the_same_updates(
    tmp_path, monkeypatch, kind, rules, batch_size
):
    if kind == "microbatches":
        monkeypatch.setattr(engine, "LOGITS_AT_ONCE", 7 * 11)
    asked = {"engine": "compile" if kind == "compile" else "eager", "threads": 1}
    ends = {}
    for callbacks in ([], [hooks := Hooks()]):
        pairs = data(batch_size=batch_size)
        trained = module(pairs, **asked, **RULES[rules]())
        fitted = trainer(tmp_path, max_steps=45, callbacks=callbacks, num_sanity_val_steps=0)
        fitted.fit(trained, pairs)
        ends[trained.used_updates_per_step] = weights(trained)
        assert (fitted.global_step, trained.history.update) == (45, [0, 20, 40, 45])
    assert all(map(torch.equal, ends[20], ends[1]))
    assert trained.watcher == "Hooks"
    assert trained.how == f"engine {asked['engine']} on 1 CPU thread, one update a step, for Hooks"
    named = ("before_backward", "after_backward", "before_optimizer_step", "train_batch_end")
    assert hooks.calls == dict.fromkeys(named, 45)
    assert hooks.epochs == [0, 0, 1, 2]


@pytest.mark.parametrize("at_epoch_end", [None, True, False])
def test_early_stopping_sees_every_evaluation(tmp_path, at_epoch_end):
    """The held-out loss rises from the start: three evaluations after the first are the patience of three."""
    pairs = data()
    stop = EarlyStopping("heldout/loss", patience=3, check_on_train_epoch_end=at_epoch_end)
    trained = module(pairs)
    fitted = trainer(tmp_path, max_steps=3000, callbacks=[stop])
    fitted.fit(trained, pairs)
    assert trained.history.heldout_loss == sorted(trained.history.heldout_loss)
    assert (fitted.global_step, trained.history.update) == (60, [0, 20, 40, 60])


def test_every_second_evaluation_and_the_last(tmp_path):
    pairs = data()
    trained = module(pairs)
    fitted = trainer(tmp_path, max_steps=100, check_val_every_n_epoch=2)
    fitted.fit(trained, pairs)
    assert trained.history.update == [0, 40, 80, 100]
    assert fitted.current_epoch == 5


@pytest.mark.parametrize("optimizer", ["SGD", "Muon"])
def test_gradients_are_clipped(tmp_path, optimizer):
    class Norms(Callback):
        def on_train_batch_end(self, trainer, pl_module, *args):
            total = torch.stack([weight.grad.norm() for weight in pl_module.parameters()]).norm()
            assert float(total) == pytest.approx(1e-3, rel=1e-3)

    makes = {"SGD": lambda weights: SGD(weights, lr=0.1), "Muon": MuonAdamW}
    pairs = data()
    trained = module(pairs, optimizer=makes[optimizer])
    fitted = trainer(tmp_path, max_steps=20, gradient_clip_val=1e-3, callbacks=[Norms()])
    fitted.fit(trained, pairs)
    assert trained.used_updates_per_step == 1
    assert trained.hyperparameters()["gradient_clip_val"] == 1e-3
    fitted.save_checkpoint(tmp_path / "clipped.ckpt")
    with pytest.raises(InputError, match=r"gradient_clip_val is None here and 0\.001 there"):
        trainer(tmp_path).fit(
            module(pairs, optimizer=makes[optimizer]), pairs, ckpt_path=tmp_path / "clipped.ckpt"
        )


def test_accumulated_batches_are_one_update(tmp_path):
    """Two halves of the pairs make the update that all of them make, but for rounding."""
    pairs, halves = data(), data(batch_size=30)
    assert pairs.training_pairs.size == 60
    whole, accumulated = module(pairs), module(halves)
    trainer(tmp_path, max_steps=25).fit(whole, pairs)
    fitted = trainer(tmp_path, max_steps=25, accumulate_grad_batches=2)
    fitted.fit(accumulated, halves)
    assert (fitted.global_step, accumulated.history.update) == (25, [0, 20, 25])
    for one, other in zip(weights(whole), weights(accumulated), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
    pairs = data(batch_size=16)
    scheduled = module(pairs)
    trainer(tmp_path, max_steps=40, callbacks=[GradientAccumulationScheduler({0: 1, 1: 4})]).fit(
        scheduled, pairs
    )
    assert scheduled.history.update == [0, 20, 25, 30, 35, 40]  # epochs of 20 batches


@pytest.mark.parametrize("stopped_at", [40, 45])
def test_a_resumed_average_of_the_weights_is_that_of_a_run_in_one_go(tmp_path, stopped_at):
    def fit(name, max_steps, ckpt_path=None):
        pairs, average = data(), EMAWeightAveraging(decay=0.9)
        trained = module(pairs)
        fitted = trainer(
            tmp_path / name,
            max_steps,
            callbacks=[average, Checkpoints(), Milestones()],
            enable_checkpointing=True,
        )
        fitted.fit(trained, pairs, ckpt_path=ckpt_path, weights_only=True)
        assert int(average._average_model.n_averaged) == max_steps  # once per update
        return weights(trained), fitted.checkpoint_callback.last_saved

    whole, whole_file = fit("whole", 80)
    _, half = fit("half", stopped_at)
    resumed, resumed_file = fit("half", 80, half)
    assert all(map(torch.equal, whole, resumed))
    states = [torch.load(file, weights_only=True) for file in (whole_file, resumed_file)]
    for kept in ("state_dict", "current_model_state"):
        assert all(torch.equal(weight, states[1][kept][name]) for name, weight in states[0][kept].items())
    assert not torch.equal(
        states[0]["state_dict"]["network.unembed.W_U"],
        states[0]["current_model_state"]["network.unembed.W_U"],
    )


def test_stochastic_weight_averaging_runs_over_evaluations(tmp_path):
    pairs = data()
    averaging = StochasticWeightAveraging(swa_lrs=0.01)
    trained = module(pairs)
    fitted = trainer(tmp_path, max_steps=-1, max_epochs=4, callbacks=[averaging])
    fitted.fit(trained, pairs)
    assert (fitted.global_step, trained.used_updates_per_step) == (80, 1)


@pytest.mark.parametrize("callbacks", [[], [Hooks]])
@pytest.mark.parametrize("stopped_at", [40, 53])
def test_a_run_is_resumed_within_an_epoch(tmp_path, stopped_at, callbacks):
    def fit(max_steps, ckpt_path=None):
        pairs = data(batch_size=16)
        trained = module(pairs, threads=1)
        fitted = trainer(tmp_path, max_steps, callbacks=[each() for each in callbacks])
        fitted.fit(trained, pairs, ckpt_path=ckpt_path, weights_only=True)
        fitted.save_checkpoint(tmp_path / f"{max_steps}.ckpt")
        return fitted, trained

    _, whole = fit(100)
    fit(stopped_at)
    fitted, resumed = fit(100, tmp_path / f"{stopped_at}.ckpt")
    assert all(map(torch.equal, weights(whole), weights(resumed)))
    assert fitted.current_epoch == 5
    assert resumed.history.update == sorted({*whole.history.update, stopped_at})


def test_a_signal_ends_a_run_whose_callbacks_continue_as_if_there_was_none(tmp_path):
    class Signal(Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if trainer.global_step == 30:
                signal.raise_signal(signal.SIGTERM)

    def fit(name, callbacks, ckpt_path=None):
        pairs, stop = data(), EarlyStopping("heldout/loss", patience=4)
        trained = module(pairs)
        callbacks = [stop, Checkpoints(), GracefulInterrupt(), *callbacks]
        fitted = trainer(tmp_path / name, 1000, callbacks=callbacks, enable_checkpointing=True)
        fitted.fit(trained, pairs, ckpt_path=ckpt_path, weights_only=True)
        return fitted, trained

    fitted, whole = fit("whole", [])
    assert fitted.global_step == 80
    fitted, stopped = fit("stopped", [Signal()])
    assert (fitted.global_step, stopped.history.update) == (30, [0, 20])
    fitted, resumed = fit("stopped", [], fitted.checkpoint_callback.last_saved)
    assert fitted.global_step == 80
    assert resumed.history == whole.history
    assert all(map(torch.equal, weights(whole), weights(resumed)))


def test_the_module_and_the_pairs_are_pickled_after_a_fit(tmp_path):
    for callbacks in ([], [Hooks()]):
        pairs = data(batch_size=16)
        trained = module(pairs)
        trainer(tmp_path, max_steps=20, callbacks=callbacks).fit(trained, pairs)
        again, pairs_again = pickle.loads(pickle.dumps((trained, pairs)))
        assert all(map(torch.equal, weights(trained), weights(again)))
        assert again.history == trained.history
        trainer(tmp_path, max_steps=20).fit(again, pairs_again)


def test_what_tunes_a_run_is_refused_in_a_line(tmp_path):
    pairs = data(batch_size=16)
    with pytest.raises(InputError, match=r"trainer\.callbacks: LearningRateFinder: .* a sweep"):
        Tuner(trainer(tmp_path)).lr_find(module(pairs), datamodule=pairs)
    with pytest.raises(InputError, match=r"trainer\.callbacks: BatchSizeFinder: .* data\.batch_size"):
        Tuner(trainer(tmp_path)).scale_batch_size(module(pairs), datamodule=pairs)
    assert not list(tmp_path.iterdir())


def test_the_best_checkpoint_is_the_last(tmp_path):
    pairs = data()
    trained = module(pairs)
    fitted = trainer(tmp_path, 40, callbacks=[Checkpoints(10)], enable_checkpointing=True)
    fitted.fit(trained, pairs)
    (scores,) = fitted.test(trained, pairs, ckpt_path="best", verbose=False)
    assert scores["heldout/loss"] == pytest.approx(trained.history.heldout_loss[-1], rel=1e-6)


def test_learning_rates_are_logged_at_every_update(tmp_path):
    pairs, logger = data(), CSVLogger(tmp_path, "", "")
    trained = module(pairs, evaluate_every=10)
    fitted = trainer(tmp_path, 15, logger=logger, callbacks=[LearningRateMonitor()], log_every_n_steps=1)
    fitted.fit(trained, pairs)
    rates = columns(tmp_path, "lr-GrokkingAdamW")
    assert rates == pytest.approx({update: 1e-3 * min(update / 10, 1) for update in range(15)})
    assert [*columns(tmp_path, "train/batch_loss")] == [*range(15)]
    assert [*columns(tmp_path, "heldout/loss")] == [0, 10, 15]


@pytest.mark.parametrize("batches", [True, 5])
def test_a_fast_development_run_makes_its_updates_and_one_evaluation_and_writes_nothing(tmp_path, batches):
    pairs = data()
    trained = module(pairs)
    callbacks = [Checkpoints(), Milestones(), LogNorms()]
    fitted = trainer(tmp_path, -1, fast_dev_run=batches, callbacks=callbacks, enable_checkpointing=True)
    fitted.fit(trained, pairs)
    assert (fitted.global_step, trained.history.update) == (int(batches), [int(batches)])
    assert not list(tmp_path.iterdir())


def test_a_short_time_is_a_short_run(tmp_path, monkeypatch):
    """It is not worth compiling for, though no number of updates ends it."""
    pairs = data()
    monkeypatch.setenv("CXX", "python3")
    for limits in ({"max_time": "00:00:00:01"}, {"max_steps": -1, "callbacks": [Timer({"seconds": 1})]}):
        trained = module(pairs)
        trainer(tmp_path, **{"max_steps": -1, **limits}).fit(trained, pairs)
        assert trained.used_engine == "eager"
        assert trained.global_step > 0


class Two(GrokkingModule):
    """A module with two optimizers."""

    def configure_optimizers(self):
        first, *rest = self.network.parameters()
        return [SGD([first], lr=0.1), SGD(rest, lr=0.2)]


def test_several_optimizers_step_at_each_update_and_cannot_be_clipped_together(tmp_path):
    pairs = data()
    trained = module(pairs, Two)
    before = weights(trained)
    trainer(tmp_path, max_steps=20).fit(trained, pairs)
    assert not any(map(torch.equal, before, weights(trained)))
    with pytest.raises(InputError, match=r"trainer\.gradient_clip_val: several optimizers"):
        trainer(tmp_path, gradient_clip_val=1.0).fit(module(pairs, Two), pairs)


class Decayed(GrokkingModule):
    """A module that adds to the loss."""

    def training_step(self, batch, batch_index):
        norm = sum(weight.square().sum() for weight in self.network.parameters())
        return 0.0 * super().training_step(batch, batch_index) + 0.5 * norm


@pytest.mark.parametrize("kind", ["eager", pytest.param("compile", marks=pytest.mark.compiler)])
def test_a_subclass_adds_to_the_loss(tmp_path, kind):
    """Without the loss of the pairs, an update of SGD shrinks every weight by its learning rate."""
    pairs = data()
    trained = module(pairs, Decayed, optimizer=lambda weights: SGD(weights, lr=0.5), engine=kind)
    trained.lr_scheduler = lambda optimizer: torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    before = weights(trained)
    trainer(tmp_path, max_steps=2).fit(trained, pairs)
    assert trained.watcher == "Decayed"
    for one, other in zip(before, weights(trained), strict=True):
        torch.testing.assert_close(one / 4, other)
