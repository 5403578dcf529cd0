"""The line that is watched while a run trains."""

import time
from types import SimpleNamespace

import pytest

from modgrok.callbacks import ProgressBar, StopAfterGrokking
from modgrok.callbacks.progress_bar import sparkline
from modgrok.runs import History, Score


def moment(updates, max_steps, accuracies, *callbacks):
    """A trainer and a module after so many updates, evaluated every 100."""
    history = History()
    for place, (train, heldout) in enumerate(accuracies):
        history.append(100 * place, Score(0.1, train, 0.5), Score(0.1, heldout, 0.5))
    return (
        SimpleNamespace(global_step=updates, max_steps=max_steps, callbacks=callbacks),
        SimpleNamespace(history=history),
    )


@pytest.fixture
def line(monkeypatch):
    """Write the line of a moment, ten seconds after the start at update 0."""

    def write(*arguments, width=120):
        bar = ProgressBar()
        bar._first, bar._start = 0, 0.0
        monkeypatch.setattr(time, "monotonic", lambda: 10.0)
        return bar.line(*moment(*arguments), width)

    return write


def test_before_grokking_the_end_is_at_most_the_last_update(line):
    text = line(200, 1000, [(0.1, 0.1), (1.0, 0.3), (1.0, 0.4)], StopAfterGrokking(100))
    assert text.startswith("200/1,000 ")
    assert text.endswith("train 100% held-out 40.0% · at most 0:40 left")


def test_after_grokking_it_says_when_the_run_stops(line):
    text = line(200, 10_000, [(0.1, 0.1), (1.0, 0.995), (1.0, 0.9996)], StopAfterGrokking(300))
    assert text.endswith("train 100% held-out 99.9% · grokked at 100, stops in 0:10")


def test_without_a_stop_the_end_is_the_last_update(line):
    assert line(500, 1000, [(0.1, 0.1)]).endswith("· 0:10 left")
    assert "left" not in line(500, -1, [(0.1, 0.1)])


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_it_fits_its_width(line, width):
    accuracies = [(0.5, number / 300) for number in range(300)]
    text = line(29_900, 30_000, accuracies, width=width)
    words = len("29,900/30,000 train 50.0% held-out 99.6% · grokked at 29,700, 0:00 left")
    assert len(text) <= max(width, words)
    if width == 200:
        assert len(text) == width, "the curve takes what the words leave"


@pytest.mark.parametrize(("n", "width"), [(1, 8), (5, 8), (8, 8), (1000, 8)])
def test_the_curve_ends_with_the_last_value(n, width):
    bars = sparkline([place / n for place in range(n - 1)] + [1.0], width)
    assert len(bars) == min(n, width)
    assert bars[-1] == "█"
    assert list(bars) == sorted(bars)
