"""Every public class and function has an example in its docstring, and the examples run."""

import doctest
import inspect
from importlib import import_module

import pytest

ROOMS = [
    *(
        "analysis",
        "callbacks",
        "capacity",
        "certificate",
        "data",
        "experiments",
        "figures",
        "interop",
        "models",
    ),
    *("report", "runs", "tasks", "training"),
]


def public(room):
    """The public classes and functions of a room, by name."""
    module = import_module(f"modgrok.{room}")
    found = {name: inspect.unwrap(getattr(module, name)) for name in module.__all__}
    return {
        f"{room}.{name}": thing
        for name, thing in found.items()
        if inspect.isclass(thing) or inspect.isfunction(thing)
    }


@pytest.mark.parametrize("name", [name for room in ROOMS for name in public(room)])
def test_example_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    thing = public(name.partition(".")[0])[name]
    (test,) = doctest.DocTestFinder(recurse=False).find(thing, name, module=False)
    assert test.examples, "it has no example"
    said = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
    assert not said, "".join(said)
