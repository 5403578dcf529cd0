"""The LightningModule of the second wing."""

from functools import partial

import torch

from modgrok.capacity import CapacityModule, Llama, ProfilesDataModule
from modgrok.capacity.memorizing.part_scores import token_loss


def test_more_networks_are_compiled_than_the_compilers_limit(monkeypatch):
    """A sweep's worker trains networks of many shapes; graphs are captured as ever, but run as they are."""
    torch._dynamo.reset()
    monkeypatch.setattr(torch._dynamo.config, "recompile_limit", 2)
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    data = ProfilesDataModule(n=20, relations=1, attributes={"color": 8}, notation="tokens", batch_size=8)
    (rows,) = data.batches(0)
    torch._dynamo.utils.counters.clear()
    for width in (2, 4, 6):
        network = Llama(data.vocabulary_size, data.context_length, d_model=width, d_head=2, n_layers=1)
        arguments = network, rows.tokens, rows.parts, data.questions.scored_tokens
        compiled = CapacityModule(network, compile=True).loss(*arguments)
        torch.testing.assert_close(compiled, token_loss(*arguments))
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 3
