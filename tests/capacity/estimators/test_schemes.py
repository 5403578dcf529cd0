import pytest

from modgrok.capacity.estimators.schemes import fit_scheme

PARAMETERS = [10_000] * 5
PEOPLE = [100, 200, 400, 800, 1600]
STORED = {"2-hop-big-hash": [300.0 * n for n in PEOPLE], "2-hop-double": [60.0 * n + 8000 for n in PEOPLE]}
GUESSES = [6.0] * 5


@pytest.mark.parametrize("true", STORED)
def test_the_encoding_that_made_the_losses_is_found(true):
    losses = [6 * max(0.0, 1 - 2.3 * 10_000 / bits) for bits in STORED[true]]
    fits = [fit_scheme(name, bits, PARAMETERS, GUESSES, losses) for name, bits in STORED.items()]
    best = min(fits, key=lambda fit: fit.misfit)
    assert best.encoding == true
    assert best.bits_per_parameter == pytest.approx(2.3, rel=0.02)
    assert best.predicted == pytest.approx(losses, abs=0.1)
    assert max(fit.misfit for fit in fits) > 10 * best.misfit
