"""Figures, for every logger that takes images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from matplotlib.backends.backend_agg import FigureCanvasAgg

from modgrok.figures import Figure, render

CARD = 4.8
"""Inches, less than a picture has elsewhere, so that letters can be read in the cards of TensorBoard."""

PIXELS = 600
"""Across a picture: enough for a card on a fine screen, and few bytes in the event file."""


def log_figure(trainer: Trainer, name: str, figure: Figure) -> None:
    """Log a figure as an image to TensorBoard and to every other logger that has `log_image`.

    Wide panels stand side by side: a card is wider than high, and a picture that is not is shown smaller.
    """
    panels = [replace(panel, shape="half") if panel.shape == "wide" else panel for panel in figure.panels]
    picture = render(replace(figure, panels=panels), CARD)
    picture.set_dpi(PIXELS / CARD)
    canvas = FigureCanvasAgg(picture)
    canvas.draw()
    image = np.asarray(canvas.buffer_rgba())[..., :3]  # (height, width, 3)
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.experiment.add_image(name, image, trainer.global_step, dataformats="HWC")
        elif hasattr(logger, "log_image"):
            logger.log_image(name, [image], step=trainer.global_step)
