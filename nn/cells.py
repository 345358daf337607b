"""One step of a recurrence as a layer, for loops in which the next input depends on the last output."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError
from nn import init
from nn.functional.checks import place, wrong_shape
from nn.functional.recurrent import gru, lstm
from nn.inputs import as_input, generator_of
from nn.linear import positive
from nn.module import Module, Parameter


class _Cell(Module):
    """Hold weight_ih (gates · H, I), weight_hh (gates · H, H), two biases (gates · H,), from U(−1/√H, 1/√H)."""

    gates = 1
    _fixed = ("input_size", "hidden_size", "bias")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: "DTypeLike" = np.float32,
        rng: init.Rng = None,
    ) -> None:
        positive(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rng, bound, rows = generator_of(rng), 1 / math.sqrt(hidden_size), self.gates * hidden_size

        def parameter(*shape: int) -> Any:
            return init.uniform_(Parameter(np.empty(shape, dtype)), -bound, bound, rng=rng)

        self.weight_ih, self.weight_hh = parameter(rows, input_size), parameter(rows, hidden_size)
        self.bias_ih, self.bias_hh = (parameter(rows) if bias else None for _ in range(2))

    def _step(self, function: Any, x: Any, *states: Any) -> tuple[Any, ...]:
        """Take one step: a sequence of length 1 through the layer of the same name."""
        kind = type(self).__name__
        x, *given = (as_input(value, self.weight_ih.dtype) for value in (x, *states))
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise wrong_shape(kind, x, f"it must be (N, {self.input_size}) or ({self.input_size},).")
        expected = (*x.shape[:-1], self.hidden_size)
        for name, state in zip("hc", given, strict=False):
            if tuple(state.shape) != expected:
                raise wrong_shape(kind, state, f"it must be {expected}.", name)
        weights = [w for w in (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh) if w is not None]
        start = tuple(state[None] for state in given) or None
        _, last = function(x[None], start if start is None or len(start) > 1 else start[0], [weights])
        return tuple(state[0] for state in (last if isinstance(last, tuple) else (last,)))

    def extra_repr(self) -> str:
        return f"{self.input_size} -> {self.hidden_size}" + ("" if self.bias else ", no bias")


class LSTMCell(_Cell):
    """Apply one step of an LSTM: (x, (h, c)) -> (h', c'); without states they are zeros.

    x: (N, I) or (I,); h, c: (N, H) or (H,). Gates stand in the order i, f, g, o; see :class:`nn.LSTM`, which is several
    times as fast where all inputs are there before the first step. h' = o · tanh(c'), c' = f · c + i · g, see
    :class:`LSTM`. Raises ShapeError where x or a state does not fit.

    >>> import numpy as np, nn
    >>> cell = nn.LSTMCell(3, 5, rng=0)
    >>> h, c = cell(np.ones((2, 3)))
    >>> h, c = cell(np.ones((2, 3)), (h, c))
    >>> h.shape
    (2, 5)
    """

    gates = 4

    def forward(self, x: Any, hx: Any = None) -> tuple[ag.Tensor, ag.Tensor]:
        if hx is not None and not (isinstance(hx, tuple | list) and len(hx) == 2):
            raise ArgumentError(f"{place('LSTMCell')}: the states must be a pair (h, c), got {type(hx).__name__}.")
        h, c = self._step(lstm, x, *(() if hx is None else hx))
        return h, c


class GRUCell(_Cell):
    """Apply one step of a GRU: (x, h) -> h'; without a state it is zeros.

    x: (N, I) or (I,); h: (N, H) or (H,). Gates stand in the order r, z, n; see :class:`nn.GRU`, which is several times
    as fast where all inputs are there before the first step. h' = (1 − z) · n + z · h, see :class:`GRU`. Raises
    ShapeError where x or h does not fit.

    >>> import numpy as np, nn
    >>> cell, h = nn.GRUCell(3, 4, rng=0), None
    >>> for x in np.ones((5, 2, 3)):  # five steps of two sequences
    ...     h = cell(x, h)
    >>> h.shape
    (2, 4)
    """

    gates = 3

    def forward(self, x: Any, hx: Any = None) -> ag.Tensor:
        (h,) = self._step(gru, x, *(() if hx is None else (hx,)))
        return h
