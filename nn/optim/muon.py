"""Muon: momentum whose singular values are made equal (Jordan et al. 2024), for the matrices inside a network."""

import math
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.optim.optimizer import Array, Group, Optimizer


class Muon(Optimizer):
    """Step by the momentum with its singular values brought to about 1: U Vᵀ in place of U S Vᵀ.

    B = μ B + (1 - μ) g;  O = NS(B), or NS((1 - μ) g + μ B) with ``nesterov``;  p -= lr · (√max(1, rows / columns) · O +
    weight_decay · p). NS is ``ns_steps`` times X = a X + (b A + c A²) X with A = X Xᵀ, from X of norm 1 (Newton and
    Schulz), in the dtype of the parameters where PyTorch takes bfloat16. ``adjust_lr_fn="match_rms_adamw"`` scales by
    0.2 √max(rows, columns) instead, for rates tuned for AdamW. Only for matrices: give biases, embeddings and the
    last layer to AdamW.

    >>> import nn
    >>> model = nn.MLP(8, [16, 16, 1], rng=0)
    >>> matrices = [p for p in model.layers[1].parameters() if p.ndim == 2]
    >>> rest = [p for p in model.parameters() if all(p is not q for q in matrices)]
    >>> optimizers = nn.optim.Muon(matrices, lr=0.02), nn.optim.AdamW(rest, lr=3e-4)
    """

    names = ("momentum_buffer",)

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            weight_decay=weight_decay,
            momentum=momentum,
            nesterov=nesterov,
            ns_coefficients=ns_coefficients,
            eps=eps,
            ns_steps=ns_steps,
            adjust_lr_fn=adjust_lr_fn,
        )

    def check(self, group: Group) -> None:
        super().check(group)
        shapes = [p.shape for p in group["params"] if isinstance(p, ag.Tensor) and p.ndim != 2]
        if shapes:
            raise ArgumentError(
                f"Muon: a parameter has shape {shapes[0]}; only matrices can be orthogonalized. Give others to AdamW."
            )
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ArgumentError(
                f"Muon: adjust_lr_fn must be None, 'original' or 'match_rms_adamw', got {group['adjust_lr_fn']!r}."
            )
        if len(group["ns_coefficients"]) != 3:
            raise ArgumentError(f"Muon: ns_coefficients must be three numbers, got {group['ns_coefficients']}.")

    def step(self) -> None:
        """Update every matrix that has a gradient; each is orthogonalized as a whole, so there are no blocks."""
        for group, flats in zip(self.param_groups, self._flats, strict=True):
            for flat in flats:
                for i, p in enumerate(flat.parameters):
                    if p.grad is not None and p.size:
                        flat.steps[i] += 1
                        _move(p.data, p.grad.data, flat.state_of(i)["momentum_buffer"], group)
                        ag.mark_changed([p])


def _move(p: Array, g: Array, b: Array, group: Group) -> None:
    lr, mu = group["lr"], group["momentum"]
    g = np.array(g, order="F" if b.flags.f_contiguous else "C")  # a norm rounds by the order of what it sums
    b *= mu
    b += (1 - mu) * g
    step = orthogonalize((1 - mu) * g + mu * b if group["nesterov"] else b, group)
    p *= 1 - lr * group["weight_decay"]
    rows, columns = p.shape
    if group["adjust_lr_fn"] == "match_rms_adamw":
        p -= lr * 0.2 * math.sqrt(max(rows, columns)) * step
    else:
        p -= lr * math.sqrt(max(1, rows / columns)) * step


def orthogonalize(g: Array, group: Group) -> Array:
    """Bring the singular values of a matrix to about 1 by Newton's and Schulz's iteration."""
    a, b, c = group["ns_coefficients"]
    x: Array = g.T if g.shape[0] > g.shape[1] else g  # the smaller products
    x = x / max(float(np.linalg.norm(x)), group["eps"])
    for _ in range(group["ns_steps"]):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if g.shape[0] > g.shape[1] else x
