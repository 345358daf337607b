"""Schedules that rise: cosines that start again, and the one cycle."""

import math
from collections.abc import Sequence

from autograd.errors import ArgumentError
from nn.optim.optimizer import Optimizer
from nn.optim.schedules import Schedule


class CosineAnnealingWarmRestarts(Schedule):
    """Follow half a cosine down to ``eta_min`` in ``T_0`` steps, and start again, each time ``T_mult`` times as long.

    η(t) = η_min + (η₀ - η_min) · (1 + cos(π t / T)) / 2 with t counted from the last start (Loshchilov & Hutter 2017).

    >>> import nn
    >>> optimizer = nn.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    >>> schedule = nn.optim.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> for step in range(4):
    ...     print(round(optimizer.lr, 3), end=" ")
    ...     schedule.step()
    1.0 0.5 1.0 0.5
    """

    chains = False

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> None:
        if T_0 < 1 or T_mult < 1:
            raise ArgumentError(
                f"CosineAnnealingWarmRestarts: T_0 and T_mult must be at least 1, got {T_0} and {T_mult}."
            )
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer)

    def rate(self, base: float, t: int) -> float:
        length = self.T_0
        if self.T_mult == 1:
            t %= length
        while t >= length:
            t, length = t - length, length * self.T_mult
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * t / length)) / 2


class OneCycleLR(Schedule):
    """Rise from max_lr / div_factor to ``max_lr`` in ``pct_start`` of the steps, then fall to a 10,000th of the start.

    The rate falls to max_lr / (div_factor · final_div_factor), along half a cosine, or a line with
    ``anneal_strategy="linear"``; with ``three_phase`` it first goes back to the start, as long as it rose. Meanwhile
    the momentum (β₁ of Adam) goes from ``max_momentum`` down to ``base_momentum`` and back, unless
    ``cycle_momentum=False``. Call ``step()`` after each batch; ``total_steps`` may be given as epochs ·
    steps_per_epoch. The rate of the optimizer itself is not used. Smith & Topin (2019).

    >>> import nn
    >>> optimizer = nn.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    >>> schedule = nn.optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=5)
    >>> for step in range(4):
    ...     print(round(optimizer.lr, 3), end=" ")
    ...     schedule.step()
    0.04 0.95 0.611 0.188
    """

    chains = False

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        if total_steps is None and epochs is not None and steps_per_epoch is not None:
            total_steps = epochs * steps_per_epoch
        if total_steps is None or total_steps < 1:
            raise ArgumentError("OneCycleLR: pass total_steps, or epochs and steps_per_epoch; all are at least 1.")
        if anneal_strategy not in ("cos", "linear") or not 0 <= pct_start <= 1:
            raise ArgumentError(
                f"OneCycleLR: anneal_strategy must be 'cos' or 'linear' and pct_start between 0 and 1, got "
                f"{anneal_strategy!r} and {pct_start}."
            )
        groups = getattr(optimizer, "param_groups", [])
        highest = list(max_lr) if isinstance(max_lr, Sequence) else [max_lr] * len(groups)
        if len(highest) != len(groups):
            raise ArgumentError(f"OneCycleLR: max_lr must be one number, or {len(groups)} of them, one per group.")
        if cycle_momentum and groups and not {"momentum", "betas"} & set(groups[0]):
            raise ArgumentError(
                f"OneCycleLR: {type(optimizer).__name__} has no momentum to cycle; pass cycle_momentum=False."
            )
        self.total_steps, self.pct_start, self.three_phase = total_steps, pct_start, three_phase
        self.anneal_strategy, self.cycle_momentum = anneal_strategy, cycle_momentum
        self.base_momentum, self.max_momentum = base_momentum, max_momentum
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        for group, lr in zip(groups, highest, strict=True):
            group["lr"] = group["initial_lr"] = lr  # the base rate, of which the others are parts
        super().__init__(optimizer)

    def step(self) -> None:
        if self.last_step >= self.total_steps:
            raise ArgumentError(
                f"OneCycleLR.step: the cycle of {self.total_steps} steps is over. Make it as long as the training: one "
                "step per batch."
            )
        super().step()

    def rate(self, base: float, t: int) -> float:
        start = base / self.div_factor
        end = start / self.final_div_factor
        return self._between(t, [start, base, start, end] if self.three_phase else [start, base, end])

    def _between(self, t: int, levels: list[float]) -> float:
        """Return what stands at step ``t`` between the levels that the phases start and end with."""
        up = self.pct_start * self.total_steps
        ends = [0, up - 1, 2 * up - 2, self.total_steps - 1] if self.three_phase else [0, up - 1, self.total_steps - 1]
        k = next((k for k in range(1, len(ends)) if t <= ends[k]), len(ends) - 1)
        share = min(1.0, (t - ends[k - 1]) / (ends[k] - ends[k - 1])) if ends[k] != ends[k - 1] else 1.0
        low, high = levels[k - 1], levels[k]
        return low + (high - low) * (share if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * share)) / 2)

    def _set(self) -> None:
        super()._set()
        if not self.cycle_momentum:
            return
        high, low = self.max_momentum, self.base_momentum
        momentum = self._between(self.last_step, [high, low, high, high] if self.three_phase else [high, low, high])
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum
