"""Circuits are read in parts, from networks that say where theirs is."""

import pytest
import torch
from torch import Tensor, nn

from modgrok.analysis import circuit as circuit_module
from modgrok.analysis import read_circuit, task_views
from modgrok.data import ModularDataModule
from modgrok.errors import InputError
from modgrok.models import MLP, Network, Transformer

DATA = ModularDataModule("x + y", modulus=11)


class WithoutPaths(Network):
    """A user's network that does not say where its circuit is."""

    def __init__(self, vocabulary_size: int, n_answers: int, context_length: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary_size, n_answers)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.embed(tokens).sum(dim=1)


@pytest.mark.parametrize("kind", [Transformer, MLP])
@pytest.mark.parametrize("split_known", [True, False])
def test_parts_and_what_is_kept_change_nothing(kind, split_known, monkeypatch):
    torch.manual_seed(0)
    network = kind(12, 11, 3, d_model=16, d_mlp=24).double()
    (view,) = task_views(DATA, split_known=split_known)
    whole = read_circuit(network, view)
    monkeypatch.setattr("modgrok.analysis.task_view.CHUNK", 7)
    monkeypatch.setattr(circuit_module, "MAX_KEPT_BYTES", 0)
    (view,) = task_views(DATA, split_known=split_known)
    parts = read_circuit(network, view)
    keys = (1, 4)
    assert parts.measures(keys).scalars() == pytest.approx(whole.measures(keys).scalars(), rel=1e-9)
    torch.testing.assert_close(parts.losses, whole.losses)
    torch.testing.assert_close(parts.neurons([0, 5], view.training), whole.neurons([0, 5], view.training))


def test_one_view_reads_many_networks():
    (view,) = task_views(DATA)
    for seed in (0, 1):
        torch.manual_seed(seed)
        network = Transformer(12, 11, 3, d_model=16, d_mlp=24)
        (fresh,) = task_views(DATA)
        keys = (2, 5)
        assert read_circuit(network, view).measures(keys) == read_circuit(network, fresh).measures(keys)


def test_a_network_without_paths_is_refused_in_one_line():
    (view,) = task_views(DATA)
    with pytest.raises(InputError, match=r"WithoutPaths: it has no readout_paths") as refused:
        read_circuit(WithoutPaths(12, 11, 3), view)
    assert "\n" not in str(refused.value)
