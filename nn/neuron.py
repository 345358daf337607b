"""The story the project tells first: a neuron, a layer of neurons, and a net of layers."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError, ShapeError, nearest
from nn import init as start
from nn.activation import get
from nn.container import ModuleList
from nn.inputs import as_input, generator_of, who
from nn.linear import apply_linear, empty_weight, positive
from nn.module import Module, Parameter

Activation = str | Callable[..., Any] | None
Init = str | Callable[..., Any] | None
_STARTS: dict[str, Callable[..., Any]] = {
    "uniform": lambda w, rng: start.uniform_(w, -1, 1, rng=rng),
    "normal": lambda w, rng: start.normal_(w, rng=rng),
    "zeros": lambda w, rng: start.zeros_(w),
    "xavier": lambda w, rng: start.xavier_uniform_(w, rng=rng),
    "he": lambda w, rng: start.kaiming_uniform_(w, nonlinearity="relu", rng=rng),
}
_HE = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus")


def _start(
    shape: tuple[int, int], activation: Activation, init: Init, dtype: "DTypeLike", rng: np.random.Generator, owner: str
) -> Any:
    """Make weights (out, in): by activation (He for the ReLU family, else Xavier) unless ``init`` says how."""
    if init is None:
        init = "he" if activation in _HE else "xavier"
    if isinstance(init, str) and init not in _STARTS:
        hint = nearest(init, _STARTS)
        raise ArgumentError(
            f"{owner}: unknown init {init!r}.{hint} Known are {', '.join(_STARTS)}, or a function of (tensor, rng=)."
        )
    weight = ag.Tensor(empty_weight(*shape, dtype))
    (_STARTS[init] if isinstance(init, str) else init)(weight, rng=rng)
    return weight.data


def _label(activation: Activation) -> str:
    if activation is None:
        return ""
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", type(activation).__name__)
    return f", {name}"


class Neuron(Module):
    """Compute activation(w · x + b) of an x of shape (..., in_features).

    ``w`` is (in_features,), ``b`` 0-d. Fed with a list of scalars it computes w₀x₀ + w₁x₁ + … + b one product at a
    time, so that its picture is the textbook's. Raises ShapeError where x has not ``in_features`` numbers.

    >>> import nn
    >>> n = nn.Neuron(2, "tanh", rng=0)
    >>> n([0.5, -1.0]).shape, n([[0.5, -1.0]]).shape
    ((), (1,))
    """

    _fixed = ("in_features", "activation")

    def __init__(
        self,
        in_features: int,
        activation: Activation = None,
        *,
        init: Init = None,
        dtype: "DTypeLike" = np.float32,
        rng: start.Rng = None,
    ) -> None:
        positive("Neuron", in_features=in_features)
        self.in_features, self.activation, self._function = in_features, activation, get(activation, "Neuron")
        self.w = Parameter(_start((1, in_features), activation, init, dtype, generator_of(rng), "Neuron")[0])
        self.b = Parameter(np.zeros((), dtype))

    def forward(self, x: Any) -> ag.Tensor:
        w, b = self.w, self.b
        if isinstance(x, list | tuple) and all(np.ndim(item) == 0 for item in x):
            return self._function(self._by_hand(x, w, b))
        return self._function(apply_linear(self, x, w, b))

    def _by_hand(self, x: Sequence[Any], w: Any, b: Any) -> Any:
        if len(x) != self.in_features:
            raise ShapeError(f"{who(self)} ({self.extra_repr()}) got {len(x)} numbers; it takes {self.in_features}.")
        total = None
        for i, xi in enumerate(x):
            wi = w[i]
            wi.name = f"w{i}"
            product = wi * as_input(xi, w.dtype)
            total = product if total is None else total + product
        return total + b

    def extra_repr(self) -> str:
        return f"{self.in_features}{_label(self.activation)}"


class _Row(ag.Tensor):
    """Represent one row of a Tensor, in its graph and with its gradient."""

    __slots__ = ("_at", "_whole")
    _at: int
    _whole: ag.Tensor

    def __new__(cls, whole: ag.Tensor, at: int) -> "_Row":
        self = super().__new__(cls)
        row = whole[at]
        self._array, self._node, self._whole, self._at = row._array, row._node, whole, at
        return self

    def __init__(self, whole: ag.Tensor, at: int) -> None:
        pass

    @property
    def data(self) -> Any:
        """Return the row of the array: what is written into it is written into the whole."""
        return self._whole.data[self._at, ...]

    @data.setter
    def data(self, value: Any) -> None:
        array = self._whole.data
        array[self._at] = value
        self._whole.data = array
        self._array = array[self._at]

    @property
    def grad(self) -> Any:
        """Return the row of the gradient, or None."""
        grad = self._whole.grad
        return None if grad is None else grad[self._at]

    @grad.setter
    def grad(self, value: Any) -> None:
        raise AttributeError(
            "the gradient of a neuron in a layer is a row of the layer's: assign layer.weight.grad or layer.bias.grad."
        )


class _NeuronOf(Neuron):
    """Hold one neuron of a layer: ``w`` and ``b`` are row i of the layer's weight and bias, values and gradients."""

    def __init__(self, layer: "Layer", i: int) -> None:
        self.in_features, self.activation, self._function = layer.in_features, layer.activation, layer._function
        self._layer, self._i = layer, i

    def _members(self) -> Iterator[tuple[str, Any]]:
        return iter(())  # the parameters are the layer's

    def __getattr__(self, name: str) -> Any:
        if name in ("w", "b"):
            return _Row(self._layer.weight if name == "w" else self._layer.bias, self._i)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class Layer(Module):
    """Compute activation(x Wᵀ + b): ``out_features`` neurons side by side, as one op.

    ``weight`` (out, in) starts by activation (He for the ReLU family, else Xavier) or by ``init`` ("uniform" is
    micrograd's U(-1, 1), "normal", "xavier", "he", "zeros", or a function of ``(tensor, rng=)``), ``bias`` (out,) with
    0. x: (..., in_features) -> (..., out_features). Raises ShapeError unless the last axis of x is ``in_features``.

    >>> import nn
    >>> layer = nn.Layer(2, 3, "relu", rng=0)
    >>> layer([[1.0, 2.0]]).shape, len(layer.neurons), layer.neurons[1].w.shape
    ((1, 3), 3, (2,))
    """

    _fixed = ("in_features", "out_features", "activation")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        activation: Activation = None,
        *,
        init: Init = None,
        dtype: "DTypeLike" = np.float32,
        rng: start.Rng = None,
    ) -> None:
        positive("Layer", in_features=in_features, out_features=out_features)
        self.in_features, self.out_features, self.activation = in_features, out_features, activation
        self._function = get(activation, "Layer")
        self.weight = Parameter(
            _start((out_features, in_features), activation, init, dtype, generator_of(rng), "Layer")
        )
        self.bias = Parameter(np.zeros(out_features, dtype))

    @property
    def neurons(self) -> list[Neuron]:
        """List the neurons; each shares its row of weight, bias and gradients with the layer."""
        return [_NeuronOf(self, i) for i in range(self.out_features)]

    def forward(self, x: Any) -> ag.Tensor:
        return self._function(apply_linear(self, x, self.weight, self.bias))

    def extra_repr(self) -> str:
        return f"{self.in_features} -> {self.out_features}{_label(self.activation)}"


class MLP(Module):
    """Chain layers: ``MLP(2, [16, 16, 1])`` maps (..., 2) to (..., 1) through two hidden layers of 16 neurons.

    Each layer is y = activation(x Wᵀ + b), as :class:`Layer`. Raises ShapeError unless the last axis of x is
    ``in_features``.

    >>> import nn
    >>> nn.MLP(2, [16, 1], rng=0)
    MLP(2 -> 16 -> 1)         65  parameters
      layers: ModuleList      65
        0: Layer(2 -> 16, relu)  48  weight (16, 2), bias (16,)
        1: Layer(16 -> 1)     17  weight (1, 16), bias (1,)
    """

    def __init__(
        self,
        in_features: int,
        sizes: Sequence[int],
        activation: Activation = "relu",
        output_activation: Activation = None,
        *,
        init: Init = None,
        dtype: "DTypeLike" = np.float32,
        rng: start.Rng = None,
    ) -> None:
        if isinstance(activation, int):
            raise ArgumentError(f"MLP: the widths go into one list: MLP({in_features}, [{sizes}, {activation}]).")
        sizes = [sizes] if isinstance(sizes, int) else list(sizes)
        if not sizes:
            raise ArgumentError(
                "MLP: sizes is empty; give the width of each layer, the last one being the output, such as [16, 16, 1]."
            )
        rng, self.widths = generator_of(rng), [in_features, *sizes]
        get(activation, "MLP")  # a net of one layer does not use it, but is told of a wrong name
        activations = [activation] * (len(sizes) - 1) + [output_activation]
        self.layers = ModuleList(
            Layer(a, b, f, init=init, dtype=dtype, rng=rng)
            for a, b, f in zip(self.widths, sizes, activations, strict=False)
        )

    def forward(self, x: Any) -> ag.Tensor:
        for layer in self.layers:
            x = layer(x)
        return x

    def extra_repr(self) -> str:
        return " -> ".join(map(str, self.widths))
