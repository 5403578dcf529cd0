"""The page of a sweep, from made-up findings: its words, its numbers, and how a real browser draws it."""

import json
import math
import re
from dataclasses import asdict, replace
from urllib.parse import unquote

import numpy as np
import pytest
import torch

import modgrok
from modgrok.cli.sweep import _print_groups
from modgrok.experiments.plans.cell_files import PAGE, CellFiles, Outcome
from modgrok.experiments.plans.sweep_file import read_plan
from modgrok.experiments.sweeps.run_sweep import write_results
from modgrok.experiments.sweeps.statistics import Sample, median_time
from modgrok.experiments.sweeps.sweep_analysis import SweepAnalysis
from modgrok.experiments.sweeps.table import make_table
from modgrok.runs.findings import Findings

MALICE = "<img src=x onerror=alert(1)>"
SWEEP = """
question: Which powers grok? {malice}
config: {{data: {{task: x + y, modulus: 97}}}}
set: {{data.task: "x**{{m}} + y**{{n}}"}}
vary: {{m: 1..4, n: 1..3, seed: 0..9}}
groups: {{"m even": "m % 2 == 0", "m and n": "(m, n)"}}
"""


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """A finished sweep in which even powers take ten times as long, one cell failed and one is still to run."""
    directory = tmp_path_factory.mktemp("sweep")
    (directory / "plan.yaml").write_text(SWEEP.format(malice=MALICE))
    plan, files, generator = (
        read_plan(directory / "plan.yaml"),
        CellFiles(directory),
        np.random.default_rng(0),
    )
    for cell in plan.cells[:-2]:
        update = int(generator.lognormal(5 + 2.3 * (cell.values["m"] % 2 == 0), 0.4))
        at = update if update < 2000 else None
        files.cell(cell.name).mkdir(parents=True)
        findings = Findings(
            task=cell.overrides["data.task"], modulus=97, updates=min(update, 2000), threshold=0.99, memorised_at=1,
            grokked_at=at, delay=None if at is None else at - 1, censored_at=2000 if at is None else None,
            train_loss=1e-5, train_accuracy=1.0, heldout_loss=0.1, heldout_accuracy=1.0 if at else 0.3,
            seconds=1.0, finished=True, engine="eager", threads=1, parameters=227_000, entropy=31_000.0, bits=31_000.0,
        )  # fmt: skip
        (files.cell(cell.name) / "findings.json").write_text(json.dumps(asdict(findings)))
        files.settle(cell.name, Outcome("finished"))
    files.settle(plan.cells[-2].name, Outcome("failed", MALICE))
    write_results(plan, directory)
    return directory


@pytest.fixture
def analysis(sweep):
    plan = read_plan(sweep / "plan.yaml")
    return SweepAnalysis(plan, make_table(plan, sweep))


def test_failed_and_waiting_cells_are_rows_and_no_times(analysis) -> None:
    assert list(analysis.table["status"][-2:]) == ["failed", "waiting"]
    assert analysis.table["censored_at"][-2:].isna().all()
    assert len(analysis.finished) == len(analysis.plan.cells) - 2


def test_the_groups_are_told_apart_and_censored_cells_count(analysis) -> None:
    by_parity, by_both = analysis.groupings
    assert [group.name for group in by_parity.groups] == ["false", "true"]
    odd, even = by_parity.groups
    assert odd.median.high < even.median.low
    assert by_parity.test.p_value < 1e-6
    assert by_parity.unexplained < 0.5
    assert by_parity.aic < by_both.aic, "twelve groups explain no more than two, and cost more"
    survivors = Sample(even.sample.time[even.sample.happened], even.sample.happened[even.sample.happened])
    assert even.median.estimate > median_time(survivors).estimate


def test_groups_stand_in_the_order_of_their_values(analysis) -> None:
    plan = replace(analysis.plan, groups={"m and whether n is more than 1": "(9 * m, n > 1)"})
    (grouping,) = SweepAnalysis(plan, analysis.table).groupings
    assert [group.name for group in grouping.groups] == [
        f"{9 * m}, {more}" for m in range(1, 5) for more in ("false", "true")
    ]
    assert [len(group.sample) for group in grouping.groups] == [10, 20] * 3 + [10, 18]


@pytest.mark.parametrize("width", [80, 120])
def test_the_command_ends_with_tables_that_fit_the_terminal(
    width, sweep, analysis, capsys, monkeypatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("modgrok.cli.terminal.columns", lambda stream=None: width)
    _print_groups(sweep / "plan.yaml", analysis.table)
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= width
    lines = [line.split() for line in said.splitlines()]
    assert said.startswith("Held-out pairs, by m even\n")
    assert lines[2][:6] == ["false", "60", "100%", "94%", "to", "100%"]
    assert ["Held-out", "pairs,", "by", "m", "and", "n"] in lines


def test_what_is_looked_up_is_not_counted_as_learned(analysis) -> None:
    table = analysis.table.assign(heldout_accuracy_known=1.0, heldout_accuracy_new=0.2, grokked_new_at=None)
    odd = table["m"] % 2 == 1
    table.loc[odd, ["heldout_accuracy_new", "grokked_new_at"]] = 1.0, 700
    table.loc[table["n"] == 3, ["heldout_accuracy_new", "grokked_new_at"]] = None  # no new pairs
    by_parity, _, new_by_parity, new_by_both = SweepAnalysis(analysis.plan, table).groupings
    assert [len(group.sample) for group in by_parity.groups] == [60, 58]
    assert [len(group.sample) for group in new_by_parity.groups] == [40, 40]
    assert [group.grokked.estimate for group in new_by_parity.groups] == [1.0, 0.0]
    assert new_by_parity.groups[0].median.estimate == 700
    assert len(new_by_both.groups) == 4 * 2


def test_the_lead_has_three_sentences_with_the_numbers_of_the_table(analysis, sweep) -> None:
    page = (sweep / "report" / "index.html").read_text()
    grokked = int(analysis.finished["grokked_at"].notna().sum())
    assert f"{grokked} of the 118 finished cells grokked" in page
    assert "1 failed, 1 not run yet" in page


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_browser_draws_it_offline_and_sorts_its_rows(sweep, show, width, scheme) -> None:
    page = show(sweep / "report" / "index.html", width, scheme)
    assert page.problems == []
    assert {url.partition(":")[0] for url in page.requests} <= {"file", "data"}
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(".plot").count() == 3 + (1 + 1) + (2 + 2)
    assert page.locator("img[src=x]").count() == 0
    column = page.locator("#cells th").all_inner_texts().index("grokked at")
    for descending in (False, True):
        page.locator("#cells th button").nth(column).click()
        shown = page.locator(f"#cells tbody td:nth-child({column + 1})").all_inner_texts()
        numbers = [int(text.replace(",", "")) for text in shown if text]
        assert numbers == sorted(numbers, reverse=descending)
        assert shown[len(numbers) :] == [""] * (len(shown) - len(numbers)), "censored cells come last"


def test_a_row_opens_the_page_of_its_cell_where_there_is_one(sweep) -> None:
    plan = read_plan(sweep / "plan.yaml")
    text = (sweep / "report" / "index.html").read_text()
    assert 'href="../cells' not in text
    page = CellFiles(sweep).cell(plan.cells[3].name) / PAGE
    page.parent.mkdir()
    page.write_text("the page of the cell")
    write_results(plan, sweep)
    (link,) = re.findall(r'href="(\.\./cells[^"]*)"', (sweep / "report" / "index.html").read_text())
    assert (sweep / "report" / unquote(link)).read_text() == "the page of the cell"


def test_of_random_answers_the_page_shows_bits_and_no_times(tmp_path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(
        "config: {data: {task: random, modulus: 5}, measures: {every: null}}\n"
        "set: {trainer.max_steps: 200, model.evaluate_every: 100, model.optimizer.lr: 0.03}\n"
        "vary: {model.network.init_args.d_model: [4, 8], data.train_fraction: [0.4, 0.8]}\n"
    )
    plan, files = read_plan(file), CellFiles(tmp_path)
    for cell in plan.cells:
        plan.kind.fit(plan.config, cell.overrides, directory=files.cell(cell.name))
        files.settle(cell.name, Outcome("finished"))
    write_results(plan, tmp_path)
    table, page = make_table(plan, tmp_path), (tmp_path / PAGE).read_text()
    for path, bits in zip(table["path"], table["bits"], strict=True):
        run = modgrok.load_run(tmp_path / path).snapshot()
        pairs = run.data.training_pairs
        logits = run.network(pairs.tokens).double().detach()
        loss = torch.nn.functional.cross_entropy(logits, pairs.answers)
        assert bits == pytest.approx(pairs.size * (math.log2(5) - float(loss) / math.log(2)), rel=1e-5)
    assert f"{table['bits_per_parameter'].max():.2f} bits per parameter" in page
    assert "Bits remembered" in page
    assert "grokked" not in page[: page.index("<script")]
