"""Linear systems: inverses, determinants, solutions, on stacks of square or rectangular matrices.

The gradients are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
(2008), written with NumPy's functions, so that they can be differentiated again.
"""

from math import prod
from typing import Any

import numpy as np

from autograd.box import Box, unbox, wrap
from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import as_array
from autograd.ops.decompositions import flip, mirrored, svdvals
from autograd.ops.norms import norm
from autograd.ops.products import Samples, square_matrices
from autograd.primitive import implements, op
from autograd.pull import unbroadcast

_SMALL = 4  # up to this size a cofactor is cheap as a determinant of its own, and right for singular matrices too


def _regular(*shape: int) -> Any:
    """Make a domain of well-conditioned square matrices."""

    def samples(rng: np.random.Generator) -> Samples:
        for stack in ((), shape):
            for n in (1, 3):
                yield (rng.uniform(-1, 1, (*stack, n, n)) + 3 * np.eye(n),), {}

    return samples


# ------------------------------------------------------------------------------------------------------------ inverses

inv = op(np.linalg.inv, symbol="⁻¹", vjp=lambda g, y: -(flip(y) @ g @ flip(y)), domain=_regular(2))


def _pinv(a: Any, rcond: Any = None, rtol: Any = ...) -> Any:
    return np.linalg.pinv(a, rcond) if rtol is ... else np.linalg.pinv(a, rcond, rtol=rtol)


def _pinv_rule(g: Any, y: Any, a: Any) -> Any:
    """Golub & Pereyra (1973): dA⁺ = −A⁺ dA A⁺ + A⁺A⁺ᵀ dAᵀ (I − AA⁺) + (I − A⁺A) dAᵀ A⁺ᵀA⁺, at constant rank."""
    yt, gt = flip(y), flip(g)
    w = gt @ y
    return -(yt @ g @ yt) + (w @ yt - a @ (y @ (w @ yt))) + (yt @ (y.__class__ is None or flip(w)))


_solve_pinv = None
