"""A config as one flat mapping."""

from __future__ import annotations

from collections.abc import Mapping
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
