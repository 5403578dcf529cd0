"""What a run is on disk: its directory, checkpoints, snapshots, history and findings."""

from modgrok.runs.directory import RunDirectory, find_checkpoint
from modgrok.runs.findings import Findings
from modgrok.runs.history import History, Score
from modgrok.runs.snapshot import Snapshot, load_snapshot

__all__ = ["Findings", "History", "RunDirectory", "Score", "Snapshot", "find_checkpoint", "load_snapshot"]
