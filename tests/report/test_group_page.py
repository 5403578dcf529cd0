"""The page of a network on a group: what it says is what was measured, and nothing of a clock."""

import json
import re

import numpy as np
import pytest
import torch
from clock_network import history
from group_network import built

from modgrok import MLP, ModularDataModule, Transformer
from modgrok.analysis import GroupMeasures
from modgrok.analysis.run_analysis import analyze_network
from modgrok.figures import circuit_figure, render
from modgrok.report.analysis_page import analysis_page
from modgrok.report.network_data import network_data
from modgrok.report.prose import method, opening
from modgrok.report.tables import measures_csv, summary_json
from modgrok.runs import Snapshot


@pytest.mark.parametrize(("notation", "name"), [("S4", "standard"), ("D5", "frequency 1")])
def test_the_page_tells_the_circuit(notation: str, name: str) -> None:
    snapshot = built(notation, name)
    found = analyze_network(snapshot, "built")
    (task,) = found.tasks
    measures = task.last.measures
    assert isinstance(measures, GroupMeasures)
    assert measures.key_irreps == (name,)
    assert task.last.accuracy == 1
    words, text = opening(found, task), analysis_page(found)
    assert f"bi-equivariant under {notation}" in words
    assert f"200 neurons are active, 200 on {name};" in method(found, task)
    assert "grokked at update" in words
    assert "frequency of the" not in words + method(found, task)
    body = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert "mod" not in re.search(r"<h1>.*?</h1>", body)[0]
    for heading in ("The logits by irrep", "Weights and hidden activations by irrep", "The neurons by irrep"):
        assert heading in body
    for heading in ("The logits as cosines", "Spectrum of W_logit", "Fourier components"):
        assert heading not in body
    running = network_data(found)
    assert running is not None
    (shown,) = running.description["tasks"]
    assert shown["key"] == [shown["irreps"]["names"].index(name)]
    assert shown["clusters"] == shown["key"] * 200
    assert min(shown["explained"]) > 0.99
    summary = json.loads(summary_json(found), parse_constant=lambda constant: pytest.fail(constant))
    (saved,) = summary["tasks"]
    assert saved["group"]["name"] == notation
    assert saved["key_irreps"] == [name]
    assert saved["neurons_of_each"] == {name: 200}
    assert saved["bi_equivariant_share"] == measures.bi_equivariant_share
    assert "tuned_fraction" not in saved
    header = measures_csv(found).splitlines()[0]
    assert f"share_{name.replace(' ', '_')}" in header
    assert "gini" not in header


def test_the_measures_are_drawn_over_the_checkpoints() -> None:
    last = built("S3", "standard")
    torch.manual_seed(0)
    first = Snapshot(
        MLP(**last.data.network_shape, d_mlp=200, input="two_hot").eval(), last.data, 100, history(100)
    )
    found = analyze_network(last, "built", earlier=[first])
    (task,) = found.tasks
    shares = [{irrep.name: irrep.share for irrep in moment.measures.irreps} for moment in task.moments]
    assert shares[0]["standard"] < shares[1]["standard"]
    assert all(moment.measures.key_irreps == ("standard",) for moment in task.moments)
    text = analysis_page(found)
    assert "When each irrep is learned" in text
    assert task.phases


def test_a_group_without_a_name_has_its_page(tmp_path) -> None:
    # the Heisenberg group mod 3
    triples = [(a, b, c) for a in range(3) for b in range(3) for c in range(3)]
    place = {triple: i for i, triple in enumerate(triples)}
    table = [
        [place[(a + d) % 3, (b + e) % 3, (c + f + a * e) % 3] for d, e, f in triples] for a, b, c in triples
    ]
    np.save(tmp_path / "heisenberg.npy", np.array(table))
    data = ModularDataModule(str(tmp_path / "heisenberg.npy"))
    torch.manual_seed(0)
    network = Transformer(**data.network_shape, d_model=16, d_mlp=12, n_heads=2).eval()
    found = analyze_network(Snapshot(network, data, 300, history(300)), "somewhere")
    assert "a group of order 27" in opening(found, found.tasks[0])
    assert json.loads(summary_json(found))["tasks"][0]["group"]["name"] is None
    analysis_page(found)


def test_the_circuit_is_drawn_while_it_trains() -> None:
    snapshot = built("S3", "standard")
    (task,) = analyze_network(snapshot, "built").tasks
    figure = circuit_figure(task.circuit, "x * y in S3, update 300")
    assert [panel.title for panel in figure.panels][1] == "Similarity with the characters"
    render(figure)
