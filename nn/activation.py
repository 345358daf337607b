"""Activation layers, and the names by which Layer and MLP ask for one."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError, nearest
from nn.functional import activation as F
from nn.functional.prelu import prelu
from nn.inputs import as_float, as_input
from nn.linear import positive
from nn.module import Module, Parameter


class _Activation(Module):
    """Apply a function to each element."""

    _function: Callable[..., Any]

    def forward(self, x: Any) -> ag.Tensor:
        return self._function(x if isinstance(x, ag.Tensor) and x.dtype.kind == "f" else as_float(x))


class ReLU(_Activation):
    """Apply max(x, 0), with derivative 0 at 0.

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.ReLU()(x)
    >>> y.numpy().round(4)
    array([0., 0., 2.])
    """

    _function = staticmethod(ag.relu)


class SiLU(_Activation):
    """Apply x σ(x).

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.SiLU()(x)
    >>> y.numpy().round(4)
    array([-0.2689,  0.    ,  1.7616])
    """

    _function = staticmethod(ag.silu)


class Sigmoid(_Activation):
    """Apply σ(x) = 1 / (1 + e⁻ˣ).

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.Sigmoid()(x)
    >>> y.numpy().round(4)
    array([0.2689, 0.5   , 0.8808])
    """

    _function = staticmethod(ag.sigmoid)


class Tanh(_Activation):
    """Apply tanh x.

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.Tanh()(x)
    >>> y.numpy().round(4)
    array([-0.7616,  0.    ,  0.964 ])
    """

    _function = staticmethod(np.tanh)


class LeakyReLU(Module):
    """Apply x for x > 0, else negative_slope · x.

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.LeakyReLU(0.1)(x)
    >>> y.numpy().round(4)
    array([-0.1,  0. ,  2. ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> ag.Tensor:
        return F.leaky_relu(as_float(x), self.negative_slope)

    def extra_repr(self) -> str:
        return f"{self.negative_slope}"


class ELU(Module):
    """Apply x for x > 0, else α (eˣ - 1).

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.ELU()(x)
    >>> y.numpy().round(4)
    array([-0.6321,  0.    ,  2.    ])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Any) -> ag.Tensor:
        return F.elu(as_float(x), self.alpha)

    def extra_repr(self) -> str:
        return f"{self.alpha}"


class GELU(Module):
    """Apply x Φ(x), with Φ by the error function (``"none"``) or by a tanh (``"tanh"``).

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.GELU()(x)
    >>> y.numpy().round(4)
    array([-0.1587,  0.    ,  1.9545])
    """

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ArgumentError(f"GELU: approximate must be 'none' or 'tanh', got {approximate!r}.")
        self.approximate = approximate

    def forward(self, x: Any) -> ag.Tensor:
        return F.gelu(as_float(x), self.approximate)

    def extra_repr(self) -> str:
        return "" if self.approximate == "none" else self.approximate


class Mish(Module):
    """Apply x tanh(log(1 + eˣ)).

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.Mish()(x)
    >>> y.numpy().round(4)
    array([-0.3034,  0.    ,  1.944 ])
    """

    def forward(self, x: Any) -> ag.Tensor:
        return F.mish(as_float(x))


class Hardswish(Module):
    """Apply x · min(max(x + 3, 0), 6) / 6.

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.Hardswish()(x)
    >>> y.numpy().round(4)
    array([-0.3333,  0.    ,  1.6667])
    """

    def forward(self, x: Any) -> ag.Tensor:
        return F.hardswish(as_float(x))


class GLU(Module):
    """Apply a σ(b) to the halves a and b of x along ``dim``: (…, 2 n, …) -> (…, n, …).

    >>> import nn
    >>> nn.GLU()([[1.0, 2.0, 0.0, 0.0]]).tolist()
    [[0.5, 1.0]]
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> ag.Tensor:
        return F.glu(as_float(x), self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class PReLU(Module):
    """Apply x for x > 0, else w · x; ``weight`` (num_parameters,) starts at ``init``.

    ``num_parameters`` is 1, or the number of channels (axis 1 of x). Leave its weight out of weight decay, which pulls
    it to a plain ReLU. The result has the shape of x.

    >>> import nn
    >>> nn.PReLU()([-4.0, 4.0]).tolist()
    [-1.0, 4.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: "DTypeLike" = np.float32) -> None:
        positive("PReLU", num_parameters=num_parameters)
        self.num_parameters = num_parameters
        self.weight = Parameter(np.full(num_parameters, init, dtype))

    def forward(self, x: Any) -> ag.Tensor:
        return prelu(as_input(x, self.weight.dtype), self.weight)

    def extra_repr(self) -> str:
        return str(self.num_parameters)


class Softplus(Module):
    """Apply log(1 + e^βx) / β, which is x where βx > threshold.

    Elementwise: the result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.Softplus()(x)
    >>> y.numpy().round(4)
    array([0.3133, 0.6931, 2.1269])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Any) -> ag.Tensor:
        return F.softplus(as_float(x), self.beta, self.threshold)

    def extra_repr(self) -> str:
        return "" if self.beta == 1 else f"beta={self.beta}"


class Softmax(Module):
    """Apply eˣ / Σ eˣ along ``dim``, which may be left out where x has one axis or two: it is the last one then.

    The result has the shape of x and sums to 1 along ``dim``.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    >>> nn.Softmax(dim=-1)(x).numpy().round(4)
    array([[0.09  , 0.2447, 0.6652]])
    """

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim

    def forward(self, x: Any) -> ag.Tensor:
        return F.softmax(as_float(x), self.dim)

    def extra_repr(self) -> str:
        return "" if self.dim is None else f"dim={self.dim}"


class LogSoftmax(Module):
    """Apply x - log Σ eˣ along ``dim``; see :class:`Softmax`.

    The result has the shape of x.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    >>> nn.LogSoftmax(dim=-1)(x).numpy().round(4)
    array([[-2.4076, -1.4076, -0.4076]])
    """

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim

    def forward(self, x: Any) -> ag.Tensor:
        return F.log_softmax(as_float(x), self.dim)

    def extra_repr(self) -> str:
        return "" if self.dim is None else f"dim={self.dim}"


NAMES: dict[str, Callable[..., Any]] = {
    "identity": F.identity,
    "linear": F.identity,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
    "mish": F.mish,
    "hardswish": F.hardswish,
    "sigmoid": F.sigmoid,
    "tanh": F.tanh,
    "softplus": F.softplus,
    "softmax": functools.partial(F.softmax, dim=-1),  # a layer's units are its last axis
    "log_softmax": functools.partial(F.log_softmax, dim=-1),
}


def get(activation: Any, owner: str = "activation") -> Callable[..., Any]:
    """Find an activation by name; None is the identity, and a function or module is given back.

    >>> get("relu") is F.relu
    True
    """
    if activation is None:
        return F.identity
    if isinstance(activation, str):
        if activation in NAMES:
            return NAMES[activation]
        hint = nearest(activation.lower(), NAMES)
        raise ArgumentError(f"{owner}: unknown activation {activation!r}.{hint} Known are {', '.join(NAMES)}.")
    if isinstance(activation, type) or not callable(activation):
        raise ArgumentError(f"{owner}: activation must be a name, a function or a module, got {activation!r}.")
    return activation
