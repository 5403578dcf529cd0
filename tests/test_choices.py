"""Words that Python gives are checked as those of the command line are."""

import importlib
import inspect
import pkgutil
from typing import Literal, get_args, get_origin

import numpy as np
import pytest

from modgrok.analysis.task_view import task_views
from modgrok.data import ModularDataModule
from modgrok.data.split import draw_classes, draw_pairs, permutations
from modgrok.data.task_tables import TaskTables
from modgrok.errors import InputError
from modgrok.models import MLP, Transformer
from modgrok.models.initialization import initialize
from modgrok.models.losses import CrossEntropy
from modgrok.training import GrokkingModule

SIZES = {"vocabulary_size": 8, "n_answers": 7, "context_length": 3}
DATA = {"task": "x + y", "modulus": 7}
CHECKED = {
    (MLP.__init__, "activation"): lambda wrong: MLP(**SIZES, activation=wrong),
    (MLP.__init__, "input"): lambda wrong: MLP(**SIZES, input=wrong),
    (MLP.__init__, "initialization"): lambda wrong: MLP(**SIZES, initialization=wrong),
    (Transformer.__init__, "activation"): lambda wrong: Transformer(**SIZES, activation=wrong),
    (Transformer.__init__, "initialization"): lambda wrong: Transformer(**SIZES, initialization=wrong),
    (Transformer.__init__, "biases"): lambda wrong: Transformer(**SIZES, biases=wrong),
    (Transformer.__init__, "normalization"): lambda wrong: Transformer(**SIZES, normalization=[wrong]),
    (initialize, "name"): lambda wrong: initialize(MLP(**SIZES), wrong, 8, 8),
    (CrossEntropy.__init__, "precision"): CrossEntropy,
    (TaskTables.__init__, "split_method"): lambda wrong: ModularDataModule(**DATA, split_method=wrong),
    (TaskTables.__init__, "split"): lambda wrong: ModularDataModule(**DATA, split=wrong),
    (permutations, "method"): lambda wrong: permutations([9], 0, wrong),
    (draw_pairs, "method"): lambda wrong: draw_pairs([9], 0.5, 0, wrong),
    (draw_classes, "method"): lambda wrong: draw_classes([np.arange(9)], 0.5, 0, wrong),
    (GrokkingModule.__init__, "engine"): lambda wrong: GrokkingModule(Transformer(**SIZES), engine=wrong),
    (task_views, "basis"): lambda wrong: task_views(ModularDataModule(**DATA), wrong),
}
"""How each argument that is a `Literal` is given a wrong word."""

ROOMS = ("data", "models", "training", "callbacks", "runs")
"""Where constructors and functions are what users call from Python."""


@pytest.mark.parametrize("argument", CHECKED, ids=lambda one: f"{one[0].__qualname__}.{one[1]}")
def test_a_wrong_word_from_python_is_refused_by_its_field(argument):
    _, name = argument
    field = {"method": "split_method", "name": "initialization"}.get(name, name)
    with pytest.raises(InputError, match=f"^{field}.*'no such word'"):
        CHECKED[argument]("no such word")


def test_every_argument_that_is_a_choice_is_tried_here():
    found = set()
    for room in ROOMS:
        package = importlib.import_module(f"modgrok.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for thing in vars(importlib.import_module(module.name)).values():
                if getattr(thing, "__module__", "").startswith(f"modgrok.{room}"):
                    found |= choices(thing.__init__ if inspect.isclass(thing) else thing)
    internal = {argument for argument in found if argument[0].__qualname__ in INTERNAL}
    assert found - internal == {one for one in CHECKED if one[0] is not task_views}


INTERNAL = ("Block.__init__", "check_engine", "choose_engine", "make_engine")
"""What is called with a word that was checked before."""


def choices(function):
    if not inspect.isfunction(function):
        return set()
    hints = {name: hint for name, hint in function.__annotations__.items() if name != "return"}
    return {(function, name) for name, hint in hints.items() if holds_literal(evaluated(hint, function))}


def evaluated(hint, function):
    try:
        return eval(hint, function.__globals__) if isinstance(hint, str) else hint
    except NameError:  # of a module that is imported for its types alone
        return None


def holds_literal(kind):
    return get_origin(kind) is Literal or any(holds_literal(part) for part in get_args(kind))
