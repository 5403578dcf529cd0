"""What a run is on disk: its directory, checkpoints, snapshots, history and findings."""

from modgrok.runs.directory import Run, find_checkpoint, load_run
from modgrok.runs.history import History, Score
from modgrok.runs.snapshot import Snapshot, load_snapshot

__all__ = ["History", "Run", "Score", "Snapshot", "find_checkpoint", "load_run", "load_snapshot"]
