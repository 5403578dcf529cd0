"""Write a report completely, or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from modgrok.analysis.run_analysis import RunAnalysis
from modgrok.errors import InputError
from modgrok.report.analysis_page import analysis_page
from modgrok.report.tables import measures_csv, summary_json
from modgrok.runs.whole_files import check_writable

FILES = ("index.html", "measures.csv", "summary.json")


def check_output(directory: Path, files: Sequence[str] = FILES) -> None:
    """Raise an InputError unless `directory` is new, empty or holds an earlier report, and can be written.

    Args:
        directory: the report's directory.
        files: the names of a report's files, the page first.

    Example:
        >>> from pathlib import Path
        >>> from modgrok.report import check_output
        >>> check_output(Path("report"))  # new, so that nothing is in the way
    """
    if directory.is_dir():
        names = {path.name for path in directory.iterdir()}
        if strange := sorted(names - set(files)):
            raise InputError(
                f"output: {directory} contains {strange[0]!r}, which is not part of a report; choose another directory"
            )
        if names == {files[0]}:
            raise InputError(
                f"output: {directory} contains {files[0]!r} without {files[1]}, which is somebody else's page; choose "
                "another directory"
            )
    elif directory.exists():
        raise InputError(f"output: {directory} is a file; choose a directory")
    check_writable("output", directory.absolute().parent)


def write_report(analysis: RunAnalysis, directory: Path) -> None:
    """Write index.html, measures.csv and summary.json, replacing an earlier report.

    Raises:
        InputError: if the directory contains anything else, or cannot be written.

    Example:
        >>> from pathlib import Path
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import analyze_network
        >>> from modgrok.report import write_report
        >>> from modgrok.runs import History, Snapshot
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> snapshot = Snapshot(network, data, update=0, history=History())
        >>> write_report(analyze_network(snapshot, source="my network"), Path("report"))
        >>> sorted(path.name for path in Path("report").iterdir())
        ['index.html', 'measures.csv', 'summary.json']
    """
    check_output(directory)
    contents = (analysis_page(analysis), measures_csv(analysis), summary_json(analysis))
    write_page(directory, dict(zip(FILES, contents, strict=True)))


def write_page(directory: Path, contents: Mapping[str, str]) -> None:
    """Write the files of a report, whose contents are given by name, in the place of an earlier one.

    Raises:
        InputError: if the directory contains anything else, or cannot be written.

    Example:
        >>> from pathlib import Path
        >>> from modgrok.report import write_page
        >>> write_page(Path("report"), {"index.html": "<p>a page</p>", "numbers.csv": "update,loss"})
        >>> sorted(path.name for path in Path("report").iterdir())
        ['index.html', 'numbers.csv']
    """
    check_output(directory, tuple(contents))
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        # a neighbor of the directory, so that renaming stays within one file system
        with tempfile.TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent) as beside:
            fresh, earlier = Path(beside, "fresh"), Path(beside, "earlier")
            fresh.mkdir()
            for name, content in contents.items():
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
