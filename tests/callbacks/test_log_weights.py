"""The weights as pictures."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.nn import Parameter

from modgrok import GrokkingModule, ModularDataModule, Transformer
from modgrok.callbacks import Weights, budgeted
from modgrok.callbacks.log_weights import as_matrix, draw_components, draw_matrices


def transformer(modulus=11, task="x + y", **arguments):
    data = ModularDataModule(task, modulus)
    torch.manual_seed(0)
    return Transformer(**data.network_shape, **{"d_model": 16, "d_mlp": 24, **arguments}), data


def images(figure):
    return {axes.get_title().split("\n")[0]: axes.images[0] for axes in figure.axes if axes.images}


def test_heads_are_laid_out_as_one_square():
    weight = torch.arange(2 * 3 * 6).view(2, 3, 6)
    assert torch.equal(as_matrix(weight), weight.view(6, 6))  # W_O: one head under another
    assert torch.equal(as_matrix(weight.mT), weight.view(6, 6).T)  # W_Q: one head beside another
    assert torch.equal(as_matrix(weight[0]), weight[0])


def test_every_matrix_of_any_network_is_drawn_on_its_own_scale():
    network, _ = transformer(n_layers=2, normalization=True, biases=True)
    network.further = Parameter(torch.tensor([[0.5, -2.0]]))
    drawn = images(draw_matrices(network, "title"))
    assert set(drawn) == {name for name, weight in network.named_parameters() if weight.dim() > 1}
    assert drawn["further"].get_array().tolist() == [[0.5, -2.0]]
    assert drawn["further"].get_clim() == (-2.0, 2.0)
    assert drawn["blocks.1.attn.b_Q"].get_clim() == (-1.0, 1.0), "zeros are white"


@pytest.mark.parametrize("modulus", [2, 3, 11])
def test_components_show_operands_by_value_and_other_tokens_apart(modulus):
    network, data = transformer(modulus, ["x + y", "x * y"])
    figure = draw_components(network.embed.W_E, data.template.vocabulary, "title")
    operands, *others = figure.axes[0].collections
    symbols = network.embed.W_E.detach()[:modulus].double()
    expected = (symbols - symbols.mean(0)).square().sum(1)
    components = [axes.collections[0].get_offsets() for axes in figure.axes[:2]]
    if modulus <= 5:  # at most four components hold everything
        found = np.square(np.hstack(components)).sum(1)
        assert found.tolist() == pytest.approx(expected.tolist())
    assert operands.get_array().tolist() == list(range(modulus))
    assert len(others) == 3
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["op:x + y", "op:x * y", "="]


def test_pictures_of_a_run_are_in_tensorboard_and_small(tmp_path, monkeypatch):
    monkeypatch.setattr(budgeted, "SHARE", float("inf"))
    network, data = transformer(113, d_model=128, d_mlp=512)
    trainer = Trainer(
        accelerator="cpu",
        max_steps=3,
        callbacks=[Weights(every=2)],
        default_root_dir=tmp_path,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(GrokkingModule(network, engine="eager"), data)
    events = EventAccumulator(trainer.log_dir).Reload()
    sizes = []
    for tag in ("weights", "principal_components/embed.W_E"):
        pictures = events.Images(tag)
        assert [picture.step for picture in pictures] == [2, 3]
        image = Image.open(io.BytesIO(pictures[-1].encoded_image_string))
        assert image.size == (pictures[-1].width, pictures[-1].height)
        sizes.append(len(pictures[-1].encoded_image_string))
    assert sum(sizes) < 50_000, "20,000 updates would take more than half a megabyte"


def test_other_loggers_get_the_figures_as_images():
    network, data = transformer()
    given = []
    logger = SimpleNamespace(log_image=lambda name, images, step: given.append((name, images[0].size, step)))
    trainer = SimpleNamespace(loggers=[SimpleNamespace(), logger], global_step=7)
    Weights().look(trainer, SimpleNamespace(network=network, data=data))
    assert [(name, step) for name, _, step in given] == [
        ("weights", 7),
        ("principal_components/embed.W_E", 7),
    ]
