"""The command line: LightningCLI, and the commands that are not Trainer methods."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from modgrok.cli.saying import fail, nearest

__all__ = ["main"]

COMMANDS = {
    "fit": "train:  modgrok fit --config configs/poly.yaml",
    "test": "loss and accuracy on the held-out pairs:  modgrok test --ckpt_path RUN_OR_CKPT",
    "validate": "the same, through Lightning's validation loop",
    "predict": "a table of every pair:  modgrok predict --ckpt_path RUN_OR_CKPT --predictions.file pairs.csv",
    "describe": "what a task is, before any training:  modgrok describe --config configs/poly.yaml",
    "tasks": "list the operations that have a name",
    "analyze": "open the network, as one HTML page and tables:  modgrok analyze RUN_OR_CKPT",
    "export": "write the weights for TransformerLens:  modgrok export RUN_OR_CKPT weights.safetensors",
    "capacity": "how many bits a small language model remembers:  modgrok capacity --help",
}
USAGE = (
    "usage: modgrok COMMAND [options]        (modgrok COMMAND --help lists a command's options)\n\n"
    + "".join(f"  {name:<10}{text}\n" for name, text in COMMANDS.items())
    + "\nRUN_OR_CKPT is a run's directory, lightning_logs/version_N, or a checkpoint file.\n"
)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line on `args`, or on the process's own; exit with 2 where the user's input is wrong."""
    command, *options = list(sys.argv[1:] if args is None else args) or ["--help"]
    if command in ("-h", "--help"):
        print(USAGE, end="")
    elif command in COMMANDS:
        from modgrok.cli.commands import run  # takes seconds to import, which help need not

        run(command, options)
    else:
        fail(f"unknown command {command!r}{nearest(command, COMMANDS)} (modgrok --help lists them)", 2)
