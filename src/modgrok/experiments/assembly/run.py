"""One run from a config, and what a user does with it afterwards."""

from __future__ import annotations

import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch import Callback

from modgrok.analysis import Circuit, RunAnalysis, analyze, analyze_checkpoints
from modgrok.analysis.task_view import BasisName
from modgrok.callbacks.progress_bar import in_notebook
from modgrok.errors import InputError
from modgrok.experiments.assembly.experiment import Experiment
from modgrok.experiments.config.config_forms import run_options
from modgrok.figures import circuit_figure, curves_figure, render
from modgrok.report.network_page import network_page
from modgrok.runs import RunDirectory
from modgrok.runs.directory import source_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Run(RunDirectory):
    """A run: its findings, its history, its networks and how they look.

    In a notebook it displays its findings, and its last network as a page does.

    Example:
        >>> import modgrok
        >>> run = modgrok.fit({"data": {"task": "x + y", "modulus": 7}}, {"trainer.max_steps": 10})
        >>> run.findings.updates, run.history["update"], run.snapshot(10).update
        (10, [0, 10], 10)
    """

    @property
    def history(self) -> dict[str, list[Any]]:
        """The scores as columns by the names they are logged by, for a data frame."""
        return self.snapshot().history.columns()

    def analyze(self, basis: BasisName = "auto") -> RunAnalysis:
        """Read the circuit off the last checkpoint, and measure every checkpoint by its key frequencies.

        Raises:
            InputError: if the run has no checkpoint, or the basis does not fit the modulus.
        """
        return analyze_checkpoints([*self.checkpoints.values()], source_name(self.path), basis)

    def curves(self) -> Figure:
        """Draw losses and accuracies over the updates."""
        snapshot = self.snapshot()
        return render(curves_figure(snapshot.history, snapshot.data.title))

    def circuit(self, update: int | None = None) -> Circuit:
        """Read the circuit of the first task at the last checkpoint, or at the one after `update` updates.

        `run.circuit().without(heads=[0])` is the network without a part, to be scored.

        Raises:
            InputError: if there is no such checkpoint, or the network has no readout paths.
        """
        return analyze(self.snapshot(update))[0]

    def draw_circuit(self, update: int | None = None) -> Figure:
        """Draw the circuit of the first task at the last checkpoint, or at the one after `update` updates."""
        snapshot = self.snapshot(update)
        circuit = analyze(snapshot)[0]
        return render(
            circuit_figure(circuit, f"{circuit.name} mod {circuit.clock.modulus}, update {snapshot.update:,}")
        )

    def _repr_html_(self) -> str:
        """Return the findings, and the last network itself to be touched; its curves where a page cannot run it."""
        title, findings = html.escape(str(self.path)), self.findings._repr_html_()
        snapshot = self.snapshot()
        try:
            page = network_page(snapshot, source_name(self.path))
        except InputError:
            page = None
        if page is not None:
            inside = page.replace("&", "&amp;").replace('"', "&quot;")
            shown = (
                f'<iframe srcdoc="{inside}" title="the network of {title}" sandbox="allow-scripts" '
                'style="width:100%;height:860px;border:0"></iframe>'
            )
        else:
            image = io.StringIO()
            self.curves().savefig(image, format="svg")
            shown = image.getvalue().partition("<svg")[2].join(("<svg", ""))
        return f"<p>{title}</p>{findings}{shown}"


def load_run(path: str | Path) -> Run:
    """Open a run's directory.

    Raises:
        InputError: if it is none or has no checkpoint.

    Example:
        >>> import modgrok
        >>> run = modgrok.fit({"data": {"task": "x + y", "modulus": 7}}, {"trainer.max_steps": 10})
        >>> modgrok.load_run(run.path).findings.updates
        10
    """
    run = Run(Path(path))
    if not run.path.is_dir():
        raise InputError(f"{path}: no such directory")
    if not run.checkpoints:
        raise InputError(f"{path}: no checkpoint in it")
    return run


def fit(
    config: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    *,
    directory: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
    runs_of_one_compilation: int = 1,
    progress: bool | None = None,
) -> Run:
    """Train one run.

    It prints nothing but its progress and never exits; it may run in a thread, a process or a notebook. A signal
    (Ctrl-C) ends it with a checkpoint on disk.

    Args:
        config: a config file, or what one would hold: `{"data": {"task": "x + y", "modulus": 23}}`.
        overrides: values of single fields, by dotted names: `{"data.modulus": 113}`.
        directory: the run's own directory, a new `lightning_logs/version_N` unless given. A run that was interrupted
            there is resumed, one that is finished is returned as it is.
        callbacks: callbacks besides those of the config; the run does not record them.
        runs_of_one_compilation: the number of runs of this shape that share the cost of compiling.
        progress: whether a line shows how far the run is; in a notebook unless given.

    Raises:
        InputError: if something of the config is wrong; nothing is written then.
        RunStoppedError: if the run could not continue.
        KeyboardInterrupt: after a signal.

    Example:
        >>> import modgrok
        >>> run = modgrok.fit({"data": {"task": "x + y", "modulus": 7}}, {"trainer.max_steps": 10})
        >>> run.findings.updates
        10
    """
    directory = None if directory is None else Path(directory)
    if directory is not None and (run := Run(directory)).checkpoints:
        try:
            if run.findings.finished:
                return run
        except InputError:
            pass  # it was killed before it wrote findings
    shown = in_notebook() if progress is None else progress
    experiment = Experiment("fit", run_options(config, overrides), directory, shown=shown)
    experiment.model.runs_of_one_compilation = runs_of_one_compilation
    return Run(experiment.fit_with(callbacks))


def check(config: str | Path | Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> None:
    """Check everything that `fit` checks before it trains; nothing is written.

    Raises:
        InputError: naming the field.

    Example:
        >>> from modgrok.experiments import check
        >>> check({"data": {"task": "x + y", "modulus": 7}}, {"trainer.max_steps": 10})  # nothing is wrong with it
    """
    Experiment("fit", run_options(config, overrides), shown=False).check()
