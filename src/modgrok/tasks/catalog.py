"""The catalog: every operation that the literature names, as data.

The sources:

- Power et al. 2022, "Grokking: Generalization beyond overfitting on small algorithmic datasets",
  arXiv 2201.02177, with the code openai/grok.
- Nanda et al. 2023, "Progress measures for grokking via mechanistic interpretability", arXiv 2301.05217.
- Furuta et al. 2024, "Towards empirical interpretation of internal circuits and properties in grokked
  Transformers on modular polynomials", arXiv 2402.16726, with the code frt03/grok_mod_poly, whose names are
  used here. That code draws operands from 0 … p + 4, its five operator tokens among them, where ours are
  0 … p − 1 (9,409 pairs at p = 97 and not 10,404).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from modgrok.tasks.domain import EVERYWHERE, Domain
from modgrok.tasks.formula import parse_formula
from modgrok.tasks.group_word import parse_group_word
from modgrok.tasks.operation import Operation
from modgrok.tasks.parity import ParityChoice
from modgrok.tasks.random_labels import RandomLabels
from modgrok.tasks.unreduced_sum import UnreducedSum

_POWER = "Power et al. 2022"
_POWER_CODE = "Power et al. 2022 (code)"
_NANDA = "Power et al. 2022, Nanda et al. 2023"
_FURUTA = "Furuta et al. 2024"
_FURUTA_CODE = "Furuta et al. 2024 (code)"


@dataclass(frozen=True)
class CatalogEntry:
    """An operation of the literature.

    Attributes:
        name: its name in the catalog.
        operation: the operation that the name stands for.
        source: the paper or repository where it was published.
        aliases: its other names.
        domain: how its source narrows the tuples.

    Example:
        >>> from modgrok.tasks import CATALOG
        >>> CATALOG["add"].formula, CATALOG["add"].n_operands
        ('x + y', 2)
    """

    name: str
    operation: Operation
    source: str
    aliases: tuple[str, ...] = ()
    domain: Domain = EVERYWHERE

    @property
    def formula(self) -> str:
        """The formula, or a short description of what is not a formula."""
        return str(self.operation)

    @property
    def n_operands(self) -> int:
        """The number of operands."""
        return self.operation.n_operands


def _entry(name: str, formula: str, source: str, *aliases: str, domain: Domain = EVERYWHERE) -> CatalogEntry:
    return CatalogEntry(name, parse_formula(formula), source, aliases, domain)


_ENTRIES = (
    _entry("add", "x + y", _NANDA, "addition", "+"),
    _entry("subtract", "x - y", _POWER, "subtraction", "-"),
    _entry("multiply", "x * y", _FURUTA, "multiplication", "*"),
    _entry("divide", "x / y", _POWER, "division", "/"),
    _entry("multiply_non_zero", "x * y", _FURUTA_CODE, domain=Domain(nonzero_operands=True)),
    _entry("x2_y2", "x**2 + y**2", _POWER, "quad1"),
    _entry("x2_xy_y2", "x**2 + x*y + y**2", _POWER, "quad2"),
    _entry("x2_xy_y2_x", "x**2 + x*y + y**2 + x", _POWER, "quad3"),
    _entry("x3_xy", "x**3 + x*y", _POWER, "cube1"),
    _entry("x3_xy2_y", "x**3 + x*y**2 + y", _POWER, "cube2"),
    _entry("x_x_y", "2*x + y", _FURUTA, "2x_y"),
    _entry("x_x_m_y", "2*x - y", _FURUTA, "2x_m_y"),
    _entry("xy_y", "x*y + y", _FURUTA),
    _entry("xy_m_y", "x*y - y", _FURUTA),
    _entry("xy_x_y", "x*y + x + y", _FURUTA),
    _entry("xy_x_m_y", "x*y + x - y", _FURUTA),
    _entry("x2_y", "x**2 + y", _FURUTA),
    _entry("x2_m_y", "x**2 - y", _FURUTA),
    _entry("x2_m_y2", "x**2 - y**2", _FURUTA),
    _entry("2x_3y", "2*x + 3*y", _FURUTA),
    _entry("2x_m_3y", "2*x - 3*y", _FURUTA),
    _entry("x3_2y", "x**3 + 2*y", _FURUTA),
    _entry("x3_m_2y", "x**3 - 2*y", _FURUTA),
    _entry("x2_2xy_y2", "x**2 + 2*x*y + y**2", _FURUTA),
    _entry("x2_m_2xy_y2", "x**2 - 2*x*y + y**2", _FURUTA),
    _entry("x2_2xy_y2_x_y", "x**2 + 2*x*y + y**2 + x + y", _FURUTA_CODE),
    _entry("_x_y__3", "(x + y)**3", _FURUTA),
    _entry("_x_y__4", "(x + y)**4", _FURUTA),
    _entry("_x_m_y__3", "(x - y)**3", _FURUTA),
    _entry("_x_m_y__4", "(x - y)**4", _FURUTA),
    _entry("add_z", "x + y + z", _FURUTA_CODE),
    _entry("subtract_z", "x - y - z", _FURUTA_CODE),
    _entry("multiply_z", "x * y * z", _FURUTA_CODE),
    _entry("x2_y2_z", "x**2 + y**2 + z", _FURUTA_CODE),
    _entry("x2_y2_z2", "x**2 + y**2 + z**2", _FURUTA_CODE),
    CatalogEntry("only_add", UnreducedSum(), _FURUTA_CODE),
    CatalogEntry("random", RandomLabels(), _FURUTA_CODE, ("rand",)),
    CatalogEntry(
        "odd_divide_even_subtract",
        ParityChoice("y", even=parse_formula("x - y"), odd=parse_formula("x / y")),
        _POWER,
        ("mix1",),
    ),
    CatalogEntry(
        "even_add_odd_multiply",
        ParityChoice("x", even=parse_formula("x + y"), odd=parse_formula("x * y")),
        _POWER_CODE,
        ("even-addition_odd-multiplication", "+*"),
    ),
    CatalogEntry(
        "even_add_odd_subtract",
        ParityChoice("x", even=parse_formula("x + y"), odd=parse_formula("x - y")),
        _POWER_CODE,
        ("even-addition_odd-subtraction", "+-"),
    ),
    CatalogEntry("s5", parse_group_word("x * y in S5"), _POWER, ("s5_xy",)),
    CatalogEntry("s5conj", parse_group_word("x * y * x**-1 in S5"), _POWER, ("s5_conjugate",)),
    CatalogEntry("s5aba", parse_group_word("x * y * x in S5"), _POWER, ("s5_xyx",)),
)

CATALOG: Mapping[str, CatalogEntry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""Every operation by its name."""

NAMES: Mapping[str, CatalogEntry] = MappingProxyType(
    {name: entry for entry in _ENTRIES for name in (entry.name, *entry.aliases)}
)
"""Every operation by its name and by each of its aliases."""
