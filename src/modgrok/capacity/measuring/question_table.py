"""The loss of every scored question of a run, as a table."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from modgrok.capacity.memorizing.capacity_run import CapacityRun
from modgrok.capacity.people.dataset_files import pyarrow
from modgrok.capacity.questions.biographies import Biographies
from modgrok.capacity.questions.comparisons import Comparisons
from modgrok.capacity.questions.profiles_data import ProfilesData
from modgrok.capacity.questions.questions import Questions
from modgrok.errors import InputError
from modgrok.runs.whole_files import write_whole

PEOPLE = ("person", "other")


def write_questions(run: CapacityRun, file: Path, exact: bool = False) -> int:
    """Write a Parquet file with a row for each scored question; return how many there are.

    The columns are `set`, `person`, `relation`, `other`, the person that a comparison is with, `subject`, and of facts
    the `template` of the sentence, each null where a row has none; `bits`, the loss of the row, its name included where
    it is scored; and `right`, whether every token of its answers is the most probable one.

    Raises:
        InputError: if the file exists, cannot be written, or pyarrow is missing.
    """
    pa, parquet = pyarrow()
    data, people = run.data, run.data.people
    templates = data.notation.templates or (None,)
    texts = {"relation": people.relation_names, "subject": (*people.subjects, None), "template": templates}
    tables = []
    for name in data.scored_sets:
        chunks, scores = data.chunks(name, exact), run.score(name, exact)
        asked = {part: numbers.numpy() for part, numbers in _asked(data, name, chunks.numbers.long()).items()}
        none = pa.nulls(len(chunks.numbers), pa.int32())
        columns = {
            "set": pa.array([name] * len(chunks.numbers)).dictionary_encode(),
            **{part: pa.array(asked[part].astype(np.int32)) if part in asked else none for part in PEOPLE},
            **{
                part: pa.array(
                    np.array(names, dtype=object)[asked[part]] if part in asked else none, pa.string()
                )
                for part, names in texts.items()
            },
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


def _asked(data: ProfilesData, name: str, numbers: Tensor) -> dict[str, Tensor]:
    """Return whom and what the rows of a set ask, as numbers."""
    questions = data.questions
    if isinstance(questions, Biographies):
        return {"person": numbers}
    if name in questions.sets:
        return dict(zip(("person", "subject", "template"), questions.facts_of(numbers), strict=True))
    if isinstance(questions, Comparisons):
        return dict(zip(("person", "other", "subject"), questions.pairs(numbers), strict=True))
    assert isinstance(questions, Questions)
    return dict(zip(("person", "relation", "subject"), questions.hops(numbers), strict=True))
