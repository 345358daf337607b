"""Hold a function against PyTorch to order two: value, gradient, and the gradient of the squared gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag


def parts(y: Any) -> list[Any]:
    """List the results of a function that gives one or several."""
    return list(y) if isinstance(y, tuple | list) else [y]


def same_to_order_two(ours: Callable[..., Any], theirs: Callable[..., Any], *arrays: Any) -> None:
    """Compare ``ours(*tensors)`` with ``theirs(torch, *tensors)``."""
    torch = pytest.importorskip("torch")
    xs = [ag.Tensor(x, requires_grad=True) for x in arrays]
    zs = [torch.tensor(x, requires_grad=True) for x in arrays]
    total, other, rng = 0, 0, np.random.default_rng(5)
    for y, z in zip(parts(ours(*xs)), parts(theirs(torch, *zs)), strict=True):
        assert y.shape == tuple(z.shape)
        np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-10, atol=1e-10)
        weight = rng.uniform(-2, 2, y.shape)
        total, other = total + (y * weight).sum(), other + (z * torch.tensor(weight)).sum()
    total.backward(create_graph=True)
    others = torch.autograd.grad(other, zs, create_graph=True)
    first = [x.grad for x in xs]
    for x in xs:
        x.zero_grad()
    for g, h in zip(first, others, strict=True):
        np.testing.assert_allclose(g.data, h.detach().numpy(), rtol=1e-9, atol=1e-10)
    sum(((g * g).sum() + 0 * x.sum() for g, x in zip(first, xs, strict=True))).backward()  # also where it is constant
    sum(((h * h).sum() + 0 * z.sum() for h, z in zip(others, zs, strict=True))).backward()
    for x, z in zip(xs, zs, strict=True):
        np.testing.assert_allclose(x.grad.data, z.grad.numpy(), rtol=1e-7, atol=1e-8)
