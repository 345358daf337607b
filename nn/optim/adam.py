"""Adam and AdamW (Kingma & Ba 2015; Loshchilov & Hutter 2019)."""

import math
from typing import Any, ClassVar

import numpy as np

from nn.optim.optimizer import Array, Group, Optimizer


def moments(m: Array, v: Array, g: Array, s: Array, b1: Any, one_b1: Any, b2: Any, one_b2: Any) -> None:
    """Update m = β₁ m + (1 - β₁) g and v = β₂ v + (1 - β₂) g², where they lie; s is scratch."""
    m *= b1
    m += np.multiply(g, one_b1, out=s)
    v *= b2
    np.multiply(g, g, out=s)
    s *= one_b2
    v += s


class Adam(Optimizer):
    """Divide a running mean of the gradient by the root of a running mean of its square.

    m = β₁ m + (1 - β₁) g;  v = β₂ v + (1 - β₂) g²;  p -= lr · m̂ / (√v̂ + ε), with m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 -
    β₂ᵗ). ``weight_decay`` adds its multiple of p to g; ``amsgrad`` takes the largest v so far (Reddi et al. 2018).

    >>> import nn
    >>> p = nn.Parameter([1.0]); p.grad = [0.5]
    >>> nn.optim.Adam([p], lr=0.1).step()
    >>> round(p.item(), 4)
    0.9
    """

    names = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)

    def states(self, group: Group) -> tuple[str, ...]:
        return (*self.names, "max_exp_avg_sq") if group["amsgrad"] else self.names

    def constants(self, group: Group, t: int) -> tuple[float, ...]:
        (b1, b2), lr = group["betas"], group["lr"]
        r = math.sqrt(1 - b2**t)  # √v̂ = √v / r; multiplied out, the corrections cost no pass over memory
        return b1, 1 - b1, b2, 1 - b2, lr * r / (1 - b1**t), group["eps"] * r, 1 - lr * group["weight_decay"]

    def update(
        self, p: Array, g: Array, state: tuple[Array, ...], s: Array, c: list[Array], group: Group, t: int
    ) -> None:
        (m, v, *largest), (b1, one_b1, b2, one_b2, lr, eps, keep) = state, c
        if self.decoupled:
            p *= keep
        moments(m, v, g, s, b1, one_b1, b2, one_b2)
        if largest:
            v = np.maximum(largest[0], v, out=largest[0])
        np.sqrt(v, out=s)
        s += eps
        np.divide(m, s, out=s)
        s *= lr
        p -= s


class AdamW(Adam):
    """Run Adam with p shrunk by lr · weight_decay in each step instead of a change of g.

    >>> import autograd as ag, nn
    >>> w = ag.Tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = nn.optim.AdamW([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(4)
    array([ 0.899, -1.898])
    """

    decoupled: ClassVar[bool] = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)
