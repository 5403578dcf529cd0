"""The weights as pictures."""

from types import SimpleNamespace

import torch
from lightning.pytorch import Trainer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from modgrok import GrokkingModule, ModularDataModule, Transformer
from modgrok.callbacks import LogWeights, budgeted


def transformer(modulus=11, **arguments):
    data = ModularDataModule("x + y", modulus)
    torch.manual_seed(0)
    return Transformer(**data.network_shape, **{"d_model": 16, "d_mlp": 24, **arguments}), data


def test_pictures_of_a_run_are_in_tensorboard_and_small(tmp_path, monkeypatch):
    monkeypatch.setattr(budgeted, "TIME_SHARE", float("inf"))
    network, data = transformer(113, d_model=128, d_mlp=512)
    trainer = Trainer(
        accelerator="cpu",
        max_steps=3,
        callbacks=[LogWeights(every=2)],
        default_root_dir=tmp_path,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(GrokkingModule(network, engine="eager", evaluate_every=1), data)
    events = EventAccumulator(trainer.log_dir).Reload()
    sizes = []
    for tag in ("weights", "principal_components/embed.W_E"):
        pictures = events.Images(tag)
        assert [picture.step for picture in pictures] == [2, 3]
        sizes.append(len(pictures[-1].encoded_image_string))
    assert sum(sizes) < 250_000, "20,000 updates would take more than two megabytes"


def test_other_loggers_get_the_figures_as_images():
    network, data = transformer()
    given = []
    logger = SimpleNamespace(log_image=lambda name, images, step: given.append((name, images[0].shape, step)))
    trainer = SimpleNamespace(loggers=[SimpleNamespace(), logger], global_step=7)
    LogWeights().observe(trainer, SimpleNamespace(network=network, data=data))
    assert [(name, step) for name, _, step in given] == [
        ("weights", 7),
        ("principal_components/embed.W_E", 7),
    ]
    assert all(shape[2] == 3 and min(shape[:2]) > 100 for _, shape, _ in given)
