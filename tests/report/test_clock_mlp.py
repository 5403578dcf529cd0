"""An MLP built by hand: what the analysis says of it must be exactly what was built in."""

import math

import pytest
import torch
from clock_network import PHASES, clock_mlp, history

from modgrok import ModularDataModule
from modgrok.analysis import additive_clock, gini, multiplicative_clock, spectrum
from modgrok.analysis.run_analysis import analyze_network
from modgrok.report.prose import opening
from modgrok.runs import Snapshot

CLOCKS = {
    "additive": ({"task": "x + y"}, additive_clock(31), [2, 5, 13]),
    "multiplicative": ({"task": "x * y", "nonzero_operands": True}, multiplicative_clock(31), [1, 7, 11]),
}


@pytest.mark.parametrize("law", CLOCKS)
def test_the_circuit_of_an_mlp_is_found(law: str) -> None:
    arguments, clock, frequencies = CLOCKS[law]
    data = ModularDataModule(**arguments, modulus=31)
    network = clock_mlp(data, clock, frequencies)
    found = analyze_network(Snapshot(network, data, 1000, history(1000)), "built by hand")
    (task,) = found.tasks
    circuit, measures = task.circuit, task.last.measures
    assert circuit.attention is None
    assert circuit.key_frequencies == tuple(frequencies)
    assert torch.equal(circuit.tuning.clusters, torch.tensor(frequencies).repeat_interleave(PHASES))
    # where a − b is half of an even clock, its odd frequencies are silent and answers tie: 30 pairs of 900
    assert task.last.accuracy > (0.96 if law == "multiplicative" else 0.999)
    assert measures.restricted_loss <= task.last.loss
    assert measures.excluded_loss >= math.log(31)
    assert measures.tuned == 1.0
    assert f"{law.capitalize()} clock on 3 frequencies" in opening(found, task)

    basis = circuit.view.domain.operand_bases[0]
    for matrix in (circuit.W_E, circuit.W_neur[0], circuit.W_logit.T):
        norms = spectrum(matrix, basis)
        assert set((norms > 1e-5 * norms.max()).nonzero().flatten().tolist()) == set(frequencies)
        assert gini(norms[1:]) == pytest.approx(1 - 3 / 15, abs=1e-3)
    torch.testing.assert_close(circuit.W_neur[0].float(), circuit.W_E @ network.layers[0].W_in)
