"""What a run is on disk: its directory, checkpoints, snapshots, history and findings."""

from typing import TYPE_CHECKING

from modgrok.lazy_names import lazy_names

if TYPE_CHECKING:
    from modgrok.runs.directory import RunDirectory, find_checkpoint
    from modgrok.runs.findings import Findings
    from modgrok.runs.history import History, Score
    from modgrok.runs.snapshot import Snapshot, load_snapshot
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "Findings": "findings",
            "History": "history",
            "RunDirectory": "directory",
            "Score": "history",
            "Snapshot": "snapshot",
            "find_checkpoint": "directory",
            "load_snapshot": "snapshot",
        },
    )

__all__ = ["Findings", "History", "RunDirectory", "Score", "Snapshot", "find_checkpoint", "load_snapshot"]
