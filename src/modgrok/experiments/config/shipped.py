"""The configs that modgrok comes with, found by name: `poly`, `sweeps/powers_29`, `claims/mainline`."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

import yaml

from modgrok.errors import InputError, did_you_mean

SUFFIX = ".yaml"


def shipped_root() -> Path:
    """Return the directory of the configs: in the installed package, or beside the sources of a checkout."""
    package = Path(__file__).parents[2]
    installed = package / "configs"
    return installed if installed.is_dir() else package.parents[1] / "configs"


def shipped_configs() -> dict[str, Path]:
    """Return the configs by name."""
    root = shipped_root()
    files = sorted(root.rglob(f"*{SUFFIX}"), key=lambda file: (len(file.relative_to(root).parts), file))
    return {file.relative_to(root).with_suffix("").as_posix(): file for file in files}


def find_config(given: str | Path) -> Path:
    """Return the config file that a path or a name means; a file at that path comes before a shipped one.

    Args:
        given: a path, or the name of a shipped config, which may be written as its path in a checkout, too.

    Raises:
        InputError: if there is neither.
    """
    if Path(given).is_file():
        return Path(given)
    name = Path(given).as_posix().removeprefix("configs/").removesuffix(SUFFIX)
    shipped = shipped_configs()
    if name not in shipped:
        near = did_you_mean(name, shipped) or "; modgrok configs lists those that come with it"
        raise InputError(f"{given}: no such config file{near}")
    return shipped[name]


def title(file: Path) -> str:
    """Return what a config says of itself: a claim, a question, or the first sentence of the comment it begins with."""
    text = file.read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    said = content.get("claim", {}).get("says") or content.get("question")
    if said is None:
        comment = takewhile(lambda line: line.startswith("#"), text.splitlines())
        sentences = re.split(r"(?<!et al)\. ", " ".join(line.lstrip("# ") for line in comment))
        said = sentences[0].rstrip(".")
    return " ".join(said.split())
