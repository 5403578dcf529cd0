"""`modgrok open`: a run's page in the browser."""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path

from modgrok.errors import InputError
from modgrok.experiments.config.command_parser import CommandParser

REPORT = Path("report", "index.html")


def open_page(options: list[str]) -> None:
    """Open the page of a run, or of the last one that has a page, and say where it is."""
    parser = CommandParser(prog="modgrok open", description="Open the page of a run in the browser.")
    parser.add_argument(
        "run", type=Path | None, nargs="?", help="its directory; the newest page unless given"
    )
    run = parser.parse_args(options).run
    page = _newest(Path("lightning_logs")) if run is None else run / REPORT
    if not page.is_file():
        raise InputError(f"{run}: no page in it; modgrok analyze {run} makes one")
    print(os.path.relpath(page))
    webbrowser.open(page.absolute().as_uri())


def _newest(root: Path) -> Path:
    pages = sorted(root.rglob(str(REPORT)), key=lambda page: page.stat().st_mtime)
    if not pages:
        raise InputError(f"{root}: no page in it; modgrok analyze RUN makes one")
    return pages[-1]
