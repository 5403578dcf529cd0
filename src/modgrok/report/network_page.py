"""The network alone, as a page small enough to stand inside a notebook: its weights are rounded to float16."""

from __future__ import annotations

from modgrok.analysis.run_analysis import analyze_network
from modgrok.report.network_data import network_data
from modgrok.report.page import render_page
from modgrok.report.prose import opening
from modgrok.runs import Snapshot


def network_page(snapshot: Snapshot, source: str) -> str | None:
    """Render a page in which the network of a snapshot runs, without its film; None for one that a page cannot run.

    Raises:
        InputError: if the network has no readout paths, or its logits are not finite.
    """
    analysis = analyze_network(snapshot, source)
    network = network_data(analysis, film_bytes=0, last_as="float16")
    if network is None:
        return None
    return render_page(
        "report/network_page.html.jinja",
        [],
        network,
        name=snapshot.data.title,
        openings=[opening(analysis, task) for task in analysis.tasks],
    )
