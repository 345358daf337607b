"""Recurrent layers: RNN, LSTM and GRU, stacked, in one or both directions, over padded batches."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError
from nn import init
from nn.functional import recurrent as F
from nn.inputs import generator_of
from nn.linear import positive
from nn.module import Module, Parameter


class _Recurrent(Module):
    """Hold the weights of a stack under PyTorch's names: weight_ih_l0, weight_hh_l0, …, …_l0_reverse, …_l1, …"""

    gates = 1
    _fixed = ("input_size", "hidden_size", "num_layers", "bias", "bidirectional")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: "DTypeLike" = np.float32,
        rng: init.Rng = None,
    ) -> None:
        kind = type(self).__name__
        positive(kind, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if not 0 <= dropout <= 1:
            raise ArgumentError(f"{kind}: dropout must be between 0 and 1, got {dropout}.")
        if dropout and num_layers == 1:
            raise ArgumentError(
                f"{kind}: dropout acts between layers, and there is only one. Use num_layers=2 or nn.Dropout."
            )
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout, self.bidirectional = bias, batch_first, dropout, bidirectional
        self.rng = generator_of(rng)
        bound = 1 / math.sqrt(hidden_size)
        self._names: list[list[str]] = []
        for k in range(num_layers):
            width = input_size if k == 0 else hidden_size * (1 + bidirectional)
            for suffix in (f"l{k}", f"l{k}_reverse")[: 1 + bidirectional]:
                rows = self.gates * hidden_size
                shapes = {
                    "weight_ih": (rows, width),
                    "weight_hh": (rows, hidden_size),
                    "bias_ih": (rows,),
                    "bias_hh": (rows,),
                }
                names = [f"{name}_{suffix}" for name in shapes][: 4 if bias else 2]
                for name, shape in zip(names, shapes.values(), strict=False):
                    setattr(self, name, init.uniform_(Parameter(np.empty(shape, dtype)), -bound, bound, rng=self.rng))
                self._names.append(names)

    def _options(self) -> dict[str, Any]:
        return {
            "num_layers": self.num_layers,
            "bidirectional": self.bidirectional,
            "batch_first": self.batch_first,
            "dropout": self.dropout,
            "training": self.training,
            "rng": self.rng,
        }

    def _weights(self) -> list[list[Any]]:
        return [[getattr(self, name) for name in names] for names in self._names]

    def extra_repr(self) -> str:
        extras = [f"{self.num_layers} layers"] * (self.num_layers > 1) + ["bidirectional"] * self.bidirectional
        extras += (
            ["batch first"] * self.batch_first
            + [f"dropout {self.dropout}"] * bool(self.dropout)
            + ["no bias"] * (not self.bias)
        )
        return ", ".join([f"{self.input_size} -> {self.hidden_size}", *extras])


class RNN(_Recurrent):
    """Apply h_t = tanh(W x_t + b + U h_{t−1} + d), or ReLU, along a sequence.

    x: (T, N, I), (N, T, I) with ``batch_first``, or (T, I); returns (y, h_n) with y: (T, N, directions · H) and h_n:
    (layers · directions, N, H). Weights start as U(−1/√H, 1/√H). ``lengths=`` are the true lengths of padded sequences.
    Raises ShapeError where x or a state does not fit.

    >>> import numpy as np, nn
    >>> y, h = nn.RNN(3, 5, rng=0)(np.ones((7, 2, 3)))
    >>> y.shape, h.shape
    ((7, 2, 5), (1, 2, 5))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: "DTypeLike" = np.float32,
        rng: init.Rng = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"RNN: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}.")
        self.nonlinearity = nonlinearity
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype=dtype, rng=rng
        )

    def forward(self, x: Any, hx: Any = None, *, lengths: Any = None) -> tuple[ag.Tensor, ag.Tensor]:
        return F.rnn(x, hx, self._weights(), nonlinearity=self.nonlinearity, lengths=lengths, **self._options())


class LSTM(_Recurrent):
    """Apply i, f, o = σ(…), g = tanh(…), c_t = f · c_{t−1} + i · g, h_t = o · tanh(c_t) along a sequence.

    Each gate is W x_t + b + U h_{t−1} + d with rows of the weights in the order i, f, g, o. x: (T, N, I), (N, T, I)
    with ``batch_first``, or (T, I); returns (y, (h_n, c_n)) with y: (T, N, directions · H), the others (layers ·
    directions, N, H). Weights start as U(−1/√H, 1/√H). ``lengths=`` are the true lengths of padded sequences.
    Hochreiter & Schmidhuber (1997). Raises ShapeError where x or a state does not fit.

    >>> import numpy as np, nn
    >>> y, (h, c) = nn.LSTM(3, 5, batch_first=True, rng=0)(np.ones((2, 7, 3)), lengths=[7, 4])
    >>> y.shape, h.shape, abs(y[1, 4:]).max().item()
    ((2, 7, 5), (1, 2, 5), 0.0)
    """

    gates = 4

    def forward(self, x: Any, hx: Any = None, *, lengths: Any = None) -> tuple[ag.Tensor, tuple[ag.Tensor, ag.Tensor]]:
        return F.lstm(x, hx, self._weights(), lengths=lengths, **self._options())


class GRU(_Recurrent):
    """Apply r, z = σ(…), n = tanh(W x_t + b + r · (U h_{t−1} + d)), h_t = (1 − z) · n + z · h_{t−1} along a sequence.

    Rows of the weights are in the order r, z, n. x: (T, N, I), (N, T, I) with ``batch_first``, or (T, I); returns (y,
    h_n) with y: (T, N, directions · H), h_n: (layers · directions, N, H). Weights start as U(−1/√H, 1/√H). ``lengths=``
    are the true lengths of padded sequences. Cho et al. (2014). Raises ShapeError where x or a state does not fit.

    >>> import numpy as np, nn
    >>> y, h = nn.GRU(4, 8, rng=0)(np.zeros((5, 2, 4)))
    >>> y.shape, h.shape
    ((5, 2, 8), (1, 2, 8))
    """

    gates = 3

    def forward(self, x: Any, hx: Any = None, *, lengths: Any = None) -> tuple[ag.Tensor, ag.Tensor]:
        return F.gru(x, hx, self._weights(), lengths=lengths, **self._options())
