"""Files that are there whole or not at all."""

import pytest

from modgrok.runs.whole_files import PARTIAL, remove_partial_files, whole_file, write_whole


def test_a_file_that_could_not_be_finished_leaves_what_was_there(tmp_path):
    path = tmp_path / "a" / "findings.json"
    write_whole(path, "first: größer")
    writing = whole_file(path)
    writing.__enter__().write(b"half of")
    assert list(path.parent.glob(f"*{PARTIAL}"))
    assert path.read_text(encoding="utf-8") == "first: größer"
    assert not writing.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert path.read_text(encoding="utf-8") == "first: größer"
    write_whole(path, b"second")
    assert [(one.name, one.read_bytes()) for one in path.parent.iterdir()] == [("findings.json", b"second")]


def test_a_file_that_appeared_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "pairs.csv"
    writing = whole_file(path, replace=False)
    writing.__enter__().write(b"ours")
    path.write_text("theirs")
    with pytest.raises(FileExistsError):
        writing.__exit__(None, None, None)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("pairs.csv", "theirs")]


def test_only_files_of_this_kind_are_cleared_away(tmp_path):
    theirs = {"download.partial", ".notes.partial", ".env", "update=000001.ckpt.partial"}
    for name in (*theirs, f".update=000001.ckpt.4711{PARTIAL}", f".findings.json.12{PARTIAL}"):
        (tmp_path / name).touch()
    remove_partial_files(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == theirs
