"""Every number that is followed over the checkpoints of a run, from one checkpoint."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from torch import Tensor

from modgrok.analysis.clocked_pairs import ClockedPairs
from modgrok.analysis.furuta import fourier_coefficient_ratio, fourier_frequency_density
from modgrok.analysis.logits import ClassLogits, LogitParts, logit_directions
from modgrok.analysis.neurons import Tuning
from modgrok.analysis.progress import (
    excluded_losses,
    restricted_loss,
    sum_of_squared_weights,
    trigonometric_loss,
)
from modgrok.analysis.spectra import gini, spectrum
from modgrok.models.losses import CROSS_ENTROPY, Loss
from modgrok.tasks import VARIABLES


@dataclass(frozen=True)
class Measures:
    """The progress measures of one checkpoint.

    Attributes:
        key_frequencies: the frequencies that the losses below refer to.
        tuned_fraction: the share of the active neurons that are tuned to one frequency.
        restricted_loss: over all pairs, with the key frequencies alone.
        excluded_loss: over the training pairs (all pairs where those are not known), with all key
            frequencies taken out.
        excluded_loss_each: the same with one key frequency taken out, for each.
        trigonometric_loss: the loss of the fitted Σ_k α_k cos(w_k(s − c)) over the key frequencies.
        logit_variance: the fraction of the logits' variance that those explain.
        gini_embedding: Gini coefficient of the embedding's spectrum, in the basis of each operand.
        gini_logit: Gini coefficient of W_logit's spectrum, in the basis of the answer.
        ffd_embedding: Fourier Frequency Density, in the basis of each operand.
        fcr_embedding: Fourier Coefficient Ratio, likewise.
        ffd_logit: Fourier Frequency Density of W_logit.
        fcr_logit: Fourier Coefficient Ratio of W_logit.
        sum_of_squared_weights: Σ w² over all weights.

    Example:
        >>> from modgrok.analysis import Measures
        >>> list(Measures.__dataclass_fields__)[:4]
        ['key_frequencies', 'tuned_fraction', 'restricted_loss', 'excluded_loss']
    """

    key_frequencies: tuple[int, ...]
    tuned_fraction: float
    restricted_loss: float
    excluded_loss: float
    excluded_loss_each: tuple[float, ...]
    trigonometric_loss: float
    logit_variance: float
    gini_embedding: tuple[float, ...]
    gini_logit: float
    ffd_embedding: tuple[float, ...]
    fcr_embedding: tuple[float, ...]
    ffd_logit: float
    fcr_logit: float
    sum_of_squared_weights: float

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of `scalars` for three operands, without those of single frequencies."""
        plain = [
            field.name for field in fields(cls) if field.name not in ("key_frequencies", "excluded_loss_each")
        ]
        return tuple(
            name + operand
            for name in plain
            for operand in ([f"_{one}" for one in VARIABLES] if name.endswith("_embedding") else [""])
        )

    def scalars(self) -> dict[str, float]:
        """One name and number for each measure, as logs and tables want them.

        A measure of each operand ends in its name (`gini_embedding_x`), the excluded loss of one frequency in
        that frequency (`excluded_loss_17`).
        """
        numbers: dict[str, float] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "excluded_loss_each":
                each = zip(self.key_frequencies, value, strict=True)
                numbers.update({f"excluded_loss_{k}": loss for k, loss in each})
            elif field.name.endswith("_embedding"):
                numbers.update(
                    {f"{field.name}_{operand}": x for operand, x in zip(VARIABLES, value, strict=False)}
                )
            elif field.name != "key_frequencies":
                numbers[field.name] = value
        return numbers


def measure(
    clocked_pairs: ClockedPairs,
    *,
    logits: LogitParts,
    classes: ClassLogits,
    tuning: Tuning,
    W_E: Tensor,
    W_logit: Tensor,
    weights: Iterable[Tensor],
    key_frequencies: Sequence[int] | None = None,
    loss: Loss = CROSS_ENTROPY,
) -> Measures:
    """All progress measures of one checkpoint.

    Args:
        clocked_pairs: the n pairs on their clock.
        logits: those of the training pairs, part by part; of all pairs where those are not known.
        classes: the logits of all pairs, by class.
        tuning: the tuning of the neurons at the last position.
        W_E: (p, d), the operand symbols' rows.
        W_logit: (m, p), from the neurons to the logits.
        weights: all weights of the network.
        key_frequencies: those to take; this checkpoint's own unless given. To follow a run, give those of its
            last checkpoint: the measures then show their circuit growing before any neuron is tuned to it.
        loss: the loss of each pair, what the network was trained on.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import read_circuit, task_views
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> circuit = read_circuit(network, task_views(data)[0])
        >>> len(circuit.measures().key_frequencies) == len(circuit.key_frequencies)
        True
    """
    keys = tuning.key_frequencies if key_frequencies is None else tuple(key_frequencies)
    excluded, *excluded_each = excluded_losses(logits, classes, [keys, *([k] for k in keys)], loss)
    explained = logit_directions(classes).variance_explained.tolist()
    return Measures(
        key_frequencies=keys,
        tuned_fraction=tuning.tuned_fraction,
        restricted_loss=restricted_loss(classes, keys, loss),
        excluded_loss=excluded,
        excluded_loss_each=tuple(excluded_each),
        trigonometric_loss=trigonometric_loss(classes, keys, loss),
        logit_variance=sum((explained[k - 1] for k in keys), 0.0),
        gini_embedding=tuple(gini(spectrum(W_E, basis)[1:]) for basis in clocked_pairs.operand_bases),
        gini_logit=gini(spectrum(W_logit.T, clocked_pairs.answer_basis)[1:]),
        ffd_embedding=tuple(fourier_frequency_density(W_E, basis) for basis in clocked_pairs.operand_bases),
        fcr_embedding=tuple(fourier_coefficient_ratio(W_E, basis) for basis in clocked_pairs.operand_bases),
        ffd_logit=fourier_frequency_density(W_logit.T, clocked_pairs.answer_basis),
        fcr_logit=fourier_coefficient_ratio(W_logit.T, clocked_pairs.answer_basis),
        sum_of_squared_weights=sum_of_squared_weights(weights),
    )
