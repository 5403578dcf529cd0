"""From the analysis of a network to its report: words, figures and tables."""

from modgrok.report.mixture import mixture_summary
from modgrok.report.page import Section, render_page
from modgrok.report.prose import opening
from modgrok.report.target import AnalysisTarget, beside, find_target
from modgrok.report.write import check_output, write_page, write_report

__all__ = [
    "AnalysisTarget",
    "Section",
    "beside",
    "check_output",
    "find_target",
    "mixture_summary",
    "opening",
    "render_page",
    "write_page",
    "write_report",
]
