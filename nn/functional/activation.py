"""Activation functions under PyTorch's names and arguments (x is the ``input``); the maths is ``autograd``'s."""

from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional.checks import as_input, wrong_shape
from nn.functional.gelu import gelu
from nn.hints import hinted
from nn.inputs import place


def identity(input: Any) -> Any:
    """Return x."""
    return input


def relu(input: Any) -> Any:
    """Compute max(x, 0), with derivative 0 at 0.

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.functional.relu(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([0., 0., 2.]), array([0., 0., 1.]))
    """
    return ag.relu(input)


def leaky_relu(input: Any, negative_slope: float = 0.01) -> Any:
    """Compute x for x > 0, else negative_slope · x.

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.functional.leaky_relu(x, 0.1)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([-0.1,  0. ,  2. ]), array([0.1, 0.1, 1. ]))
    """
    return ag.leaky_relu(input, negative_slope=negative_slope)


def elu(input: Any, alpha: float = 1.0) -> Any:
    """Compute x for x > 0, else α (eˣ - 1).

    Elementwise: the result has the shape of x. y = x or α (eˣ - 1); the slope at 0 is α.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.functional.elu(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([-0.6321,  0.    ,  2.    ]), array([0.3679, 1.    , 1.    ]))
    """
    return ag.elu(input, alpha=alpha)


def silu(input: Any) -> Any:
    """Compute x σ(x).

    Elementwise: the result has the shape of x. y = x · σ(x).

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.functional.silu(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([-0.2689,  0.    ,  1.7616]), array([0.0723, 0.5   , 1.0908]))
    """
    return ag.silu(input)


def sigmoid(input: Any) -> Any:
    """Compute σ(x) = 1 / (1 + e⁻ˣ).

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.functional.sigmoid(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([0.2689, 0.5   , 0.8808]), array([0.1966, 0.25  , 0.105 ]))
    """
    return ag.sigmoid(input)


def tanh(input: Any) -> Any:
    """Compute tanh x.

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.functional.tanh(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([-0.7616,  0.    ,  0.964 ]), array([0.42  , 1.    , 0.0707]))
    """
    return np.tanh(input)


def mish(input: Any) -> Any:
    """Compute x tanh(log(1 + eˣ)) (Misra 2019).

    Elementwise: the result has the shape of x. Complex numbers are a DTypeError.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.functional.mish(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([-0.3034,  0.    ,  1.944 ]), array([0.0592, 0.6   , 1.0693]))
    """
    x = as_input(input)
    return x * np.tanh(ag.softplus(x))


def hardswish(input: Any) -> Any:
    """Compute x · min(max(x + 3, 0), 6) / 6, a SiLU made of straight lines and a parabola (Howard et al. 2019).

    Elementwise: the result has the shape of x. Complex numbers are a DTypeError.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.functional.hardswish(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([-0.3333,  0.    ,  1.6667]), array([0.1667, 0.5   , 1.1667]))
    """
    x = as_input(input)
    return x * (np.clip(x + 3, 0, 6) / 6)


@hinted
def glu(input: Any, dim: int = -1) -> Any:
    """Compute a σ(b), where a and b are the halves of x along ``dim`` (Dauphin et al. 2017).

    y = a · σ(b): (…, 2 n, …) -> (…, n, …). Raises ShapeError where the axis has no even length.

    >>> import numpy as np, nn
    >>> nn.functional.glu(np.array([1.0, 2.0, 0.0, 0.0]))
    array([0.5, 1. ])
    """
    x = as_input(input)
    if not -x.ndim <= dim < x.ndim or x.shape[dim] % 2:
        raise wrong_shape("glu", x, f"axis {dim} must be there and have an even length, as it is cut into two halves.")
    a, b = np.split(x, 2, axis=dim)
    return a * ag.sigmoid(b)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """Compute log(1 + e^βx) / β; beyond a ``threshold`` of βx below 20 it is x (above, they agree to 2·10⁻⁹).

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.functional.softplus(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([0.3133, 0.6931, 2.1269]), array([0.2689, 0.5   , 0.8808]))
    """
    if not beta > 0:
        raise ArgumentError(f"softplus: beta must be positive, got {beta}.")
    if threshold >= 20:
        return ag.softplus(input) if beta == 1 else ag.softplus(beta * as_input(input)) / beta
    x = as_input(input)
    return np.where(beta * x > threshold, x, ag.softplus(beta * x) / beta)


@hinted
def softmax(input: Any, dim: int | None = None) -> Any:
    """Compute eˣ / Σ eˣ along ``dim``, which may be left out where x has one axis or two: it is the last one then.

    The result has the shape of x. Raises ArgumentError where ``dim`` has to be said, AxisError for an axis that x has
    not.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    >>> y = nn.functional.softmax(x, dim=-1)
    >>> y.numpy().round(4)
    array([[0.09  , 0.2447, 0.6652]])
    """
    return ag.softmax(input, axis=_last("softmax", input, dim))


@hinted
def log_softmax(input: Any, dim: int | None = None) -> Any:
    """Compute x - log Σ eˣ along ``dim``; see ``softmax``.

    The result has the shape of x. Raises ArgumentError where ``dim`` has to be said, AxisError for an axis that x has
    not.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    >>> y = nn.functional.log_softmax(x, dim=-1)
    >>> y.numpy().round(4)
    array([[-2.4076, -1.4076, -0.4076]])
    """
    return ag.log_softmax(input, axis=_last("log_softmax", input, dim))


def _last(name: str, x: Any, dim: int | None) -> int:
    """Choose the last axis where PyTorch does, too: left to itself it takes axis 0 of three and axis 1 of four."""
    if dim is None and np.ndim(x) > 2:
        raise ArgumentError(
            f"{place()}{name}: which axis holds the classes of x of shape {np.shape(x)}? Pass dim=-1 for the last."
        )
    return -1 if dim is None else dim


__all__ = [
    "elu",
    "gelu",
    "glu",
    "hardswish",
    "identity",
    "leaky_relu",
    "log_softmax",
    "mish",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
