"""Figures, for every logger that takes images."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from tensorboard.compat.proto.summary_pb2 import Summary

COLOURS = 64
"""Of an image: with a palette it takes a third of the space."""


def log_figure(trainer: Trainer, name: str, figure: Figure) -> None:
    """Hand a figure, as an image, to TensorBoard and to every other logger that has `log_image`."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(COLOURS)
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            file = BytesIO()
            image.save(file, "PNG")
            encoded = Summary.Image(
                height=image.height, width=image.width, colorspace=3, encoded_image_string=file.getvalue()
            )
            summary = Summary(value=[Summary.Value(tag=name, image=encoded)])
            logger.experiment.file_writer.add_summary(summary, trainer.global_step)
        elif hasattr(logger, "log_image"):
            logger.log_image(name, [image], step=trainer.global_step)
