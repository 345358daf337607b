"""Hold an op against PyTorch: the same value, and the same gradient for the same upstream gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag


def same_as_torch(ours: Callable[..., Any], theirs: Callable[..., Any], *arrays: Any, tolerance: float = 1e-12) -> None:
    """Compare ``ours(*tensors)`` with ``theirs(torch, *tensors)``; both may give one result or several."""
    torch = pytest.importorskip("torch")
    leaves = [ag.Tensor(x, requires_grad=True) for x in arrays]
    others = [torch.tensor(x, requires_grad=True) for x in arrays]
    found, expected = ours(*leaves), theirs(torch, *others)
    found = list(found) if isinstance(found, tuple | list) else [found]
    expected = list(expected) if isinstance(expected, tuple | list) else [expected]
    assert len(found) == len(expected)
    rng, total, other = np.random.default_rng(5), 0, 0
    for y, z in zip(found, expected, strict=True):
        assert y.shape == tuple(z.shape)
        np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=tolerance, atol=tolerance)
        g = rng.uniform(-2, 2, y.shape)
        total, other = total + (y * g).sum(), other + (z * torch.tensor(g)).sum()
    total.backward()
    other.backward()
    for leaf, twin in zip(leaves, others, strict=True):
        np.testing.assert_allclose(leaf.grad.data, twin.grad.numpy(), rtol=tolerance, atol=tolerance)
