"""`modgrok certify`, and what the page says of it."""

import json
import shutil

import pytest

from modgrok.cli import main


@pytest.fixture
def run(small_run, tmp_path):
    return shutil.copytree(small_run, tmp_path / "lightning_logs" / "version_0")


def test_a_run_is_certified_and_its_page_says_so(run, capsys) -> None:
    main(["certify", str(run)])
    said = capsys.readouterr().out
    assert "of 121 pairs are proved to be answered right in exact arithmetic" in said
    content = json.loads((run / "certificate.json").read_text())
    (task,) = content["tasks"]
    assert task["pairs"] == 121
    assert task["real"]["proved"] + len(task["real"]["unproved"]) == 121
    assert task["says"] in said
    main(["certify", str(run)])  # an earlier certificate is replaced
    main(["analyze", str(run)])
    page = (run / "report" / "index.html").read_text()
    assert "pairs are proved to be answered right in exact arithmetic" in page
    assert task["says"] in json.loads((run / "report" / "summary.json").read_text())["notes"]


def test_a_certificate_of_other_weights_is_not_believed(run, capsys) -> None:
    main(["certify", str(run)])
    content = json.loads((run / "certificate.json").read_text())
    (run / "certificate.json").write_text(json.dumps({**content, "weights": "0" * 64}))
    main(["analyze", str(run)])
    assert "are proved" not in (run / "report" / "index.html").read_text()


def test_a_file_that_is_no_certificate_stays(run, refused) -> None:
    (run / "certificate.json").write_text("{}")
    assert "is no certificate" in refused("certify", run)


def test_a_network_that_is_not_covered_is_named(tmp_path, refused) -> None:
    main(
        [
            *("fit", "--data.task", "x + y", "--data.modulus", "7", "--model.network.d_model", "8"),
            *(
                "--model.network.d_mlp",
                "8",
                "--model.network.n_heads",
                "1",
                "--model.network.activation",
                "gelu",
            ),
            *("--trainer.max_steps", "2", "--model.engine", "eager", "--measures.every", "null"),
            *("--trainer.default_root_dir", str(tmp_path / "other")),
        ]
    )
    said = refused("certify", tmp_path / "other" / "lightning_logs" / "version_0")
    assert "activation gelu is not covered, only relu" in said
