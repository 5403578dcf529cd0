"""Arithmetic other than float32: it works, pictures included, and says that the results differ."""

import math

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from modgrok import load_run
from modgrok.callbacks import budgeted
from modgrok.cli import main


@pytest.mark.parametrize(
    ("precision", "engine"),
    [
        pytest.param("bf16-mixed", "compile", marks=[pytest.mark.compiler, pytest.mark.slow]),
        ("bf16-true", "eager"),
    ],
)
def test_a_run_in_other_arithmetic(precision, engine, small_run, tmp_path, monkeypatch):
    monkeypatch.setattr(budgeted, "TIME_SHARE", math.inf)
    arguments = (
        *("--config", str(small_run / "config.yaml"), "--trainer.default_root_dir", str(tmp_path)),
        *("--trainer.max_steps", "40", "--measures.every", "20", "--weights.every", "20"),
        *("--trainer.precision", precision, "--model.engine", engine),
    )
    with pytest.warns(UserWarning, match=f"{precision} arithmetic: the results differ"):
        main(["fit", *arguments])
    run = tmp_path / "lightning_logs" / "version_0"
    history, usual = (load_run(path).snapshot(update=40).history for path in (run, small_run))
    assert history.train_loss[-1] == pytest.approx(usual.train_loss[2], rel=0.02)
    assert history.train_loss[-1] != usual.train_loss[2]
    assert {"circuit", "weights"} <= set(EventAccumulator(str(run)).Reload().Tags()["images"])
    main(["test", "--ckpt_path", str(run)])
