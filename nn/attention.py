"""Attention with several heads."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError
from nn import init
from nn.functional import attention as F
from nn.functional.checks import wrong_shape
from nn.functional.dense import linear
from nn.functional.dropout import make_mask
from nn.inputs import as_input, generator_of
from nn.linear import Linear, empty_weight, positive
from nn.module import Module, Parameter


class MultiheadAttention(Module):
    """Attend with several heads: head_i = softmax(q_i k_iᵀ/√d) v_i, y = [head_1 … head_h] W_oᵀ + b_o.

    query: (L, N, E), (N, L, E) with ``batch_first``, or (L, E); key and value: the same with S steps. Returns (y,
    weights); weights (N, L, S) are averaged over the heads, (N, heads, L, S) without ``average_attn_weights``, None
    without ``need_weights``, which is faster. Boolean masks are True where a key is hidden, float masks are added to
    the scores: ``attn_mask`` (L, S) or (N · heads, L, S), ``key_padding_mask`` (N, S). ``is_causal`` hides what stands
    after the query. Vaswani et al. (2017). Raises ShapeError where inputs or masks do not fit, ArgumentError unless the
    heads divide E.

    >>> import numpy as np, nn
    >>> y, weights = nn.MultiheadAttention(8, 2, batch_first=True, rng=0)(*[np.ones((1, 3, 8))] * 3, is_causal=True)
    >>> weights.numpy()[0, 0].tolist()
    [1.0, 0.0, 0.0]
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        batch_first: bool = False,
        dtype: "DTypeLike" = np.float32,
        rng: init.Rng = None,
    ) -> None:
        positive("MultiheadAttention", embed_dim=embed_dim, num_heads=num_heads)
        if embed_dim % num_heads:
            raise ArgumentError(f"MultiheadAttention: num_heads must divide embed_dim {embed_dim}, got {num_heads}.")
        F.check_probability("MultiheadAttention", dropout)
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.rng = generator_of(rng)
        self.in_proj_weight = init.xavier_uniform_(
            Parameter(empty_weight(3 * embed_dim, embed_dim, dtype)), rng=self.rng
        )
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype, rng=self.rng)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[ag.Tensor, ag.Tensor | None]:
        same = query is key and key is value
        q = as_input(query, self.in_proj_weight.dtype)
        k, v = (q, q) if same else (as_input(x, self.in_proj_weight.dtype) for x in (key, value))
        self._check(q, k, v)
        batched, steps, keys = q.ndim == 3, *((x.shape[int(self.batch_first and x.ndim == 3)]) for x in (q, k))
        if not batched:
            axis = 0 if self.batch_first else 1
            q, k, v = (np.expand_dims(x, axis) for x in (q, k, v))
        batch = q.shape[0 if self.batch_first else 1]
        mask = self._mask(attn_mask, key_padding_mask, is_causal, (batch, steps, keys), batched, q)
        p = self.dropout if self.training else 0.0
        keep = make_mask(self.rng, (batch, self.num_heads, steps, keys), q.dtype, p) if p else None
        if same and not need_weights:
            qkv = linear(q, self.in_proj_weight, self.in_proj_bias)
            y, weights = (
                F.packed_attention(qkv, mask, heads=self.num_heads, keep=keep, batch_first=self.batch_first),
                None,
            )
        else:
            y, weights = self._separate(q, k, v, mask, keep, need_weights)
        y = self.out_proj(y)
        if weights is not None and average_attn_weights:
            weights = weights.mean(axis=1)
        if not batched:
            return y[
                0 if self.batch_first else slice(None), *(() if self.batch_first else (0,))
            ], None if weights is None else weights[0]
        return y, weights

    def _separate(self, q: Any, k: Any, v: Any, mask: Any, keep: Any, need_weights: bool) -> tuple[Any, Any]:
        """Project and attend; the weights come from plain ops, so that gradients flow through them, too."""
        E, heads = self.embed_dim, []
        for i, x in enumerate((q, k, v)):
            rows = slice(i * E, (i + 1) * E)
            bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
            heads += F.split_heads(linear(x, self.in_proj_weight[rows], bias), self.num_heads, self.batch_first)
        q, k, v = heads
        scale = q.shape[3] ** -0.5
        if not need_weights:
            return F.join_heads(F.attend(q, k, v, mask, keep=keep, scale=scale), self.batch_first), None
        weights = F.weights(q, k, mask, keep=keep, scale=scale)
        return F.join_heads(np.matmul(weights, v), self.batch_first), weights

    def _check(self, q: Any, k: Any, v: Any) -> None:
        name, axes = "MultiheadAttention", "(N, L, E) or (L, E)" if self.batch_first else "(L, N, E) or (L, E)"
        for label, x in (("query", q), ("key", k), ("value", v)):
            if x.ndim not in (2, 3) or x.ndim != q.ndim:
                raise wrong_shape(name, x, f"it must be {axes}, all three alike.", label)
            if x.shape[-1] != self.embed_dim:
                raise wrong_shape(name, x, f"the last axis must be {self.embed_dim}.", label)
        at = 0 if self.batch_first else 1
        if q.ndim == 3 and k.shape[at] != q.shape[at]:
            raise wrong_shape(name, k, f"axis {at} (batch) must be {q.shape[at]}, as in query.", "key")
        if v.shape[:-1] != k.shape[:-1]:
            raise wrong_shape(name, v, f"it must be {tuple(k.shape)}, one value per key.", "value")

    def _mask(
        self, attn_mask: Any, padding: Any, causal: bool, sizes: tuple[int, int, int], batched: bool, like: Any
    ) -> Any:
        """Join all masks to one that is added to the scores (N, heads, L, S)."""
        (batch, steps, keys), heads, dtype = sizes, self.num_heads, like.dtype
        masks = [F.causal_mask(steps, keys, dtype)] if causal else []
        if attn_mask is not None:
            mask = F.additive(attn_mask, dtype, hidden=True)
            if mask.shape == (batch * heads, steps, keys):
                mask = mask.reshape(batch, heads, steps, keys)
            elif mask.shape != (steps, keys):
                raise wrong_shape(
                    "MultiheadAttention",
                    mask,
                    f"it must be {(steps, keys)} or {(batch * heads, steps, keys)}.",
                    "attn_mask",
                )
            masks.append(mask)
        if padding is not None:
            mask = F.additive(padding, dtype, hidden=True, name="key_padding_mask")
            expected = (batch, keys) if batched else (keys,)
            if mask.shape != expected:
                raise wrong_shape("MultiheadAttention", mask, f"it must be {expected}.", "key_padding_mask")
            masks.append(mask.reshape(batch, 1, 1, keys))
        return F.combine(like if isinstance(like, ag.Tensor) else self.in_proj_weight, *masks)

    def extra_repr(self) -> str:
        extras = [f"dropout {self.dropout}"] * bool(self.dropout) + ["batch first"] * self.batch_first
        return ", ".join([f"{self.embed_dim}, {self.num_heads} heads", *extras])
