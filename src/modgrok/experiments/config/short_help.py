"""The help of a command on about two screens: the fields of modgrok, and the few of Lightning's that most runs set."""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

OF_THE_TRAINER = (
    *("max_steps", "max_time", "accelerator", "logger", "callbacks", "default_root_dir"),
    "enable_progress_bar",
)
INDENT = 34


class HelpAction(argparse.Action):
    """Prints the short help and ends the process; `--help all` prints every option."""

    def __init__(self, option_strings: Sequence[str], dest: str, **kwargs: Any) -> None:
        super().__init__(
            option_strings,
            "help",
            nargs="?",
            default=argparse.SUPPRESS,
            help="this; --help all lists every option, those of Lightning's Trainer too",
        )

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: object, values: object, option: str | None = None
    ) -> None:
        """Print, and exit with 0."""
        if values == "all":
            parser.print_help()
        else:
            print(short_help(parser.prog, parser._actions))  # noqa: T201
        parser.exit()


def short_help(prog: str, actions: Iterable[argparse.Action]) -> str:
    """Write the options that are ours, section by section, with the first sentence of what each means."""
    width = min(shutil.get_terminal_size().columns, 120)
    sections: dict[str, list[str]] = {name: [] for name in ("", "data", "model", "stop")}
    for action in actions:
        name = next((one for one in action.option_strings if one.startswith("--")), "").removeprefix("--")
        section, _, field = name.rpartition(".")
        if not _is_shown(section, field, action):
            continue
        words = textwrap.fill(_sentence(action), max(width - INDENT, 30)).splitlines() or [""]
        head = f"  --{name}"
        first = f"{head:<{INDENT}}{words.pop(0)}" if len(head) < INDENT - 1 else head
        rest = [" " * INDENT + line for line in words]
        sections.setdefault(section.partition(".")[0], []).append("\n".join([first, *rest]))
    trainer = {"trainer": lines} if (lines := sections.pop("trainer", [])) else {}
    body = [
        f"{section}\n" * bool(section) + "\n".join(lines)
        for section, lines in {**sections, **trainer}.items()
        if lines
    ]
    return "\n\n".join([f"usage: {prog} [options]", *body, f"{prog} --help all lists every option."])


def _is_shown(section: str, field: str, action: argparse.Action) -> bool:
    if not field or action.help is argparse.SUPPRESS or field == "help":
        return False
    # a whole section from a file of its own
    if not section and action.help == "Path to a configuration file.":
        return False
    return section != "trainer" or field in OF_THE_TRAINER


def _sentence(action: argparse.Action) -> str:
    """Return the first sentence of an option's help, and its default where it is a plain value."""
    text = " ".join((action.help or "").replace("%%", "%").split())
    text = re.split(r"\. ?(?=[A-Z])|; | \((?:required|type:|default:)", text, maxsplit=1)[0].rstrip(".;")
    plain = isinstance(action.default, bool | int | float | str) and action.default != argparse.SUPPRESS
    return f"{text} ({action.default})" if plain else text
