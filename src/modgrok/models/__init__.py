"""Networks with named activations. They know tensors and nothing of tasks."""

from modgrok.models.hooks import Hook
from modgrok.models.mlp import MLP
from modgrok.models.network import Network
from modgrok.models.shared_rows import IndexedTokens, index_tokens
from modgrok.models.transformer import Transformer

__all__ = ["MLP", "Hook", "IndexedTokens", "Network", "Transformer", "index_tokens"]
