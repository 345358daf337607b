"""Stochastic gradient descent, with momentum and Nesterov's variant of it."""

from typing import Any

import numpy as np

from autograd.errors import ArgumentError
from nn.optim.optimizer import Array, Group, Optimizer


class SGD(Optimizer):
    """Step against the gradient: p -= lr · g.

    With momentum μ the step is the velocity b = μ b + (1 - dampening) g (in the first step b = g), or g + μ b with
    ``nesterov``. ``weight_decay`` adds its multiple of p to g.

    >>> import nn
    >>> p = nn.Parameter([1.0]); p.grad = [0.5]
    >>> nn.optim.SGD([p], lr=0.5).step()
    >>> p.item()
    0.75
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(
            params, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov
        )

    def check(self, group: Group) -> None:
        super().check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ArgumentError("SGD: nesterov=True needs momentum > 0 and dampening = 0.")

    def states(self, group: Group) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def constants(self, group: Group, t: int) -> tuple[float, ...]:
        return group["lr"], group["momentum"], 1 - group["dampening"]

    def update(
        self, p: Array, g: Array, state: tuple[Array, ...], s: Array, c: list[Array], group: Group, t: int
    ) -> None:
        lr, mu, part = c
        if state:
            (b,) = state
            if t == 1:
                b[...] = g
            else:
                b *= mu
                b += np.multiply(g, part, out=s) if group["dampening"] else g
            g = np.add(np.multiply(b, mu, out=s), g, out=s) if group["nesterov"] else b
        p -= np.multiply(g, lr, out=s)
