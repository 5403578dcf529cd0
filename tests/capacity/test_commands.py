import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from modgrok.capacity.measuring.measure_page import FILES
from modgrok.capacity.measuring.measure_table import run_rows
from modgrok.capacity.measuring.memorized import read_measurement
from modgrok.cli import main
from modgrok.figures.palette import LIGHT

SMALL = [
    *("--data.name_words", "[16,16,16]", "--data.attributes", "{color: 16}", "--data.alphabet", "16"),
    *(
        "--model.network",
        "modgrok.capacity.Llama",
        "--model.network.d_model",
        "16",
        "--model.network.n_layers",
        "1",
    ),
    *(
        "--trainer.enable_progress_bar",
        "false",
        "--trainer.val_check_interval",
        "10",
        "--trainer.max_steps",
        "10",
    ),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run on biographies and one with two hops, through the command line."""
    root = tmp_path_factory.mktemp("commands")
    kinds = {
        "biographies": ["--data.n", "30", "--data.relations", "0", "--data.score_names", "true"],
        "tokens": [
            "--data.n",
            "40",
            "--data.relations",
            "2",
            "--data.hops",
            "2",
            "--data.held_out",
            "{complete_two_hop: 0.1}",
        ],
    }
    for notation, options in kinds.items():
        place = ["--data.notation", notation, "--trainer.default_root_dir", str(root / notation)]
        main(["capacity", "fit", *SMALL, *options, *place])
    return [root / notation / "lightning_logs" / "version_0" for notation in kinds]


def test_comparisons_from_fit_to_the_page(tmp_path, capsys):
    data = [
        "--data.n",
        "20",
        "--data.relations",
        "0",
        "--data.notation",
        "tokens",
        "--data.comparisons",
        "true",
    ]
    some = ["--data.phi", "5", "--data.out_of_distribution", "0.2"]
    main(["capacity", "fit", *SMALL, *data, *some, "--trainer.default_root_dir", str(tmp_path)])
    assert re.search(r"out_out: not composed within 10 updates, \d+\.\d% right", capsys.readouterr().out)
    run, questions = str(tmp_path / "lightning_logs" / "version_0"), tmp_path / "questions.parquet"
    main(["capacity", "measure", run, "--output", str(tmp_path / "page"), "--questions", str(questions)])
    assert re.search(
        r"comparison +\d\.\d{3} .* comparisons that were trained on", capsys.readouterr().out, re.S
    )
    table = pq.read_table(questions).to_pandas()
    asked = table[table["set"] != "one_hop"]
    assert (asked["person"] != asked["other"]).all()
    assert len(asked) == 20 * 19
    assert table.loc[table["set"] == "one_hop", "other"].isna().all()
    main(["capacity", "describe", *(option.replace("data.", "") for option in (*SMALL[:6], *data, *some))])
    assert re.search(r"comparisons\ntrained +\d+ .*most frequent answer", capsys.readouterr().out, re.S)


def test_templates_from_fit_to_the_table_of_questions(tmp_path, capsys):
    data = [
        "--data.n",
        "20",
        "--data.relations",
        "0",
        "--data.notation",
        "text",
        "--data.tokenizer_size",
        "350",
        "--data.alphabet",
        "64",
    ]
    some = [
        "--data.templates",
        "[question, statement, record_of]",
        "--data.held_out_templates",
        "[record_of]",
    ]
    once = ["--data.templates_per_fact", "1", "--trainer.default_root_dir", str(tmp_path)]
    main(["capacity", "fit", *SMALL, *data, *some, *once])
    assert re.search(
        r"other_templates: \d+\.\d{3} bits per answer, .*\ntemplate_record_of: .* right",
        capsys.readouterr().out,
    )
    run, questions = str(tmp_path / "lightning_logs" / "version_0"), tmp_path / "questions.parquet"
    main(["capacity", "measure", run, "--output", str(tmp_path / "page"), "--questions", str(questions)])
    assert re.search(r"template_record_of +\d+\.\d{3}", capsys.readouterr().out)
    told = pq.read_table(questions).to_pandas().groupby("set", observed=True)["template"].value_counts()
    assert told["template_record_of"].to_dict() == {"record_of": 20}
    for template in ("question", "statement"):
        assert told["one_hop"][template] + told["other_templates"][template] == 20


def test_fit_and_measure(runs, tmp_path, capsys):
    main(["capacity", "measure", *map(str, runs), "--probe", "--output", str(tmp_path / "page")])
    said = capsys.readouterr().out
    assert "bits/parameter" in said
    assert "complete_two_hop" in said
    assert "not within 10 updates" in said
    measured = json.loads((tmp_path / "page" / "measurements.json").read_text())
    assert [run["n"] for run in measured["runs"]] == [30, 40]
    page = (tmp_path / "page" / "index.html").read_text()
    for text in (
        "Estimators side by side",
        "encoding, selection, and one hop",
        "What can be read off",
        "held out",
    ):
        assert text in page
    drawn = set(re.findall(r"=\"(?:color:|background:)?var\(--([\w-]+)\)", page))
    assert {"key0", "key1"} <= drawn <= set(LIGHT)  # a line of a color that there is not would not be seen
    main(["capacity", "measure", str(runs[0])])
    assert {file.name for file in (runs[0] / "report").iterdir()} == set(FILES)
    main(["capacity", "measure", *map(str, runs)])
    shared = Path(os.path.commonpath(runs))
    assert shared not in runs
    assert {file.name for file in (shared / "measurements").iterdir()} == set(FILES)


def test_figures_and_questions_as_files(runs, tmp_path, capsys):
    output = ["--output", str(tmp_path / "page"), "--figures", str(tmp_path / "figures")]
    questions = tmp_path / "questions.parquet"
    main(["capacity", "measure", str(runs[1]), *output, "--questions", str(questions)])
    assert "figures:" in capsys.readouterr().out
    pictures = sorted(file.suffix for file in (tmp_path / "figures").iterdir())
    assert pictures.count(".png") == pictures.count(".svg") >= 2
    table = pq.read_table(questions).to_pandas()
    measured = json.loads((tmp_path / "page" / "measurements.json").read_text())["runs"][0]
    assert table.groupby("set", observed=True)["bits"].mean().to_dict() == pytest.approx(
        measured["losses"], rel=1e-5
    )
    assert table.groupby("set", observed=True)["right"].mean().to_dict() == pytest.approx(
        measured["accuracies"]
    )
    assert table.loc[table["set"] == "one_hop", "relation"].isna().all()
    with pytest.raises(SystemExit):
        main(["capacity", "measure", str(runs[1]), *output[:2], "--questions", str(questions)])
    assert "exists already" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["capacity", "measure", str(runs[1]), *output])
    assert "new or empty" in capsys.readouterr().err


def test_describe_shows_profiles_and_questions(capsys):
    people = ["--n", "30", "--name_words", "[20,20,20]", "--tokenizer_size", "350", "--hops", "2"]
    main(["capacity", "describe", *people, "--relations", "3", "--show", "2"])
    said = capsys.readouterr().out
    assert said.count("  reads: ") == 4
    assert re.search(r"  parent: \w+ \w+ \w+", said)
    assert re.search(r"Question: What was \w+ \w+ \w+'s birth date\? Answer: \d{4}-\d\d-\d\d", said)


def test_describe_does_not_overwrite_and_says_so_at_once(capsys, tmp_path):
    (tmp_path / "p.parquet").write_text("mine")
    with pytest.raises(SystemExit):
        main(
            [
                "capacity",
                "describe",
                "--n",
                "20",
                "--notation",
                "tokens",
                "--write",
                str(tmp_path / "p.parquet"),
            ]
        )
    said = capsys.readouterr()
    assert "exists already" in said.err
    assert said.out == ""
    assert (tmp_path / "p.parquet").read_text() == "mine"


def test_probe(runs, tmp_path, capsys):
    main(["capacity", "probe", str(runs[1]), "--json", str(tmp_path / "probes.json")])
    assert "bridge: bits known" in capsys.readouterr().out
    assert {probe["target"] for probe in json.loads((tmp_path / "probes.json").read_text())} == {
        "bridge",
        "color",
    }


def test_describe_before_any_training(capsys, tmp_path):
    options = [
        "--n",
        "200",
        "--relations",
        "4",
        "--hops",
        "2",
        "--notation",
        "tokens",
        "--write",
        str(tmp_path / "p.parquet"),
    ]
    main(["capacity", "describe", *options])
    said = capsys.readouterr().out
    assert re.search(r"trained +\d,\d{3} +8\d\.\d%", said)
    assert "2-hop-big-hash, enumerate" in said
    assert "never trained on" in said
    main(["capacity", "describe", "--profiles", str(tmp_path / "p.parquet"), "--notation", "tokens"])
    assert "200 people, 4 attributes, 4 relations" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["capacity", "weigh"], "unknown command 'weigh'"),
        (["capacity", "describe", "--n", "1"], "n must be from 2"),
        (["capacity", "describe", "--nn", "1"], "nn"),
        (["capacity", "describe", "--profiles", "nowhere"], "no such file"),
        (["capacity", "measure", "nowhere"], "no such file"),
        (["capacity", "measure"], "runs"),
        (["capacity", "probe", "nowhere"], "no such file"),
        (
            ["capacity", "describe", "--notation", "tokens", "--attributes", "{}", "--relations", "0"],
            "are empty",
        ),
        (
            ["capacity", "describe", "--hops", "2", "--second_subjects", "[]", "--notation", "tokens"],
            "got []",
        ),
        (["capacity", "describe", "--tokenizer_size", "100", "--n", "20"], "tokenizer_size must be"),
        (
            ["capacity", "describe", "--hops", "2", "--phi", "99", "--notation", "tokens"],
            "phi must be > 0 and",
        ),
        (["capacity", "describe", "--phi", "2", "--notation", "tokens"], "phi has no effect without hops: 2"),
        (["capacity", "describe", "--sample", "0", "--notation", "tokens"], "sample must be"),
        (["capacity", "fit", "--config", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_bad_input_ends_with_2_and_a_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) <= 2
    assert "Traceback" not in error


def test_a_page_does_not_take_the_place_of_other_files(runs, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SystemExit):
        main(["capacity", "measure", str(runs[0]), "--output", str(tmp_path)])
    assert "notes.txt" in capsys.readouterr().err


def test_the_table_leaves_out_the_folder_that_all_runs_are_in(runs):
    found = [read_measurement(run) for run in runs]
    assert [row[0] for row in run_rows(found[:1])] == [str(runs[0])]
    places = [str(Path(kind, "lightning_logs", "version_0")) for kind in ("biographies", "tokens")]
    assert {row[0] for row in run_rows(found)} == set(places)
    elsewhere = replace(found[1], run="lightning_logs/version_0")
    assert {row[0] for row in run_rows([found[0], elsewhere])} == {str(runs[0]), elsewhere.run}
