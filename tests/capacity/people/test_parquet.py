import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modgrok.capacity.people.parquet import read_profiles, write_profiles
from modgrok.capacity.people.profiles import generate_profiles
from modgrok.errors import InputError

PROFILES = generate_profiles(20, 3, seed=1)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data" / "train.parquet"
    write_profiles(PROFILES, path)
    return path


def test_what_is_written_has_the_published_schema(file):
    schema = pq.read_schema(file)
    assert schema.names == [
        *("name", "index", "birth_date", "birth_city", "university", "employer"),
        *("parent", "child", "best_friend", "bio"),
    ]
    assert schema.field("index").type == pa.int32()
    assert schema.field("birth_date").type == pa.timestamp("ms")  # Parquet has no seconds
    assert schema.field("parent").type == pa.struct([("name", pa.string()), ("index", pa.int32())])


def test_what_is_read_is_what_was_written(file):
    for path in (file, file.parent):
        read = read_profiles(path)
        assert read.full_names == PROFILES.full_names
        assert np.array_equal(read.relations, PROFILES.relations)
        assert read.space == PROFILES.space
        for i, attribute in enumerate(PROFILES.space.attributes):
            texts, original = (
                [p.value_texts(attribute)[v] for v in p.attributes[:, i]] for p in (read, PROFILES)
            )
            assert texts == original


def test_a_file_is_not_overwritten(file):
    with pytest.raises(InputError, match="exists"):
        write_profiles(PROFILES, file)


def replaced(table, name, values):
    return table.set_column(table.column_names.index(name), name, values)


def people(indices, names):
    return pa.StructArray.from_arrays([pa.array(names), pa.array(indices, pa.int32())], ["name", "index"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop_columns("name"), "column name is missing"),
        (lambda t: replaced(t, "index", pa.array(["a"] * 20)), "column index must hold integers"),
        (lambda t: replaced(t, "index", pa.array([0] * 20)), "column index must number"),
        (lambda t: replaced(t, "name", pa.array(["A B C"] * 20)), "same name"),
        (lambda t: replaced(t, "name", pa.array([f"A{i}" for i in range(20)])), "row 0: 'A0'"),
        (lambda t: replaced(t, "birth_city", pa.array([None] * 20, pa.string())), "column birth_city: 20"),
        (lambda t: replaced(t, "birth_date", pa.array(["x"] * 20)), "column birth_date"),
        (lambda t: replaced(t, "birth_date", pa.array([30 * 86400] * 20, pa.timestamp("s"))), "1900"),
        (
            lambda t: replaced(t, "birth_date", pa.array([-(86400 * 365 * 71)] * 20, pa.timestamp("s"))),
            "row 0",
        ),
        (lambda t: replaced(t, "parent", people([99] * 20, PROFILES.full_names)), "parent, row 0: index 99"),
        (lambda t: replaced(t, "parent", people([-1] * 20, [""] * 20)), "parent, row 0: index -1"),
        (lambda t: replaced(t, "parent", people([3] * 20, PROFILES.full_names)), "profile 3 is"),
        (lambda t: replaced(t, "parent", pa.array([1] * 20)), "column parent must hold {name, index}"),
    ],
)
def test_another_schema_is_refused(file, change, message):
    table = change(pq.read_table(file))
    pq.write_table(table, file)
    with pytest.raises(InputError, match=message):
        read_profiles(file)


def test_a_field_of_a_relation_is_named(file):
    text = pa.StructArray.from_arrays(
        [pa.array(PROFILES.full_names), pa.array(["0"] * 20)], ["name", "index"]
    )
    pq.write_table(replaced(pq.read_table(file), "parent", text), file)
    with pytest.raises(InputError, match=r"column parent\.index must hold integers"):
        read_profiles(file)


def test_text_in_a_dictionary_is_text(file):
    table, before = pq.read_table(file), read_profiles(file).digest
    encoded = table.column("birth_city").combine_chunks().dictionary_encode()
    pq.write_table(replaced(table, "birth_city", encoded), file)
    assert read_profiles(file).digest == before
    assert pa.types.is_dictionary(pq.read_schema(file).field("birth_city").type)


def save_to_disk(table, folder):
    """Write a table as `save_to_disk` of the datasets library does."""
    folder.mkdir(parents=True)
    arrow = str(folder / "data-00000-of-00001.arrow")
    with pa.OSFile(arrow, "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    (folder / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}')


def test_saved_data_sets_and_cloned_repositories_are_read(file, tmp_path):
    table, digest = pq.read_table(file), read_profiles(file).digest
    save_to_disk(table, tmp_path / "saved")
    save_to_disk(table, tmp_path / "splits" / "train")
    for folder in (tmp_path / "saved", tmp_path / "splits", file.parents[1]):
        assert read_profiles(folder).digest == digest, folder


def test_a_damaged_saved_data_set_is_refused(file, tmp_path):
    folder = tmp_path / "saved"
    save_to_disk(pq.read_table(file), folder)
    arrow = folder / "data-00000-of-00001.arrow"
    arrow.write_bytes(arrow.read_bytes()[:-700])
    with pytest.raises(InputError, match="cannot be read"):
        read_profiles(folder)
    (folder / "state.json").write_text("{}")
    with pytest.raises(InputError, match=r"state\.json: damaged"):
        read_profiles(folder)
    pq.write_table(pq.read_table(file), folder / "train.parquet")
    with pytest.raises(InputError, match="both Parquet files and a saved data set"):
        read_profiles(folder)


def test_what_is_no_parquet_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_profiles(tmp_path / "nothing")
    with pytest.raises(InputError, match="no Parquet files there"):
        read_profiles(tmp_path)
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(InputError, match="cannot be read"):
        read_profiles(tmp_path)
