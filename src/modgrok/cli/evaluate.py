"""`modgrok test`, `modgrok validate` and `modgrok predict`: what a trained network answers.

Where the checkpoint is all that `test` and `predict` are given, no trainer is needed, and Lightning, whose import takes
longer than the rest, is not imported. Other options are of a trainer, of data or of a network, and go through one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.table import Table

from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import option_values
from modgrok.experiments.config.config_file import with_configs_as_data
from modgrok.experiments.config.first_look import given_checkpoint

if TYPE_CHECKING:
    from modgrok.data import ModularData
    from modgrok.experiments import Experiment


def test(options: list[str]) -> None:
    """Score the held-out pairs and print a table."""
    checkpoint = _check(options, "test")
    if not _only(options, "--ckpt_path") or checkpoint is None:
        _score_by_trainer("test", options)
        return
    from modgrok.runs import load_snapshot
    from modgrok.runs.scores import score_heldout

    snapshot = load_snapshot(checkpoint)
    scores = {f"heldout/{name}": value for name, value in score_heldout(snapshot).measured().items()}
    print_scores(snapshot.data, snapshot.update, scores)


def validate(options: list[str]) -> None:
    """Score the held-out pairs through Lightning's validation and print a table."""
    _check(options, "validate")
    _score_by_trainer("validate", options)


def predict(options: list[str]) -> None:
    """Write the table of all pairs."""
    checkpoint = _check(options, "predict")
    if not _only(options, "--ckpt_path", "--predictions.file") or checkpoint is None:
        experiment = _through_trainer("predict", options, return_predictions=False)
        file, pairs = experiment.config.predictions.file, experiment.datamodule.pairs.size
    else:
        from modgrok.runs import load_snapshot
        from modgrok.runs.prediction_table import check_table, write_table
        from modgrok.runs.scores import predict_all

        file = [*option_values(options, "--predictions.file"), "predictions.csv"][0]
        check_table(Path(file))
        snapshot = load_snapshot(checkpoint)
        write_table(Path(file), snapshot.data, *predict_all(snapshot))
        pairs = snapshot.data.pairs.size
    print(f"wrote {pairs:,} pairs to {file}")


def _check(options: Sequence[str], command: str) -> Path | None:
    """Return the checkpoint that the options name, if they name any.

    Raises:
        InputError: if they name a file that is not there, or need a checkpoint and name none.
    """
    checkpoint = given_checkpoint(*with_configs_as_data(options))
    if checkpoint is None and not {"-h", "--help"} & set(options):
        raise InputError(f"{command} needs a trained network: --ckpt_path RUN_OR_CKPT")
    return checkpoint


def _only(options: Sequence[str], *names: str) -> bool:
    """Whether no options are given but these."""
    return {option.partition("=")[0] for option in options if option.startswith("-")} <= set(names)


def _score_by_trainer(command: Literal["test", "validate"], options: list[str]) -> None:
    experiment = _through_trainer(command, options, verbose=False)
    print_scores(experiment.datamodule, experiment.first_update, experiment.trainer.callback_metrics)


def _through_trainer(
    command: Literal["test", "validate", "predict"], options: list[str], **arguments: Any
) -> Experiment:
    from modgrok.experiments import Experiment

    experiment = Experiment(command, options)
    experiment.run_trainer(command, **arguments)
    return experiment


def print_scores(data: ModularData, update: int, scores: Mapping[str, Any]) -> None:
    """Print the held-out scores of the network after `update` updates."""
    table = Table(title=data.title)
    columns = {
        "update": f"{update:,}",
        "held-out pairs": f"{data.heldout_pairs.size:,}",
        "loss": f"{scores['heldout/loss']:.4g}",
        "accuracy": f"{scores['heldout/accuracy']:.4f}",
    }
    for part in ("new", "known"):
        if (accuracy := scores.get(f"heldout/accuracy_{part}")) is not None:
            columns[f"of {part} pairs"] = f"{accuracy:.4f}"
    for heading in columns:
        table.add_column(heading, justify="right")
    table.add_row(*columns.values())
    Console().print(table)
