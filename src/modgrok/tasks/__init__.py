"""Exact integer mathematics: formulas, label tables, algebra and the catalog of published operations."""

from modgrok.tasks.catalog import CATALOG, CatalogEntry
from modgrok.tasks.domain import Domain
from modgrok.tasks.entropy import label_entropy
from modgrok.tasks.formula import VARIABLES
from modgrok.tasks.residues import discrete_logarithms, exponentials, is_prime, primitive_root
from modgrok.tasks.structure import Structure, structure_of
from modgrok.tasks.task import Table, Task, make_task

__all__ = [
    "CATALOG",
    "VARIABLES",
    "CatalogEntry",
    "Domain",
    "Structure",
    "Table",
    "Task",
    "discrete_logarithms",
    "exponentials",
    "is_prime",
    "label_entropy",
    "make_task",
    "primitive_root",
    "structure_of",
]
