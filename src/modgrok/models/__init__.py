"""Networks with named activations. They know tensors and nothing of tasks."""

from modgrok.models.edited import Edit, EditedNetwork
from modgrok.models.hooks import Hook
from modgrok.models.mlp import MLP
from modgrok.models.network import Network, class_path, network_class
from modgrok.models.readout_paths import ReadoutPaths
from modgrok.models.restoring import build, check_readable, restore
from modgrok.models.shared_rows import IndexedTokens, index_tokens
from modgrok.models.shared_rows_network import SharedRowsNetwork
from modgrok.models.transformer import Transformer

__all__ = [
    "MLP",
    "Edit",
    "EditedNetwork",
    "Hook",
    "IndexedTokens",
    "Network",
    "ReadoutPaths",
    "SharedRowsNetwork",
    "Transformer",
    "build",
    "check_readable",
    "class_path",
    "index_tokens",
    "network_class",
    "restore",
]
