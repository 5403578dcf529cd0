"""`modgrok certify`."""

from __future__ import annotations

import os
from pathlib import Path

from modgrok.cli.foreign_weights import add_foreign_options, read_foreign
from modgrok.cli.terminal import say
from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import CommandParser


def certify(options: list[str]) -> None:
    """Prove what a network answers; write the certificate and print what it says."""
    parser = CommandParser(prog="modgrok certify", description="Prove what a network answers to every pair.")
    parser.add_argument(
        "path", type=Path, metavar="RUN_OR_CKPT", help="a run, a checkpoint, or a file of weights"
    )
    parser.add_argument(
        "--output", type=Path | None, help="the file; certificate.json in the run's directory unless given"
    )
    add_foreign_options(parser)
    given = parser.parse_args(options)
    if not given.path.exists():
        raise InputError(f"{given.path}: no such run or checkpoint")

    from modgrok.analysis import task_views
    from modgrok.certificate import certificate_of, explained_margin, prove, write_certificate
    from modgrok.certificate.certificate_file import check_certificate, sentence
    from modgrok.certificate.proved_network import check_provable
    from modgrok.runs import find_checkpoint, load_snapshot
    from modgrok.runs.directory import source_name

    foreign = read_foreign(given)
    if foreign is not None:
        snapshot = foreign.snapshot
        say("\n".join(foreign.notes), end="\n\n")
    else:
        snapshot = load_snapshot(find_checkpoint(given.path))
    output = given.output or certificate_of(given.path)
    check_certificate(output)
    check_provable(snapshot.network)
    found = []
    for view in task_views(snapshot.data, split_known=snapshot.split_known):
        certificate, explained = prove(snapshot.network, view), explained_margin(snapshot.network, view)
        found.append((view.task.name, certificate, explained))
        say(f"{view.task.title}: {sentence(certificate, explained)} ({certificate.seconds:.1f} s)\n")
    write_certificate(output, source_name(given.path), snapshot, found)
    print(f"certificate: {os.path.relpath(output)}")
