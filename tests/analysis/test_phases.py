import math

import pytest

from modgrok.analysis import Phase, find_phases
from modgrok.errors import InputError

P = 59
GUESS = math.log(P)
UPDATES = [0, 100, 200, 300, 400, 500, 600, 700]

# A run as they go: memorised by 100, the circuit carries the training pairs from 300, grokked at 500
GROKS = {
    "train_loss": [4.1, 0.1, 1e-3, 1e-5, 1e-6, 1e-7, 1e-7, 1e-7],
    "heldout_loss": [4.0, 15.0, 25.0, 20.0, 9.0, 0.5, 1e-2, 1e-3],
    "excluded_loss": [4.1, 0.5, 0.4, 3.0, 8.0, 12.0, 9.0, 6.0],
    "sum_of_squared_weights": [500.0, 900.0, 1500.0, 1400.0, 1300.0, 1100.0, 750.0, 700.0],
}


def test_a_run_that_groks_has_three_phases() -> None:
    assert find_phases(UPDATES, **GROKS, guess=GUESS) == (
        Phase("memorisation", 0, 200),
        Phase("circuit formation", 200, 500),
        Phase("cleanup", 500, 700),
    )


def test_a_phase_that_lasts_from_nowhere_to_nowhere_did_not_occur() -> None:
    rising = [0.3, 0.5, 1.0, 3.0, 8.0, 12.0, 9.0, 6.0]
    phases = find_phases(UPDATES, **GROKS | {"excluded_loss": rising}, guess=GUESS)
    assert [phase.name for phase in phases] == ["circuit formation", "cleanup"]


def test_cleanup_ends_when_the_weights_have_done_nine_tenths_of_their_fall() -> None:
    settled = [500.0, 900.0, 1500.0, 1400.0, 1300.0, 1100.0, 730.0, 700.0]
    assert find_phases(UPDATES, **GROKS | {"sum_of_squared_weights": settled}, guess=GUESS)[2].end == 600
    growing = [500.0, 600.0, 700.0, 800.0, 900.0, 1000.0, 1100.0, 1200.0]
    assert find_phases(UPDATES, **GROKS | {"sum_of_squared_weights": growing}, guess=GUESS)[2].end is None


def test_a_run_that_is_cut_off_before_it_groks() -> None:
    cut = {name: values[:5] for name, values in GROKS.items()}
    assert find_phases(UPDATES[:5], **cut, guess=GUESS) == (
        Phase("memorisation", 0, 200),
        Phase("circuit formation", 200, None),
    )


def test_a_run_that_never_groks_only_memorises_even_if_its_loss_spikes() -> None:
    # without key frequencies the excluded loss is the training loss, here with a spike late in training
    train = [4.1, 0.1, 1e-3, 1e-5, 6.0, 1e-6, 1e-7, 1e-7]
    found = find_phases(
        UPDATES,
        train_loss=train,
        heldout_loss=[4.1, 15.0, 25.0, 26.0, 27.0, 27.0, 28.0, 28.0],
        excluded_loss=train,
        sum_of_squared_weights=GROKS["sum_of_squared_weights"],
        guess=GUESS,
    )
    assert found == (Phase("memorisation", 0, None),)


def test_a_run_that_groks_without_a_circuit_seen() -> None:
    found = find_phases(UPDATES, **GROKS | {"excluded_loss": GROKS["train_loss"]}, guess=GUESS)
    assert found == (Phase("memorisation", 0, 500), Phase("cleanup", 500, 700))


def test_a_relapse_of_the_heldout_loss_puts_cleanup_off() -> None:
    relapse = [4.0, 15.0, 25.0, 3.0, 9.0, 0.5, 1e-2, 1e-3]
    assert find_phases(UPDATES, **GROKS | {"heldout_loss": relapse}, guess=GUESS)[2].start == 500


def test_what_is_left_after_cleanup_does_not_look_like_memorisation() -> None:
    small_at_last = [4.1, 0.5, 0.4, 3.0, 8.0, 12.0, 9.0, 0.1]
    assert find_phases(UPDATES, **GROKS | {"excluded_loss": small_at_last}, guess=GUESS)[0].end == 200


def test_measures_have_one_value_for_each_checkpoint() -> None:
    with pytest.raises(InputError, match=r"\[7, 8\]"):
        find_phases(UPDATES, **GROKS | {"train_loss": [1.0] * 7}, guess=GUESS)
    with pytest.raises(InputError, match=r"\[0\]"):
        find_phases(
            [], train_loss=[], heldout_loss=[], excluded_loss=[], sum_of_squared_weights=[], guess=GUESS
        )
