"""The self-contained page: text, figures, plotly; nothing is loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from itertools import groupby

from plotly.offline import get_plotlyjs

from modgrok.analysis.run_analysis import RunAnalysis, TaskAnalysis
from modgrok.figures import (
    Figure,
    Panel,
    attention_figures,
    embedding_figures,
    logit_figures,
    neuron_figures,
    progress_figures,
    together_figures,
    training_figures,
    weight_figures,
)
from modgrok.figures.numbers import number, percent
from modgrok.figures.palette import DARK, LIGHT, css_variables
from modgrok.report.mixture import together
from modgrok.report.prose import method, opening

MAP_BYTES = 5_000_000
"""What all maps over the pairs may weigh together; a large modulus or many tasks show fewer neurons."""

MOST_EXAMPLES = 8


class _Page:
    """The page while it is written: its panels so far, by the id of the element they are drawn in."""

    def __init__(self) -> None:
        self.panels: dict[str, dict[str, object]] = {}

    def figure(self, figure: Figure) -> str:
        groups = groupby(figure.panels, key=lambda panel: panel.shape == "square")
        body = "".join(
            f'<div class="squares" tabindex="0" role="group" aria-label="{escape(figure.title)}">{row}</div>'
            if square
            else row
            for square, panels in groups
            for row in ["".join(self.panel(panel, figure) for panel in panels)]
        )
        return (
            f"<figure><h3>{escape(figure.title)}</h3><p>{escape(figure.look_for)}</p>"
            f'<div class="panels">{body}</div></figure>'
        )

    def panel(self, panel: Panel, figure: Figure) -> str:
        name = f"plot-{len(self.panels)}"
        self.panels[name] = {"traces": panel.traces, "layout": panel.layout}
        label = escape(f"{figure.title}: {panel.title}")
        return (
            f'<div class="panel {panel.shape}"><h4>{escape(panel.title)}</h4>{_legend(panel)}'
            f'<div class="plot" id="{name}" role="img" aria-label="{label}"></div></div>'
        )

    def section(self, identity: str, title: str, figures: list[Figure]) -> str:
        if not figures:
            return ""
        body = "".join(self.figure(figure) for figure in figures)
        return f'<section id="{identity}"><h2>{escape(title)}</h2>{body}</section>'


def page(analysis: RunAnalysis) -> str:
    """Write the page of the analysis, as HTML."""
    writer = _Page()
    sections = [("together", "Grokking together", together_figures(analysis))]
    for place, task in enumerate(analysis.tasks):
        suffix = f", {task.circuit.view.task.name}" if len(analysis.tasks) > 1 else ""
        for identity, title, figures in _chapters(task, len(analysis.tasks)):
            sections.append((f"{identity}-{place}", title + suffix, figures))
    sections.append(("training", "Training", training_figures(analysis)))
    body = "".join(writer.section(*section) for section in sections)
    links = "".join(
        f'<li><a href="#{identity}">{escape(title)}</a></li>'
        for identity, title, figures in sections
        if figures
    )
    snapshot = analysis.snapshot
    modulus = snapshot.data.config["modulus"]
    name = " | ".join(task.circuit.view.task.name for task in analysis.tasks)
    plotly, script = get_plotlyjs(), _resource("page.js")
    after = f", after {snapshot.update:,} updates" if snapshot.update or snapshot.split_known else ""
    style = (
        f":root{{{css_variables(LIGHT)}}}@media (prefers-color-scheme: dark){{:root{{{css_variables(DARK)}}}}}"
        + _resource("page.css")
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(plotly, script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(name)} mod {modulus} · modgrok</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<a class="skip" href="#figures">Skip to the figures</a>
<header class="top">
<p class="source">{escape(analysis.source)}{after}</p>
<h1>{escape(name)} <span class="modulus">mod {modulus}</span></h1>
{_mixture(analysis)}{"".join(_overview(analysis, task) for task in analysis.tasks)}
<nav aria-label="Figures"><ul>{links}</ul></nav>
<noscript><p>The figures are drawn by JavaScript; the numbers are in summary.json and measures.csv.</p></noscript>
</header>
<main id="figures">{body}</main>
<footer><p class="note">Written by modgrok. The numbers are in summary.json and, checkpoint by checkpoint, in
measures.csv. Measures as in Nanda et al. 2023 (arXiv 2301.05217), FFD and FCR as in Furuta et al. 2024
(arXiv 2402.16726).</p></footer>
<script type="application/json" id="palettes">{_json({"light": LIGHT, "dark": DARK})}</script>
<script type="application/json" id="panels">{_json(writer.panels)}</script>
<script>{plotly}</script>
<script>{script}</script>
</body>
</html>
"""


def _chapters(task: TaskAnalysis, tasks: int) -> list[tuple[str, str, list[Figure]]]:
    """The figures of a task in the order of the computation."""
    circuit = task.circuit
    return [
        ("embedding", "Embedding", embedding_figures(circuit)),
        ("attention", "Attention", attention_figures(circuit)),
        ("neurons", "Neurons", neuron_figures(circuit, _examples(task, tasks))),
        ("weights", "Weights", weight_figures(circuit)),
        ("logits", "Logits", logit_figures(circuit)),
        ("progress", "Progress measures", progress_figures(task)),
    ]


def _examples(task: TaskAnalysis, tasks: int) -> int:
    """How many neurons are shown, each as a map and as its transform."""
    of_a_map = task.circuit.view.task.n_symbols**2 * 16 // 3
    attention = task.circuit.attention
    maps = MAP_BYTES // (tasks * of_a_map) - (attention.pattern.shape[1] if attention else 0)
    return max(1, min(MOST_EXAMPLES, maps // 2))


def _mixture(analysis: RunAnalysis) -> str:
    return f'<p class="lead">{escape(words)}</p>' if (words := together(analysis)) else ""


def _overview(analysis: RunAnalysis, task: TaskAnalysis) -> str:
    """The opening paragraph and the numbers behind it."""
    last, measures, history = task.last, task.last.measures, analysis.history(task)
    keys = task.circuit.key_frequencies
    chips = "".join(
        f'<span class="chip" style="--c:var(--key{i % 8})">{k}</span>' for i, k in enumerate(keys)
    )
    facts = {}
    for name, update in (
        ("Memorised at", history.memorised_at),
        ("Grokked at", history.grokked_at),
    ):
        if history.update:
            facts[name] = "not yet" if update is None else f"update {update:,}"
    facts |= {
        "Loss, all pairs": number(last.loss),
        "Accuracy, all pairs": percent(last.accuracy),
        "Restricted loss": number(measures.restricted_loss),
        "Excluded loss": number(measures.excluded_loss),
        "Trigonometric loss": number(measures.trigonometric_loss),
        "Neurons tuned": percent(measures.tuned),
        "Logits’ variance": percent(measures.logit_variance),
        "Gini, W_E": " / ".join(f"{gini:.2f}" for gini in dict.fromkeys(measures.gini_embedding)),
        "Gini, W_logit": f"{measures.gini_logit:.2f}",
        "FFD, W_E": " / ".join(f"{ffd:.2f}" for ffd in dict.fromkeys(measures.ffd_embedding)),
        "FCR, W_E": " / ".join(f"{fcr:.2f}" for fcr in dict.fromkeys(measures.fcr_embedding)),
    }
    rows = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts.items())
    title = f"<h2>{escape(task.circuit.view.task.name)}</h2>" if len(analysis.tasks) > 1 else ""
    return (
        f'{title}<p class="lead">{escape(opening(analysis, task))}</p>'
        f'<p class="method">{escape(method(analysis, task))}</p>'
        f'<dl class="facts"><div class="span"><dt>Key frequencies</dt><dd>{chips or "none"}</dd></div>{rows}</dl>'
    )


def _legend(panel: Panel) -> str:
    entries = "".join(
        f'<li style="--c:var(--{color.removeprefix("$")})">{name}</li>' for name, color in panel.legend
    )
    return f'<ul class="legend">{entries}</ul>' if entries else ""


def _resource(name: str) -> str:
    return files("modgrok.report").joinpath(name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> str:
    """Nothing may be loaded, and no script run, but the page's own two."""
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _json(content: object) -> str:
    """JSON that cannot end the element it stands in."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
