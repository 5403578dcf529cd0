"""Parsing whose errors are a line or two."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import yaml
from jsonargparse import ArgumentParser
from lightning.pytorch.cli import LightningArgumentParser

from modgrok.errors import InputError, brief, did_you_mean

LARGEST_CONFIG = 1_000_000
MOST_NODES = 10_000
LONGEST_MESSAGE = 500


def shortened(message: object) -> str:
    """Return a message in a line that can be read: others' name every type that a field may have."""
    text = " ".join(str(message).split())
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 100]} … {text[-100:]}"


class Parser(LightningArgumentParser):
    """A parser whose errors are a line or two, with the nearest known option where one is unknown."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise the message as an InputError."""
        parser = getattr(ex, "subcommand_parser", None) or self
        text = shortened(re.sub(r'Parser key "([^"]*)":', r"\1:", message))
        unknown = re.search(
            r"unrecognized arguments: --([\w.]+)|Option '([\w.]+)' is not accepted|Key '([\w.]+)'", text
        )
        if unknown:
            options = [
                option.removeprefix("--") for action in parser._actions for option in action.option_strings
            ]
            text += did_you_mean(next(filter(None, unknown.groups())), options)
        raise InputError(text) from None


class CommandParser(ArgumentParser):
    """The same for a command that takes no config."""

    error = Parser.error


def option_values(args: Sequence[str], *names: str) -> list[str]:
    """Return the values of an option that is needed before the parser is made."""
    values = [value for name, value in pairwise(args) if name in names]
    return values + [argument.partition("=")[2] for argument in args if argument.startswith(f"{names[0]}=")]


def check_config(path: Path, inheriting: tuple[Path, ...] = ()) -> None:
    """Raise an InputError that names the file and the line, unless `path` holds the YAML of a configuration.

    Args:
        path: of the file; the one that it inherits from, as `config: base.yaml`, is checked too.
        inheriting: the files that inherit from it.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such config file")
    if path.resolve() in inheriting:
        raise InputError(f"{path}: inherits from itself")
    if path.stat().st_size > LARGEST_CONFIG:
        raise InputError(f"{path}: a config file has at most {LARGEST_CONFIG:,} bytes")
    try:
        text = path.read_text(encoding="utf-8")
        _check_nodes(yaml.compose(text, yaml.SafeLoader), path)
        config = yaml.safe_load(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise InputError(f"{path}, line {line}: {error.problem}") from None
    except InputError:
        raise
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"{path}: not a YAML file ({str(error).splitlines()[0]})") from None
    if not isinstance(config, dict):
        raise InputError(
            f"{path}: not a configuration; it needs sections such as `data:` with `task:` and `modulus:`"
        )
    if (base := config.get("config")) is not None:
        if not isinstance(base, str):
            raise InputError(f"{path}: `config:` names one file, such as base.yaml")
        check_config(path.parent / base, (*inheriting, path.resolve()))


def _check_nodes(root: yaml.Node | None, path: Path) -> None:
    """Refuse keys that are given twice, NUL characters, which no file name has, and aliases that repeat without end."""
    pending, seen = [root], 0
    while pending:
        node = pending.pop()
        seen += 1
        if seen > MOST_NODES:
            raise InputError(f"{path}: more than {MOST_NODES:,} values, with what its aliases repeat")
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
        if isinstance(node, yaml.ScalarNode) and "\0" in node.value:
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
