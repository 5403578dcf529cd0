"""Fourier bases, circuits and progress measures: pure functions, tensors in, tensors or dataclasses out.

The way in: a `Clock` for the task's algebra, a `ClockedPairs` with the task's pairs on it, then the functions. For
a network and its data, `task_views` chooses the clocks and `read_circuit` runs the network.
"""

from modgrok.analysis.basis import Basis, characters, pullback
from modgrok.analysis.causal_worth import Worth, causal_worth
from modgrok.analysis.circuit import Attention, Circuit, read_circuit
from modgrok.analysis.clock import Clock, Law, additive_clock, multiplicative_clock
from modgrok.analysis.clock_or_pizza import ClockOrPizza, gradient_symmetricity
from modgrok.analysis.clocked_pairs import ClockedPairs, place_on_clock
from modgrok.analysis.cosets import Cosets, find_cosets
from modgrok.analysis.embedding import (
    PrincipalComponents,
    on_plane,
    principal_components,
    singular_values,
)
from modgrok.analysis.furuta import fourier_coefficient_ratio, fourier_frequency_density
from modgrok.analysis.general_measures import GeneralMeasures
from modgrok.analysis.group_measures import GroupMeasures
from modgrok.analysis.group_pairs import GroupPairs, place_in_group
from modgrok.analysis.irreps import Irrep, real_irreps
from modgrok.analysis.isolated_circles import IsolatedCircle
from modgrok.analysis.learning_coefficient import SGLD, LearningCoefficient, learning_coefficient
from modgrok.analysis.logits import (
    ClassLogits,
    LogitDirections,
    logit_directions,
    logit_parts,
    sum_logits_by_class,
)
from modgrok.analysis.maps import operand_maps, transform_2d
from modgrok.analysis.measures import Measures, measure
from modgrok.analysis.neurons import Tuning, tuning
from modgrok.analysis.path_weights import path_weights
from modgrok.analysis.phases import Phase, find_phases
from modgrok.analysis.progress import (
    cross_entropy,
    excluded_loss,
    restricted_accuracy,
    restricted_loss,
    sum_of_squared_weights,
    trigonometric_loss,
)
from modgrok.analysis.run_analysis import (
    CheckpointScores,
    RunAnalysis,
    TaskAnalysis,
    analyze,
    analyze_checkpoints,
    analyze_network,
)
from modgrok.analysis.spectra import gini, spectrum
from modgrok.analysis.task_view import BasisName, TaskView, task_views
from modgrok.analysis.without import without

__all__ = [
    "SGLD",
    "Attention",
    "Basis",
    "BasisName",
    "CheckpointScores",
    "Circuit",
    "ClassLogits",
    "Clock",
    "ClockOrPizza",
    "ClockedPairs",
    "Cosets",
    "GeneralMeasures",
    "GroupMeasures",
    "GroupPairs",
    "Irrep",
    "IsolatedCircle",
    "Law",
    "LearningCoefficient",
    "LogitDirections",
    "Measures",
    "Phase",
    "PrincipalComponents",
    "RunAnalysis",
    "TaskAnalysis",
    "TaskView",
    "Tuning",
    "Worth",
    "additive_clock",
    "analyze",
    "analyze_checkpoints",
    "analyze_network",
    "causal_worth",
    "characters",
    "cross_entropy",
    "excluded_loss",
    "find_cosets",
    "find_phases",
    "fourier_coefficient_ratio",
    "fourier_frequency_density",
    "gini",
    "gradient_symmetricity",
    "learning_coefficient",
    "logit_directions",
    "logit_parts",
    "measure",
    "multiplicative_clock",
    "on_plane",
    "operand_maps",
    "path_weights",
    "place_in_group",
    "place_on_clock",
    "principal_components",
    "pullback",
    "read_circuit",
    "real_irreps",
    "restricted_accuracy",
    "restricted_loss",
    "singular_values",
    "spectrum",
    "sum_logits_by_class",
    "sum_of_squared_weights",
    "task_views",
    "transform_2d",
    "trigonometric_loss",
    "tuning",
    "without",
]
