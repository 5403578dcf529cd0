"""The training curves: how grokking looks."""

from __future__ import annotations

from pathlib import Path

from lightning.pytorch import Callback, Trainer
from matplotlib.figure import Figure

from modgrok.callbacks.log_figure import log_figure
from modgrok.runs import History
from modgrok.training import GrokkingModule

TRAIN, HELDOUT = "#2a6fdb", "#d9480f"


def draw_curves(history: History, memorised_at: int | None, grokked_at: int | None, title: str) -> Figure:
    """Draw losses (log axis) and accuracies over the updates, with the phases marked."""
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    losses, accuracies = figure.subplots(2, sharex=True)
    for axes, train, heldout in (
        (losses, history.train_loss, history.heldout_loss),
        (accuracies, history.train_accuracy, history.heldout_accuracy),
    ):
        axes.plot(history.update, train, color=TRAIN, label="training pairs")
        axes.plot(history.update, heldout, color=HELDOUT, label="held-out pairs")
        for name, update in (("memorised", memorised_at), ("grokked", grokked_at)):
            if update is not None:
                axes.axvline(update, color="grey", linewidth=1, linestyle=":")
                if axes is accuracies:
                    early = update < history.update[-1] / 2
                    axes.annotate(
                        f"{name} at {update:,}",
                        (update, 0.5),
                        (4 if early else -4, 0),
                        textcoords="offset points",
                        horizontalalignment="left" if early else "right",
                        color="grey",
                    )
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    losses.set(yscale="log", ylabel="loss")
    losses.legend(frameon=False)
    losses.set_title(title)
    accuracies.set(ylim=(-0.03, 1.03), ylabel="accuracy", xlabel="update")
    return figure


class LogCurves(Callback):
    """Draws the training curves, for the loggers and as `curves.png`."""

    def on_train_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Draw the run."""
        history, data = pl_module.history, pl_module.data
        title = f"{' | '.join(task.name for task in data.tasks)} mod {data.config['modulus']}"
        figure = draw_curves(history, history.memorised_at, history.grokked_at, title)
        figure.savefig(Path(trainer.log_dir or trainer.default_root_dir) / "curves.png", dpi=150)
        log_figure(trainer, "curves", figure)
