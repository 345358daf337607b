"""Lion: the sign of a momentum (Chen et al., "Symbolic discovery of optimization algorithms", 2023)."""

from typing import Any, ClassVar

import numpy as np

from nn.optim.optimizer import Array, Group, Optimizer


class Lion(Optimizer):
    """Step by the sign of a mean of gradient and momentum, so that each weight moves by lr.

    p -= lr · (sign(β₁ m + (1 - β₁) g) + weight_decay · p);  m = β₂ m + (1 - β₂) g. The rate is a third to a tenth of
    Adam's, and the weight decay as many times larger. PyTorch has none; names and arguments are those of the paper.

    >>> import nn
    >>> p = nn.Parameter([1.0, 1.0]); p.grad = [0.5, -2.0]
    >>> nn.optim.Lion([p], lr=0.25).step()
    >>> p.tolist()
    [0.75, 1.25]
    """

    names = ("exp_avg",)
    decoupled: ClassVar[bool] = True
    fades: ClassVar[bool] = False

    def __init__(
        self, params: Any, lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99), weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, weight_decay=weight_decay)

    def constants(self, group: Group, t: int) -> tuple[float, ...]:
        (b1, b2), lr = group["betas"], group["lr"]
        return b1, 1 - b1, b2, 1 - b2, lr, 1 - lr * group["weight_decay"]

    def update(
        self, p: Array, g: Array, state: tuple[Array, ...], s: Array, c: list[Array], group: Group, t: int
    ) -> None:
        (m,), (b1, one_b1, b2, one_b2, lr, keep) = state, c
        step = m * b1
        step += np.multiply(g, one_b1, out=s)
        np.sign(step, out=step)
        step *= lr
        p *= keep
        p -= step
        m *= b2
        m += np.multiply(g, one_b2, out=s)
