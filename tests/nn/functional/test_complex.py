"""Complex numbers in fused ops: the right gradient, or a refusal; the functions around them take real numbers."""

import warnings

import numpy as np
import pytest

import autograd as ag
import nn.functional as F
from autograd.errors import DTypeError
from autograd.primitive import registry
from tests.autograd.rows import _home, domain_of, draw, ranges_of, vary
from tests.autograd.tools import leaf

FUSED = [name for name, row in registry.items() if _home(row) == "nn" and getattr(row, "op", None) is not None]
REAL = {"attention", "self_attention", "batch_norm", "layer_norm", "binary_cross_entropy_with_logits"}
Z = np.array([[1 + 2j, 3 - 1j], [1j, 2]])


def samples(row):
    rng = np.random.default_rng(7)
    if callable(domain_of(row)):
        return list(domain_of(row)(rng))
    return [(tuple(draw(row, [(2, 3)] * len(ranges_of(row)), rng)), {})]


@pytest.mark.parametrize("name", FUSED)
def test_right_or_refused(name):
    row, rng = registry[name], np.random.default_rng(1)
    for args, kwargs in samples(row):
        given = vary(args, lambda x: x + 1j * rng.uniform(-0.4, 0.4, x.shape))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                ag.check_grads(lambda *varied, row=row, kwargs=kwargs: row(*varied, **kwargs), *given, order=1)
        except (DTypeError, np.exceptions.ComplexWarning):
            continue
        assert name not in REAL


@pytest.mark.parametrize(
    "f",
    [
        lambda z: F.layer_norm(z, (2,)),
        lambda z: F.scaled_dot_product_attention(z, z, z),
        lambda z: F.cross_entropy(z, np.array([0, 1])),
        lambda z: F.mse_loss(z, z * 1),
        lambda z: F.dropout(z, 0.5, rng=0),
        F.relu,
        F.gelu,
    ],
)
def test_functions_take_real_numbers(f):
    with pytest.raises(DTypeError):
        f(leaf(Z))


def test_linear_takes_complex_numbers():
    ag.check_grads(F.linear, Z, Z * 1j, Z[0])
