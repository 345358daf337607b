"""L-BFGS: Newton's direction from the last steps and gradients, for losses without noise (Liu & Nocedal 1989)."""

import copy
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, ShapeError, TrainingError
from nn.optim.line_search import Point, strong_wolfe
from nn.optim.optimizer import Array, Group, Optimizer

_ARRAYS, _LISTS = ("d", "prev_flat_grad"), ("old_dirs", "old_stps", "ro")  # of the state, under PyTorch's names


class LBFGS(Optimizer):
    """Take up to ``max_iter`` quasi-Newton steps on the whole data; ``step(closure)`` computes the loss as it needs to.

    d = -H g, with H from the last ``history_size`` pairs of step and change of gradient; p += t d, with t = lr, or with
    ``line_search_fn="strong_wolfe"`` searched along d, which is safer. It ends when the gradient is below
    ``tolerance_grad``, the change below ``tolerance_change``, or the loss was computed ``max_eval`` times (1.25 ·
    max_iter unless given). For mini-batches, whose losses differ, take Adam. Raises ArgumentError for a step without
    closure.

    >>> import numpy as np, nn
    >>> w = nn.Parameter(np.array([-1.2, 1.0]))
    >>> optimizer = nn.optim.LBFGS([w], max_iter=100, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> loss = optimizer.step(closure)
    >>> w.numpy().round(3).tolist()
    [1.0, 1.0]
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        self._memory: dict[str, Any] = {}
        super().__init__(
            params,
            lr=lr,
            max_iter=max_iter,
            max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            history_size=history_size,
            line_search_fn=line_search_fn,
        )

    def check(self, group: Group) -> None:
        super().check(group)
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ArgumentError(
                f"LBFGS: line_search_fn must be None or 'strong_wolfe', got {group['line_search_fn']!r}."
            )

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Take the one group that there may be."""
        if self.param_groups:
            raise ArgumentError("LBFGS: its direction is one for all parameters, so there can be only one group.")
        super().add_param_group(group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Minimize the loss that ``closure()`` computes, backward included; give its first value."""
        if closure is None:
            raise ArgumentError(
                "LBFGS.step needs a closure, as it computes the loss several times: def closure(): "
                "optimizer.zero_grad(); loss = ...; loss.backward(); return loss. A Trainer has none: use Adam."
            )
        (group,), memory = self.param_groups, self._memory
        first, value, g = self._compute(closure)
        if not math.isfinite(value):
            raise TrainingError(f"LBFGS.step: the loss is {value} before the first step; no step can help.")
        memory.setdefault("func_evals", 0)
        memory["func_evals"] += 1
        evaluations = 1
        for i in range(1, group["max_iter"] + 1):
            if _largest(g) <= group["tolerance_grad"]:
                break
            d, t = self._direction(g, group)
            before, slope = value, float(g @ d)
            memory.update(d=d, t=t, prev_flat_grad=g, prev_loss=value)
            if slope > -group["tolerance_change"]:
                break
            x = self._values()
            try:
                last = i == group["max_iter"]
                t, value, g, looked = self._go(closure, Point(0.0, value, g, slope), x, d, t, group, evaluations, last)
            except BaseException:
                self._put(x)  # not wherever the search was looking
                raise
            memory["t"] = t
            evaluations += looked
            memory["func_evals"] += looked
            if evaluations >= group["max_eval"] or _largest(d * t) <= group["tolerance_change"]:
                break
            if abs(value - before) < group["tolerance_change"]:
                break
        return first

    def _go(
        self, closure: Any, start: Point, x: Array, d: Array, t: float, group: Group, evaluations: int, last: bool
    ) -> tuple[float, float, Array, int]:
        """Move along d by t, or as far as the search says; give how far, value and gradient there, and evaluations."""
        if group["line_search_fn"]:
            look, most = partial(self._look, closure, x, d), group["max_eval"] - evaluations
            found, looked = strong_wolfe(look, start, t, _largest(d), group["tolerance_change"], most)
            self._put(x + found.t * d)
            return found.t, found.value, found.gradient, looked
        self._put(x + t * d)
        if last:  # nobody asks where it led
            return t, start.value, start.gradient, 0
        _, value, g = self._compute(closure)
        if not math.isfinite(value):
            raise TrainingError(
                f"LBFGS.step: the loss is {value} after a step of {t:g} times the direction; the parameters are those "
                "before it. Pass line_search_fn='strong_wolfe', or a smaller lr."
            )
        return t, value, g, 1

    def _direction(self, g: Array, group: Group) -> tuple[Array, float]:
        """Return -H g by the two loops over the remembered pairs, and the length to try first."""
        memory = self._memory
        memory["n_iter"] = memory.get("n_iter", 0) + 1
        if memory["n_iter"] == 1:
            memory.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -g, min(1.0, 1.0 / float(np.abs(g).sum())) * group["lr"]
        y, s = g - memory["prev_flat_grad"], memory["d"] * memory["t"]
        pairs = [memory[name] for name in ("old_dirs", "old_stps", "ro")]
        if (ys := float(y @ s)) > 1e-10:  # else the curvature is not positive along the last step
            if len(pairs[0]) == group["history_size"]:
                for past in pairs:
                    past.pop(0)
            for past, new in zip(pairs, (y, s, 1.0 / ys), strict=True):
                past.append(new)
            memory["H_diag"] = ys / float(y @ y)
        q, shares = -g, []
        for y, s, ro in reversed(list(zip(*pairs, strict=True))):
            shares.append(float(s @ q) * ro)
            q -= shares[-1] * y
        q *= memory["H_diag"]
        for y, s, ro in zip(*pairs, strict=True):
            q += (shares.pop() - float(y @ q) * ro) * s
        return q, group["lr"]

    # ------------------------------------------------------------------------------------ all parameters as one vector

    def _compute(self, closure: Callable[[], Any]) -> tuple[Any, float, Array]:
        """Compute the loss and its gradient; what has none has 0."""
        with ag.enable_grad():
            loss = closure()
        if loss is None:
            raise ArgumentError("LBFGS.step: the closure gave None; let it return the loss.")
        grads = [np.zeros(p.size, p.dtype) if p.grad is None else p.grad.data.reshape(-1) for p in self._parameters()]
        return loss, float(loss.item() if hasattr(loss, "item") else loss), np.concatenate(grads)

    def _look(self, closure: Callable[[], Any], x: Array, d: Array, t: float) -> Point:
        """Compute value and gradient at x + t d."""
        self._put(x + t * d)
        _, value, g = self._compute(closure)
        return Point(t, value if math.isfinite(value) else math.inf, g, float(g @ d))

    def _values(self) -> Array:
        return np.concatenate([p.data.reshape(-1) for p in self._parameters()])

    def _put(self, x: Array) -> None:
        """Write a vector into the parameters, where they lie."""
        at, params = 0, self._parameters()
        for p in params:
            p.data[...] = x[at : at + p.size].reshape(p.shape)
            at += p.size
        ag.mark_changed(params)

    # ----------------------------------------------------------------------------------------------------------- state

    def state_dict(self) -> dict[str, Any]:
        """Copy the state in PyTorch's layout, in which the first parameter holds it all."""
        made = super().state_dict()
        if self._memory:
            made["state"] = {0: copy.deepcopy(self._memory)}
        return made

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state from ``state_dict`` (PyTorch's too); on any mismatch raise and change nothing."""
        entry = dict(dict(state.get("state", {})).get(0, {}))
        read: dict[str, Any] = {key: entry[key] for key in ("func_evals", "n_iter") if key in entry}
        read |= {key: np.asarray(entry[key]).copy() for key in _ARRAYS if entry.get(key) is not None}
        read |= {key: float(entry[key]) for key in ("t", "H_diag", "prev_loss") if entry.get(key) is not None}
        for key in _LISTS:
            if entry.get(key) is not None:
                read[key] = [float(x) if key == "ro" else np.asarray(x).copy() for x in entry[key]]
        count = sum(p.size for p in self._parameters())
        vectors = [read[key] for key in _ARRAYS if key in read] + [x for key in _LISTS[:2] for x in read.get(key, ())]
        if any(x.shape != (count,) for x in vectors):
            raise ShapeError(
                f"LBFGS.load_state_dict changed nothing: its vectors need {count} numbers, one per weight."
            )
        super().load_state_dict({**state, "state": {}})
        self._memory = read


def _largest(x: Array) -> float:
    return float(np.abs(x).max(initial=0.0))
