"""Stacks of recurrent layers: several on top of each other, in one or both directions of time."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.errors import ArgumentError
from nn.functional.checks import as_input, place, wrong_shape
from nn.functional.dropout import dropout as drop
from nn.functional.gru import gru_layer
from nn.functional.lstm import lstm_layer
from nn.functional.rnn import rnn_layer
from nn.functional.steps import check_lengths

Weights = Sequence[Sequence[Any]]  # per layer and direction: weight_ih, weight_hh, and bias_ih, bias_hh or nothing
Layer = Callable[..., tuple[Any, ...]]


def lstm(
    input: Any,
    hx: Any,
    weights: Weights,
    *,
    num_layers: int = 1,
    bidirectional: bool = False,
    batch_first: bool = False,
    dropout: float = 0.0,
    training: bool = False,
    lengths: Any = None,
    rng: Any = None,
) -> tuple[Any, tuple[Any, Any]]:
    """Run a stack of LSTM layers and return (y, (h_n, c_n)).

    input: (T, N, I), (N, T, I) with ``batch_first``, or (T, I); ``hx`` is (h0, c0), each (layers · directions, N, H),
    or None for zeros; y: the same axes with directions · H features. ``lengths`` are the true lengths: what stands
    behind them is not read, y is 0 there, and h_n, c_n are the states at the true ends (PyTorch's packed sequences).
    ``rng`` serves the dropout between layers. Raises ShapeError for shapes that do not fit, ArgumentError for lengths
    outside 1 … T.

    ``weights`` has for each layer (and direction) those of :class:`nn.LSTM`: weight_ih, weight_hh, bias_ih, bias_hh.

    >>> import numpy as np, nn
    >>> layer = nn.LSTM(2, 3, rng=0)
    >>> weights = [list(layer.parameters())]
    >>> y, (h, c) = nn.functional.lstm(np.ones((4, 1, 2), np.float32), None, weights)
    >>> y.shape, h.shape, c.shape
    ((4, 1, 3), (1, 1, 3), (1, 1, 3))
    """
    options = _Options(num_layers, bidirectional, batch_first, dropout, training, lengths, rng)
    y, (h, c) = _stack("lstm", lstm_layer, 2, input, hx, weights, options)
    return y, (h, c)


def gru(
    input: Any,
    hx: Any,
    weights: Weights,
    *,
    num_layers: int = 1,
    bidirectional: bool = False,
    batch_first: bool = False,
    dropout: float = 0.0,
    training: bool = False,
    lengths: Any = None,
    rng: Any = None,
) -> tuple[Any, Any]:
    """Run a stack of GRU layers and return (y, h_n); arguments and shapes are those of :func:`lstm` with one state.

    h_t = (1 − z) · n + z · h_{t−1}, see :class:`nn.GRU`. Raises ShapeError for shapes that do not fit.

    >>> import numpy as np, nn
    >>> layer = nn.GRU(2, 3, rng=0)
    >>> y, h = nn.functional.gru(np.ones((4, 1, 2), np.float32), None, [list(layer.parameters())])
    >>> y.shape, h.shape
    ((4, 1, 3), (1, 1, 3))
    """
    options = _Options(num_layers, bidirectional, batch_first, dropout, training, lengths, rng)
    y, (h,) = _stack("gru", gru_layer, 1, input, hx, weights, options)
    return y, h


def rnn(
    input: Any,
    hx: Any,
    weights: Weights,
    *,
    nonlinearity: str = "tanh",
    num_layers: int = 1,
    bidirectional: bool = False,
    batch_first: bool = False,
    dropout: float = 0.0,
    training: bool = False,
    lengths: Any = None,
    rng: Any = None,
) -> tuple[Any, Any]:
    """Run a stack of plain recurrent layers and return (y, h_n); otherwise as :func:`lstm` with one state.

    h_t = tanh(W x_t + b + U h_{t−1} + d), x: (T, N, I). Raises ShapeError for shapes that do not fit.

    >>> import numpy as np, nn
    >>> layer = nn.RNN(2, 3, rng=0)
    >>> y, h = nn.functional.rnn(np.ones((4, 1, 2), np.float32), None, [list(layer.parameters())])
    >>> y.shape, h.shape
    ((4, 1, 3), (1, 1, 3))
    """
    if nonlinearity not in ("tanh", "relu"):
        raise ArgumentError(f"{place('rnn')}: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}.")

    def layer(*args: Any, **keywords: Any) -> Any:
        return rnn_layer(*args, **keywords, relu=nonlinearity == "relu")

    options = _Options(num_layers, bidirectional, batch_first, dropout, training, lengths, rng)
    y, (h,) = _stack("rnn", layer, 1, input, hx, weights, options)
    return y, h


class _Options(NamedTuple):
    """Hold what the three stacks take alike."""

    num_layers: int
    bidirectional: bool
    batch_first: bool
    dropout: float
    training: bool
    lengths: Any
    rng: Any


def _stack(
    name: str, layer: Layer, states: int, x: Any, hx: Any, weights: Weights, options: _Options
) -> tuple[Any, tuple[Any, ...]]:
    x, lengths, batched = _sequences(name, x, weights, options)
    layers, directions, hidden = options.num_layers, 1 + options.bidirectional, weights[0][1].shape[1]
    starts = _starts(name, hx, states, (layers * directions, x.shape[1], hidden), batched, x)
    ends: list[tuple[Any, ...]] = []
    for k in range(layers):
        found = []
        for i in range(k * directions, (k + 1) * directions):
            biases = weights[i][2:] or (0.0, 0.0)
            state = [start[i] for start in starts]
            y, *end = layer(x, *state, *weights[i][:2], *biases, lengths, reverse=bool(i % directions))
            found.append(y)
            ends.append(tuple(end))
        x = found[0] if directions == 1 else np.concatenate(found, axis=2)
        if k < layers - 1 and options.dropout:
            x = drop(x, options.dropout, options.training, rng=options.rng)
    last = tuple(part[0][None] if len(part) == 1 else np.stack(part) for part in zip(*ends, strict=True))
    if not batched:
        return x[:, 0], tuple(h[:, 0] for h in last)
    return (x.transpose(1, 0, 2) if options.batch_first else x), last


def _sequences(name: str, x: Any, weights: Weights, options: _Options) -> tuple[Any, tuple[int, ...] | None, bool]:
    """Read the input as (T, N, I), the lengths, and whether the input was a batch."""
    x, features = as_input(x, weights[0][0]), weights[0][0].shape[1]
    if x.ndim not in (2, 3) or not x.shape[-3 if x.ndim == 3 and not options.batch_first else -2]:
        axes = "(batch, time, features)" if options.batch_first else "(time, batch, features)"
        raise wrong_shape(name, x, f"it must be {axes} or (time, features), with at least one step.")
    if x.shape[-1] != features:
        raise wrong_shape(name, x, f"the last axis (features) must be {features}.")
    batched = x.ndim == 3
    x = x[:, None] if not batched else x.transpose(1, 0, 2) if options.batch_first else x
    if options.lengths is not None and not batched:
        raise ArgumentError(f"{place(name)}: lengths need a batch; cut an unbatched sequence instead.")
    return x, check_lengths(place(name), options.lengths, *x.shape[:2]), batched


def _starts(name: str, hx: Any, states: int, shape: tuple[int, ...], batched: bool, x: Any) -> list[Any]:
    """Read the first states, each (layers · directions, N, H); zeros if there are none."""
    if hx is None:
        return [np.zeros(shape, x.dtype)] * states
    given = (hx,) if states == 1 else tuple(hx)
    if len(given) != states:
        raise ArgumentError(f"{place(name)}: the first state must be (h0, c0), got {len(given)} arrays.")
    expected = shape if batched else (shape[0], shape[2])
    read = []
    for label, h in zip(("h0", "c0"), given, strict=False):
        h = as_input(h, x)
        if tuple(h.shape) != expected:
            raise wrong_shape(
                name,
                h,
                f"it must be {expected}: layers · directions{', batch' if batched else ''}, hidden_size.",
                label,
            )
        read.append(h if batched else h[:, None])
    return read
