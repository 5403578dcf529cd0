"""Other people's weights, in and out, as snapshots."""

from modgrok.interop.files import ForeignRun, read_weights, write_weights
from modgrok.interop.reading import Reading

__all__ = ["ForeignRun", "Reading", "read_weights", "write_weights"]
