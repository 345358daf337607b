"""Differentiate two plain functions by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.inputs import Array, Inputs

BLOCK = 16_384


def elementwise(inputs: Inputs) -> Callable[[], tuple[float, Array]]:
    """Return value and gradient of sum(tanh(x) s(x) + exp(-x^2)/(1+x^2)), s the sigmoid."""
    ((x,),) = inputs.batches
    gradient = np.empty_like(x)
    scratch = [np.empty(min(x.size, BLOCK), "f4") for _ in range(5)]
    blocks = []
    for start in range(0, x.size, BLOCK):
        part = slice(start, start + BLOCK)
        blocks.append((x[part], gradient[part], *(s[: x[part].size] for s in scratch)))

    def step() -> tuple[float, Array]:
        return float(sum(elementwise_block(*block) for block in blocks)), gradient

    return step


def elementwise_block(x: Array, out: Array, t: Array, s: Array, e: Array, q: Array, w: Array) -> float:
    """Write the gradient of one block into ``out`` and return its sum; the rest is scratch.

    d(t s) = (1-t^2) s + t s (1-s); d(e/q) = -2 x (e/q) (1 + 1/q) with q = 1 + x^2.
    """
    half, one = np.float32(0.5), np.float32(1)
    np.tanh(x, out=t)
    np.multiply(x, half, out=s)
    np.tanh(s, out=s)
    s *= half
    s += half
    np.multiply(x, x, out=q)
    np.negative(q, out=e)
    np.exp(e, out=e)
    q += one
    np.divide(one, q, out=q)
    e *= q
    np.multiply(t, s, out=w)
    total = np.add.reduce(w) + np.add.reduce(e)
    np.multiply(t, s, out=out)
    t += s
    np.subtract(one, t, out=t)
    out *= t
    out += s
    q += one
    e *= q
    e *= x
    e += e
    out -= e
    return float(total)


def hvp(inputs: Inputs) -> Callable[[], tuple[Array]]:
    """Return the Hessian of Rosenbrock's function times v, from its three diagonals.

    Diagonal: 1200 a^2 - 400 b + 2 (all but the last row) plus 200 (all but the first);
    beside it -400 a.
    """
    ((x, v),) = inputs.batches
    a, b, va, vb = x[:-1], x[1:], v[:-1], v[1:]
    out, t, mixed = np.empty_like(x), np.empty_like(a), np.empty_like(a)
    head, tail = out[:-1], out[1:]
    c1200, c2, c200, c400 = (np.array(c) for c in (1200.0, 2.0, 200.0, -400.0))

    def step() -> tuple[Array]:
        np.multiply(a, a, out=t)
        np.multiply(t, c1200, out=head)
        np.multiply(b, c400, out=t)
        np.add(head, t, out=head)
        np.add(head, c2, out=head)
        np.multiply(head, va, out=head)
        out[-1] = 0.0
        np.multiply(vb, c200, out=t)
        np.add(tail, t, out=tail)
        np.multiply(a, c400, out=mixed)
        np.multiply(mixed, vb, out=t)
        np.add(head, t, out=head)
        np.multiply(mixed, va, out=mixed)
        np.add(tail, mixed, out=tail)
        return (out,)

    return step
