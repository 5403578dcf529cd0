"""Exact integer mathematics: formulas, label tables, algebra and the catalog of published operations."""

from modgrok.tasks.catalog import CATALOG, CatalogEntry
from modgrok.tasks.domain import Domain
from modgrok.tasks.entropy import label_entropy
from modgrok.tasks.formula import VARIABLES
from modgrok.tasks.group import Group, group_from_table
from modgrok.tasks.group_notation import element_names, make_group, parse_group
from modgrok.tasks.group_word import GroupWord
from modgrok.tasks.residues import discrete_logarithms, exponentials, is_prime, primitive_root
from modgrok.tasks.structure import Structure, structure_of
from modgrok.tasks.symmetries import Symmetries, symmetries_of
from modgrok.tasks.task import Table, Task, make_task

__all__ = [
    "CATALOG",
    "VARIABLES",
    "CatalogEntry",
    "Domain",
    "Group",
    "GroupWord",
    "Structure",
    "Symmetries",
    "Table",
    "Task",
    "discrete_logarithms",
    "element_names",
    "exponentials",
    "group_from_table",
    "is_prime",
    "label_entropy",
    "make_group",
    "make_task",
    "parse_group",
    "primitive_root",
    "structure_of",
    "symmetries_of",
]
