"""The page of `modgrok analyze`."""

from __future__ import annotations

from dataclasses import dataclass

from modgrok.analysis import GroupMeasures, Measures
from modgrok.analysis.run_analysis import RunAnalysis, TaskAnalysis
from modgrok.figures import (
    attention_figures,
    coefficient_figures,
    embedding_figures,
    group_figures,
    logit_figures,
    mixture_figures,
    neuron_figures,
    progress_figures,
    training_figures,
    weight_figures,
)
from modgrok.figures.numbers import number, percent
from modgrok.figures.palette import key_mark
from modgrok.report.adding_prose import adding, adding_facts
from modgrok.report.group_prose import group_facts
from modgrok.report.mixture import mixture_summary
from modgrok.report.network_data import network_data
from modgrok.report.page import Section, render_page
from modgrok.report.prose import method, opening
from modgrok.report.worth import worth_table

MAP_BYTES = 1_200_000
"""Size of all maps over the pairs together; a large modulus or many tasks leave room for fewer neurons."""

MOST_EXAMPLES = 8
"""Neurons drawn as maps, at most."""


def analysis_page(analysis: RunAnalysis) -> str:
    """Render the analysis as HTML."""
    snapshot, tasks = analysis.snapshot, analysis.tasks
    alone = {task: run.history for task, run in analysis.alone.items()}
    sections = [Section("together", "Grokking together", mixture_figures(snapshot.history, alone))]
    for place, task in enumerate(tasks):
        sections += _sections(task, place, len(tasks))
    phases = tasks[0].phases if len(tasks) == 1 else ()
    over_training = [
        *training_figures(snapshot.history, phases),
        *coefficient_figures(analysis.learning_coefficients, phases),
    ]
    sections.append(Section("training", "Training", over_training))
    network = network_data(analysis)
    shown_updates = network.description["updates"] if network else None
    return render_page(
        "report/analysis_page.html.jinja",
        sections,
        network,
        source=analysis.source,
        update=snapshot.update if snapshot.update or snapshot.split_known else None,
        name=" | ".join(task.circuit.name for task in tasks),
        modulus=None if tasks[-1].circuit.task.operation.only_modulus else snapshot.data.config["modulus"],
        notes=analysis.notes,
        mixture=mixture_summary(analysis),
        key_mark=key_mark,
        tasks=[
            {
                "name": task.circuit.name,
                "opening": opening(analysis, task),
                "method": method(analysis, task),
                "adding": adding(task),
                "keys": ("Key frequencies", task.circuit.key_frequencies)
                if task.circuit.group is None
                else ("Key irreps", [task.circuit.group.pairs.irreps[key].name for key in task.circuit.keys]),
                "facts": _facts(analysis, task),
                "worth": worth_table(analysis, task, shown_updates),
            }
            for task in tasks
        ],
    )


def _sections(task: TaskAnalysis, place: int, n_tasks: int) -> list[Section]:
    """The figures of a task in the order of the computation."""
    circuit = task.circuit
    suffix = f", {circuit.name}" if n_tasks > 1 else ""
    measures = task.last.measures
    on_group = isinstance(measures, GroupMeasures)
    return [
        Section(
            f"{title.split()[0].lower()}-{place}", title + suffix, figures, place if n_tasks > 1 else None
        )
        for title, figures in (
            ("Embedding", embedding_figures(circuit)),
            ("Attention", attention_figures(circuit)),
            ("Group", group_figures(circuit, measures) if isinstance(measures, GroupMeasures) else []),
            ("Neurons", [] if on_group else neuron_figures(circuit, _examples(task, n_tasks))),
            ("Weights", [] if on_group else weight_figures(circuit)),
            ("Logits", [] if on_group else logit_figures(circuit)),
            ("Progress measures", progress_figures(task)),
        )
    ]


def _examples(task: TaskAnalysis, n_tasks: int) -> int:
    """How many neurons are shown as maps."""
    map_bytes = task.circuit.task.n_symbols**2 * 4 // 3
    attention = task.circuit.attention
    maps = MAP_BYTES // (n_tasks * map_bytes) - (attention.pattern.shape[1] if attention else 0)
    return max(1, min(MOST_EXAMPLES, maps))


@dataclass(frozen=True)
class Fact:
    """A number behind the opening paragraph: its name, what it is, and in a few words what it says."""

    name: str
    value: str
    meaning: str = ""


def _facts(analysis: RunAnalysis, task: TaskAnalysis) -> dict[str, list[Fact]]:
    """The numbers behind the opening paragraph, by what they are about."""
    last, measures, history = task.last, task.last.measures, analysis.history(task)
    milestones = {"Memorised at": history.memorised_at, "Grokked at": history.grokked_at}
    measured = any(accuracy is not None for accuracy in history.heldout_accuracy_new)
    if measured and history.grokked_new_at != history.grokked_at:
        milestones["New pairs at"] = history.grokked_new_at
    rank = last.general.effective_rank
    held_out = {"new": last.heldout_accuracy_new, "known by symmetry": last.heldout_accuracy_known}
    learning = [
        *(
            Fact(name, "not yet" if update is None else f"update {update:,}")
            for name, update in milestones.items()
            if history.update
        ),
        Fact("Accuracy, all pairs", percent(last.accuracy)),
        *(Fact(f"Held-out pairs, {part}", percent(one)) for part, one in held_out.items() if one is not None),
        Fact("Loss, all pairs", number(last.loss), f"a guess has {number(task.circuit.guess)}"),
    ]
    learning.append(
        Fact("Least margin", number(last.general.least_margin), "of the right logit, over all pairs")
    )
    facts = {"Learning": learning}
    if isinstance(measures, GroupMeasures):
        facts["Circuit"] = [Fact(name, value) for name, value in group_facts(measures).items()]
    else:
        facts |= {"Circuit": _circuit_facts(measures), "Spectra": _spectrum_facts(measures)}
    if rank is not None:
        facts["Circuit"].append(
            Fact(
                "Rank, W_logit",
                f"{rank:.1f}",
                "effective: about as many as the key irreps have entries"
                if isinstance(measures, GroupMeasures)
                else "effective: about two for each frequency",
            )
        )
    if last.clock_or_pizza:
        facts["Clock or pizza"] = [Fact(*fact) for fact in adding_facts(last.clock_or_pizza).items()]
    return facts


def _circuit_facts(measures: Measures) -> list[Fact]:
    if not measures.key_frequencies:
        return [Fact("Neurons tuned", percent(measures.tuned_fraction), "to one frequency")]
    return [
        Fact(
            "Restricted loss",
            number(measures.restricted_loss),
            "with the key frequencies alone in the logits",
        ),
        Fact("Excluded loss", number(measures.excluded_loss), "with them taken out of the logits"),
        Fact("Trigonometric loss", number(measures.trigonometric_loss), "of the fitted cosines alone"),
        Fact("Logits’ variance", percent(measures.logit_variance), "that their cosines explain"),
        Fact("Neurons tuned", percent(measures.tuned_fraction), "to one frequency"),
    ]


def _spectrum_facts(measures: Measures) -> list[Fact]:
    return [
        Fact("Gini coefficient, W_E", _distinct(measures.gini_embedding), "0 even, 1 a single frequency"),
        Fact("Gini coefficient, W_logit", f"{measures.gini_logit:.2f}", "likewise, of the read-out"),
        Fact("FFD, W_E", _distinct(measures.ffd_embedding), "Fourier Frequency Density: frequencies in use"),
        Fact("FCR, W_E", _distinct(measures.fcr_embedding), "Fourier Coefficient Ratio: cosine against sine"),
    ]


def _distinct(values: tuple[float, ...]) -> str:
    """One value per operand, equal ones once: 0.81 / 0.79."""
    return " / ".join(f"{value:.2f}" for value in dict.fromkeys(values))
