"""From the analysis of a network to its report: words, figures and tables."""

from modgrok.report.mixture import together
from modgrok.report.prose import opening
from modgrok.report.target import AnalysisTarget, beside, find_target
from modgrok.report.write import check_output, write_report

__all__ = [
    "AnalysisTarget",
    "beside",
    "check_output",
    "find_target",
    "opening",
    "together",
    "write_report",
]
