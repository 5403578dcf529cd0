"""The loss of every scored question of a run, as a table."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import torch

from modgrok.capacity.memorizing.capacity_run import CapacityRun
from modgrok.capacity.people.dataset_files import pyarrow
from modgrok.capacity.questions.questions import Questions
from modgrok.errors import InputError
from modgrok.runs.whole_files import write_whole


def write_questions(run: CapacityRun, file: Path, exact: bool = False) -> int:
    """Write a Parquet file with a row for each scored question; return how many there are.

    The columns are `set`, `person`, `relation` and `subject` (of one hop the relation is null, of no hop and of
    biographies the subject too), `bits`, the loss of the row, its name included where it is scored, and `right`,
    whether every token of its answers is the most probable one.

    Raises:
        InputError: if the file exists, cannot be written, or pyarrow is missing.
    """
    pa, parquet = pyarrow()
    data, people = run.data, run.data.people
    subjects = np.array([*people.subjects, None], dtype=object)
    relations = np.array([*people.relation_names, None], dtype=object)
    tables = []
    for name in data.scored_sets:
        numbers = data.chunks(name, exact).numbers.long()
        if isinstance(data.questions, Questions) and name not in data.questions.sets:
            person, relation, subject = (part.numpy() for part in data.questions.hops(numbers))
        else:
            per_person = data.questions.rows_per_person
            person, relation = (numbers // per_person).numpy(), np.full(len(numbers), -1)
            asked = isinstance(data.questions, Questions)
            subject = (numbers % per_person).numpy() if asked else np.full(len(numbers), -1)
        scores = run.score(name, exact)
        columns = {
            "set": pa.array([name] * len(numbers)).dictionary_encode(),
            "person": pa.array(person.astype(np.int32)),
            "relation": pa.array(relations[relation], pa.string()).dictionary_encode(),
            "subject": pa.array(subjects[subject], pa.string()).dictionary_encode(),
            "bits": pa.array(scores.row_bits.to(torch.float32).numpy()),
            "right": pa.array(scores.row_right.numpy()),
        }
        tables.append(pa.table(columns))
    table, content = pa.concat_tables(tables).unify_dictionaries(), BytesIO()
    parquet.write_table(table, content)
    try:
        write_whole(file, content.getvalue(), replace=False)
    except OSError as error:
        raise InputError(f"questions: cannot write {file}: {error.strerror}") from None
    return table.num_rows
