"""Starting values: each function fills a Tensor in place and returns it, as PyTorch's do.

``rng`` is a NumPy Generator, a seed, or None for fresh entropy.

>>> import numpy as np
>>> import nn
>>> w = nn.init.xavier_uniform_(nn.Parameter(np.zeros((3, 5))), rng=0)
>>> bool(abs(w.data).max() <= (6 / 8) ** 0.5)
True
"""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, ShapeError, nearest
from nn.hints import hinted, refusing
from nn.inputs import generator_of
from nn.state import write

__all__ = [
    "calculate_gain",
    "constant_",
    "fans",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

globals()["__getattr__"] = refusing("nn.init", __all__)

Rng = np.random.Generator | int | None
Filled = TypeVar("Filled", bound=ag.Tensor | NDArray[Any])
_GAINS: dict[str, Callable[[float], float]] = {
    "linear": lambda a: 1.0,
    "identity": lambda a: 1.0,
    "sigmoid": lambda a: 1.0,
    "conv1d": lambda a: 1.0,
    "conv2d": lambda a: 1.0,
    "tanh": lambda a: 5 / 3,
    "relu": lambda a: math.sqrt(2),
    "leaky_relu": lambda a: math.sqrt(2 / (1 + a * a)),
    "selu": lambda a: 0.75,
}


@hinted
def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor that keeps the variance through ``nonlinearity``; ``param``: the slope of leaky_relu (0.01).

    √2 for relu, √(2 / (1 + param²)) for leaky_relu, 5/3 for tanh, else 1. Raises ArgumentError for an unknown name.

    >>> import nn
    >>> round(nn.init.calculate_gain("relu"), 4), nn.init.calculate_gain("tanh")
    (1.4142, 1.6666666666666667)
    """
    if nonlinearity not in _GAINS:
        hint = nearest(nonlinearity, _GAINS)
        raise ArgumentError(
            f"calculate_gain: unknown nonlinearity {nonlinearity!r}.{hint} Known are {', '.join(_GAINS)}."
        )
    return _GAINS[nonlinearity](0.01 if param is None else param)


def fans(shape: tuple[int, ...], name: str = "init") -> tuple[int, int]:
    """Count the inputs and outputs of one unit of a weight ``(out, in, *kernel)``.

    in · Π kernel and out · Π kernel. Raises ShapeError for fewer than two axes.

    >>> import nn
    >>> nn.init.fans((8, 3, 5, 5))
    (75, 200)
    """
    if len(shape) < 2:
        raise ShapeError(
            f"{name}: fan in and fan out need a weight of at least 2 axes (out, in, ...), got shape {shape}."
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


@hinted
def uniform_(tensor: Filled, a: float = 0.0, b: float = 1.0, *, rng: Rng = None) -> Filled:
    """Fill with U(a, b).

    The standard deviation is (b − a) / √12. Raises ArgumentError for a Tensor of integers.

    >>> import numpy as np, nn
    >>> w = nn.Parameter(np.empty((300, 100), np.float32))
    >>> round(float(nn.init.uniform_(w, -1.0, 1.0, rng=0).data.std()), 2)
    0.58
    """
    return _fill(tensor, generator_of(rng).uniform(a, b, tensor.shape))


@hinted
def normal_(tensor: Filled, mean: float = 0.0, std: float = 1.0, *, rng: Rng = None) -> Filled:
    """Fill with N(mean, std²).

    Raises ArgumentError for a Tensor of integers.

    >>> import numpy as np, nn
    >>> w = nn.Parameter(np.empty((300, 100), np.float32))
    >>> round(float(nn.init.normal_(w, 1.0, 0.5, rng=0).data.std()), 2)
    0.5
    """
    return _fill(tensor, generator_of(rng).normal(mean, std, tensor.shape))


@hinted
def constant_(tensor: Filled, val: float) -> Filled:
    """Fill with one value.

    w = ``val``. Raises ArgumentError for a Tensor of integers.

    >>> import numpy as np, nn
    >>> w = nn.Parameter(np.empty((2, 2), np.float32))
    >>> nn.init.constant_(w, 0.5).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    return _fill(tensor, val)


@hinted
def zeros_(tensor: Filled) -> Filled:
    """Fill with 0.

    w = 0. Raises ArgumentError for a Tensor of integers.

    >>> import numpy as np, nn
    >>> w = nn.Parameter(np.empty((2, 2), np.float32))
    >>> nn.init.zeros_(w).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    return _fill(tensor, 0.0)


@hinted
def ones_(tensor: Filled) -> Filled:
    """Fill with 1.

    w = 1. Raises ArgumentError for a Tensor of integers.

    >>> import numpy as np, nn
    >>> w = nn.Parameter(np.empty((2, 2), np.float32))
    >>> nn.init.ones_(w).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    return _fill(tensor, 1.0)


@hinted
def xavier_uniform_(tensor: Filled, gain: float = 1.0, *, rng: Rng = None) -> Filled:
    """Fill with U(-a, a), a = gain · √(6 / (fan_in + fan_out)) (Glorot & Bengio 2010).

    Raises ShapeError for fewer than two axes.

    >>> import numpy as np, nn
    >>> w = nn.Parameter(np.empty((300, 100), np.float32))
    >>> round(float(nn.init.xavier_uniform_(w, rng=0).data.std()), 2)
    0.07
    """
    a = gain * math.sqrt(6 / sum(fans(tensor.shape, "xavier_uniform_")))
    return uniform_(tensor, -a, a, rng=rng)


@hinted
def xavier_normal_(tensor: Filled, gain: float = 1.0, *, rng: Rng = None) -> Filled:
    """Fill with N(0, gain² · 2 / (fan_in + fan_out)) (Glorot & Bengio 2010).

    Raises ShapeError for fewer than two axes.

    >>> import numpy as np, nn
    >>> w = nn.Parameter(np.empty((300, 100), np.float32))
    >>> round(float(nn.init.xavier_normal_(w, rng=0).data.std()), 2)
    0.07
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(fans(tensor.shape, "xavier_normal_"))), rng=rng)


@hinted
def kaiming_uniform_(
    tensor: Filled, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, rng: Rng = None
) -> Filled:
    """Fill with U(-b, b), b = gain · √(3 / fan), where ``a`` is the slope of leaky_relu (He et al. 2015).

    Raises ShapeError for fewer than two axes, ArgumentError for an unknown ``mode`` or ``nonlinearity``.

    >>> import numpy as np, nn
    >>> w = nn.Parameter(np.empty((300, 100), np.float32))
    >>> round(float(nn.init.kaiming_uniform_(w, rng=0).data.std()), 2)
    0.14
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity, "kaiming_uniform_")
    return uniform_(tensor, -bound, bound, rng=rng)


@hinted
def kaiming_normal_(
    tensor: Filled, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, rng: Rng = None
) -> Filled:
    """Fill with N(0, gain² / fan), where ``a`` is the slope of leaky_relu (He et al. 2015).

    Raises ShapeError for fewer than two axes, ArgumentError for an unknown ``mode`` or ``nonlinearity``.

    >>> import numpy as np, nn
    >>> w = nn.Parameter(np.empty((300, 100), np.float32))
    >>> round(float(nn.init.kaiming_normal_(w, rng=0).data.std()), 2)
    0.14
    """
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity, "kaiming_normal_"), rng=rng)


@hinted
def orthogonal_(tensor: Filled, gain: float = 1, *, rng: Rng = None) -> Filled:
    """Fill with gain times a random matrix (out, in · kernel) of orthonormal rows or columns (Saxe et al. 2013).

    Raises ShapeError for fewer than two axes.

    >>> import numpy as np, nn
    >>> w = nn.init.orthogonal_(nn.Parameter(np.empty((3, 5), np.float32)), rng=0).data
    >>> (w @ w.T).round(4) + 0.0
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    fans(tensor.shape, "orthogonal_")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    normal = generator_of(rng).normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(normal)
    q *= np.sign(np.diag(r))  # makes the distribution uniform (Mezzadri 2007)
    return _fill(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))


def _kaiming_std(tensor: Any, a: float, mode: str, nonlinearity: str, name: str) -> float:
    fan_in, fan_out = fans(tensor.shape, name)
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"{name}: mode must be 'fan_in' or 'fan_out', got {mode!r}.")
    fan = fan_in if mode == "fan_in" else fan_out
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0


def _fill(tensor: Any, values: float | NDArray[Any]) -> Any:
    if tensor.dtype.kind != "f":
        raise ArgumentError(f"nn.init fills floating-point Tensors, got dtype {tensor.dtype}.")
    write(tensor, values)
    return tensor
