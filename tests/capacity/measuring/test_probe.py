from pathlib import Path

import pytest
import torch

from modgrok.capacity.measuring.probe import probe_run
from modgrok.capacity.memorizing.capacity_run import CapacityRun
from modgrok.capacity.networks.llama import Llama
from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule
from modgrok.errors import InputError

PEOPLE = {"alphabet": 4, "name_words": [16, 16, 16], "attributes": {"color": 4, "shape": 4}}


def untrained(**data):
    torch.manual_seed(0)
    module = ProfilesDataModule(**PEOPLE | data)
    network = Llama(module.vocabulary_size, module.context_length, 16, 1, 8, initializer_range=None)
    return CapacityRun(Path("runs/version_0/checkpoints/update=000000.ckpt"), network, module, 0, [], 0.0)


def test_what_stands_there_is_read_off_and_what_does_not_is_not():
    # begin, six tokens of a name, color, shape
    color, shape = probe_run(untrained(n=300, relations=0, notation="biographies"))
    assert (color.target, shape.target) == ("color", "shape")
    assert len(color.bits) == 2
    assert color.positions == list(range(9))
    assert color.entropy == pytest.approx(2, abs=0.1)
    assert color.bits[0][7] == pytest.approx(color.entropy, abs=0.1)
    assert max(color.bits[0][:7]) < 0.1
    assert max(max(color.control[0]), max(color.control[1])) < 0.1
    assert shape.bits[0][8] == pytest.approx(shape.entropy, abs=0.1)
    assert shape.bits[0][7] < 0.1


def test_the_bridge_is_not_read_off_an_untrained_network():
    probes = probe_run(untrained(n=60, relations=3, notation="tokens", hops=2, held_out={}))
    assert [probe.target for probe in probes] == ["bridge", "color", "shape"]
    assert probes[0].positions == list(range(-9, 0))
    assert max(map(max, probes[0].bits)) < 0.3
    # a probe of no weights is among the choices
    assert min(min(map(min, probe.bits)) for probe in probes) > -1


def test_few_people_cannot_be_split():
    with pytest.raises(InputError, match="n must be ≥ 20"):
        probe_run(untrained(n=10, relations=0, notation="biographies"))
