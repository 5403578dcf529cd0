"""What a history remembers, and what it finds in it."""

from dataclasses import asdict

from modgrok.runs import History, Score


def history(accuracies):
    found = History()
    for update, accuracy in enumerate(accuracies):
        found.append(100 * update, Score(0.0, 1.0, 1.0), Score(1.0, accuracy, accuracy))
    return found


def test_a_mixture_has_grokked_when_each_of_its_formulas_has():
    mixture = history([0.1, 0.991, 0.995, 1.0])  # all pairs together, most of them of the first formula
    mixture.of_task = {"x + y": history([0.1, 1.0, 1.0, 1.0]), "x * y": history([0.1, 0.9, 0.98, 1.0])}
    assert [own.grokked_at for own in mixture.of_task.values()] == [100, 300]
    assert mixture.grokked_at == 300
    mixture.threshold = 0.95
    assert mixture.grokked_at == 200
    mixture.threshold = 0.99
    mixture.of_task["x * y"] = history([0.1, 0.9, 0.98, 0.98])
    assert mixture.grokked_at is None


def test_a_mixture_has_not_grokked_while_its_formulas_take_turns():
    mixture = history([0.5, 0.5, 1.0])
    mixture.of_task = {"x + y": history([1.0, 0.0, 1.0]), "x * y": history([0.0, 1.0, 1.0])}
    assert mixture.grokked_at == 200


def test_records_come_back_as_they_were():
    mixture = history([0.1, 1.0])
    mixture.of_task = {"x + y": history([0.1, 1.0])}
    assert History.from_record(asdict(mixture)) == mixture
