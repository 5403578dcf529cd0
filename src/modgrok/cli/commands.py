"""The commands: which there are, what each does, and how its errors end the process.

What takes seconds to import is imported by the command that needs it.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn

from modgrok.errors import InputError, RunStoppedError, brief, did_you_mean

if TYPE_CHECKING:
    pass


class Command(NamedTuple):
    """A command: its line in the help, and what runs on its options."""

    help: str
    run: Callable[[list[str]], None]


def fit(options: list[str]) -> None:
    """Say what is trained, train, then say what the run found and what to type next."""
    from modgrok.experiments.config.first_look import first_look
    from modgrok.experiments.config.formula_first import END, formula_first, with_an_end

    ended = with_an_end(options)
    said = [END] if ended != options else []
    options = formula_first(ended)
    if not {"-h", "--help", "--print_config"} & set(options):
        print("\n".join([str(first_look(options)), *said]), end="\n\n", flush=True)

    from modgrok.cli.summary import summary
    from modgrok.experiments import Experiment, Run

    experiment = Experiment("fit", options)
    run = Run(experiment.fit())
    shown, signal = os.path.relpath(run.path), experiment.interrupt.received
    if experiment.model.pretrained_from:
        print(f"started with the {experiment.model.pretrained_from}")
    print(f"{summary(run.findings, experiment.model.evaluate_every)}\n\nrun: {shown}")
    if signal:
        print(f"stopped by {signal.name}; to resume:\n  modgrok fit --ckpt_path {shown}", flush=True)
        sys.exit(128 + signal)
    print(
        f"  modgrok test --ckpt_path {shown}\n"
        f"  modgrok analyze {shown}\n"
        f"  tensorboard --logdir {os.path.relpath(run.path.parent)}"
    )


def test(options: list[str]) -> None:
    """Score the held-out pairs and print a table."""
    _score("test", options)


def validate(options: list[str]) -> None:
    """Score the held-out pairs through Lightning's validation and print a table."""
    _score("validate", options)


def _score(command: Literal["test", "validate"], options: list[str]) -> None:
    from modgrok.experiments.config.first_look import check_paths

    check_paths(options)

    from modgrok.cli.summary import score_table
    from modgrok.experiments import Experiment

    experiment = Experiment(command, options)
    experiment.run_trainer(command, verbose=False)
    score_table(experiment.datamodule, experiment.first_update, experiment.trainer.callback_metrics)


def predict(options: list[str]) -> None:
    """Write the table of all pairs."""
    from modgrok.experiments.config.first_look import check_paths

    check_paths(options)

    from modgrok.experiments import Experiment

    experiment = Experiment("predict", options)
    experiment.run_trainer("predict", return_predictions=False)
    print(f"wrote {experiment.datamodule.pairs.size:,} pairs to {experiment.config.predictions.file}")


def describe(options: list[str]) -> None:
    """Print what a task is."""
    from modgrok.cli.describe import describe

    describe(options)


def tasks(options: list[str]) -> None:
    """Print the operations that have a name."""
    from modgrok.data.describe import describe_operation, list_tasks
    from modgrok.experiments.config.command_parser import CommandParser

    parser = CommandParser(prog="modgrok tasks", description="The operations that have a name.")
    parser.add_argument("name", type=str | None, nargs="?", help="one of them; all are listed unless given")
    name = parser.parse_args(options).name
    print(list_tasks() if name is None else describe_operation(name))


def analyze(options: list[str]) -> None:
    """Open the network."""
    from modgrok.cli.analyze import analyze

    analyze(options)


def sweep(options: list[str]) -> None:
    """Run many cells."""
    from modgrok.cli.sweep import run_sweep

    run_sweep(options)


def reproduce(options: list[str]) -> None:
    """Test a published claim."""
    from modgrok.cli.reproduce import run_reproduce

    run_reproduce(options)


def export(options: list[str]) -> None:
    """Write weights for TransformerLens."""
    from modgrok.cli.export import export

    export(options)


def runs(options: list[str]) -> None:
    """List runs."""
    from modgrok.cli.runs import print_runs

    print_runs(options)


def compare(options: list[str]) -> None:
    """Put runs side by side."""
    from modgrok.cli.compare import compare

    compare(options)


def open_page(options: list[str]) -> None:
    """Open a run's page."""
    from modgrok.cli.open_page import open_page

    open_page(options)


def capacity(options: list[str]) -> None:
    """Run a command of the second wing."""
    from modgrok.cli.capacity import capacity

    capacity(options)


COMMANDS = {
    "fit": Command("train:  modgrok fit --config configs/poly.yaml", fit),
    "test": Command("loss and accuracy on the held-out pairs:  modgrok test --ckpt_path RUN_OR_CKPT", test),
    "validate": Command("the same, through Lightning's validation loop", validate),
    "predict": Command(
        "a table of every pair:  modgrok predict --ckpt_path RUN_OR_CKPT --predictions.file pairs.csv",
        predict,
    ),
    "describe": Command(
        "what a task is, before any training:  modgrok describe --config configs/poly.yaml", describe
    ),
    "tasks": Command("list the operations that have a name, or explain one:  modgrok tasks NAME", tasks),
    "analyze": Command(
        "open the network, as one HTML page and tables:  modgrok analyze RUN_OR_CKPT", analyze
    ),
    "sweep": Command(
        "many runs, one table, one page:  modgrok sweep --config configs/sweeps/powers.yaml", sweep
    ),
    "reproduce": Command(
        "a published figure, ours beside theirs:  modgrok reproduce CLAIM (without one: a list)", reproduce
    ),
    "export": Command(
        "write the weights for TransformerLens:  modgrok export RUN_OR_CKPT weights.safetensors", export
    ),
    "runs": Command("the runs in a directory, one row each:  modgrok runs --sort grokked_at", runs),
    "compare": Command("runs side by side, and their curves:  modgrok compare RUN RUN", compare),
    "open": Command("a run's page in the browser:  modgrok open RUN", open_page),
    "capacity": Command("how many bits a small language model remembers:  modgrok capacity --help", capacity),
}
USAGE = (
    "usage: modgrok COMMAND [options]        (modgrok COMMAND --help lists a command's options)\n\n"
    + "".join(f"  {name:<10}{command.help}\n" for name, command in COMMANDS.items())
    + "\nRUN_OR_CKPT is a run's directory, lightning_logs/version_N, or a checkpoint file.\n"
)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line on `args`, or on the process's own.

    Exits with 2 where the user's input is wrong, with 1 where a run could not continue.
    """
    command, *options = list(sys.argv[1:] if args is None else args) or ["--help"]
    if command in ("-h", "--help"):
        print(USAGE, end="")
    elif command in COMMANDS:
        _run(COMMANDS[command], options)
    else:
        _fail(f"unknown command {command!r}{did_you_mean(command, COMMANDS)} (modgrok --help lists them)", 2)


def _run(command: Command, options: list[str]) -> None:
    from modgrok.experiments.assembly.quiet_lightning import quiet_lightning

    hook = threading.excepthook
    # the thread that writes TensorBoard's events hands its error on to the run
    threading.excepthook = lambda error: None if issubclass(error.exc_type, OSError) else hook(error)
    try:
        with quiet_lightning(), warnings.catch_warnings():
            # Lightning's advice about its own code, and about a scheduler that the run does not use
            for message in ("`isinstance.treespec, LeafSpec.`", "The `srun` command is available"):
                warnings.filterwarnings("ignore", message)
            command.run(options)
    except InputError as error:
        _fail(error, 2)
    except BrokenPipeError:  # whoever read the output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        _fail(f"{brief(error.filename)}: too long for the name of a file", 2)
    except RunStoppedError as error:
        _fail(error, 1)
    finally:
        threading.excepthook = hook


def _fail(error: object, code: int) -> NoReturn:
    print(f"modgrok: error: {error}", file=sys.stderr)
    sys.exit(code)
