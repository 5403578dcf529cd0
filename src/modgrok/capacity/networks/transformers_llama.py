"""The Llama of the transformers library as a network of this wing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from modgrok.capacity.networks.llama_shape import LlamaNetwork, LlamaShape, at_positions, draw_weights
from modgrok.errors import InputError, install_hint


class TransformersLlama(LlamaNetwork):
    """LlamaForCausalLM (Hugging Face transformers); arguments and defaults are those of `Llama`.

    Its attention is the simplest, "eager": of the library's kinds it is the fastest for short rows when compiled.

    Raises:
        InputError: if a size is out of range, or transformers is not installed.

    Example:
        >>> from modgrok.capacity import Llama, TransformersLlama
        >>> sizes = {"vocabulary_size": 20, "context_length": 8, "d_model": 16, "n_layers": 1}
        >>> ours, theirs = Llama(**sizes), TransformersLlama(**sizes)
        >>> theirs.llama.load_state_dict(ours.state_dict())
        <All keys matched successfully>
    """

    def build(self, shape: LlamaShape) -> None:
        """Make the library's modules and draw their weights."""
        try:
            from transformers import LlamaConfig, LlamaForCausalLM
        except ImportError:
            raise InputError(
                f"TransformersLlama needs the transformers library ({install_hint('capacity')}), "
                "or take the network modgrok.capacity.Llama"
            ) from None
        self.llama = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=shape.vocabulary_size,
                hidden_size=shape.d_model,
                intermediate_size=shape.d_mlp or 1,
                num_hidden_layers=shape.n_layers,
                num_attention_heads=shape.d_model // shape.d_head,
                head_dim=shape.d_head,
                max_position_embeddings=shape.context_length,
                tie_word_embeddings=shape.tie_word_embeddings,
                attn_implementation="eager",  # type: ignore[call-arg]
                use_cache=False,
            )
        )
        draw_weights(self, shape)
        layers = self.llama.model.layers
        if not shape.d_mlp:
            for layer in layers:
                layer.post_attention_layernorm, layer.mlp = nn.Identity(), Nothing()
        self.llama.model.layers = nn.ModuleList(list(layers) * shape.n_loops)
        self.llama.config.num_hidden_layers = len(self.llama.model.layers)

    def forward(self, tokens: Tensor, positions: Tensor | None = None) -> Tensor:
        """Return the logits of the next token, as `Llama.forward` does."""
        states = self.llama.model(input_ids=tokens).last_hidden_state
        return self.llama.lm_head(at_positions(states, positions))

    def residual_stream(self, tokens: Tensor) -> list[Tensor]:
        """Return the residual stream after the embedding and after every layer, each (n, t, d)."""
        streams: list[Tensor] = []
        embed, layers = self.llama.model.embed_tokens, dict.fromkeys(self.llama.model.layers)
        hooks = [
            module.register_forward_hook(lambda module, inputs, output: streams.append(output))
            for module in (embed, *layers)  # a layer that is applied again is one module
        ]
        try:
            self(tokens)
        finally:
            for hook in hooks:
                hook.remove()
        return streams


class Nothing(nn.Module):
    """Writes nothing to the residual stream."""

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros."""
        return torch.zeros_like(x)
