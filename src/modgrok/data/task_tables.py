"""The tables of a run's tasks, how they are split and written: integers alone, without PyTorch."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modgrok.data.split import SplitBy, SplitMethod, draw_classes, draw_pairs, fingerprint
from modgrok.data.template import Template, default_template
from modgrok.errors import InputError, brief, check_choice, integer
from modgrok.memory import check_memory
from modgrok.tasks import Symmetries, Table, Task, make_task, symmetries_of
from modgrok.tasks.listed_answers import ListedAnswers
from modgrok.tasks.random_labels import RandomLabels
from modgrok.tasks.residues import Integers


class TaskTables:
    """The tables of one or several tasks, and the split of their pairs.

    Args:
        task: a formula over x, y (and z), a word in a group such as `x * y in S4`, a name of the catalog, a table in a
            .csv or .npy file (see `tasks.table_file`), or a list of these for a mixture.
        modulus: p; for words in a group its order, for a table the number of its symbols, which need not be given.
        train_fraction: the fraction of each task's pairs that is trained on; the rest is held out.
        split_seed: the seed of the split.
        split_method: `torch` as in Nanda et al. 2023, `python` as in the older notebooks; see `split.permutations`.
        template: the words of one example; `[x, y, "="]` unless given. See `Template`.
        batch_size: training pairs per update; all of them unless given.
        batch_seed: the seed of the order of mini-batches, with `batch_size`.
        nonzero_operands: leave out pairs in which an operand is 0.
        unordered_pairs: keep only pairs with x ≤ y.
        label_seed: the seed of the labels of the task `random`.
        split: the unit that is drawn for training. With single `pairs`, many held-out pairs may be known by symmetry;
            whole `classes` leave only new ones. See `tasks.symmetries`.
        answer_tables: the answers of tasks that are tables, by the names that `task` gives them: nested lists of
            integers, (n,) * r. A table that is not among them is read from its file; a checkpoint holds all.

    Raises:
        InputError: if an argument is wrong.

    Example:
        >>> from modgrok.data import TaskTables
        >>> tables = TaskTables("x**2 + y**2", modulus=97)
        >>> tables.training_counts, [len(table.answers) for table in tables.tables]
        ([2822], [9409])
    """

    def __init__(
        self,
        task: str | list[str],
        modulus: int | None = None,
        train_fraction: float = 0.3,
        split_seed: int = 0,
        split_method: SplitMethod = "torch",
        template: list[str] | None = None,
        batch_size: int | None = None,
        batch_seed: int = 0,
        nonzero_operands: bool = False,
        unordered_pairs: bool = False,
        label_seed: int = 0,
        split: SplitBy = "pairs",
        answer_tables: dict[str, Any] | None = None,
    ) -> None:
        chosen = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
        super().__init__()
        names = [task] if isinstance(task, str) else list(task)
        if not names:
            raise InputError("task: the list is empty; give a formula such as x + y")
        if len(set(names)) < len(names):
            raise InputError(f"task: the list names {max(names, key=names.count)!r} twice")
        if surplus := [name for name in answer_tables or () if name not in names]:
            raise InputError(f"answer_tables: {brief(surplus[0])} is none of the tasks")
        self.tasks: list[Task] = [
            make_task(
                name,
                modulus,
                nonzero_operands=nonzero_operands,
                unordered_pairs=unordered_pairs,
                label_seed=label_seed,
                answers=(answer_tables or {}).get(name),
            )
            for name in names
        ]
        if len(moduli := {task.modulus for task in self.tasks}) > 1:
            raise InputError(
                f"task: formulas trained together share their modulus, got {' and '.join(map(str, sorted(moduli)))}"
            )
        (modulus,) = moduli
        if len({task.n_operands for task in self.tasks}) > 1:
            raise InputError("task: formulas trained together need the same number of operands")
        if batch_size is not None and batch_size < 1:
            raise InputError(f"batch_size must be a positive number of pairs, got {batch_size}")
        for name, seed in (("split_seed", split_seed), ("batch_seed", batch_seed)):
            if not 0 <= seed < 2**32:
                raise InputError(f"{name} must be an integer from 0 to 2**32 - 1, got {integer(seed)}")
        if batch_seed and batch_size is None:
            raise InputError(
                f"batch_seed: {batch_seed} orders mini-batches; give batch_size, or leave it out"
            )
        if label_seed and not any(isinstance(task.operation, RandomLabels) for task in self.tasks):
            raise InputError(
                f"label_seed: {label_seed} draws the answers of the task random; train on it, or leave it out"
            )
        check_choice("split_method", split_method, SplitMethod)
        check_choice("split", split, SplitBy)
        self.template = Template(
            template or default_template(self.tasks[0].n_operands, len(names)), self.tasks
        )
        self.vocabulary_size = len(self.template.vocabulary)
        self.n_answers = max(task.n_answers for task in self.tasks)
        self.context_length = len(self.template.words)
        n_tuples = sum(task.n_symbols**task.n_operands for task in self.tasks)
        check_memory(modulus, n_tuples, self.context_length)
        self.batch_size, self.batch_seed = batch_size, batch_seed
        self.tables: list[Table] = [task.table() for task in self.tasks]
        """All tuples of each task with their answers."""
        self.config: dict[str, Any] = {
            **chosen,
            "modulus": modulus,
            "answer_tables": {
                task.name: task.operation.answers.tolist()
                for task in self.tasks
                if isinstance(task.operation, ListedAnswers)
            }
            or None,
        }
        """The arguments that make these pairs again, as plain data."""
        self.training = self.draw()
        """The numbers of each task's training pairs, among the pairs of the task."""

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What was chosen of the config, with a digest in the place of each table."""
        chosen = {name: value for name, value in self.config.items() if value is not None}
        for name, answers in chosen.pop("answer_tables", {}).items():
            chosen[f"answers of {name}"] = hashlib.sha256(json.dumps(answers).encode()).hexdigest()[:16]
        return chosen

    @property
    def title(self) -> str:
        """The tasks and the modulus in words: `x + y | x * y mod 97`, `x * y in S4`."""
        *others, last = self.tasks
        return " | ".join([*(task.name for task in others), last.title])

    @property
    def network_shape(self) -> dict[str, int]:
        """The arguments of a network that follow from the data."""
        return {name: getattr(self, name) for name in ("vocabulary_size", "n_answers", "context_length")}

    @cached_property
    def symmetries(self) -> list[Symmetries]:
        """The symmetries of each task."""
        return [symmetries_of(task) for task in self.tasks]

    @cached_property
    def classes(self) -> list[Integers]:
        """For each task (n,) the class of each pair, from 0: the pairs that symmetries carry into each other."""
        return [one.classes(table.pairs) for one, table in zip(self.symmetries, self.tables, strict=True)]

    @cached_property
    def known(self) -> list[NDArray[np.bool_]]:
        """For each task (n,) whether the class of each pair has a training pair: a held-out pair is new otherwise."""
        return [
            np.isin(of_pair, of_pair[trained])
            for of_pair, trained in zip(self.classes, self.training, strict=True)
        ]

    def draw(self) -> list[Integers]:
        """Draw the training pairs of each task: their numbers among the task's pairs."""
        fraction, seed, method = (self.config[f] for f in ("train_fraction", "split_seed", "split_method"))
        if self.config["split"] == "classes":
            return draw_classes(self.classes, fraction, seed, method)
        return draw_pairs([len(table.answers) for table in self.tables], fraction, seed, method)

    @property
    def training_counts(self) -> list[int]:
        """How many pairs of each task are trained on."""
        return [len(numbers) for numbers in self.training]

    @property
    def split_fingerprint(self) -> str:
        """A digest of the split; see `fingerprint`."""
        return fingerprint(self.training)
