"""What CUDA does not do is not asked of it: a stand-in on the CPU refuses integer products, as CUDA does."""

import math
import warnings

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from modgrok import load_run
from modgrok.callbacks import LogMeasures, budgeted
from modgrok.cli import main

PRODUCTS = ("mm", "bmm", "mv", "dot", "addmm", "addmv", "addbmm", "baddbmm")
SMALL = ("--model.network.d_model", "16", "--model.network.n_heads", "2", "--model.network.d_mlp", "16")
RUN = (*SMALL, "--model.evaluate_every", "10", "--trainer.max_steps", "20", "--model.engine", "eager")


class AsOnCuda(TorchDispatchMode):
    """Refuses products of integer matrices, which CUDA has no kernels for."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function.overloadpacket.__name__ in PRODUCTS:
            for tensor in args:
                if isinstance(tensor, torch.Tensor) and not tensor.is_floating_point():
                    raise RuntimeError(f"{function} not implemented for 'Long'")
        return function(*args, **(kwargs or {}))


def test_the_stand_in_refuses_integer_products():
    ones = torch.ones(2, 2, dtype=torch.int64)
    with AsOnCuda(), pytest.raises(RuntimeError, match="not implemented"):
        ones @ ones
    with AsOnCuda():
        assert (ones.double() @ ones.double()).sum() == 8


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
def test_a_run_and_what_looks_at_it_multiply_no_integers(task, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(budgeted, "TIME_SHARE", math.inf)
    with AsOnCuda(), warnings.catch_warnings():
        warnings.filterwarnings("error", message=".* was left out")
        main(["fit", *task, *RUN, "--measures.every", "10", "--weights.every", "10"])
        run = "lightning_logs/version_0"
        main(["test", "--ckpt_path", run])
        main(["predict", "--ckpt_path", run])
        main(["analyze", run])
        main(["fit", "--ckpt_path", run, "--trainer.max_steps", "30"])
    assert load_run(run).updates[-1] == 30


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
        main(["fit", "--data.task", "x + y", "--data.modulus", "11", *RUN, "--measures.every", "10"])
    said = [str(each.message) for each in caught if "left out" in str(each.message)]
    assert len(said) == 1
    assert "addmm_cuda not implemented for 'Long'; the run goes on" in said[0]
    run = load_run("lightning_logs/version_0")
    assert (run.updates[-1], run.findings.finished) == (20, True)
