"""`certificate.json`: what is proved of a network, by its weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modgrok.certificate.explained import ExplainedMargin
from modgrok.certificate.proof import Certificate
from modgrok.errors import InputError
from modgrok.models import Network
from modgrok.runs import Snapshot
from modgrok.runs.directory import run_of
from modgrok.runs.whole_files import write_whole

CERTIFICATE = "certificate.json"

ASSUMES = (
    "IEEE arithmetic with roundoff 2**-24 (float32) and no overflow, sums in any order, exponentials within 4 units in "
    "the last place; not TF32, half precision, or kernels that compute another formula"
)

_KIND = "margins of all pairs"

Found = Sequence[tuple[str, Certificate, ExplainedMargin | None]]
"""The name of each task, and what is proved of it."""


def weights_digest(network: Network) -> str:
    """A digest of a network's weights: two networks of one class have the same only if they are equal."""
    digest = hashlib.sha256()
    for name, weight in sorted(network.state_dict().items()):
        digest.update(f"{name} {tuple(weight.shape)} {weight.dtype};".encode())
        digest.update(weight.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def sentence(certificate: Certificate, explained: ExplainedMargin | None) -> str:
    """Say what is proved, and how much of it the circuit explains."""
    if explained is None:
        return str(certificate)
    follow = "all answers follow" if explained.share == 1 else f"{explained.share:.1%} of the answers follow"
    return (
        f"{certificate} The part of the logits that depends only on how far an answer is from the right one has margin "
        f"{explained.margin:.4g}; the rest moves a margin by at most {explained.rest:.4g}, so that {follow} from that "
        "part and this bound."
    )


def write_certificate(path: Path, source: str, snapshot: Snapshot, found: Found) -> None:
    """Write what is proved, in the place of an earlier certificate.

    Raises:
        InputError: if the file is something else, or cannot be written.

    Example:
        >>> from pathlib import Path
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import task_views
        >>> from modgrok.certificate import explained_margin, prove, write_certificate
        >>> from modgrok.runs import History, Snapshot
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> snapshot = Snapshot(network, data, update=0, history=History())
        >>> (view,) = task_views(data)
        >>> found = [(view.task.name, prove(network, view), explained_margin(network, view))]
        >>> write_certificate(Path("certificate.json"), "my network", snapshot, found)
    """
    check_certificate(path)
    content = {
        "certificate": _KIND,
        "source": source,
        "update": snapshot.update,
        "network": {"class": type(snapshot.network).__name__, **snapshot.network.config},
        "weights": weights_digest(snapshot.network),
        "assumes": ASSUMES,
        "tasks": [
            {
                "task": name,
                "says": sentence(certificate, explained),
                **asdict(certificate),
                "explained": None if explained is None else asdict(explained),
            }
            for name, certificate, explained in found
        ],
    }
    try:
        write_whole(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None


def check_certificate(path: Path) -> None:
    """Raise an InputError if there is a file that is no certificate."""
    if path.exists() and _read(path) is None:
        raise InputError(f"{path} exists and is no certificate; name another file")


def certificate_of(path: Path) -> Path:
    """Where the certificate of a run, a checkpoint or a file of weights is written unless told otherwise.

    Example:
        >>> from pathlib import Path
        >>> from modgrok.certificate import certificate_of
        >>> certificate_of(Path("weights.pth")).name
        'weights-certificate.json'
    """
    run = path if path.is_dir() else run_of(path)
    return run / CERTIFICATE if run else path.with_name(f"{path.stem}-{CERTIFICATE}")


def proved_sentences(path: Path, network: Network) -> tuple[str, ...]:
    """What the certificate of a run or a file says of a network, a sentence for each task.

    It says nothing where there is none, or where it is of other weights.

    Example:
        >>> from pathlib import Path
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.certificate import proved_sentences
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> proved_sentences(Path("weights.pth"), network)  # there is no certificate
        ()
    """
    content = _read(certificate_of(path))
    if content is None or content.get("weights") != weights_digest(network):
        return ()
    return tuple(str(task["says"]) for task in content["tasks"])


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text())
        return content if content["certificate"] == _KIND else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
