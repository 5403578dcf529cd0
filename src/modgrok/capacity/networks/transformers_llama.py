"""The Llama of the transformers library as a network of this wing."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from modgrok.capacity.networks.llama import at_positions, check_sizes, initialize
from modgrok.errors import InputError


class TransformersLlama(nn.Module):
    """LlamaForCausalLM (Hugging Face transformers); arguments and defaults are those of `Llama`.

    Its attention is the simplest, "eager": of the library's kinds it is the fastest for short rows when compiled.

    Raises:
        InputError: if a width is out of range, or transformers is not installed.
    """

    def __init__(
        self,
        vocabulary_size: int,
        context_length: int,
        d_model: int = 48,
        n_layers: int = 4,
        d_head: int = 16,
        d_mlp: int | None = None,
        tie_word_embeddings: bool = False,
        initializer_range: float | None = 0.02,
    ) -> None:
        super().__init__()
        check_sizes(d_model, n_layers, d_head, d_mlp)
        try:
            from transformers import LlamaConfig, LlamaForCausalLM
        except ImportError:
            raise InputError(
                "TransformersLlama needs the transformers library: pip install 'modgrok[capacity]', "
                "or choose the network modgrok.capacity.Llama"
            ) from None
        self.config: dict[str, Any] = {
            "d_model": d_model,
            "n_layers": n_layers,
            "d_head": d_head,
            "d_mlp": d_mlp,
            "tie_word_embeddings": tie_word_embeddings,
            "initializer_range": initializer_range,
        }
        self.llama = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=vocabulary_size,
                hidden_size=d_model,
                intermediate_size=d_mlp or 4 * d_model,
                num_hidden_layers=n_layers,
                num_attention_heads=d_model // d_head,
                head_dim=d_head,
                max_position_embeddings=context_length,
                tie_word_embeddings=tie_word_embeddings,
                attn_implementation="eager",  # type: ignore[call-arg]
                use_cache=False,
            )
        )
        initialize(self, n_layers, initializer_range)

    def forward(self, tokens: Tensor, positions: Tensor | None = None) -> Tensor:
        """Return the logits of the next token, as `Llama.forward` does."""
        states = self.llama.model(input_ids=tokens).last_hidden_state
        return self.llama.lm_head(at_positions(states, positions))

    def residual_stream(self, tokens: Tensor) -> list[Tensor]:
        """Return the residual stream after the embedding and after every layer, each (n, t, d)."""
        streams: list[Tensor] = []
        layers = self.llama.model.layers
        hooks = [layers[0].register_forward_pre_hook(lambda layer, inputs: streams.append(inputs[0]))]
        hooks += [
            layer.register_forward_hook(lambda layer, inputs, output: streams.append(output))
            for layer in layers
        ]
        try:
            self(tokens)
        finally:
            for hook in hooks:
                hook.remove()
        return streams
