"""PReLU: a leaky ReLU whose slopes are learnt, as one elementwise op, so that an ONNX file has it as one node."""

from typing import Any

import numpy as np

import autograd as ag
from nn.functional.checks import as_input, wrong_shape


def _samples(rng: np.random.Generator) -> Any:
    yield [rng.uniform(0.1, 2, (3, 2)) * [1, -1], rng.uniform(-1, 1, 2)], {}
    yield [rng.uniform(-2, -0.1, (2, 3, 2)), rng.uniform(-1, 1, (3, 1))], {}


prelu_op = ag.op(
    lambda x, weight: np.where(x > 0, x, weight * x),
    name="prelu",
    symbol="PReLU",
    vjp=dict(
        x=lambda g, x, weight: np.where(x > 0, g, g * weight),
        weight=lambda g, x: np.where(x > 0, 0.0, g * x),
    ),
    elementwise=True,
    domain=_samples,
)


def prelu(input: Any, weight: Any) -> Any:
    """Compute x for x > 0, else w · x, with one slope w for all, or one per channel (axis 1); at 0 the slope is w.

    He, Zhang, Ren, Sun, "Delving deep into rectifiers" (2015). Raises ShapeError for another number of slopes. The
    result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> nn.functional.prelu(x, [0.25]).tolist()
    [-0.25, 0.0, 2.0]
    """
    weight = as_input(weight)
    x = as_input(input, weight)
    channels = x.shape[1] if x.ndim > 1 else 1
    if weight.ndim > 1 or weight.size not in (1, channels):
        raise wrong_shape("prelu", weight, f"it must be (1,) or ({channels},), one slope per channel.", "weight")
    if weight.size > 1 and x.ndim > 2:
        weight = weight.reshape(-1, *(1,) * (x.ndim - 2))
    return prelu_op(x, weight)
