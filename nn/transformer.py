"""The layers of a transformer: encoder layer, a stack of them, and decoder layer."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError
from nn import init
from nn.attention import MultiheadAttention
from nn.container import ModuleList
from nn.dropout import Dropout
from nn.functional import activation as act
from nn.inputs import as_input
from nn.linear import Linear, positive
from nn.module import Module
from nn.normalization import LayerNorm


class _Layer(Module):
    """Hold a self-attention, ``attentions`` − 1 more, and the feed-forward part W₂ · activation(W₁ x)."""

    attentions: tuple[str, ...] = ("self_attn",)

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: "DTypeLike" = np.float32,
        rng: init.Rng = None,
    ) -> None:
        kind, parts = type(self).__name__, range(1, len(self.attentions) + 2)
        if isinstance(activation, str) and activation not in ("relu", "gelu"):
            raise ArgumentError(f"{kind}: activation must be 'relu', 'gelu' or a function, got {activation!r}.")
        self.activation, self.norm_first = activation, norm_first
        rng = np.random.default_rng(rng)
        for name in self.attentions:
            attention = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype, rng=rng)
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype, rng=rng)
        self.dropout = Dropout(dropout, rng=rng)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype, rng=rng)
        for i in parts:
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
        for i in parts:
            setattr(self, f"dropout{i}", Dropout(dropout, rng=rng))

    self_attn: MultiheadAttention
    norm1: LayerNorm
    norm2: LayerNorm
    dropout1: Dropout
    dropout2: Dropout

    def _around(self, x: Any, norm: LayerNorm, part: Callable[[Any], Any]) -> Any:
        """Compute x + part(norm(x)), or norm(x + part(x))."""
        return x + part(norm(x)) if self.norm_first else norm(x + part(x))

    def _feed_forward(self, x: Any) -> Any:
        if callable(self.activation):
            hidden = self.activation(self.linear1(x))
        else:
            hidden = (act.relu if self.activation == "relu" else act.gelu)(self.linear1(x))
        return self.linear2(self.dropout(hidden))

    def extra_repr(self) -> str:
        known = isinstance(self.activation, str)
        name = self.activation if known else getattr(self.activation, "__name__", "custom activation")
        return ", ".join([str(name), *["norm first"] * self.norm_first])


class TransformerEncoderLayer(_Layer):
    """Apply x + attention(x), then x + feed-forward(x), each with dropout and a LayerNorm.

    With ``norm_first`` x + f(norm(x)), else norm(x + f(x)); the feed-forward part is W₂ · activation(W₁ x). x: (L, N,
    d_model), (N, L, d_model) with ``batch_first``, or (L, d_model); the output has the same shape. Masks as in
    :class:`MultiheadAttention`; ``activation`` is "relu", "gelu" or a function. Raises ShapeError where x does not fit,
    ArgumentError unless the heads divide d_model.

    >>> import numpy as np, nn
    >>> nn.TransformerEncoderLayer(8, 2, 16, norm_first=True, rng=0)(np.ones((3, 1, 8)), is_causal=True).shape
    (3, 1, 8)
    """

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> ag.Tensor:
        def attend(x: Any) -> Any:
            masks: Any = dict(key_padding_mask=src_key_padding_mask, attn_mask=src_mask, is_causal=is_causal)
            return self.dropout1(self.self_attn(x, x, x, need_weights=False, **masks)[0])

        x = self._around(as_input(src, self.linear1.weight.dtype), self.norm1, attend)
        return self._around(x, self.norm2, lambda x: self.dropout2(self._feed_forward(x)))


class TransformerDecoderLayer(_Layer):
    """Apply x + self-attention(x), x + attention(x, memory), x + feed-forward(x), each with dropout and a LayerNorm.

    tgt: (T, N, d_model), (N, T, d_model) with ``batch_first``, or (T, d_model); memory: the same with S steps, what the
    encoder gave; the output has the shape of tgt. Masks as in :class:`MultiheadAttention`; ``tgt_is_causal`` hides what
    stands after each step. Vaswani et al. (2017). y = norm(x + f(x)), or x + f(norm(x)) with ``norm_first``, for each
    of the three f. Raises ShapeError where x or memory does not fit.

    >>> import numpy as np, nn
    >>> layer = nn.TransformerDecoderLayer(8, 2, 16, rng=0)
    >>> layer(np.ones((3, 1, 8)), np.ones((5, 1, 8)), tgt_is_causal=True).shape
    (3, 1, 8)
    """

    attentions = ("self_attn", "multihead_attn")
    multihead_attn: MultiheadAttention
    norm3: LayerNorm
    dropout3: Dropout

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> ag.Tensor:
        dtype = self.linear1.weight.dtype
        x, memory = as_input(tgt, dtype), as_input(memory, dtype)

        def attend(x: Any) -> Any:
            masks: Any = dict(key_padding_mask=tgt_key_padding_mask, attn_mask=tgt_mask, is_causal=tgt_is_causal)
            return self.dropout1(self.self_attn(x, x, x, need_weights=False, **masks)[0])

        def look_up(x: Any) -> Any:
            masks: Any = dict(attn_mask=memory_mask, is_causal=memory_is_causal)
            masks["key_padding_mask"] = memory_key_padding_mask
            return self.dropout2(self.multihead_attn(x, memory, memory, need_weights=False, **masks)[0])

        x = self._around(self._around(x, self.norm1, attend), self.norm2, look_up)
        return self._around(x, self.norm3, lambda x: self.dropout3(self._feed_forward(x)))


class TransformerEncoder(Module):
    """Apply ``num_layers`` copies of an encoder layer, one after the other, and then ``norm``, if there is one.

    The copies start with the weights of ``encoder_layer``, as in PyTorch, and draw their dropout from its Generator.
    Arguments and shapes are those of :class:`TransformerEncoderLayer`; ``mask`` and ``is_causal`` hold for each layer.
    y = layer_n(… layer_1(x) …), in the shape of x. Raises ShapeError where x does not fit.

    >>> import numpy as np, nn
    >>> encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, rng=0), 3, nn.LayerNorm(8))
    >>> encoder(np.ones((5, 1, 8))).shape, len(encoder.layers)
    ((5, 1, 8), 3)
    """

    _fixed = ("num_layers",)

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        positive("TransformerEncoder", num_layers=num_layers)
        if not isinstance(encoder_layer, Module):
            raise ArgumentError(
                f"TransformerEncoder: encoder_layer must be a layer, such as a TransformerEncoderLayer, got "
                f"{encoder_layer!r}."
            )
        self.layers = ModuleList(_copy(encoder_layer) for _ in range(num_layers))
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> ag.Tensor:
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, bool(is_causal))
        return src if self.norm is None else self.norm(src)


def _copy(layer: Module) -> Module:
    """Copy a layer but not its Generator: copies of that would drop the same elements in each layer."""
    rngs = [v for module in layer.modules() for v in vars(module).values() if isinstance(v, np.random.Generator)]
    return copy.deepcopy(layer, {id(rng): rng for rng in rngs})
