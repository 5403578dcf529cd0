from dataclasses import fields

import pytest
import torch

from modgrok.analysis import (
    Measures,
    cross_entropy,
    excluded_loss,
    gini,
    logit_parts,
    measure,
    restricted_loss,
    spectrum,
    sum_logits_by_class,
    tuning,
)


def measured(network, neurons=None, **changes) -> Measures:
    arguments = {
        "logits": logit_parts(network.logits, torch.arange(0, len(network.logits), 3)),
        "classes": sum_logits_by_class(network.logits, network.domain),
        "tuning": tuning(network.neurons if neurons is None else neurons, network.domain),
        "W_E": network.W_E,
        "W_logit": network.W_logit,
        "weights": [network.W_E, network.W_logit],
    }
    return measure(network.domain, **arguments | changes)


def test_they_are_what_the_functions_give(adding) -> None:
    found = measured(adding)
    classes = sum_logits_by_class(adding.logits, adding.domain)
    training = torch.arange(0, len(adding.logits), 3)
    assert found.key_frequencies == (2, 5, 13)
    assert found.tuned == 1.0
    assert found.restricted_loss == restricted_loss(classes, [2, 5, 13])
    assert found.excluded_loss == excluded_loss(adding.logits, classes, [2, 5, 13], training)
    assert found.excluded_loss_each[1] == excluded_loss(adding.logits, classes, [5], training)
    assert found.gini_embedding == (gini(spectrum(adding.W_E, adding.domain.answer_basis)[1:]),) * 2
    assert found.fcr_logit > 0
    assert found.sum_of_squared_weights == pytest.approx(
        float(adding.W_E.square().sum() + adding.W_logit.square().sum())
    )


def test_key_frequencies_can_be_those_of_another_checkpoint(adding) -> None:
    early = torch.randn(adding.neurons.shape, generator=torch.Generator().manual_seed(15))
    own = measured(adding, neurons=early)
    assert own.key_frequencies == ()
    assert own.excluded_loss_each == ()
    assert all(isinstance(value, float) for value in own.scalars().values())
    full = cross_entropy(adding.logits[::3], adding.domain.answers[::3])
    assert own.excluded_loss == pytest.approx(full)
    later = measured(adding, neurons=early, key_frequencies=[2, 5, 13])
    assert later.tuned == 0.0
    assert later.restricted_loss == measured(adding).restricted_loss


def test_scalars_name_every_number_once(adding) -> None:
    found = measured(adding)
    scalars = found.scalars()
    assert scalars["excluded_loss_13"] == found.excluded_loss_each[2]
    assert scalars["gini_embedding_y"] == found.gini_embedding[1]
    plain = {field.name for field in fields(found) if isinstance(getattr(found, field.name), float)}
    assert set(scalars) == plain | {
        *(f"excluded_loss_{k}" for k in (2, 5, 13)),
        *(f"{name}_embedding_{operand}" for name in ("gini", "ffd", "fcr") for operand in "xy"),
    }
    assert all(isinstance(value, float) for value in scalars.values())
