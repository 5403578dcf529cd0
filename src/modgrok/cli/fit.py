"""`modgrok fit`."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from modgrok.cli.terminal import say
from modgrok.experiments.config.first_look import first_look
from modgrok.experiments.config.formula_first import END, formula_first, with_an_end

if TYPE_CHECKING:
    from modgrok.experiments import Experiment
    from modgrok.experiments.assembly.configured_run import ConfiguredRun


def fit(options: list[str]) -> None:
    """Say what is trained, train, then say what the run found and what to type next."""
    ended = with_an_end(options)
    said = [END] if ended != options else []
    options = formula_first(ended)
    if not {"-h", "--help", "--print_config"} & set(options):
        say("\n".join([str(first_look(options)), *said]), end="\n\n")

    from modgrok.experiments import Experiment

    experiment = Experiment("fit", options)
    directory = experiment.fit()
    if experiment.model.pretrained_from:
        print(f"started with the {experiment.model.pretrained_from}")
    if not experiment.writes:
        print(
            f"updates {experiment.trainer.global_step}, one evaluation: the run can be trained; nothing was written"
        )
        return
    _say_what_was_found(experiment)
    shown = shlex.quote(os.path.relpath(directory))
    if signal := experiment.interrupt.received:
        print(f"stopped by {signal.name}; to resume:\n  modgrok fit --ckpt_path {shown}", flush=True)
        sys.exit(128 + signal)
    if experiment.resumed and not experiment.updates_made:
        print(no_update(experiment))
    if experiment.trainer.checkpoint_callbacks:
        print(f"  modgrok test --ckpt_path {shown}\n  modgrok analyze {shown}")
    else:
        print("  without checkpoints it cannot be tested, analyzed or resumed")
    print(f"  tensorboard --logdir {shlex.quote(os.path.relpath(directory.parent))}")


def _say_what_was_found(experiment: Experiment) -> None:
    from modgrok.cli.summary import summary
    from modgrok.experiments import Run

    run = Run(experiment.path)
    say(f"{summary(run.findings, experiment.model.evaluate_every)}\n")
    print(f"run: {os.path.relpath(run.path)}")


def no_update(experiment: ConfiguredRun) -> str:
    """Say that a run that was resumed had come to its end, and what continues it."""
    field = experiment.ended_by or "trainer.max_steps"
    return f"finished at {experiment.first_update:,}, no update made; --{field} N continues"
