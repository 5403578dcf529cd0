"""`modgrok test`, `modgrok validate` and `modgrok predict`."""

from __future__ import annotations

from functools import partial
from typing import Literal

from modgrok.experiments.config.first_look import check_paths


def _score(command: Literal["test", "validate"], options: list[str]) -> None:
    """Score the held-out pairs, through Lightning's loop of that name, and print a table."""
    check_paths(options)

    from modgrok.cli.summary import score_table
    from modgrok.experiments import Experiment

    experiment = Experiment(command, options)
    experiment.run_trainer(command, verbose=False)
    score_table(experiment.datamodule, experiment.first_update, experiment.trainer.callback_metrics)


test, validate = partial(_score, "test"), partial(_score, "validate")


def predict(options: list[str]) -> None:
    """Write the table of all pairs."""
    check_paths(options)

    from modgrok.experiments import Experiment

    experiment = Experiment("predict", options)
    experiment.run_trainer("predict", return_predictions=False)
    print(f"wrote {experiment.datamodule.pairs.size:,} pairs to {experiment.config.predictions.file}")
