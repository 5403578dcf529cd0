"""The options that say what somebody else's file of weights is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modgrok.errors import InputError

if TYPE_CHECKING:
    from modgrok.experiments.config.command_parser import CommandParser
    from modgrok.interop import ForeignRun


def add_foreign_options(parser: CommandParser) -> None:
    """Add `--formula`, `--modulus` and what a file may not say of its network."""
    parser.add_argument(
        "--formula", type=str | None, help="the formula that other people's weights were trained on"
    )
    parser.add_argument(
        "--modulus", type=int | None, help="the modulus that other people's weights were trained on"
    )
    parser.add_argument(
        "--tokens",
        type=str,
        nargs="+",
        metavar="WORD",
        help="the words of an example that other people's weights read, such as x y =; tried unless given",
    )
    parser.add_argument(
        "--activation",
        choices=("relu", "gelu", "square"),
        help="the activation of other people's weights; as their file says, or tried, unless given",
    )
    parser.add_argument(
        "--normalization",
        choices=("none", "LN", "LNPre"),
        help="likewise; LNPre is layer normalization folded into the weights",
    )
    parser.add_argument(
        "--attention_rate", type=float | None, help="likewise, from 0 to 1 (Zhong et al. 2023)"
    )


def read_foreign(given: Any) -> ForeignRun | None:
    """Read the weights that the options describe; None where they describe none.

    Raises:
        InputError: if options are missing, or the file cannot be read so.
    """
    from modgrok.interop import Reading, read_weights

    told = Reading(given.tokens or None, given.activation, given.normalization, given.attention_rate)
    if given.formula is None:
        named = [name for name, value in vars(told).items() if value is not None]
        named += ["modulus"] if given.modulus is not None else []
        if named:
            raise InputError(
                f"--{named[0]} describes other people's weights; give --formula and --modulus too"
            )
        return None
    if given.modulus is None:
        raise InputError("--formula needs --modulus")
    return read_weights(given.path, given.formula, given.modulus, told)
