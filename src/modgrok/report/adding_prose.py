"""How a network adds on its clock, in words: measures beside their published distribution, and no verdict."""

from __future__ import annotations

from modgrok.analysis.clock_or_pizza import PUBLISHED_SYMMETRICITY, ClockOrPizza
from modgrok.analysis.run_analysis import TaskAnalysis
from modgrok.figures.numbers import decimals, number

NAMES = {
    "gradient_symmetricity": "Gradient symmetricity",
    "distance_irrelevance": "Distance irrelevance",
    "circularity": "Circularity",
    "circles": "Isolated circles",
    "circle_clock": "Circles, by the clock",
    "circle_pizza": "Circles, by the pizza",
    "phase_sum": "Phase sum",
    "equal_phases": "Equal phases",
}


def adding(task: TaskAnalysis) -> str:
    """Say how the network adds; nothing where it is not looked at on a clock of its task."""
    found = task.last.clock_or_pizza
    if found is None or not task.circuit.view.clocked_pairs.separates:
        return ""
    sentences = []
    if found.gradient_symmetricity is not None and found.gradient_symmetricity_error is not None:
        published = ", ".join(f"{value} at {rate}" for rate, value in PUBLISHED_SYMMETRICITY.items())
        sentences.append(
            f"Gradient symmetricity is {decimals(found.gradient_symmetricity, 4)} (standard error "
            f"{number(found.gradient_symmetricity_error)}); over 817 published networks its median by attention rate "
            f"is {published} (Zhong et al. 2023)."
        )
    if found.phase_sum is not None and found.equal_phases is not None:
        sentences.append(
            f"The phase sum of the neurons is {decimals(found.phase_sum, 4)}, 1 where each reads out the sum of its "
            f"two input phases; their phases are equal to {decimals(found.equal_phases, 3)}, which is mostly a matter "
            "of the architecture."
        )
    if found.circle_clock is not None and found.circle_pizza is not None:
        *others, last = (str(circle.frequency) for circle in found.circles)
        several = f"frequencies {', '.join(others)} and {last}, on average" if others else f"frequency {last}"
        sentences.append(
            f"Where the network sees one circle of its embedding alone, its logits follow the formula of the clock to "
            f"{decimals(found.circle_clock, 4)} and that of the pizza to {decimals(found.circle_pizza, 4)} ({several}; "
            "2r\N{NO-BREAK SPACE}−\N{NO-BREAK SPACE}1 with the "
            "correlation r, as in table 1 of the same paper)."
        )
    reasons: dict[str, list[str]] = {}
    for name, reason in found.undefined.items():
        if name in NAMES:
            reasons.setdefault(reason, []).append(NAMES[name].lower())
    sentences += [
        f"Not defined here, because {reason}: {', '.join(names)}." for reason, names in reasons.items()
    ]
    return " ".join(sentences)


def adding_facts(found: ClockOrPizza) -> dict[str, str]:
    """The numbers, by name."""
    values = found.scalars()
    return {
        title: decimals(value, 3) for name, title in NAMES.items() if (value := values.get(name)) is not None
    }
