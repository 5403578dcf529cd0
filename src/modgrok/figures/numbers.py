"""Numbers as a reader wants them."""

from __future__ import annotations

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """Three digits, whole from a thousand to a million: 0.0471, −12.5, 14,000, 2.71 × 10⁻⁷."""
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return (f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}").replace("-", "−")
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa} × {power_of_ten(int(exponent))}".replace("-", "−")


def power_of_ten(exponent: int) -> str:
    """A power of ten: 1, 10, 10², 10⁻⁷."""
    return {0: "1", 1: "10"}.get(exponent, f"10{str(exponent).translate(_SUPERSCRIPTS)}")


def decimals(value: float, digits: int) -> str:
    """A number with this many decimals: −0.4866."""
    return f"{value:.{digits}f}".replace("-", "−")


def percent(share: float) -> str:
    """Whole percents, and 100% only for all: 96.9%, 97%, 99.9%."""
    shown = f"{100 * share:.3g}%" if share < 1 else "100%"
    return "99.9%" if share < 1 and shown == "100%" else shown


def listed(items: list[str]) -> str:
    """A list in words: 3, 17 and 22."""
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1] if items else ""]))
