"""What users of Lightning and of its command line do, through `modgrok fit` and `modgrok.fit`."""

import signal
import subprocess
import sys

import pytest
import torch
import yaml
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.callbacks import ProgressBar as LightningProgressBar

import modgrok
from modgrok import load_run
from modgrok.cli import main
from modgrok.errors import InputError
from modgrok.experiments import Experiment

FIT = [
    *("fit", "--data.task", "x + y", "--data.modulus", "7", "--model.engine", "eager"),
    *("--model.network.d_model", "16", "--model.network.d_mlp", "16", "--model.evaluate_every", "10"),
    *("--measures.every", "null", "--weights.every", "null"),
]
SHORT = ["--trainer.max_steps", "20"]
RUN = "lightning_logs/version_0"


@pytest.fixture(autouse=True)
def empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def callbacks(*names_and_arguments):
    listed = [{"class_path": name, "init_args": arguments} for name, arguments in names_and_arguments]
    return ["--trainer.callbacks", yaml.safe_dump(listed, default_flow_style=True)]


# a run that is resumed


def test_a_resumed_run_reads_what_it_was_given_last(capsys):
    main([*FIT, *SHORT])
    main(["fit", "--ckpt_path", RUN, "--trainer.max_steps", "30", "--checkpoint.every", "10"])
    main(["fit", "--ckpt_path", RUN, "--trainer.max_steps", "50"])
    assert load_run(RUN).updates == [0, 20, 30, 40, 50], "every tenth, as it was told before"
    capsys.readouterr()
    before = {path: path.stat().st_mtime_ns for path in load_run(RUN).path.rglob("*")}
    main(["fit", "--ckpt_path", RUN])
    assert "finished at 50, no update made; --trainer.max_steps N continues" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in load_run(RUN).path.rglob("*")} == before


def test_a_run_that_stopped_after_grokking_says_what_continues_it(capsys):
    grokked = ["--stop.grokked_for", "10", "--model.threshold", "0.0001", "--data.train_fraction", "0.9"]
    main([*FIT, *grokked, "--trainer.max_steps", "500"])
    ended = load_run(RUN).findings.updates
    capsys.readouterr()
    main(["fit", "--ckpt_path", RUN])
    assert f"finished at {ended}, no update made; --stop.grokked_for N continues" in capsys.readouterr().out
    assert load_run(RUN).findings.updates == ended


def test_an_earlier_checkpoint_goes_with_the_config_of_its_time():
    main([*FIT, *SHORT])
    main(["fit", "--ckpt_path", RUN, "--trainer.max_steps", "30", "--checkpoint.every", "7"])
    config = load_run(RUN).config
    assert config(19).name == "config.yaml"
    assert config(20).name == config(30).name == "config_from_000020.yaml"


def test_last_and_best_and_the_folder_of_checkpoints_are_checkpoints(tmp_path, capsys):
    main([*FIT, *SHORT, "--checkpoint.every", "10"])
    run = load_run(RUN)
    history = run.snapshot().history
    losses = dict(zip(history.update, history.heldout_loss, strict=True))
    best = min(run.updates, key=losses.__getitem__)
    for word, update in (("last", 20), ("best", best), (f"{RUN}/checkpoints", 20)):
        capsys.readouterr()
        main(["test", "--ckpt_path", word])
        assert f"{losses[update]:.4g}" in capsys.readouterr().out
    (tmp_path / "elsewhere").mkdir()
    assert Experiment("test", ["--ckpt_path", "last"]).checkpoint.samefile(run.last_checkpoint)
    with pytest.raises(InputError, match="elsewhere/lightning_logs: no run there has a checkpoint"):
        Experiment("test", ["--ckpt_path", "last", "--trainer.default_root_dir", "elsewhere"])


def test_scoring_a_checkpoint_writes_nothing(tmp_path):
    main([*FIT, *SHORT])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for command in ("validate", "test"):
        main([command, "--ckpt_path", f"{RUN}/checkpoints/update=000000.ckpt"])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


# built-ins that give way


@pytest.mark.parametrize("shown", [[], ["--trainer.enable_progress_bar", "true"]])
def test_another_progress_bar_takes_the_place_of_the_built_in_one(shown):
    experiment = Experiment("fit", [*FIT[1:], *SHORT, *shown, *callbacks(("RichProgressBar", {}))])
    bars = [one for one in experiment.trainer.callbacks if isinstance(one, LightningProgressBar)]
    assert [type(bar).__name__ for bar in bars] == ["RichProgressBar"]


def test_without_checkpoints_a_run_says_what_cannot_be_done_with_it(capsys):
    main([*FIT, *SHORT, "--trainer.enable_checkpointing", "false"])
    out = capsys.readouterr().out
    assert "without checkpoints it cannot be tested, analyzed or resumed" in out
    assert "modgrok test" not in out
    with pytest.raises(InputError, match="no checkpoint"):
        load_run(RUN)


def test_tables_of_lightnings_own_csv_logger_are_in_the_runs_directory(tmp_path):
    table = ["--trainer.logger", "CSVLogger", "--trainer.logger.save_dir", "."]
    main([*FIT, *SHORT, *table])
    first = (tmp_path / RUN / "metrics.csv").read_text()
    main(["fit", "--ckpt_path", RUN, "--trainer.max_steps", "30"])
    assert [path.name for path in (tmp_path / "lightning_logs").iterdir()] == ["version_0"]
    assert (tmp_path / RUN / "metrics_to_000020.csv").read_text() == first, "nothing is lost"
    assert "heldout/loss" in (tmp_path / RUN / "metrics.csv").read_text()


# what was asked for is printed, and nothing else


def test_profiler_and_verbose_callbacks_are_heard():
    said = subprocess.run(
        [
            *(sys.executable, "-m", "modgrok", *FIT, *SHORT, "--trainer.profiler", "simple"),
            *callbacks(("EarlyStopping", {"monitor": "heldout/loss", "verbose": True}), ("ModelSummary", {})),
        ],
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    for words in ("FIT Profiler Report", "Metric heldout/loss improved", "Total params"):
        assert words in said.stderr + said.stdout
    for words in ("GPU available", "`Trainer.fit` stopped", "Seed set to", "HINT"):
        assert words not in said.stderr + said.stdout


@pytest.mark.parametrize("configured", ["", "logging.basicConfig(level='INFO');"])
def test_a_run_from_python_prints_nothing(configured):
    fit = "modgrok.fit({'data': {'task': 'x + y', 'modulus': 7}, 'trainer': {'max_steps': 20}})"
    command = [sys.executable, "-c", f"import logging, modgrok; {configured} {fit}"]
    said = subprocess.run(command, capture_output=True, text=True)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_the_version_is_said(capsys):
    main(["--version"])
    assert capsys.readouterr().out == f"modgrok {modgrok.__version__}\n"


@pytest.mark.parametrize(("batches", "updates"), [("true", 1), ("3", 3)])
def test_a_trial_makes_its_updates_and_one_scoring_and_writes_nothing(tmp_path, capsys, batches, updates):
    main([*FIT, *SHORT, "--trainer.fast_dev_run", batches])
    out = capsys.readouterr().out
    assert f"updates {updates}, one evaluation" in out
    assert "lightning_logs" not in out
    assert not list(tmp_path.iterdir())


# options


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        (["--trainer.max_steps", "1e4"], "trainer.max_steps", 10_000),
        (["--trainer.max_steps=2.0"], "trainer.max_steps", 2),
        (["--data.batch_size", "1e1"], "data.batch_size", 10),
        (["--data.modulus", "1.1e1"], "data.modulus", 11),
        (["--trainer.log_every_n_steps", "50"], "trainer.log_every_n_steps", 50),
        (["--trainer.limit_test_batches", "1.0"], "trainer.limit_test_batches", 1.0),
    ],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_an_integer_may_be_written_as_a_float(tmp_path, options, field, value, in_file):
    if in_file:
        name, number = "=".join(options).removeprefix("--").split("=")
        section, key = name.split(".")
        (tmp_path / "a.yaml").write_text(f"{section}: {{{key}: {number}}}")
        options = ["--config", "a.yaml"]
    found = Experiment("fit", [*FIT[1:], "--trainer.max_steps", "9", *options]).config[field]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "options",
    [
        ["--model.optimizer.lr", "0.3", "--model.optimizer", "torch.optim.SGD"],
        ["--model.optimizer.lr=0.3", "--model.optimizer=torch.optim.SGD"],
        ["--model.optimizer", "torch.optim.SGD", "--model.optimizer.lr", "0.3"],
    ],
)
def test_a_class_may_be_named_after_its_arguments(options):
    experiment = Experiment("fit", [*FIT[1:], *SHORT, *options])
    optimizer = experiment.model.configure_optimizers()["optimizer"]
    assert isinstance(optimizer, torch.optim.SGD)
    assert optimizer.defaults["lr"] == 0.3


def test_the_home_directory_is_one_place(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    main([*FIT, *SHORT, "--trainer.default_root_dir", "~/my runs"])
    assert load_run(tmp_path / "home" / "my runs" / RUN).updates == [0, 20]
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_what_is_printed_can_be_pasted(capsys):
    main([*FIT, *SHORT, "--trainer.default_root_dir", "my runs"])
    printed = [line.strip() for line in capsys.readouterr().out.splitlines() if " --ckpt_path " in line]
    assert printed == [f"modgrok test --ckpt_path 'my runs/{RUN}'"]


def test_a_duration_may_be_given_on_the_line():
    main([*FIT, *SHORT, *callbacks(("Timer", {"duration": "00:00:10:00"}))])
    assert load_run(RUN).updates == [0, 20]
    config = yaml.safe_load((load_run(RUN).path / "config.yaml").read_text())
    assert config["trainer"]["callbacks"][0]["init_args"]["interval"] == "step"


# what cannot be built


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--trainer.accelerator", "tpu"], "trainer.accelerator: "),
        (["--trainer.precision", "transformer-engine"], "trainer.precision: "),
        (["--trainer.barebones", "true"], "trainer.barebones: a run is scored and kept"),
        (
            ["--trainer.logger", "MLFlowLogger"],
            "trainer.logger: lightning.pytorch.loggers.MLFlowLogger: needs",
        ),
        (
            callbacks(("EarlyStopping", {"monitor": "val_loss"})),
            "EarlyStopping: monitor: nothing logs 'val_loss'",
        ),
        (callbacks(("BackboneFinetuning", {})), "trainer.callbacks: BackboneFinetuning: "),
        (["--model.optimizer", "torch.optim.LBFGS"], "model.optimizer: LBFGS"),
        (["--model.optimizer", "torch.optim.SparseAdam"], "model.optimizer: SparseAdam"),
        (["--trainer.strategy", "no_such_strategy"], "trainer.strategy: "),
    ],
)
def test_what_cannot_be_built_is_a_line_that_names_the_field(refused, options, said):
    assert said in refused(*FIT, *SHORT, *options)


OWN = """
from lightning.pytorch import Callback
from lightning.pytorch.loggers.logger import DummyLogger


class Moody(Callback):
    def on_fit_start(self, trainer, module):
        {}["not today"]


class Forgetful(DummyLogger):
    def __init__(self):
        super().__init__()
        self.where = {}["nowhere"]
"""


@pytest.mark.parametrize(
    "options",
    [callbacks(("mylab.Moody", {})), ["--trainer.logger", "mylab.Forgetful"]],
    ids=["runs", "is built"],
)
def test_an_error_of_ones_own_code_keeps_its_traceback(tmp_path, monkeypatch, options):
    (tmp_path / "mylab.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mylab", raising=False)
    with pytest.raises(KeyError) as raised:
        main([*FIT, *SHORT, *options])
    assert raised.traceback[-1].path.name == "mylab.py"
    assert not (tmp_path / "lightning_logs").exists()


class Twice(Callback):
    """Ctrl-C, and again before the first has been dealt with."""

    def on_train_batch_end(self, trainer, *arguments):
        if trainer.global_step >= 10:
            for _ in range(2):
                signal.raise_signal(signal.SIGINT)


@pytest.fixture
def interrupts():
    """Ctrl-C as a terminal's process takes it; a process that was started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_second_signal_ends_at_once_with_a_line(monkeypatch, capsys, interrupts):
    build = Experiment.own_callbacks
    monkeypatch.setattr(Experiment, "own_callbacks", lambda self: [*build(self), Twice()])
    with pytest.raises(SystemExit) as stopped:
        main([*FIT, *SHORT])
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "modgrok: error: interrupted\n"


def test_a_directory_with_a_config_of_somebody_else_is_no_runs(tmp_path):
    (tmp_path / "config.yaml").write_text("mine: 1\n")
    config = {"data": {"task": "x + y", "modulus": 7}, "trainer": {"max_steps": 10}}
    with pytest.raises(InputError, match=r"has a config\.yaml that is not a run's"):
        modgrok.fit(config, directory=tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("config.yaml", "mine: 1\n")]


def test_early_stopping_may_watch_every_score_that_is_logged():
    for name in ("heldout/loss", "heldout/accuracy/x + y", "train/accuracy", "norm/total", "progress/clock"):
        experiment = Experiment("fit", [*FIT[1:], *SHORT])
        experiment.trainer.callbacks.append(EarlyStopping(name))
        experiment._check_monitors()


def test_one_batch_is_not_all_of_them_in_a_process_of_its_own(modgrok, small_run):
    """Which of 1 and 1.0 a number is depended on what the process had imported before."""
    done = modgrok("test", "--ckpt_path", small_run, "--trainer.limit_test_batches", "1")
    assert done.returncode == 2
    assert done.stderr.startswith("modgrok: error: trainer.limit_test_batches:")
