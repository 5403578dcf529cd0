"""`modgrok export`."""

from __future__ import annotations

from pathlib import Path

from modgrok.experiments.config.command_parser import CommandParser
from modgrok.runs.directory import find_checkpoint


def export(options: list[str]) -> None:
    """Write a run's weights as a HookedTransformer's state dict."""
    parser = CommandParser(prog="modgrok export", description="Write the weights for TransformerLens.")
    parser.add_argument("path", type=Path, metavar="RUN_OR_CKPT", help="a run, or a checkpoint")
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a .safetensors, .pt or .pth file that does not exist yet"
    )
    given = parser.parse_args(options)
    checkpoint = find_checkpoint(given.path)

    from modgrok.interop import write_weights
    from modgrok.runs import load_snapshot

    snapshot = load_snapshot(checkpoint)
    write_weights(snapshot.network, given.file, snapshot.data.template.words)
    print(f"wrote the weights after {snapshot.update:,} updates to {given.file}")
