"""What a history remembers, and what it finds in it."""

from dataclasses import asdict

import pytest

from modgrok.runs import History, Score


def score(accuracy):
    return Score(1.0, accuracy, accuracy)


def history(accuracies, tasks=None, threshold=0.99):
    """A history of these held-out accuracies, for mixtures with those of each formula."""
    found = History(threshold)
    for i, accuracy in enumerate(accuracies):
        of_task = {task: (score(1.0), score(own[i])) for task, own in (tasks or {}).items()}
        found.append(100 * i, score(1.0), score(accuracy), of_task)
    return found


def test_a_mixture_has_grokked_when_each_of_its_formulas_has():
    together = [0.1, 0.991, 0.995, 1.0]  # all pairs together, most of them of the first formula
    tasks = {"x + y": [0.1, 1.0, 1.0, 1.0], "x * y": [0.1, 0.9, 0.98, 1.0]}
    mixture = history(together, tasks)
    assert [own.grokked_at for own in mixture.of_task.values()] == [100, 300]
    assert (mixture.memorised_at, mixture.grokked_at, mixture.delay) == (0, 300, 300)
    assert history(together, tasks, threshold=0.95).grokked_at == 200
    assert history(together, {**tasks, "x * y": [0.1, 0.9, 0.98, 0.98]}).grokked_at is None


def test_a_mixture_has_not_grokked_while_its_formulas_take_turns():
    mixture = history([0.5, 0.5, 1.0], {"x + y": [1.0, 0.0, 1.0], "x * y": [0.0, 1.0, 1.0]})
    assert mixture.grokked_at == 200


def test_grokked_at_stays_and_grokked_since_starts_anew_after_a_fall():
    found = history([0.1, 1.0, 0.5, 1.0, 1.0])
    assert (found.grokked_at, found.grokked_since) == (100, 300)
    assert history([0.1, 1.0, 0.5]).grokked_since is None


def test_known_pairs_alone_do_not_end_a_run():
    found = History()
    for update, accuracy_new in ((0, 0.0), (100, 0.5), (200, 1.0), (300, 1.0)):
        found.append(update, score(1.0), Score(1.0, 0.995, 1.0, accuracy_new, 1.0))
    assert (found.grokked_at, found.grokked_new_at, found.grokked_since) == (0, 200, 200)


def test_records_come_back_as_they_were():
    mixture = history([0.1, 1.0], {"x + y": [0.1, 1.0]})
    assert History.from_record(asdict(mixture)) == mixture


@pytest.mark.parametrize(
    "damage",
    [{"update": [0]}, {"heldout_loss": None}, {"of_task": 3}, {"surplus": 1}, {"of_task": {"x + y": {}}}],
    ids=str,
)
def test_records_that_are_no_history_are_refused(damage):
    with pytest.raises(ValueError, match="history"):
        History.from_record(asdict(history([0.1, 1.0])) | damage)


def test_columns_have_the_names_that_are_logged():
    columns = history([0.1, 1.0]).columns()
    assert columns["heldout/accuracy"] == [0.1, 1.0]
    assert columns["update"] == [0, 100]
    assert history([0.1, 1.0]).latest()["heldout/accuracy"] == 1.0


def test_new_pairs_are_grokked_when_those_of_every_formula_that_has_any_are():
    found = History()
    shares = {"x**2 + y**2": [0.2, 1.0, 1.0], "x + y": [0.1, 0.5, 1.0], "x": [None, None, None]}
    for i in range(3):
        of_task = {
            task: (score(1.0), Score(1.0, 1.0, 1.0, new[i], 1.0 if task == "x" else None))
            for task, new in shares.items()
        }
        found.append(100 * i, score(1.0), Score(1.0, 1.0, 1.0, 0.5, 1.0), of_task)
    assert [own.grokked_new_at for own in found.of_task.values()] == [100, 200, None]
    assert (found.grokked_at, found.grokked_new_at) == (0, 200)
    assert found.of_task["x"].latest()["heldout/accuracy_known"] == 1.0
    assert "heldout/accuracy_new" not in found.of_task["x"].latest()
