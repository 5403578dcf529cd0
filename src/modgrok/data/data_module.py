"""All pairs of the tasks, split and written as tokens, on the training device."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor

from modgrok.data.examples import Chunks, Examples, TrainingBatches
from modgrok.data.split import SplitMethod, fingerprint, split
from modgrok.data.template import Template, default_template
from modgrok.errors import InputError
from modgrok.memory import check_memory
from modgrok.tasks import Task, make_task

CHUNK = 8192
"""Pairs evaluated at a time: enough to keep the device busy, few enough to keep memory flat."""


class ModularDataModule(LightningDataModule):
    """The pairs of one or several tasks.

    Args:
        task: a formula over x, y (and z), a name of the catalog, or a list of these for a mixture.
        modulus: p.
        train_fraction: of each task's pairs that is trained on; the rest is held out.
        split_seed: of the split.
        split_method: `torch` as in Nanda et al. 2023, `python` as in the older notebooks; see `split`.
        template: the words of one example; `[x, y, "="]` unless given. See `Template`.
        batch_size: training pairs per update; all of them unless given.
        batch_seed: of the order of minibatches.
        nonzero_operands: leave out pairs in which an operand is 0.
        unordered_pairs: keep only pairs with x ≤ y.
        label_seed: of the labels of the task `random`.

    Raises:
        InputError: if an argument is wrong; nothing is computed before all are checked.
    """

    def __init__(
        self,
        task: str | list[str],
        modulus: int,
        train_fraction: float = 0.3,
        split_seed: int = 0,
        split_method: SplitMethod = "torch",
        template: list[str] | None = None,
        batch_size: int | None = None,
        batch_seed: int = 0,
        nonzero_operands: bool = False,
        unordered_pairs: bool = False,
        label_seed: int = 0,
    ) -> None:
        super().__init__()
        names = [task] if isinstance(task, str) else list(task)
        if not names:
            raise InputError("task: the list is empty; give a formula such as x + y")
        if len(set(names)) < len(names):
            raise InputError(f"task: the list names {max(names, key=names.count)!r} twice")
        self.tasks: list[Task] = [
            make_task(
                name,
                modulus,
                nonzero_operands=nonzero_operands,
                unordered_pairs=unordered_pairs,
                label_seed=label_seed,
            )
            for name in names
        ]
        if len({task.n_operands for task in self.tasks}) > 1:
            raise InputError("task: formulas trained together need the same number of operands")
        if batch_size is not None and batch_size < 1:
            raise InputError(f"batch_size: {batch_size} is not a positive number of pairs")
        for name, seed in (("split_seed", split_seed), ("batch_seed", batch_seed)):
            if not 0 <= seed < 2**32:
                raise InputError(f"{name}: it must be an integer from 0 to 2**32 - 1")
        self.template = Template(
            template or default_template(self.tasks[0].n_operands, len(names)), self.tasks
        )
        self.vocabulary_size = len(self.template.vocabulary)
        self.n_answers = max(task.n_answers for task in self.tasks)
        self.context_length = len(self.template.words)
        n_tuples = sum(task.n_symbols**task.n_operands for task in self.tasks)
        check_memory(modulus, n_tuples, self.context_length)
        self.batch_size, self.batch_seed = batch_size, batch_seed
        self._make_pairs(train_fraction, split_seed, split_method)
        self.config: dict[str, Any] = {
            "task": task,
            "modulus": modulus,
            "train_fraction": train_fraction,
            "split_seed": split_seed,
            "split_method": split_method,
            "template": template,
            "batch_size": batch_size,
            "batch_seed": batch_seed,
            "nonzero_operands": nonzero_operands,
            "unordered_pairs": unordered_pairs,
            "label_seed": label_seed,
        }
        """The arguments that make these pairs again, as plain data."""

    @property
    def title(self) -> str:
        """The tasks and the modulus in words: `x + y | x * y mod 97`."""
        return f"{' | '.join(task.name for task in self.tasks)} mod {self.config['modulus']}"

    @property
    def network_shape(self) -> dict[str, int]:
        """The arguments of a network that follow from the data."""
        return {name: getattr(self, name) for name in ("vocabulary_size", "n_answers", "context_length")}

    def _make_pairs(self, train_fraction: float, seed: int, method: SplitMethod) -> None:
        tables = [task.table() for task in self.tasks]
        operands = [torch.from_numpy(table.pairs) for table in tables]
        training = split([len(pairs) for pairs in operands], train_fraction, seed, method)
        self.split_fingerprint = fingerprint(training)
        self.operands = torch.cat(operands)
        """(n, r) the operands of all pairs of all tasks, row-major task by task."""
        self.pairs = Examples(
            torch.cat(
                [self.template.write(pairs, task) for pairs, task in zip(operands, self.tasks, strict=True)]
            ),
            torch.cat([torch.from_numpy(table.answers) for table in tables]),
            torch.cat([torch.full((len(pairs),), i) for i, pairs in enumerate(operands)]),
        )
        """All pairs, in the same order."""
        starts = [0, *torch.tensor([len(pairs) for pairs in operands]).cumsum(0).tolist()]
        self.training_index: Tensor = torch.cat(
            [start + drawn.sort().values for start, drawn in zip(starts, training, strict=False)]
        )
        """(n,) which of all pairs are trained on, in their order."""
        self.trained_on = torch.zeros(self.pairs.size, dtype=torch.bool)
        self.trained_on[self.training_index] = True
        """(n,) whether each of all pairs is trained on."""

    @property
    def training_pairs(self) -> Examples:
        """The pairs trained on, row-major."""
        return self.pairs.select(self.training_index)

    @property
    def heldout_pairs(self) -> Examples:
        """The pairs held out, row-major."""
        return self.pairs.select(~self.trained_on)

    def _on_device(self, examples: Examples) -> Examples:
        return examples.to(self.trainer.strategy.root_device) if self.trainer else examples

    def train_dataloader(self) -> TrainingBatches:
        """Return the batches of the training steps."""
        per_step = getattr(self.trainer and self.trainer.lightning_module, "used_updates_per_step", 1)
        return TrainingBatches(
            self._on_device(self.training_pairs),
            self.batch_size,
            self.batch_seed,
            per_step,
            lambda: self.trainer.global_step if self.trainer else 0,
        )

    def val_dataloader(self) -> list[Chunks]:
        """Return the held-out pairs, and the training pairs."""
        return [Chunks(self._on_device(pairs), CHUNK) for pairs in (self.heldout_pairs, self.training_pairs)]

    def test_dataloader(self) -> Chunks:
        """Return the held-out pairs."""
        return Chunks(self._on_device(self.heldout_pairs), CHUNK)

    def predict_dataloader(self) -> Chunks:
        """Return all pairs."""
        return Chunks(self._on_device(self.pairs), CHUNK)

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Let Lightning file what the coming training step logs under the number of the step's last update.

        This hook is the only one that comes before the callbacks of the step.
        """
        if self.trainer and self.trainer.training:
            last, most = self.trainer.global_step + len(batch), self.trainer.max_steps
            last = min(last, most) if most > 0 else last
            self.trainer.fit_loop.epoch_loop._batches_that_stepped = last - 1
        return batch

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Return the batch, which is on the device already."""
        return batch
