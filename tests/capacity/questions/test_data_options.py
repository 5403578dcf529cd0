"""Every option of the data has an effect, or is refused."""

from pathlib import Path

import pytest

from modgrok.capacity import ProfilesDataModule
from modgrok.capacity.memorizing.capacity_record import data_of_record
from modgrok.capacity.questions.profiles_data import DEFAULTS
from modgrok.errors import InputError

SMALL = {"n": 30, "relations": 3, "name_words": [16, 16, 16], "attributes": {"color": 16, "city": 16}}
MODES = {
    "text": {"notation": "text", "tokenizer_size": 350},
    "tokens": {"notation": "tokens"},
    "biographies": {"notation": "biographies"},
    "text biographies": {"notation": "text_biographies", "tokenizer_size": 350},
    "two hops": {"notation": "tokens", "hops": 2},
    "comparisons": {"notation": "tokens", "comparisons": True},
}
OTHERS = {
    "n": 31,
    "relations": 2,
    "bipartite": True,
    "out_degree": 2,
    "name_words": [16, 16, 8],
    "attributes": {"color": 16, "city": 8},
    "alphabet": 5,
    "tokenizer_size": 400,
    "templates": ["question", "record"],
    "held_out_templates": ["question"],
    "templates_per_fact": 1,
    "hop_ratio": 1,
    "chain_of_thought": True,
    "second_subjects": ["city"],
    "held_out": {"complete_two_hop": 0.5},
    "phi": 1.0,
    "out_of_distribution": 0.2,
    "identity_bridge": True,
    "score_names": True,
    "sample": 7,
    "batch_size": 16,
    "seed": 1,
}
TOLD_TOGETHER = {
    "held_out_templates": {"templates": ["question", "record"]},
    "templates_per_fact": {"templates": ["question", "record"]},
}


def everything(**options):
    """Return the rows of the first update and of every scored set."""
    data = ProfilesDataModule(**options)
    chunks = {"trained": data.batches(0)} | {name: data.chunks(name) for name in data.scored_sets}
    return {name: [[column.tolist() for column in rows] for rows in chunks[name]] for name in chunks}


def test_the_list_of_other_values_is_complete():
    chosen = {"profiles", "notation", "hops", "comparisons"}  # the modes, and people from a file
    assert {*OTHERS} == {*DEFAULTS} - chosen


@pytest.mark.parametrize("mode", MODES)
def test_an_option_has_an_effect_or_is_refused(mode):
    refused = []
    for option, value in OTHERS.items():
        before = SMALL | MODES[mode] | TOLD_TOGETHER.get(option, {})
        try:
            after = everything(**before | {option: value})
        except InputError:
            refused.append(option)
            continue
        assert after != everything(**before), option
    sentences = {"tokenizer_size", "templates", "held_out_templates", "templates_per_fact"}
    two_hops = {"chain_of_thought", "second_subjects", "held_out", "identity_bridge"}
    two_facts = {"hop_ratio", "phi", "out_of_distribution"}
    assert {*refused} == {
        "text": {"alphabet"} | two_hops | two_facts,
        "tokens": sentences | two_hops | two_facts,
        "text biographies": {"alphabet", "out_degree"} | two_hops | two_facts,
        "biographies": {"out_degree"} | sentences | two_hops | two_facts,
        "two hops": sentences,
        "comparisons": sentences | two_hops,
    }[mode]


def test_an_option_without_effect_is_named_with_what_it_needs():
    with pytest.raises(InputError, match=r"^second_subjects has no effect without hops: 2; got \['color'\]$"):
        ProfilesDataModule(**SMALL, notation="tokens", second_subjects=["color"])


def test_the_record_of_an_older_run_may_have_options_without_effect():
    data = ProfilesDataModule(**SMALL, notation="tokens")
    older = data.config | {"held_out": {"complete_two_hop": 0.1}, "hop_ratio": 0.33, "tokenizer_size": 350}
    again = data_of_record({"data": older, "digests": data.digests}, Path("update=000010.ckpt"))
    assert again.config == data.config


def test_the_number_of_people_is_that_of_the_file(tmp_path):
    from modgrok.capacity.people.parquet import write_profiles

    write_profiles(ProfilesDataModule(**SMALL, notation="tokens").people, tmp_path / "people.parquet")
    people = {"profiles": str(tmp_path / "people.parquet"), "notation": "tokens"}
    assert len(ProfilesDataModule(**people, n=30, relations=3).people) == 30
    for option, value in {"n": 20, "relations": 2}.items():
        with pytest.raises(
            InputError, match=rf"^{option} must be \d+, as in .*, or be left out; got {value}$"
        ):
            ProfilesDataModule(**people | {option: value})
