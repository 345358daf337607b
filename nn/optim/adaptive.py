"""RMSprop and Adagrad: learning rates that adapt to the size of past gradients."""

from typing import Any

import numpy as np

from nn.optim.flat import Flat
from nn.optim.optimizer import Array, Group, Optimizer


class RMSprop(Optimizer):
    """Divide the gradient by the root of a running mean of its square (Hinton 2012).

    v = α v + (1 - α) g²;  p -= lr · g / (√v + ε).  ``centered`` uses v - (running mean of g)²; with momentum μ the step
    is b = μ b + g / (√v + ε).

    >>> import autograd as ag, nn
    >>> w = ag.Tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = nn.optim.RMSprop([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(4)
    array([ 0., -1.])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(
            params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered
        )

    def states(self, group: Group) -> tuple[str, ...]:
        momentum = ("momentum_buffer",) if group["momentum"] else ()
        return ("square_avg", *momentum, *(("grad_avg",) if group["centered"] else ()))

    def constants(self, group: Group, t: int) -> tuple[float, ...]:
        return group["lr"], group["alpha"], 1 - group["alpha"], group["eps"], group["momentum"]

    def update(
        self, p: Array, g: Array, state: tuple[Array, ...], s: Array, c: list[Array], group: Group, t: int
    ) -> None:
        lr, alpha, rest, eps, mu = c
        v = state[0]
        v *= alpha
        np.multiply(g, g, out=s)
        s *= rest
        v += s
        if group["centered"]:
            a = state[-1]
            a *= alpha
            a += np.multiply(g, rest, out=s)
            np.subtract(v, np.multiply(a, a, out=s), out=s)
            np.sqrt(s, out=s)
        else:
            np.sqrt(v, out=s)
        s += eps
        np.divide(g, s, out=s)
        if group["momentum"]:
            b = state[1]
            b *= mu
            b += s
            np.multiply(b, lr, out=s)
        else:
            s *= lr
        p -= s


class Adagrad(Optimizer):
    """Divide the gradient by the root of the sum of its squares so far (Duchi et al. 2011).

    v = v + g²;  p -= lr / (1 + (t - 1) · lr_decay) · g / (√v + ε).

    >>> import autograd as ag, nn
    >>> w = ag.Tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = nn.optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(4)
    array([ 0.9, -1.9])
    """

    names = ("sum",)

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )

    def begin(self, flat: Flat, group: Group) -> None:
        flat.states["sum"][...] = group["initial_accumulator_value"]

    def constants(self, group: Group, t: int) -> tuple[float, ...]:
        return group["lr"] / (1 + (t - 1) * group["lr_decay"]), group["eps"]

    def update(
        self, p: Array, g: Array, state: tuple[Array, ...], s: Array, c: list[Array], group: Group, t: int
    ) -> None:
        (v,), (lr, eps) = state, c
        v += np.multiply(g, g, out=s)
        np.sqrt(v, out=s)
        s += eps
        np.divide(g, s, out=s)
        s *= lr
        p -= s
