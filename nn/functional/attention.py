"""Attention: softmax(q kᵀ · scale + mask) v, as one op (Vaswani et al., "Attention is all you need", 2017).

The probabilities are never normalized as a matrix: with E = exp(s − max s) and r = Σ E the output is (E v)/r, and on
the way back 1/r goes to the upstream gradient; both are L × d numbers instead of L × S. Work goes in blocks of the
batch that stay in the cache.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, DTypeError
from nn.functional.checks import as_input, place, wrong_shape
from nn.functional.dropout import make_mask
from nn.functional.windows import Array
from nn.inputs import refuse_masked

BLOCK = 64 * 1024  # scores per block


def _blocks(scores: tuple[int, ...]) -> Iterator[slice]:
    step = max(1, BLOCK // max(1, math.prod(scores[1:])))
    return (slice(at, at + step) for at in range(0, scores[0], step))


def _part(extra: Any, at: slice) -> Any:
    """Cut a mask that broadcasts to (N, heads, L, S) to a block of the batch."""
    return extra[at] if isinstance(extra, np.ndarray) and extra.ndim == 4 and len(extra) > 1 else extra


def _attend(q: Array, k: Array, v: Array, mask: Any, keep: Any, scale: float, out: Array) -> tuple[Array, Array]:
    """Write the attention of (N, heads, L, d) on (N, heads, S, d) into ``out``; return E (N, heads, L, S) and 1/r."""
    scores = (*q.shape[:3], k.shape[2])
    E, inverse = np.empty(scores, q.dtype), np.empty((*scores[:3], 1), q.dtype)
    ones, lowest = np.ones((scores[3], 1), q.dtype), np.finfo(q.dtype).min
    for at in _blocks(scores):
        e, r = E[at], inverse[at]
        np.matmul(q[at] * q.dtype.type(scale), k[at].swapaxes(2, 3), out=e)
        if isinstance(mask, np.ndarray):
            e += _part(mask, at)
        # from the lowest number on: a row that is masked as a whole keeps its −∞, and gives 0, as one without keys
        e -= np.maximum.reduce(e, axis=3, keepdims=True, initial=lowest)
        np.exp(e, out=e)
        np.matmul(e, ones, out=r)
        np.divide(1, r, out=r, where=r > 0)
        np.matmul(e if keep is None else e * keep[at], v[at], out=out[at])
        out[at] *= r
    return E, inverse


def _pull(
    g: Array,
    y: Array,
    q: Array,
    k: Array,
    v: Array,
    E: Array,
    inverse: Array,
    keep: Any,
    scale: float,
    outs: tuple[Array, Array, Array],
    dmask: Any,
) -> None:
    """Write dq, dk, dv: with d = g/r, dv = Eᵀ d, ds = E · (d vᵀ − Σ d·y), dq = ds k · scale, dk = dsᵀ q · scale."""
    dq, dk, dv = outs
    for at in _blocks(E.shape):
        e, d, kept = E[at], g[at] * inverse[at], None if keep is None else keep[at]
        np.matmul((e if kept is None else e * kept).swapaxes(2, 3), d, out=dv[at])
        ds = np.matmul(d, v[at].swapaxes(2, 3))
        if kept is not None:
            ds *= kept
        ds -= np.vecdot(d, y[at])[..., None]
        ds *= e
        if isinstance(dmask, np.ndarray):
            part = _part(dmask, at)
            part += _sum_to(ds, part.shape)
        np.matmul(ds, k[at], out=dq[at])
        dq[at] *= scale
        np.matmul(ds.swapaxes(2, 3), q[at] * q.dtype.type(scale), out=dk[at])


def _sum_to(g: Array, shape: tuple[int, ...]) -> Array:
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    total: Array = g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1 != g.shape[i]), keepdims=True)
    return total


# ------------------------------------------------------------------------------------------- separate query, key, value


def _forward(query: Any, key: Any, value: Any, mask: Any, *, keep: Any, scale: float) -> Any:
    y = np.empty((*query.shape[:3], value.shape[3]), query.dtype)
    E, inverse = _attend(query, key, value, mask, keep, scale, y)
    return y, E, inverse


def _backward(
    g: Any,
    y: Any,
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    keep: Any,
    scale: float,
    E: Any,
    inverse: Any,
    needs: Any,
) -> Any:
    outs = np.empty_like(query), np.empty_like(key), np.empty_like(value)
    dmask = np.zeros_like(mask) if needs[3] else None
    _pull(g, y, query, key, value, E, inverse, keep, scale, outs, dmask)
    return *outs, dmask


def weights(query: Any, key: Any, mask: Any, *, keep: Any, scale: float) -> Any:
    """Compute softmax(q kᵀ · scale + mask) · keep by plain ops; a row that is masked as a whole gives 0."""
    scores = np.matmul(query * scale, np.swapaxes(key, 2, 3)) + mask
    hidden = mask.data if isinstance(mask, ag.Tensor) else np.asarray(mask)
    if not hidden.ndim or np.isfinite(hidden).any(axis=-1).all():  # no row is masked as a whole
        p = ag.softmax(scores, axis=3)
        return p if keep is None else p * keep
    data = scores.data if isinstance(scores, ag.Tensor) else scores
    top = data.max(axis=3, keepdims=True, initial=np.finfo(data.dtype).min)  # constant: softmax does not depend on it
    e = np.exp(scores - top)
    total = np.sum(e, axis=3, keepdims=True)
    p = e / np.where(total > 0, total, 1.0)
    return p if keep is None else p * keep


def _definition(query: Any, key: Any, value: Any, mask: Any, *, keep: Any, scale: float) -> Any:
    """Compute softmax(q kᵀ · scale + mask) · keep · v by plain ops."""
    return np.matmul(weights(query, key, mask, keep=keep, scale=scale), value)


def _samples(rng: np.random.Generator) -> Any:
    q, k, v = (rng.standard_normal(s) for s in ((2, 2, 3, 2), (2, 2, 4, 2), (2, 2, 4, 3)))
    yield [q, k, v, rng.standard_normal((3, 4))], {"keep": None, "scale": 0.7}
    yield [q, k, v, 0.0], {"keep": make_mask(rng, (2, 2, 3, 4), q.dtype, 0.5), "scale": 0.7}


_P = "P = softmax(query @ key.T * scale + mask)"
_dS = f"{_P}; dP = g @ value.T; dS = P * (dP - row_sums(P * dP))"
attend = ag.op(
    _forward,
    name="attention",
    holomorphic=None,
    symbol="softmax(qkᵀ)v",
    vjp=_backward,
    definition=_definition,
    formula=dict(query=f"{_dS}; dS @ key * scale", key=f"{_dS}; dS.T @ query * scale", value=f"{_P}; P.T @ g"),
    cache=("E", "inverse"),
    domain=_samples,
)


# ---------------------------------------------------------------------- query, key and value side by side, as projected


def split_heads(x: Any, heads: int, batch_first: bool, parts: int = 1) -> list[Any]:
    """Cut (N, L, parts · heads · d), or (L, N, …), into ``parts`` views (N, heads, L, d)."""
    cut = x.reshape(*x.shape[:2], parts, heads, x.shape[2] // (parts * heads))
    order = (0, 2, 1, 3) if batch_first else (1, 2, 0, 3)
    return [cut[:, :, i].transpose(order) for i in range(parts)]


def join_heads(y: Any, batch_first: bool) -> Any:
    """Undo :func:`split_heads` with one part."""
    y = y.transpose((0, 2, 1, 3) if batch_first else (2, 0, 1, 3))
    return y.reshape(*y.shape[:2], y.shape[2] * y.shape[3])


def _packed_forward(qkv: Any, mask: Any, *, heads: int, keep: Any, batch_first: bool) -> Any:
    qkv = np.ascontiguousarray(qkv)
    q, k, v = split_heads(qkv, heads, batch_first, 3)
    y = np.empty((*qkv.shape[:2], qkv.shape[2] // 3), qkv.dtype)
    E, inverse = _attend(q, k, v, mask, keep, q.shape[3] ** -0.5, split_heads(y, heads, batch_first)[0])
    return y, E, inverse


def _packed_backward(
    g: Any, y: Any, qkv: Any, mask: Any, heads: int, keep: Any, batch_first: bool, E: Any, inverse: Any, needs: Any
) -> Any:
    """Write dq, dk and dv straight into one array: the projection's gradients are then one GEMM."""
    qkv, dqkv = np.ascontiguousarray(qkv), np.empty(qkv.shape, qkv.dtype)
    q, k, v = split_heads(qkv, heads, batch_first, 3)
    outs = split_heads(dqkv, heads, batch_first, 3)
    upstream, out = (split_heads(np.ascontiguousarray(a), heads, batch_first)[0] for a in (g, y))
    dmask = np.zeros_like(mask) if needs[1] else None
    _pull(upstream, out, q, k, v, E, inverse, keep, q.shape[3] ** -0.5, (outs[0], outs[1], outs[2]), dmask)
    return dqkv, dmask


def _packed_definition(qkv: Any, mask: Any, *, heads: int, keep: Any, batch_first: bool) -> Any:
    """Split into heads, attend, join, by plain ops."""
    q, k, v = split_heads(qkv, heads, batch_first, 3)
    return join_heads(_definition(q, k, v, mask, keep=keep, scale=q.shape[3] ** -0.5), batch_first)


def _packed_samples(rng: np.random.Generator) -> Any:
    for shape, batch_first in (((2, 3, 12), True), ((3, 2, 12), False)):
        for mask, keep in (
            (rng.standard_normal((2, 1, 3, 3)), None),
            (0.0, make_mask(rng, (2, 2, 3, 3), np.dtype(float), 0.5)),
        ):
            yield [rng.standard_normal(shape), mask], {"heads": 2, "keep": keep, "batch_first": batch_first}


packed_attention = ag.op(
    _packed_forward,
    name="self_attention",
    holomorphic=None,
    symbol="softmax(qkᵀ)v",
    vjp=_packed_backward,
    definition=_packed_definition,
    formula="q = head(qkv, 0); k = head(qkv, 1); v = head(qkv, 2); h = head(g, 0); "
    "P = softmax(q @ k.T / sqrt(d) + mask); dP = h @ v.T; dS = P * (dP - row_sums(P * dP)) / sqrt(d); "
    "side_by_side(dS @ k, dS.T @ q, P.T @ h)",
    cache=("E", "inverse"),
    domain=_packed_samples,
)


# ---------------------------------------------------------------------------------------------------------------- masks


@lru_cache(maxsize=8)
def causal_mask(rows: int, columns: int, dtype: Any) -> Array:
    """Return 0 where column ≤ row and −∞ elsewhere: a token sees itself and what stands before it."""
    mask = np.triu(np.full((rows, columns), -np.inf, dtype), 1)
    mask.flags.writeable = False
    return mask


def additive(mask: Any, dtype: Any, hidden: bool, name: str = "attn_mask") -> Any:
    """Read a mask as numbers to add to the scores: of a boolean one, −∞ where it equals ``hidden`` and 0 elsewhere."""
    refuse_masked(mask, f"attention: {name}")
    data = mask.data if isinstance(mask, ag.Tensor) else np.asarray(mask)
    if data.dtype == bool:
        return np.where(data == hidden, np.array(-np.inf, dtype), np.array(0, dtype))
    if data.dtype.kind != "f":
        raise DTypeError(
            f"attention: {name} has dtype {data.dtype}; it must be boolean, or floating point "
            "to be added to the scores."
        )
    return mask.astype(dtype) if isinstance(mask, ag.Tensor) else data.astype(dtype)


def combine(like: Any, *masks: Any) -> Any:
    """Add masks, None standing for 0; without any the result is the number 0.0, which costs nothing.

    Beside a Tensor ``like`` it becomes a Tensor: these arrays are ours and need not be copied into the graph.
    """
    present = [mask for mask in masks if mask is not None]
    if not present:
        return 0.0
    total = sum(present[1:], present[0])
    return ag.Tensor(total, copy=False) if isinstance(like, ag.Tensor) and isinstance(total, np.ndarray) else total


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    *,
    rng: Any = None,
) -> Any:
    """Attend: softmax(q kᵀ · scale + mask) v, with scale 1/√d unless given.

    query: (..., L, d), key: (..., S, d), value: (..., S, e); y: (..., L, e). A boolean ``attn_mask`` is True where a
    query may look (PyTorch's choice for this function), a float one is added to the scores; it broadcasts to (..., L,
    S). A query that may look nowhere gives 0. Weights are dropped with probability ``dropout_p``, whatever the mode:
    pass 0 in evaluation. Raises ShapeError where shapes do not fit.

    >>> import autograd as ag, nn
    >>> q = ag.Tensor([[1.0, 0.0]], requires_grad=True)
    >>> k, v = [[1.0, 0.0], [0.0, 1.0]], [[1.0], [3.0]]
    >>> nn.functional.scaled_dot_product_attention(q, k, v).numpy().round(4)
    array([[1.6605]])
    """
    query = as_input(query)
    key, value = (as_input(x, query) for x in (key, value))
    name, lead = "scaled_dot_product_attention", query.shape[:-2]
    for label, x in (("query", query), ("key", key), ("value", value)):
        if x.ndim < 2 or x.shape[:-2] != lead:
            raise wrong_shape(
                name, x, f"it must be (..., length, features) with the leading axes {lead} of query.", label
            )
    if key.shape[-1] != query.shape[-1]:
        raise wrong_shape(name, key, f"its last axis must be {query.shape[-1]}, as in query.", "key")
    if value.shape[-2] != key.shape[-2]:
        raise wrong_shape(name, value, f"axis -2 must be {key.shape[-2]}, one value per key.", "value")
    if is_causal and attn_mask is not None:
        raise ArgumentError(f"{name}: pass attn_mask or is_causal=True, not both.")
    check_probability(name, dropout_p)
    scores = (*lead, query.shape[-2], key.shape[-2])
    mask = causal_mask(*scores[-2:], query.dtype) if is_causal else None
    if attn_mask is not None:
        mask = additive(attn_mask, query.dtype, hidden=False)
        mask = _fit_mask(name, mask, scores)
    shape = (*lead, *(1,) * (2 - len(lead))) if len(lead) <= 2 else (-1, lead[-1])  # (N, heads)
    q, k, v = (x if x.ndim == 4 else x.reshape(*shape, *x.shape[-2:]) for x in (query, key, value))
    full = (q.shape[0], q.shape[1], *scores[-2:])
    keep = make_mask(rng, full, query.dtype, dropout_p) if dropout_p else None
    y = attend(
        q, k, v, combine(q, mask), keep=keep, scale=scale if scale is not None else 1 / math.sqrt(query.shape[-1])
    )
    return y if len(lead) == 2 else y.reshape(*lead, *y.shape[-2:])


def _fit_mask(name: str, mask: Any, scores: tuple[int, ...]) -> Any:
    """Bring a mask to at most four axes, as the scores are brought to (N, heads, L, S)."""
    try:
        fits = np.broadcast_shapes(mask.shape, scores) == scores
    except ValueError:
        fits = False
    if not fits:
        raise wrong_shape(name, mask, f"it must broadcast to {scores}.", "attn_mask")
    if len(scores) > 4 and mask.ndim > 3:
        mask = np.broadcast_to(mask, (*scores[:-3], *mask.shape[-3:]))
        return mask.reshape(-1, *mask.shape[-3:])
    return mask[:, None] if mask.ndim == 3 == len(scores) else mask


def check_probability(name: str, p: float) -> None:
    """Refuse a dropout probability outside 0 … 1."""
    if not 0 <= p <= 1:
        raise ArgumentError(f"{place(name)}: the dropout probability must be between 0 and 1, got {p}.")
