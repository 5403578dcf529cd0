"""From a network to its report: what was found, in words, figures and tables.

In a notebook: `(circuit,) = analyse(load_run("lightning_logs/version_0").snapshot())`.
"""

from modgrok.report.findings import Findings, analyse, analyse_checkpoints, analyse_network
from modgrok.report.subject import Subject, beside, find_subject, source_name
from modgrok.report.together import together
from modgrok.report.words import opening
from modgrok.report.write import check_output, write_report

__all__ = [
    "Findings",
    "Subject",
    "analyse",
    "analyse_checkpoints",
    "analyse_network",
    "beside",
    "check_output",
    "find_subject",
    "opening",
    "source_name",
    "together",
    "write_report",
]
