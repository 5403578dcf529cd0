"""Tables in files: what is read, and what is refused with the row that is wrong."""

from pathlib import Path

import numpy as np
import pytest

from modgrok import ModularDataModule
from modgrok.errors import InputError
from modgrok.tasks import make_task, structure_of
from modgrok.tasks.table_file import read_table

MATRIX = np.array([[2, 0, 1], [0, 1, 5], [1, 5, 0]])


def matrix_text(table: np.ndarray) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in table.tolist())


def list_text(table: np.ndarray, header: str, seed: int = 0) -> str:
    rows = [[*place, table[place]] for place in np.ndindex(table.shape)]
    np.random.default_rng(seed).shuffle(rows)
    return "\n".join([header, *(", ".join(map(str, row)) for row in rows)])


@pytest.mark.parametrize("form", ["matrix", "list", "npy", "windows"])
def test_every_form_of_a_table_is_read(form: str, tmp_path: Path) -> None:
    path = tmp_path / ("table.npy" if form == "npy" else "table.csv")
    if form == "npy":
        np.save(path, MATRIX.astype(np.uint8))
    elif form == "windows":
        path.write_bytes(b"\xef\xbb\xbf" + matrix_text(MATRIX).replace("\n", "\r\n").encode() + b"\r\n\r\n")
    else:
        path.write_text(matrix_text(MATRIX) if form == "matrix" else list_text(MATRIX, "x,y,answer"))
    assert read_table(path).tolist() == MATRIX.tolist()
    task = make_task(str(path))
    assert (task.modulus, task.n_symbols, task.n_answers) == (3, 3, 6)
    assert task.table().answers.tolist() == MATRIX.ravel().tolist()


def test_three_operands_are_read(tmp_path: Path) -> None:
    x, y, z = np.ogrid[:4, :4, :4]
    table = (x + 2 * y + 3 * z) % 4
    (tmp_path / "table.csv").write_text(list_text(table, "X, Y, Z, Answer"))
    np.save(tmp_path / "table.npy", table)
    for name in ("table.csv", "table.npy"):
        task = make_task(str(tmp_path / name))
        assert task.n_operands == 3
        assert structure_of(task).kind == "additive"
        assert np.array_equal(task.grid()[0], table)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1\n1\n", "row 2 has 1 cells, and row 1 has 2"),
        ("0,1\n1,\n", "row 2, column 2 is empty"),
        ("0,1\n\n1,0\n", "row 2 has 1 cells"),
        ("0,1\n1,0.5\n", "row 2, column 2 is '0.5', which is no integer"),
        ("0,1\n1,1_0\n", "row 2, column 2 is '1_0'"),
        ("0,1\n1,٣\n", "row 2, column 2 is '٣'"),
        ("0,nan\n1,0\n", "row 1, column 2 is 'nan'"),
        ("0,1\n1,-3\n", "the answer -3 in row 2, column 2 is negative"),
        ("0,1\n1,4\n", "the answer 4 in row 2, column 2 is too large"),
        ("0,1\n1,999999999999999999\n", "the answer about 10^18 in row 2, column 2 is too large"),
        (
            "0,1\n1,9999999999999999999999\n",
            "row 2, column 2 is '9999999999999999999999', which is no integer",
        ),
        ("0,1,2\n", "it is 1 × 3; a table has at least two symbols"),
        ("0\n1\n", "it is 2 × 1; a table has at least two symbols"),
        ("0,1,2\n1,2,0\n", "it is 2 × 3; a table has as many columns as rows"),
        ("0;1\n1;0\n", "commas between its cells"),
        ("", "it is empty"),
        ("x,y,answer\n", "it has a header and no row"),
        ("x,answer\n0,1\n", "the header 'x,answer' must be x,y,answer or x,y,z,answer"),
        ("x,y,answer\n0,0,1\n0,1,0\n1,0,0\n0,1,1\n", "row 5 repeats x = 0, y = 1 of row 3"),
        (
            "x,y,answer\n1,1,1\n0,0,0\n1,0,0\n",
            "after row 3, x = 0, y = 1 has no answer; a table of 2 symbols has 4",
        ),
        ("x,y,answer\n0,1,1\n1,1,0\n1,0,0\n", "before row 2, x = 0, y = 0 has no answer"),
        ("x,y,answer\n0,0,0\n1000000000,0,0\n", "after row 2, x = 0, y = 1 has no answer"),
        ("x,y,answer\n0,0,0\n0,-1,0\n", "row 3 has a negative operand"),
        ("x,y,answer\n0,0\n", "row 2 has 2 cells, and row 1 has 3"),
        ("x,y,answer\n0,0,0\n", "it is 1 × 1; a table has at least two symbols"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(InputError) as raised:
        make_task(str(tmp_path / "table.csv"))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 2)), "its cells are float64, and answers are integers"),
        (np.zeros((2, 2), dtype=bool), "its cells are bool"),
        (np.zeros((2, 3), dtype=int), "it is 2 × 3; a table has as many columns as rows"),
        (np.zeros((2, 2, 2, 2), dtype=int), "it is 2 × 2 × 2 × 2"),
        (np.zeros(4, dtype=int), "it is 4;"),
        (np.int64(3), "it is a single number"),
        (np.array([[0, 1], [1, "a"]], dtype=object), "not an array of numbers that NumPy saved"),
        (np.array([[0, 1], [-1, 0]]), "the answer -1 in row 2, column 1 is negative"),
    ],
)
def test_wrong_arrays_are_refused(array: np.ndarray, message: str, tmp_path: Path) -> None:
    np.save(tmp_path / "table.npy", array)
    with pytest.raises(InputError) as raised:
        read_table(tmp_path / "table.npy")
    assert message in str(raised.value)


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npy").write_text("0,1\n1,0\n")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    (tmp_path / "directory.csv").mkdir()
    for name, message in (
        ("text.npy", "not an array"),
        ("binary.csv", "two symbols"),
        ("directory.csv", "no such file"),
        ("nowhere.csv", "no such file"),
    ):
        with pytest.raises(InputError, match=message):
            make_task(str(tmp_path / name))


def test_a_table_of_a_billion_cells_is_refused_unread(tmp_path: Path) -> None:
    side = 31_623
    path = tmp_path / "table.npy"
    header = np.lib.format.header_data_from_array_1_0(np.zeros((0, 0), dtype=np.int64)) | {
        "shape": (side, side)
    }
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + side * side * 8)  # holes on the disk
    (tmp_path / "table.csv").write_text(",".join(["0"] * side) + "\n0,0\n")
    for file in (path, tmp_path / "table.csv"):
        with pytest.raises(InputError, match=r"31,623 makes 1,000,014,129 pairs, which need"):
            read_table(file)


def test_a_checkpoint_holds_its_table(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(matrix_text(MATRIX))
    data = ModularDataModule(str(path), train_fraction=0.5)
    path.unlink()
    again = ModularDataModule(**data.config)
    assert again.pairs.answers.tolist() == data.pairs.answers.tolist()
    with pytest.raises(InputError, match="no such file"):
        ModularDataModule(str(path))
    other = ModularDataModule(**{**data.config, "answer_tables": {str(path): MATRIX.T[::-1].tolist()}})
    changed = [n for n, v in other.hyperparameters.items() if data.hyperparameters[n] != v]
    assert changed == [f"answers of {path}"]
    with pytest.raises(InputError, match="'t' is none of the tasks"):
        ModularDataModule("x + y", 3, answer_tables={"t": MATRIX.tolist()})


def test_tables_come_from_python_too() -> None:
    data = ModularDataModule("mine", train_fraction=0.5, answer_tables={"mine": MATRIX.tolist()})
    assert (data.n_answers, data.title, str(data.tasks[0].operation)) == (6, "mine", "mine")
    with pytest.raises(InputError, match="its rows have different lengths"):
        ModularDataModule("mine", answer_tables={"mine": [[0, 1], [1]]})
    with pytest.raises(InputError, match="modulus: mine has 3 symbols, so it must be 3 or left out"):
        ModularDataModule("mine", 5, answer_tables={"mine": MATRIX.tolist()})
