"""Where runs are."""

import pytest

from modgrok.runs.directory import together


@pytest.mark.parametrize(
    ("runs", "shared"),
    [
        (["logs/version_0", "logs/version_1"], "logs"),
        (["sweeps/plateau/cells/n=1", "sweeps/plateau/cells/n=2"], "sweeps/plateau"),
        (["sweeps/a/cells/n=1", "sweeps/b/cells/n=1"], "sweeps"),
        (["sweeps/a/cells/n=1", "logs/version_0"], ""),
        (["logs/version_0/checkpoints/update=000010.ckpt", "logs/version_0"], "logs/version_0"),
        (["logs/version_0/checkpoints/update=000010.ckpt", "logs/version_1"], "logs"),
        (["files/one.ckpt", "files/two.ckpt"], "files"),
    ],
)
def test_what_is_about_several_runs_is_where_all_of_them_are(runs, shared, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for run in runs:
        path = tmp_path / run
        if path.suffix:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        else:
            path.mkdir(parents=True, exist_ok=True)
    assert together([tmp_path / run for run in runs]) == (tmp_path / shared).resolve()
