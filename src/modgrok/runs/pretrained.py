"""Starting from the weights of another run, and keeping parts of a network as they are."""

from __future__ import annotations

from collections.abc import Sequence

from modgrok.errors import InputError
from modgrok.models import Network
from modgrok.runs.directory import find_checkpoint
from modgrok.runs.snapshot import PretrainedFrom, load_snapshot


def load_parts(network: Network, path: str, parts: Sequence[str] | None) -> PretrainedFrom:
    """Put the weights of a run, or a checkpoint, into some parts of `network`, or into all.

    Raises:
        InputError: if there is no such checkpoint or part, or a weight is missing there or has another shape.
    """
    check_parts(network, "pretrained_parts", parts or ())
    snapshot = load_snapshot(find_checkpoint(path))
    theirs = snapshot.network.state_dict()
    ours = {
        name: weight
        for name, weight in network.state_dict().items()
        if parts is None or network.part_of(name) in parts
    }
    misfits = [
        f"{name} is {tuple(weight.shape)} here and "
        + (f"{tuple(theirs[name].shape)} there" if name in theirs else "missing there")
        for name, weight in ours.items()
        if name not in theirs or theirs[name].shape != weight.shape
    ]
    if misfits:
        more = f"; and {len(misfits) - 3} more" if len(misfits) > 3 else ""
        raise InputError(f"pretrained: {path} does not fit: {'; '.join(misfits[:3])}{more}")
    network.load_state_dict({name: theirs[name] for name in ours}, strict=False)
    data = snapshot.data
    return PretrainedFrom(
        path,
        [task.name for task in data.tasks],
        data.config["modulus"],
        snapshot.update,
        list(parts or network.parts),
    )


def freeze(network: Network, parts: Sequence[str]) -> None:
    """Keep the weights of some parts of `network` from being trained.

    Raises:
        InputError: if there is no such part, or nothing would be left to train.
    """
    check_parts(network, "frozen", parts)
    for name, parameter in network.named_parameters():
        if network.part_of(name) in parts:
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise InputError(f"frozen: {', '.join(parts)} is the whole network; nothing is left to train")


def check_parts(network: Network, field: str, parts: Sequence[str]) -> None:
    """Raise an InputError unless `network` has all these parts."""
    for part in parts:
        if part not in network.parts:
            raise InputError(
                f"{field}: a {type(network).__name__} has no part {part!r}; it has {', '.join(network.parts)}"
            )
