"""What CUDA does not do is not asked of it: runs on a device that is not there, which refuses what CUDA refuses."""

import math
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch.optim import Optimizer

import modgrok.training
from modgrok import load_run
from modgrok.callbacks import LogMeasures, budgeted
from modgrok.cli import main
from modgrok.training import GradientFilter, Intervention, Loss

sys.path.insert(0, str(Path(__file__).parent))

from other_device import DEVICE, other_device

SMALL = ("--model.network.d_model", "16", "--model.network.n_heads", "2", "--model.network.d_mlp", "16")
RUN = ("--model.evaluate_every", "10", "--trainer.max_steps", "20", "--model.engine", "eager")


@pytest.fixture
def device(monkeypatch):
    with other_device(monkeypatch) as residents:
        yield residents


def test_the_device_refuses_what_cuda_refuses(device):
    here, there = torch.ones(2, 2, dtype=torch.int64, device=DEVICE), torch.ones(2, 2, dtype=torch.int64)
    assert here.device == here[:1].device == (here + 1).device == torch.zeros_like(here).device == DEVICE
    assert here.cpu().device == there.device == torch.device("cpu")
    refused = [
        lambda: here @ here,
        lambda: here + there,
        lambda: torch.cat([here, there]),
        lambda: here.gather(1, there),
        lambda: there[here],
        lambda: here.numpy(),
        lambda: torch.rand(2, device=DEVICE, generator=torch.Generator()),
    ]
    for refuse in refused:
        with pytest.raises((RuntimeError, TypeError), match=r"cuda:0|Long"):
            refuse()
    assert (here.double() @ here.double() + torch.tensor(1)).sum() == 12
    weights = here.double().requires_grad_()
    (gradient,) = torch.autograd.grad((weights[0] * weights[[1]]).sum(), weights)
    assert gradient.device == DEVICE


@pytest.mark.parametrize(
    "task",
    [
        ("--data.task", "x + y", "--data.modulus", "11"),
        ("--data.task", "x * y + z", "--data.modulus", "5"),
        ("--data.task", "x * y in S3"),
        ("--data.task", "[x + y, x * y]", "--data.modulus", "7"),
    ],
    ids=lambda task: task[1],
)
def test_a_run_and_what_looks_at_it_work_on_a_device(task, device, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(budgeted, "TIME_SHARE", math.inf)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".* was left out")
        main(["fit", *task, *SMALL, *RUN, "--measures.every", "10", "--weights.every", "10"])
        run = "lightning_logs/version_0"
        main(["test", "--ckpt_path", run])
        main(["predict", "--ckpt_path", run])
        main(["analyze", run])
        main(["fit", "--ckpt_path", run, "--trainer.max_steps", "30"])
    assert load_run(run).updates[-1] == 30


def built(name, **arguments):
    return {"class_path": f"modgrok.training.{name}", "init_args": arguments}


def mlp(**arguments):
    return {"model.network": {"class_path": "modgrok.MLP", "init_args": {"d_mlp": 8, **arguments}}}


CHANGES = {
    "a transformer with every lever, and every filter": {
        "model.network.normalization": True,
        "model.network.dropout": 0.1,
        "model.network.biases": True,
        "model.network.attention_rate": 0.5,
        "data.batch_size": 10,
        "model.loss": built("StableMax"),
        "model.optimizer": built("MuonAdamW"),
        "model.gradient_filters": [
            built("EgalitarianGradient"),
            built("GradientNorm", largest=0.1),
            built("GrokfastEMA"),
            built("GrokfastMA", window=3),
            built("LpPenalty", strength=0.1),
            built("OrthogonalGradient"),
        ],
    },
    "an MLP of sums, and every intervention": {
        **mlp(d_model=8, input="sum"),
        "model.loss": built("MeanSquaredError"),
        "model.optimizer": built("GrokkingAdamW"),
        "model.interventions": [
            built("WeightNormClamp", norm=5, first=2),
            built("WeightDecayOff", first=2),
            built("OutputTemperature", temperature=2, first=2),
            built("LabelNoise", share=0.1, first=2),
        ],
    },
    "an MLP of two vectors": {
        **mlp(d_model=8, input="concatenation"),
        "model.loss": built("CrossEntropy", precision="float32"),
        "model.optimizer": "torch.optim.Adam",
    },
    "an MLP of ones": {**mlp(input="two_hot"), "model.optimizer": "torch.optim.NAdam"},
}
"""What a run may be made of; each rule of the package is in one of them."""


def test_every_rule_of_the_package_is_tried():
    kinds = (Loss, GradientFilter, Optimizer, Intervention)
    named = {name: getattr(modgrok.training, name) for name in modgrok.training.__all__}
    rules = {name for name, rule in named.items() if issubclass(rule, kinds) and rule not in kinds}
    assert all(f"modgrok.training.{rule}'" in str(CHANGES) for rule in rules)


@pytest.mark.parametrize("change", CHANGES)
def test_every_rule_and_network_works_on_a_device(change, device, tmp_path, monkeypatch):
    """From a new run and from one that is resumed, with the measures and the figure of the circuit."""
    monkeypatch.setattr(budgeted, "TIME_SHARE", math.inf)
    options = {
        "data.task": "x + y",
        "data.modulus": 7,
        "model.engine": "eager",
        "model.evaluate_every": 5,
        "measures.every": 5,
        "weights.every": None,
        "curves.draw": False,
        **CHANGES[change],
    }
    if "model.network" not in options:
        options |= {"model.network.d_model": 8, "model.network.n_heads": 2, "model.network.d_mlp": 8}
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".* was left out")
        modgrok.fit({}, {**options, "trainer.max_steps": 5}, directory=tmp_path / "run")
        main(["fit", "--ckpt_path", str(tmp_path / "run"), "--trainer.max_steps", "10"])
    run = load_run(tmp_path / "run")
    assert run.updates == [0, 5, 10]
    assert list(run.findings.circuits) == ["x + y"]


def test_how_an_optimizer_computes_is_what_was_chosen_last(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def ways():
        file = max(Path("lightning_logs/version_0/checkpoints").iterdir())
        (state,) = torch.load(file, weights_only=True)["optimizer_states"]
        return state["param_groups"][0]["capturable"]

    few = ("--measures.every", "null", "--weights.every", "null", "--curves.draw", "false")
    adam = ("--model.optimizer", "torch.optim.Adam", "--model.optimizer.capturable", "true")
    resume = ("fit", "--ckpt_path", "lightning_logs/version_0", "--trainer.max_steps")
    with monkeypatch.context() as patched, other_device(patched):
        main(["fit", "--data.task", "x + y", "--data.modulus", "7", *SMALL, *RUN, *few, *adam])
        assert ways() is True
        main([*resume, "30"])
        assert ways() is True
    main([*resume, "40", "--model.optimizer.capturable", "false"])  # which a CPU cannot have
    assert ways() is False
    assert load_run("lightning_logs/version_0").updates[-1] == 40


@pytest.mark.parametrize("observer", ["measures", "curves"])
def test_an_observer_that_fails_is_one_warning_and_costs_the_run_nothing(observer, tmp_path, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("addmm_cuda not implemented for 'Long'")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(budgeted, "TIME_SHARE", math.inf)
    if observer == "measures":
        monkeypatch.setattr(LogMeasures, "observe", fail)
    else:
        monkeypatch.setattr("modgrok.callbacks.log_curves.render", fail)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        main(["fit", "--data.task", "x + y", "--data.modulus", "11", *SMALL, *RUN, "--measures.every", "10"])
    said = [str(each.message) for each in caught if "left out" in str(each.message)]
    assert len(said) == 1
    assert "addmm_cuda not implemented for 'Long'; the run goes on" in said[0]
    run = load_run("lightning_logs/version_0")
    assert (run.updates[-1], run.findings.finished) == (20, True)
