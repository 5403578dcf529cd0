"""The notebook of the docs, and a run from Python wherever it is started."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

import modgrok
from modgrok.errors import InputError
from modgrok.experiments import Experiment
from modgrok.experiments.plans.kind import KINDS

NOTEBOOK = Path(__file__).parents[3] / "docs" / "notebooks" / "grokking.ipynb"
SMALL = {
    "data": {"task": "x + y", "modulus": 7},
    "trainer": {"max_steps": 20},
    "model": {"evaluate_every": 10},
}


def test_the_notebook_shows_a_run_its_curves_and_its_circuit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    namespace, shown = {}, []
    for cell in cells:
        *statements, last = "".join(cell["source"]).split("\n")
        exec("\n".join(statements), namespace)
        shown.append(eval(last, namespace))
    run, curves, circuit, (keys, loss) = shown
    assert run.findings.grokked_at is not None
    shown_run = run._repr_html_()
    assert "grokked at" in shown_run
    assert "<iframe srcdoc" in shown_run
    assert len(shown_run) < 1_000_000
    assert curves._repr_png_()[:4] == circuit._repr_png_()[:4] == b"\x89PNG"
    assert keys
    assert loss < 1.0
    assert capsys.readouterr().out == ""


def test_a_run_may_be_trained_in_a_thread(tmp_path):
    found = []
    thread = threading.Thread(target=lambda: found.append(modgrok.fit(SMALL, directory=tmp_path / "run")))
    thread.start()
    thread.join()
    (run,) = found
    assert (run.path, run.findings.updates, run.findings.censored_at) == (tmp_path / "run", 20, 20)
    assert run.history["update"] == [0, 10, 20]
    again = modgrok.fit(SMALL, directory=tmp_path / "run")
    assert again.findings == run.findings, "a finished run is returned as it is"


def test_a_run_has_nothing_of_the_runs_before_it():
    def built(*options):
        experiment = Experiment("fit", ["--data.task", "x - y", "--data.modulus", "7", *options])
        return experiment.parser.dump(experiment.config)

    with ThreadPoolExecutor() as pool:  # a thread has its own parsers
        first = pool.submit(built).result()
    others = [
        ("--model.network", "modgrok.MLP", "--model.network.n_layers", "7", "--data.task", "[x + y, x * y]"),
        ("--model.optimizer", "torch.optim.SGD", "--model.optimizer.lr", "0.1", "--stop.grokked_for", "5"),
        (
            "--model.optimizer.lr",
            "0.3",
            "--data.modulus",
            "5",
            "--model.gradient_filters",
            "[{class_path: modgrok.training.GrokfastEMA, init_args: {alpha: 0.5}}]",
        ),
    ]
    for other in others:
        assert built(*other) != built() == first


@pytest.mark.parametrize(
    ("optimizer", "weight_decay", "betas"),
    [
        ({}, 1.0, [0.9, 0.98]),
        ({"model.optimizer.weight_decay": 0.5}, 0.5, [0.9, 0.98]),
        ({"model.optimizer": "torch.optim.AdamW"}, 0.01, [0.9, 0.999]),
        ({"model.optimizer": {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.01}}}, 0, [0.9, 0.999]),
        ({"model.optimizer": "torch.optim.SGD", "model.optimizer.lr": 0.1}, 0, None),
    ],
)
def test_another_optimizer_has_its_own_defaults(tmp_path, optimizer, weight_decay, betas):
    run = modgrok.fit(SMALL, {"trainer.max_steps": 10, **optimizer}, directory=tmp_path)
    (checkpoint, *_) = run.checkpoints.values()
    chosen = torch.load(checkpoint, weights_only=True)["modgrok"]["hyperparameters"]
    assert (chosen["optimizer.weight_decay"], chosen.get("optimizer.betas")) == (weight_decay, betas)


def test_what_is_wrong_is_raised_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for overrides, message in (
        ({"data.modulus": 1}, "modulus"),
        ({"model.lr": 1}, "unrecognized arguments: --model.lr=1; did you mean"),
    ):
        with pytest.raises(InputError, match=message):
            modgrok.fit(SMALL, overrides)
    assert not list(tmp_path.iterdir())


@pytest.mark.compiler
def test_many_runs_of_one_shape_compile_where_one_alone_would_not(tmp_path):
    config = {"data": {"task": "x + y", "modulus": 5}, "trainer": {"max_steps": 20}, "measures.every": None}
    engines = []
    for alike in (1, 10_000):
        KINDS["fit"].fit(config, {"model.evaluate_every": 10}, directory=tmp_path / str(alike), alike=alike)
        engines.append(modgrok.load_run(tmp_path / str(alike)).findings.engine)
    assert engines == ["eager", "compile"]
