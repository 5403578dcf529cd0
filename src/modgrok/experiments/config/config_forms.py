"""The forms of a config: flat, nested, and the command-line options that mean the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modgrok.errors import InputError


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a config's values by their dotted names."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        nested = isinstance(value, Mapping) and value and "class_path" not in value
        fields = flatten(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
        if twice := flat.keys() & fields.keys():
            raise InputError(f"{min(twice)} is given twice")
        flat |= fields
    return flat


def nested(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with `data.task: ...` as a field of its section."""
    sections: dict[str, Any] = {}
    for name, value in config.items():
        *names, last = str(name).split(".")
        target = sections
        for section in names:
            target = target.setdefault(section, {})
            if not isinstance(target, dict):
                raise InputError(f"{section}: not a section with fields of its own, such as {name}")
        target[last] = value
    return sections


def classes_first(args: Sequence[str]) -> list[str]:
    """Put an option that names a class, such as `--model.optimizer`, before the options of the class's arguments.

    The parser would take the arguments for those of the class before.
    """
    options: list[list[str]] = []
    for arg in args:
        if not options or arg.startswith("--") or arg in ("-c", "-h"):
            options.append([arg])
        else:
            options[-1].append(arg)
    for option in list(options):
        name, _, value = "=".join(option).partition("=")
        names_class = value[:1] not in ("", "{", "[") and name[:2] == "--"
        first = next((i for i, other in enumerate(options) if other[0].startswith(f"{name}.")), len(options))
        if names_class and first < options.index(option):
            options.remove(option)
            options.insert(first, option)
    return [arg for option in options for arg in option]


def run_options(config: str | Path | Mapping[str, Any], overrides: Mapping[str, Any] | None) -> list[str]:
    """Write a config and overrides as the options that mean the same."""
    base = _options(config) if isinstance(config, Mapping) else ["--config", str(config)]
    return [*base, *_options(overrides or {})]


def _options(fields: Mapping[str, Any]) -> list[str]:
    options = []
    for name, value in fields.items():
        if isinstance(value, Mapping) and "." not in name:
            options += _options({f"{name}.{field}": one for field, one in value.items()})
        else:
            options.append(f"--{name}={value if isinstance(value, str) else json.dumps(value)}")
    return options
