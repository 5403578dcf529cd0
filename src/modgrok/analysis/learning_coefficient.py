"""The local learning coefficient of a network, by stochastic gradient Langevin dynamics.

Its estimate λ̂ = nβ(E L(w) − L(w*)) belongs to the network together with the step ε, the pull γ and nβ: under another
pull it is another number (Lau et al. 2023, arXiv 2308.12108).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from modgrok.errors import InputError, brief, did_you_mean
from modgrok.models import Network
from modgrok.models.losses import Loss

LEFT_BASIN = 0.25
"""Share of the loss of a guess that the chain's mean loss may reach above the network's."""

DRIFT = 0.1
"""Relative difference between the mean excess losses of the last two quarters, at most."""


@dataclass(frozen=True)
class SGLD:
    """The settings of the chains, which belong to every number they give.

    Attributes:
        step: ε.
        pull: γ, of the quadratic that holds the chain to the network.
        burn_in: steps before the first draw.
        draws: steps whose losses are averaged.
        chains: how many, each with its own seed.
        seed: the seed of the first chain.

    Raises:
        InputError: if a setting is not positive, or the pull or the burn-in is negative.

    Example:
        >>> from modgrok.analysis import SGLD
        >>> print(SGLD(step=1e-5))
        ε 1e-05, γ 300, 2 chains of 100 + 200 steps, seed 0
    """

    step: float = 1e-4
    pull: float = 300.0
    burn_in: int = 100
    draws: int = 200
    chains: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("step", "draws", "chains"):
            if not getattr(self, name) > 0:
                raise InputError(f"sgld.{name} must be positive, got {getattr(self, name)}")
        for name in ("pull", "burn_in"):
            if not getattr(self, name) >= 0:
                raise InputError(f"sgld.{name} must be ≥ 0, got {getattr(self, name)}")

    def __str__(self) -> str:
        return (
            f"ε {self.step:g}, γ {self.pull:g}, {self.chains} chains of {self.burn_in} + {self.draws} steps, "
            f"seed {self.seed}"
        )


def read_sgld(settings: Mapping[str, float]) -> SGLD:
    """Make settings of numbers by name.

    Raises:
        InputError: if a name is unknown, a number that counts is not whole, or out of range.
    """
    known = {field.name: field.type for field in fields(SGLD)}
    for name, value in settings.items():
        if name not in known:
            raise InputError(f"sgld: unknown setting {brief(name)}{did_you_mean(name, known)}")
        if known[name] == "int" and value != int(value):
            raise InputError(f"sgld.{name} must be a whole number, got {value}")
    return SGLD(**{name: int(v) if known[name] == "int" else float(v) for name, v in settings.items()})  # type: ignore[arg-type]


@dataclass(frozen=True)
class LearningCoefficient:
    """An estimate, or why there is none.

    Attributes:
        estimate: λ̂, the mean over the chains; None where the chains are no measure.
        spread: the standard deviation over the chains.
        n_beta: nβ = n / ln n of the n pairs, the inverse temperature.
        settings: the settings of the chains.
        refused: why there is no estimate; None where there is one.

    Example:
        >>> from modgrok.analysis import SGLD, LearningCoefficient
        >>> print(LearningCoefficient(6.7, 0.2, 94.6, SGLD(), None))
        6.7 ± 0.2 (nβ 94.6, ε 0.0001, γ 300, 2 chains of 100 + 200 steps, seed 0)
    """

    estimate: float | None
    spread: float | None
    n_beta: float
    settings: SGLD
    refused: str | None

    def __str__(self) -> str:
        """Say the number with the settings that it belongs to, or why there is none."""
        value = (
            f"{self.estimate:.3g} ± {self.spread:.2g}" if self.refused is None else f"none, {self.refused}"
        )
        return f"{value} (nβ {self.n_beta:.4g}, {self.settings})"


def learning_coefficient(
    network: Network, tokens: Tensor, answers: Tensor, loss: Loss, guess: float, settings: SGLD
) -> LearningCoefficient:
    """Estimate the local learning coefficient of a network on its training pairs, all of them in each step.

    Args:
        network: w*, which is not changed.
        tokens: (n, t), of the training pairs.
        answers: (n,).
        loss: the loss of each pair.
        guess: the loss of a uniform guess.
        settings: the settings of the chains.

    Example:
        >>> from modgrok import MLP, ModularDataModule
        >>> from modgrok.analysis import SGLD, learning_coefficient
        >>> from modgrok.models.losses import CROSS_ENTROPY
        >>> data = ModularDataModule("x + y", 7)
        >>> network, pairs = MLP(**data.network_shape, d_model=8, d_mlp=8), data.training_pairs
        >>> settings = SGLD(step=1e-5, burn_in=2, draws=8)
        >>> found = learning_coefficient(network, pairs.tokens, pairs.answers, CROSS_ENTROPY, 1.9, settings)
        >>> found.settings.draws
        8
    """
    copied = copy.deepcopy(network).eval()
    prepared, parameters = copied.prepare(tokens), [w for w in copied.parameters() if w.requires_grad]

    def mean_loss() -> Tensor:
        return loss(copied(prepared), answers).mean()

    n_beta = len(answers) / math.log(len(answers))
    return sample(mean_loss, parameters, n_beta, settings, LEFT_BASIN * guess)


def sample(
    mean_loss: Callable[[], Tensor],
    parameters: Sequence[Tensor],
    n_beta: float,
    settings: SGLD,
    most_excess: float = math.inf,
) -> LearningCoefficient:
    """Run the chains Δw = −(ε/2)(nβ∇L + γ(w − w*)) + N(0, ε), and average the losses.

    Args:
        mean_loss: L at the parameters' values.
        parameters: w, at w* when this is called and when it returns.
        n_beta: nβ.
        settings: the settings of the chains.
        most_excess: the mean loss above L(w*) beyond which a chain has left its basin.
    """
    start = [parameter.detach().clone() for parameter in parameters]
    with torch.no_grad():
        loss_at_start = float(mean_loss())
    traces = []
    for chain in range(settings.chains):
        generator = torch.Generator().manual_seed(settings.seed + chain)
        _move(parameters, start)
        losses = []
        for step in range(settings.burn_in + settings.draws):
            with torch.enable_grad():
                value = mean_loss()
                gradients = torch.autograd.grad(value, parameters, allow_unused=True)
            if step >= settings.burn_in:
                losses.append(float(value.detach()))
            with torch.no_grad():
                for w, gradient, origin in zip(parameters, gradients, start, strict=True):
                    force = settings.pull * (w - origin)
                    if gradient is not None:
                        force = force + n_beta * gradient
                    noise = torch.randn(w.shape, generator=generator, dtype=w.dtype).to(w.device)
                    w.add_(-settings.step / 2 * force + math.sqrt(settings.step) * noise)
        traces.append(torch.tensor(losses, dtype=torch.float64) - loss_at_start)
    _move(parameters, start)
    excess = torch.stack(traces)  # (chains, draws)
    if refused := _refusal(excess, most_excess):
        return LearningCoefficient(None, None, n_beta, settings, refused)
    estimates = n_beta * excess.mean(1)
    spread = float(estimates.std()) if len(estimates) > 1 else 0.0
    return LearningCoefficient(float(estimates.mean()), spread, n_beta, settings, None)


@torch.no_grad()
def _move(parameters: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    for parameter, value in zip(parameters, values, strict=True):
        parameter.copy_(value)


def _refusal(excess: Tensor, most: float) -> str | None:
    """Why the losses of the chains, (chains, draws) above that of the network, are no measure."""
    if not excess.isfinite().all():
        return "a loss of the chain is not a number; take a smaller step"
    if float(excess.mean()) > most:
        return "the chain leaves the basin: its mean loss is above a quarter of a guess; take a larger pull"
    quarters = [float(quarter.mean()) for quarter in excess.tensor_split(4, 1)]
    if abs(quarters[3] - quarters[2]) > DRIFT * max(abs(quarters[2]), abs(quarters[3])):
        return (
            "the chain drifts: its last two quarters differ by more than a tenth; take more steps of burn-in"
        )
    return None
