"""Steps through a batch of sequences: the order of time, who still runs, and the columns that one GEMM per step reads.

A column holds [x_t, 1, h] of one sequence: so one GEMM per step with [W_ih, b, W_hh] gives the whole pre-activation,
bias included. The batch is the last axis in memory: the gates of a step are then contiguous blocks, three times as
fast to work on as slices of rows, and W · hᵀ is a quarter faster than h · Wᵀ at batch 32.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional.windows import Array
from nn.inputs import refuse_masked

CHUNK = 192 * 1024  # numbers of dz that are gathered before a GEMM


class Steps:
    """Track in which order time runs, and which sequences (sorted by falling length) run at each step.

    The columns of step t stand in slot ``t + at``, and what it computes goes to slot ``t + to``: ``reverse`` swaps
    the two.
    """

    def __init__(self, steps: int, batch: int, reverse: bool, lengths: Any) -> None:
        self.steps, self.batch, self.reverse = steps, batch, reverse
        self.at, self.to = (1, 0) if reverse else (0, 1)
        self.ended: Array | None = None
        self.running = [batch] * steps
        if np.ndim(lengths):
            sizes = np.asarray(lengths)
            self.order = np.argsort(-sizes, kind="stable")
            self.inverse = np.argsort(self.order, kind="stable")
            self.sizes = sizes[self.order]
            self.ended = np.arange(steps)[:, None] >= self.sizes  # (T, N)
            self.running = (~self.ended).sum(axis=1).tolist()

    def forwards(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield (t, slot read, slot written, number of sequences running)."""
        for t in reversed(range(self.steps)) if self.reverse else range(self.steps):
            yield t, t + self.at, t + self.to, self.running[t]

    def backwards(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield the same from the last step computed to the first."""
        for t in range(self.steps) if self.reverse else reversed(range(self.steps)):
            yield t, t + self.at, t + self.to, self.running[t]

    def sort(self, h: Array) -> Array:
        """Return (N, H) as (H, N), the longest sequence first."""
        return h.T if self.ended is None else h[self.order].T

    def unsort(self, h: Array) -> Array:
        """Return (H, N) as (N, H), in the caller's order."""
        return np.ascontiguousarray(h.T if self.ended is None else h.T[self.inverse])

    def columns(self, x: Array, h0: Array) -> Array:
        """Lay out (T + 1, I + 1 + H, N): x: (T, N, I), ones, and room for the states, which begin with h0: (N, H)."""
        width, hidden = x.shape[2], h0.shape[1]
        columns = np.empty((self.steps + 1, width + 1 + hidden, self.batch), x.dtype)
        seen = columns[self.at : self.at + self.steps, :width]
        seen[...] = x.transpose(0, 2, 1) if self.ended is None else x[:, self.order].transpose(0, 2, 1)
        if self.ended is not None:
            np.copyto(
                seen, 0, where=self.ended[:, None]
            )  # whatever stands in the padding must not reach a sum, not even as 0 · nan
        columns[:, width] = 1
        self.start(columns[:, width + 1 :], h0)
        return columns

    def start(self, states: Array, h0: Array) -> Array:
        """Put the first state (N, H) where the first step reads it; sequences that begin later find it there, too."""
        first = slice(None) if self.ended is not None else self.steps if self.reverse else 0
        states[first] = self.sort(h0)
        return states

    def outputs(self, states: Array) -> Array:
        """Return y (T, N, H), zero in the padding."""
        y = states[self.to : self.to + self.steps]
        if self.ended is not None:
            y = np.where(self.ended[:, None], np.zeros((), y.dtype), y)[:, :, self.inverse]
        return y.transpose(0, 2, 1)

    def last(self, states: Array) -> Array:
        """Return the states (N, H) after the last step of each sequence."""
        if self.ended is None:
            return np.ascontiguousarray(states[0 if self.reverse else self.steps].T)
        ends = np.zeros_like(self.sizes) if self.reverse else self.sizes
        return states[ends, :, np.arange(self.batch)][self.inverse]

    def upstream(self, g: Array) -> Array:
        """Return the gradient (T, N, H) of y as (T, H, N), the longest sequence first."""
        return (g if self.ended is None else g[:, self.order]).transpose(0, 2, 1)


class Sums:
    """Add up the gradients of the weights and lay out that of x, from the gradients dz of the pre-activations.

    A few steps are gathered in a buffer that stays in the cache; then one GEMM over their time and batch serves each
    of ``parts`` (rows of dz, rows of the columns), and one with ``back`` (I, rows of dz) gives dx.
    """

    def __init__(
        self, steps: Steps, columns: Array, rows: int, parts: Sequence[tuple[slice, slice]], back: Array | None
    ) -> None:
        self.steps, self.columns, self.parts, self.back = steps, columns, parts, back
        self.chunk = max(1, min(steps.steps, CHUNK // max(1, rows * steps.batch)))
        self.buffer = np.empty((rows, self.chunk, steps.batch), columns.dtype)
        self.totals: list[Any] = [0.0] * len(parts)
        self.dx = None if back is None else np.empty((len(back), steps.steps, steps.batch), columns.dtype)

    def add(self, t: int, dz: Array) -> None:
        """Take the gradient (rows, number running) of step ``t``."""
        k, n = t % self.chunk, dz.shape[1]
        np.copyto(self.buffer[:, k, :n], dz)
        if n < self.steps.batch:
            self.buffer[:, k, n:] = 0
        first = t - k
        if (k == 0 and not self.steps.reverse) or (
            self.steps.reverse and (k == self.chunk - 1 or t == self.steps.steps - 1)
        ):
            self._flush(first, min(first + self.chunk, self.steps.steps))

    def _flush(self, start: int, stop: int) -> None:
        flat = self.buffer[:, : stop - start].reshape(len(self.buffer), (stop - start) * self.steps.batch)
        if self.parts:
            seen = (
                self.columns[start + self.steps.at : stop + self.steps.at]
                .swapaxes(0, 1)
                .reshape(self.columns.shape[1], flat.shape[1])
            )
            for i, (rows, inputs) in enumerate(self.parts):
                self.totals[i] += flat[rows] @ seen[inputs].T
        if self.dx is not None and self.back is not None:
            np.matmul(
                self.back, flat[-self.back.shape[1] :], out=self.dx[:, start:stop].reshape(len(self.dx), flat.shape[1])
            )

    def input_gradient(self) -> Array | None:
        """Return dx as (T, N, I), in the caller's order."""
        if self.dx is None:
            return None
        dx = self.dx if self.steps.ended is None else self.dx[:, :, self.steps.inverse]
        return dx.transpose(1, 2, 0)


def join(*parts: Any, rows: Any = None) -> Array:
    """Set weights and biases side by side, ``rows`` chosen; a bias that is missing (0.0) is a column of zeros."""
    height = next(len(p) for p in parts if isinstance(p, np.ndarray))
    dtype = next(p.dtype for p in parts if isinstance(p, np.ndarray))
    blocks = [p.reshape(height, -1) if isinstance(p, np.ndarray) else np.full((height, 1), p, dtype) for p in parts]
    joined = np.concatenate(blocks, axis=1)
    return joined if rows is None else joined[rows]


def unrolled(
    cell: Callable[..., tuple[Any, ...]], x: Any, states: tuple[Any, ...], reverse: bool, lengths: Any
) -> tuple[Any, ...]:
    """Run ``cell(x_t, *states)``, which gives the new states (h first), over time by plain ops: (y, *last states).

    Where a sequence has ended y is 0, and its states stay; ``lengths`` 0 stands for none given.
    """
    ys: list[Any] = [None] * len(x)
    for t in reversed(range(len(x))) if reverse else range(len(x)):
        new = cell(x[t], *states)
        if not np.ndim(lengths):
            ys[t], states = new[0], new
        else:
            runs = (t < np.asarray(lengths))[:, None]  # (N, 1)
            ys[t] = np.where(runs, new[0], 0.0)
            states = tuple(np.where(runs, after, before) for after, before in zip(new, states, strict=True))
    return np.stack(ys, axis=0), *states


def check_lengths(name: str, lengths: Any, steps: int, batch: int) -> Any:
    """Read ``lengths``, one int in 1 … T per sequence; the number 0 stands for none given."""
    if lengths is None:
        return 0
    refuse_masked(lengths, f"{name}: lengths")
    return _sizes(lengths, name, steps, batch)


@ag.opaque
def _sizes(lengths: Any, name: str, steps: int, batch: int) -> Array:
    """Read lengths as integers, and refuse those that no sequence can have."""
    sizes = np.asarray(lengths.data if isinstance(lengths, ag.Tensor) else lengths)
    if sizes.shape != (batch,) or sizes.dtype.kind not in "iu":
        raise ArgumentError(
            f"{name}: lengths must be {batch} integers, one per sequence, got {sizes.dtype} of shape {sizes.shape}."
        )
    if batch and (sizes.min() < 1 or sizes.max() > steps):
        raise ArgumentError(
            f"{name}: lengths must be in 1 … {steps}, as x has {steps} steps, got {sizes.min()} … {sizes.max()}."
        )
    return sizes.astype(np.intp)
