"""Write a report completely, or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from modgrok.analysis.run_analysis import RunAnalysis
from modgrok.errors import InputError
from modgrok.report.analysis_page import analysis_page
from modgrok.report.tables import measures_csv, summary_json

FILES = ("index.html", "measures.csv", "summary.json")


def check_output(directory: Path) -> None:
    """Raise an InputError unless `directory` is new or holds an earlier report, and can be written."""
    if directory.is_dir():
        strange = sorted({path.name for path in directory.iterdir()} - set(FILES))
        if strange:
            raise InputError(
                f"output: {directory} contains {strange[0]!r}, which is not part of a report; choose another directory"
            )
    elif directory.exists():
        raise InputError(f"output: {directory} is a file; choose a directory")
    parent = next(parent for parent in directory.absolute().parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise InputError(f"output: cannot write in {parent}: {error.strerror}") from None


def write_report(analysis: RunAnalysis, directory: Path) -> None:
    """Write index.html, measures.csv and summary.json, replacing an earlier report.

    Raises:
        InputError: if the directory contains anything else, or cannot be written.
    """
    check_output(directory)
    contents = (analysis_page(analysis), measures_csv(analysis), summary_json(analysis))
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        # a neighbor of the directory, so that renaming stays within one file system
        with tempfile.TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent) as beside:
            fresh, earlier = Path(beside, "fresh"), Path(beside, "earlier")
            fresh.mkdir()
            for name, content in zip(FILES, contents, strict=True):
                (fresh / name).write_text(content, encoding="utf-8")
            _exchange(fresh, directory, earlier)
    except OSError as error:
        raise InputError(f"output: cannot write {directory}: {error.strerror}") from None


def _exchange(fresh: Path, directory: Path, earlier: Path) -> None:
    """Move `directory` to `earlier` and `fresh` to `directory`; if that fails, move `earlier` back."""
    if directory.exists():
        directory.rename(earlier)
    try:
        fresh.rename(directory)
    except BaseException:
        if earlier.exists():
            earlier.rename(directory)
        raise
