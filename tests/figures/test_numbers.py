import pytest

from modgrok.figures.numbers import listed, number, percent


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (4.7274, "4.73"),
        (0.04712, "0.0471"),
        (2.71e-7, "2.71 × 10⁻⁷"),
        (-3e-12, "−3.00 × 10⁻¹²"),
        (2431.4, "2,431"),
        (12345.0, "12,345"),
        (-1234567.0, "−1.23 × 10⁶"),
    ],
)
def test_a_number_has_three_digits(value: float, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(1.0, "100%"), (0.9999, "99.9%"), (0.969, "96.9%"), (0.97, "97%"), (0.0, "0%")]
)
def test_only_all_is_a_hundred_percent(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_a_list_in_words() -> None:
    assert [listed(list(letters)) for letters in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
