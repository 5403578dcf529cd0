"""Config files: YAML that is checked before a parser sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from modgrok.errors import InputError, brief
from modgrok.experiments.config.command_parser import option_values
from modgrok.experiments.config.config_forms import classes_first
from modgrok.experiments.config.shipped import find_config

LARGEST_FILE, MOST_VALUES = 1_000_000, 10_000
"""The most bytes of a config file, and the most values in it, with what its aliases repeat."""


class _Loader(yaml.SafeLoader):
    """YAML as it is meant: 1e-3 is a number."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def read_config(path: Path, inheriting: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Read a config file as plain data, on top of the file that it inherits from (`config: base.yaml`).

    Args:
        path: the file.
        inheriting: the files that inherit from it.

    Raises:
        InputError: naming the file and the line, if it is not the YAML of a configuration.
    """
    if path.resolve() in inheriting:
        raise InputError(f"{path}: inherits from itself")
    config = read_yaml(path, "a configuration; it needs sections such as `data:` with `task:` and `modulus:`")
    if (base := config.get("config")) is not None:
        if not isinstance(base, str):
            raise InputError(f"{path}: `config:` names one file, such as base.yaml")
        del config["config"]
        return _merged(read_config(path.parent / base, (*inheriting, path.resolve())), config)
    return config


def read_yaml(
    path: Path,
    what: str,
    *,
    largest: int = LARGEST_FILE,
    most_values: int = MOST_VALUES,
    nul_allowed: bool = False,
) -> dict[str, Any]:
    """Read a mapping from a YAML file.

    Args:
        path: the file.
        what: a description of what the file should be, for the message about one that is something else.
        largest: the most bytes that it may have.
        most_values: the most values that it may hold, with what its aliases repeat.
        nul_allowed: whether its values may have NUL characters, which no file name has.

    Raises:
        InputError: naming the file and the line, if it holds no mapping, or a key twice.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such config file")
    if path.stat().st_size > largest:
        raise InputError(f"{path}: such a file has at most {largest:,} bytes")
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        _check_nodes(root, path, most_values, nul_allowed)
        content = None if root is None else loader.construct_document(root)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise InputError(f"{path}, line {line}: {error.problem}") from None
    except InputError:
        raise
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"{path}: not a YAML file ({str(error).splitlines()[0]})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: not {what}")
    return content


def with_configs_as_data(args: Sequence[str]) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """Put the content of config files in the place of their paths or names; return that content too, by these.

    The parser's own inheritance of config files would replace whole sections.

    Raises:
        InputError: if a file is no configuration.
    """
    configs = {path: read_config(find_config(path)) for path in option_values(args, "--config", "-c")}
    written = {path: json.dumps(config) for path, config in configs.items()}
    return classes_first([written.get(arg, arg) for arg in _separated(args)]), configs


def names_class(field: str, args: Sequence[str], configs: Iterable[Mapping[str, Any]]) -> bool:
    """Whether an option or a config names the class of a field such as `model.optimizer`."""
    if option_values(args, f"--{field}.class_path"):
        return True
    if any("class_path" in value or value[:1] != "{" for value in option_values(args, f"--{field}")):
        return True
    return any(_names_class(config, field.split(".")) for config in configs)


def _names_class(value: Any, path: Sequence[str]) -> bool:
    if isinstance(value, Mapping):
        return _names_class(value.get(path[0]), path[1:]) if path else "class_path" in value
    return isinstance(value, str)


def _separated(args: Sequence[str]) -> list[str]:
    """Write `--config=FILE` as two arguments."""
    parts = [arg.split("=", 1) if arg.startswith("--config=") else [arg] for arg in args]
    return [part for each in parts for part in each]


def _merged(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """Put the values of one config on top of another's, section by section; another class comes as a whole."""
    merged = dict(base)
    for name, value in top.items():
        below = base.get(name)
        if isinstance(value, dict) and isinstance(below, dict):
            kind = below.get("class_path")
            merged[name] = _merged(below, value) if value.get("class_path", kind) == kind else value
        else:
            merged[name] = value
    return merged


def _check_nodes(root: yaml.Node | None, path: Path, most: int, nul_allowed: bool) -> None:
    """Refuse keys that are given twice, NUL characters, and aliases that repeat without end."""
    pending, seen = [root], 0
    while pending:
        node = pending.pop()
        seen += 1
        if seen > most:
            raise InputError(f"{path}: more than {most:,} values, with what its aliases repeat")
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
        if isinstance(node, yaml.ScalarNode) and "\0" in node.value and not nul_allowed:
            raise InputError(f"{path}, line {node.start_mark.line + 1}: a NUL character")
        if isinstance(node, yaml.MappingNode):
            names: set[str] = set()
            for key, value in node.value:
                pending += [key, value]
                if isinstance(key, yaml.ScalarNode):
                    if key.value in names:
                        raise InputError(
                            f"{path}, line {key.start_mark.line + 1}: {brief(key.value)} is given twice"
                        )
                    names.add(key.value)
