"""What the cells of a sweep are: runs of `modgrok fit`, or of `modgrok capacity fit`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from modgrok.experiments.config.config_forms import flatten

if TYPE_CHECKING:
    from lightning.pytorch import Callback

PROCESSES = 8
"""How many processes share the cells of a sweep, and compile each for itself, when it is judged whether compiling pays.
It is the same number on every machine, so that the engine of a cell is too."""

UNDRAWN = {"measures.every": None, "weights.every": None, "curves.draw": False}
"""Fields that leave out a cell's figures, which can take longer than its updates, unless the config has them."""


class Kind(ABC):
    """A kind of runs.

    Attributes:
        seed_fields: the fields that `seed` stands for.
        columns: the findings of a run that are in the sweep's table, with the type of a pandas column.
    """

    seed_fields: ClassVar[tuple[str, ...]]
    columns: ClassVar[Mapping[str, str]]

    @abstractmethod
    def load(self) -> None:
        """Import what training a run needs."""

    @abstractmethod
    def check(self, config: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
        """Raise an InputError if the run could not start; nothing is written."""

    @abstractmethod
    def fit(
        self,
        config: Mapping[str, Any],
        overrides: Mapping[str, Any],
        *,
        directory: Path,
        callbacks: Sequence[Callback] = (),
        alike: int = 1,
    ) -> None:
        """Train a run, or resume it; `alike` cells of the sweep share what compiling costs."""

    @abstractmethod
    def short(self, updates: int) -> dict[str, Any]:
        """Return overrides that end a run after `updates` updates, uncompiled."""

    @abstractmethod
    def findings(self, run: Path) -> dict[str, Any]:
        """Return the columns of a finished run.

        Raises:
            InputError: if its findings cannot be read.
        """


class GrokkingRuns(Kind):
    """Runs of `modgrok fit`."""

    seed_fields = ("seed_everything", "data.split_seed")
    columns: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("memorised_at", "grokked_at", "grokked_new_at", "censored_at", "delay", "updates"), "Int64"
        ),
        **dict.fromkeys(("train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy"), "float64"),
        **dict.fromkeys(("heldout_accuracy_new", "heldout_accuracy_known"), "float64"),
        "parameters": "Int64",
        **dict.fromkeys(("bits", "bits_per_parameter", "seconds"), "float64"),
    }

    def load(self) -> None:
        """See `Kind`."""
        from modgrok.experiments.assembly import run  # noqa: F401

    def check(self, config: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
        """See `Kind`."""
        from modgrok.experiments.assembly.run import check

        check(config, overrides)

    def fit(
        self,
        config: Mapping[str, Any],
        overrides: Mapping[str, Any],
        *,
        directory: Path,
        callbacks: Sequence[Callback] = (),
        alike: int = 1,
    ) -> None:
        """Train with the threads of this process, and draw no figures."""
        import torch

        from modgrok.experiments.assembly.run import fit

        given = flatten(config)
        undrawn = {name: value for name, value in UNDRAWN.items() if name not in given}
        defaults = {"model.threads": torch.get_num_threads(), **undrawn}
        shared = max(1, alike // PROCESSES)
        fit(
            config,
            {**defaults, **overrides},
            directory=directory,
            callbacks=callbacks,
            runs_of_one_compilation=shared,
        )

    def short(self, updates: int) -> dict[str, Any]:
        """See `Kind`."""
        return {"trainer.max_steps": updates, "model.evaluate_every": updates, "model.engine": "eager"}

    def findings(self, run: Path) -> dict[str, Any]:
        """See `Kind`."""
        from modgrok.runs.findings import read_findings

        found = read_findings(run)
        return {name: getattr(found, name) for name in self.columns}


class CapacityRuns(Kind):
    """Runs of `modgrok capacity fit`."""

    seed_fields = ("seed_everything", "data.seed")
    columns: ClassVar[Mapping[str, str]] = {
        "parameters": "Int64",
        "updates": "Int64",
        **dict.fromkeys(("exposures", "bits", "reachable_bits", "bits_per_parameter"), "float64"),
        "earlier_bits": "float64",
        "converged": "boolean",
        "phi": "float64",
        **dict.fromkeys(("memorised_at", "composed_at", "censored_at"), "Int64"),
        **dict.fromkeys(
            (
                *("one_hop_loss", "one_hop_accuracy", "two_hop_loss", "two_hop_accuracy"),
                *("comparison_loss", "comparison_accuracy"),
                *("combinations_loss", "combinations_accuracy", "seconds"),
            ),
            "float64",
        ),
    }

    def load(self) -> None:
        """See `Kind`."""
        from modgrok.experiments.assembly import capacity_experiment  # noqa: F401

    def check(self, config: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
        """See `Kind`."""
        from modgrok.experiments.assembly.capacity_experiment import check_capacity

        check_capacity(config, overrides)

    def fit(
        self,
        config: Mapping[str, Any],
        overrides: Mapping[str, Any],
        *,
        directory: Path,
        callbacks: Sequence[Callback] = (),
        alike: int = 1,
    ) -> None:
        """See `Kind`."""
        from modgrok.experiments.assembly.capacity_experiment import fit_capacity

        fit_capacity(config, overrides, directory=directory, callbacks=callbacks)

    def short(self, updates: int) -> dict[str, Any]:
        """See `Kind`."""
        return {
            "trainer.max_steps": updates,
            "trainer.val_check_interval": updates,
            "model.compile": False,
        }

    def findings(self, run: Path) -> dict[str, Any]:
        """See `Kind`."""
        from modgrok.capacity.measuring.memorized import read_measurement

        found = read_measurement(run)
        # combinations of known facts: what is left out of training by phi, or as a share
        held_out = "in_in" if "in_in" in found.losses else "complete_two_hop"
        trained = ("one_hop", "two_hop", "comparison")
        sets = {
            f"{column}_{score}": values.get(name)
            for column, name in (*zip(trained, trained, strict=True), ("combinations", held_out))
            for score, values in (("loss", found.losses), ("accuracy", found.accuracies))
        }
        named = ("parameters", "updates", "exposures", "bits_per_parameter", "converged", "phi", "seconds")
        composed = found.composed_at.get(held_out)
        return {
            **{name: getattr(found, name) for name in named},
            "bits": found.bits["total"],
            "reachable_bits": found.reachable["total"],
            "earlier_bits": sum(one.bits for one in found.left) if found.left else None,
            "memorised_at": found.memorised_at,
            "composed_at": composed,
            "censored_at": found.updates if held_out in found.losses and composed is None else None,
            **sets,
        }


KINDS: dict[str, Kind] = {"fit": GrokkingRuns(), "capacity fit": CapacityRuns()}
"""The kinds by the command that trains one run."""
