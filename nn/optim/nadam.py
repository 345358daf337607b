"""NAdam (Dozat 2016), Adam with Nesterov's momentum, and RAdam (Liu et al. 2020), which waits for its variance."""

import math
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from nn.optim.adam import moments
from nn.optim.optimizer import Array, Group, Optimizer


class _Moments(Optimizer):
    """Keep the moments of Adam, and decay p itself or its gradient, as the group says."""

    names = ("exp_avg", "exp_avg_sq")
    decoupled: ClassVar[bool] = True  # where it is not, ``decayed`` adds the decay to the gradient

    def decayed(self, p: Array, g: Array, state: tuple[Array, ...], s: Array, group: Group) -> Array:
        """Bring m and v up to date and give the gradient, weight decay included."""
        (m, v), (b1, b2), decay = state, group["betas"], group["weight_decay"]
        if decay and group["decoupled_weight_decay"]:
            p *= 1 - group["lr"] * decay
        elif decay:
            g = g + np.multiply(p, decay, out=s)
        moments(m, v, g, s, b1, 1 - b1, b2, 1 - b2)
        return g


class NAdam(_Moments):
    """Run Adam with the momentum looked ahead by one step, as Nesterov does.

    p -= lr · ((1 - μₜ) / (1 - Πμ) g + μₜ₊₁ / (1 - Πμ μₜ₊₁) m) / (√v̂ + ε), with v̂ = v / (1 - β₂ᵗ), μₜ = β₁ (1 - ½ ·
    0.96^(t ψ)), ψ the ``momentum_decay`` and Πμ the product of all up to μₜ. ``weight_decay`` adds its multiple of p to
    g, or with ``decoupled_weight_decay`` shrinks p, as AdamW does.

    >>> import autograd as ag, nn
    >>> w = ag.Tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = nn.optim.NAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(4)
    array([ 0.8944, -1.8944])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    def constants(self, group: Group, t: int) -> tuple[float, ...]:
        (b1, b2), psi, lr = group["betas"], group["momentum_decay"], group["lr"]
        product, following = _product(b1, psi, t), _momentum(b1, psi, t + 1)
        r = math.sqrt(1 - b2**t)
        mine, theirs = (1 - _momentum(b1, psi, t)) / (1 - product), following / (1 - product * following)
        return lr * r * mine, lr * r * theirs, group["eps"] * r

    def update(
        self, p: Array, g: Array, state: tuple[Array, ...], s: Array, c: list[Array], group: Group, t: int
    ) -> None:
        (m, v), (mine, theirs, eps) = state, c
        step = self.decayed(p, g, state, s, group) * mine
        step += np.multiply(m, theirs, out=s)
        np.sqrt(v, out=s)
        s += eps
        step /= s
        p -= step


def _momentum(b1: float, psi: float, t: int) -> float:
    return float(b1 * (1 - 0.5 * 0.96 ** (t * psi)))


@lru_cache(maxsize=8)
def _products(b1: float, psi: float) -> list[float]:
    """Keep the products of the momenta up to step t, as they are computed."""
    return [1.0]


def _product(b1: float, psi: float, t: int) -> float:
    known = _products(b1, psi)
    while len(known) <= t:
        known.append(known[-1] * _momentum(b1, psi, len(known)))
    return known[t]


class RAdam(_Moments):
    """Run Adam once the variance is known well enough, and plain momentum before.

    p -= lr · m̂ · r / (√v̂ + ε), r² = (ρ - 4)(ρ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρ), where ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ) > 5,
    ρ∞ = 2 / (1 - β₂) - 1; p -= lr · m̂ before. ``weight_decay`` as in :class:`NAdam`.

    >>> import autograd as ag, nn
    >>> w = ag.Tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = nn.optim.RAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(4)
    array([ 0.8, -1.6])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    def constants(self, group: Group, t: int) -> tuple[float, ...]:
        b1, b2 = group["betas"]
        lr = group["lr"] / (1 - b1**t)
        most = 2 / (1 - b2) - 1
        rho = most - 2 * t * b2**t / (1 - b2**t)
        if rho <= 5:
            return lr, group["eps"], 0
        r = math.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
        return lr * r * math.sqrt(1 - b2**t), group["eps"], 1  # ε stands beside √v here, not √v̂, as in PyTorch

    def update(
        self, p: Array, g: Array, state: tuple[Array, ...], s: Array, c: list[Array], group: Group, t: int
    ) -> None:
        (m, v), (lr, eps, known) = state, c
        self.decayed(p, g, state, s, group)
        if known:
            np.sqrt(v, out=s)
            s += eps
            np.divide(m, s, out=s)
            s *= lr
        else:
            np.multiply(m, lr, out=s)
        p -= s
