"""Learning-rate schedules: each is a function of the number of steps taken, so that a resumed run continues exactly.

Call ``schedule.step()`` after ``optimizer.step()``, once per epoch or once per batch. A rate that was changed
meanwhile, by hand or by another schedule, is the new start: what follows is scaled to it, as in PyTorch (but for
its LambdaLR, warm restarts and one cycle, which overwrite it).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import autograd as ag
from autograd.errors import ArgumentError
from nn.hints import Taken, refuse_call
from nn.kinds import kind
from nn.optim.acting import Acting
from nn.optim.optimizer import Optimizer


class Schedule(Acting):
    """Set the learning rates of an optimizer to ``rate(base, t)``: base rate of the group, and steps taken.

    A subclass defines ``rate``, which is a constant plus a multiple of ``base``. Where it ``chains``, two that are
    stepped side by side multiply; the others overwrite what was there. lr = rate(base, t).
    Raises ArgumentError for something else than an optimizer, and for counts and factors that cannot be.

    >>> import nn
    >>> sgd = nn.optim.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> schedule = nn.optim.ExponentialLR(sgd, 0.5)
    >>> schedule.step(); sgd.lr = 0.1; schedule.step()
    >>> sgd.lr
    0.05
    """

    chains: ClassVar[bool] = True

    __signature__ = Taken()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if args or kwargs:  # copies are made without any
            refuse_call(cls.__name__, cls.__init__, (cls, *args), kwargs)
        return super().__new__(cls)

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"{type(self).__name__} needs an optimizer, got {type(optimizer).__name__}.")
        self.optimizer = optimizer
        chained: list[float] = []  # the rates of another schedule that was made just before, beside this one
        for i, group in enumerate(optimizer.param_groups):
            if "initial_lr" in group and optimizer.planned.get(i) == group["lr"]:
                chained.append(group["lr"])
            else:
                group["initial_lr"] = group["lr"]
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.rates: list[float] = []
        self.last_step = 0
        self._set()
        if self.chains and len(chained) == len(self.base_lrs):
            for group, base, before in zip(optimizer.param_groups, self.base_lrs, chained, strict=True):
                group["lr"] = before * group["lr"] / base if base else before
            self.rates = []  # the base rate is found at the first step
        optimizer.planned = dict(enumerate(self.get_last_lr()))

    def rate(self, base: float, t: int) -> float:
        """Return the learning rate after ``t`` steps; subclasses define it."""
        raise NotImplementedError

    def rate_of(self, i: int, base: float, t: int) -> float:
        """Return the rate of group ``i`` after ``t`` steps, where the groups differ in more than their base rates."""
        return self.rate(base, t)

    @ag.effect(values=False)
    def step(self) -> None:
        """Count one step and set the learning rates."""
        self._follow()
        self.last_step += 1
        self._set()
        self.optimizer.planned = {}

    def _follow(self) -> None:
        """Find the base rate from which a rate that is not ours, or that of a new group, would have come."""
        for i, group in enumerate(self.optimizer.param_groups):
            if i < len(self.rates) and group["lr"] == self.rates[i]:
                continue
            none, one = (self.rate_of(i, base, self.last_step) for base in (0.0, 1.0))
            base = (group["lr"] - none) / (one - none) if one != none else group["lr"]
            self.base_lrs[i : i + 1] = [float(base)]

    def _set(self) -> None:
        for i, (group, base) in enumerate(zip(self.optimizer.param_groups, self.base_lrs, strict=True)):
            group["lr"] = self.rate_of(i, base, self.last_step)
        self.rates = self.get_last_lr()

    @ag.effect(values=False)
    def get_last_lr(self) -> list[float]:
        """Return the present learning rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    @ag.effect(values=False)
    def state_dict(self) -> dict[str, Any]:
        """Return the state as plain numbers and lists."""
        return {name: value for name, value in vars(self).items() if kind(value) != "other"}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state and set the learning rates; what does not fit raises and changes nothing."""
        own = self.state_dict()
        if set(state) != set(own):
            raise ArgumentError(
                f"{type(self).__name__}.load_state_dict: expected {', '.join(sorted(own))}, got "
                f"{', '.join(sorted(state))}."
            )
        for name, value in state.items():
            if kind(value) != kind(own[name]):
                raise ArgumentError(
                    f"{type(self).__name__}.load_state_dict: {name} must be a {kind(own[name])}, got {value!r}."
                )
        if len(state["base_lrs"]) != len(self.base_lrs):
            raise ArgumentError(
                f"{type(self).__name__}.load_state_dict: the state has {len(state['base_lrs'])} groups, the optimizer "
                f"{len(self.base_lrs)}."
            )
        vars(self).update({name: list(value) if isinstance(value, list) else value for name, value in state.items()})
        self._set()


class StepLR(Schedule):
    """Multiply the rate by ``gamma`` every ``step_size`` steps.

    lr = base · gamma^⌊t / step_size⌋.

    >>> import autograd as ag, nn
    >>> sgd = nn.optim.SGD([ag.Tensor([1.0], requires_grad=True)], lr=1.0)
    >>> schedule = nn.optim.StepLR(sgd, step_size=2)
    >>> rates = []
    >>> for _ in range(4):
    ...     rates.append(round(sgd.param_groups[0]["lr"], 4))
    ...     schedule.step()
    >>> rates
    [1.0, 1.0, 0.1, 0.1]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        if step_size < 1:
            raise ArgumentError(f"StepLR: step_size must be at least 1, got {step_size}.")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def rate(self, base: float, t: int) -> float:
        return base * self.gamma ** (t // self.step_size)


class ExponentialLR(Schedule):
    """Multiply the rate by ``gamma`` in each step.

    lr = base · gammaᵗ.

    >>> import autograd as ag, nn
    >>> sgd = nn.optim.SGD([ag.Tensor([1.0], requires_grad=True)], lr=1.0)
    >>> schedule = nn.optim.ExponentialLR(sgd, gamma=0.5)
    >>> rates = []
    >>> for _ in range(4):
    ...     rates.append(round(sgd.param_groups[0]["lr"], 4))
    ...     schedule.step()
    >>> rates
    [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, base: float, t: int) -> float:
        return base * self.gamma**t


class MultiStepLR(Schedule):
    """Multiply the rate by ``gamma`` after each of ``milestones`` steps.

    lr = base · gammaᵏ, with k the number of milestones ≤ t.

    >>> import nn
    >>> optimizer = nn.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    >>> schedule = nn.optim.MultiStepLR(optimizer, milestones=[1, 3])
    >>> for step in range(4):
    ...     print(round(optimizer.lr, 3), end=" ")
    ...     schedule.step()
    1.0 0.1 0.1 0.01
    """

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        if any(mark < 0 or mark != int(mark) for mark in milestones):
            raise ArgumentError(f"MultiStepLR: milestones are numbers of steps, got {list(milestones)}.")
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer)

    def rate(self, base: float, t: int) -> float:
        return base * self.gamma ** sum(t >= mark for mark in self.milestones)


class LambdaLR(Schedule):
    """Multiply the base rate by ``lr_lambda(t)``, a function of the steps taken, or a list with one per group.

    lr = base · lr_lambda(t).

    >>> import nn
    >>> sgd = nn.optim.SGD([nn.Parameter([1.0])], lr=0.5)
    >>> schedule = nn.optim.LambdaLR(sgd, lambda t: 1 / (1 + t))
    >>> schedule.step()
    >>> sgd.lr
    0.25
    """

    chains = False

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]]
    ) -> None:
        many, groups = isinstance(lr_lambda, Sequence), len(getattr(optimizer, "param_groups", ()))
        given: Any = lr_lambda if many else (lr_lambda,)
        self._lambdas = tuple(given)  # a tuple is not part of the state
        if not all(map(callable, self._lambdas)) or (many and len(self._lambdas) != groups):
            raise ArgumentError(f"LambdaLR: lr_lambda must be a function, or {groups} of them, one per group.")
        super().__init__(optimizer)

    def rate_of(self, i: int, base: float, t: int) -> float:
        return float(base * self._lambdas[i if len(self._lambdas) > 1 else 0](t))


class CosineAnnealingLR(Schedule):
    """Follow half a cosine from the base rate down to ``eta_min`` in ``T_max`` steps (Loshchilov & Hutter 2017).

    η(t) = η_min + (η₀ - η_min) · (1 + cos(π t / T_max)) / 2; after T_max it rises again, as in PyTorch.

    >>> import autograd as ag, nn
    >>> sgd = nn.optim.SGD([ag.Tensor([1.0], requires_grad=True)], lr=1.0)
    >>> schedule = nn.optim.CosineAnnealingLR(sgd, T_max=4)
    >>> rates = []
    >>> for _ in range(4):
    ...     rates.append(round(sgd.param_groups[0]["lr"], 4))
    ...     schedule.step()
    >>> rates
    [1.0, 0.8536, 0.5, 0.1464]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        if T_max < 1:
            raise ArgumentError(f"CosineAnnealingLR: T_max must be at least 1, got {T_max}.")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def rate(self, base: float, t: int) -> float:
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * t / self.T_max)) / 2


class LinearWarmup(Schedule):
    """Raise the rate linearly from ``start_factor`` times the base rate to the base rate in ``steps`` steps.

    lr = base · (s + (1 − s) · min(1, t / steps)), s = ``start_factor``.

    >>> import autograd as ag, nn
    >>> sgd = nn.optim.SGD([ag.Tensor([1.0], requires_grad=True)], lr=1.0)
    >>> schedule = nn.optim.LinearWarmup(sgd, steps=4)
    >>> rates = []
    >>> for _ in range(4):
    ...     rates.append(round(sgd.param_groups[0]["lr"], 4))
    ...     schedule.step()
    >>> rates
    [0.0, 0.25, 0.5, 0.75]
    """

    def __init__(self, optimizer: Optimizer, steps: int, start_factor: float = 0.0) -> None:
        if steps < 1 or not 0 <= start_factor <= 1:
            raise ArgumentError(
                f"LinearWarmup: steps must be at least 1 and start_factor between 0 and 1, got {steps} and "
                f"{start_factor}."
            )
        self.steps, self.start_factor = steps, start_factor
        super().__init__(optimizer)

    def rate(self, base: float, t: int) -> float:
        return base * (self.start_factor + (1 - self.start_factor) * min(1.0, t / self.steps))


class SequentialLR(Schedule):
    """Run one schedule after the other: number i+1 starts, with its own count at 0, after ``milestones[i]`` steps.

    lr = rateᵢ(base, t − milestones[i − 1]).

    >>> import nn
    >>> sgd = nn.optim.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> warm, cool = nn.optim.LinearWarmup(sgd, 2), nn.optim.ExponentialLR(sgd, 0.5)
    >>> schedule, rates = nn.optim.SequentialLR(sgd, [warm, cool], [2]), []
    >>> for _ in range(5):
    ...     rates.append(sgd.lr)
    ...     schedule.step()
    >>> rates
    [0.0, 0.5, 1.0, 0.5, 0.25]
    """

    chains = False

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[Schedule], milestones: Sequence[int]) -> None:
        marks = list(milestones)
        if len(marks) != len(schedulers) - 1 or marks != sorted(marks):
            raise ArgumentError(
                f"SequentialLR: {len(schedulers)} schedules need {len(schedulers) - 1} rising milestones, got {marks}."
            )
        if any(s.optimizer is not optimizer or isinstance(s, ReduceLROnPlateau) for s in schedulers):
            raise ArgumentError(
                "SequentialLR: all schedules must be made for the same optimizer, and ReduceLROnPlateau has no place "
                "among them."
            )
        self._schedulers, self.milestones = tuple(schedulers), marks
        super().__init__(optimizer)

    def rate_of(self, i: int, base: float, t: int) -> float:
        k = sum(t >= mark for mark in self.milestones)
        return self._schedulers[k].rate_of(i, base, t - (self.milestones[k - 1] if k else 0))


class ReduceLROnPlateau(Schedule):
    """Multiply the rate by ``factor`` when ``step(metric)`` has seen no improvement for more than ``patience`` steps.

    An improvement is a change by ``threshold`` (relative, or absolute with ``threshold_mode="abs"``) towards ``mode``
    "min" or "max"; after a reduction ``cooldown`` steps pass before bad steps are counted again. The rate does not fall
    below ``min_lr``.

    >>> import autograd as ag, nn
    >>> sgd = nn.optim.SGD([ag.Tensor([1.0], requires_grad=True)], lr=1.0)
    >>> schedule = nn.optim.ReduceLROnPlateau(sgd, patience=1)
    >>> for loss in (0.5, 0.5, 0.5, 0.5):
    ...     schedule.step(loss)
    >>> round(sgd.param_groups[0]["lr"], 4)
    0.1
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ArgumentError(
                f"ReduceLROnPlateau: mode must be 'min' or 'max' and threshold_mode 'rel' or 'abs', got {mode!r} and "
                f"{threshold_mode!r}."
            )
        if not 0 <= factor < 1:
            raise ArgumentError(f"ReduceLROnPlateau: factor must be between 0 and 1 (excluded), got {factor}.")
        self.mode, self.factor, self.patience, self.threshold, self.threshold_mode = (
            mode,
            factor,
            patience,
            threshold,
            threshold_mode,
        )
        self.cooldown, self.min_lr, self.eps = cooldown, min_lr, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.bad_steps = self.cooling = 0
        super().__init__(optimizer)

    def _set(self) -> None:
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=False):
            group["lr"] = rate
        self.rates = self.get_last_lr()

    def step(self, metric: Any = None) -> None:
        """Tell the schedule the value of the watched metric."""
        if metric is None:
            raise ArgumentError("ReduceLROnPlateau.step needs the watched value: schedule.step(val_loss).")
        value = float(metric)
        self.last_step += 1
        if self._better(value):
            self.best, self.bad_steps = value, 0
        else:
            self.bad_steps += 1
        if self.cooling:
            self.cooling, self.bad_steps = self.cooling - 1, 0
        if self.bad_steps > self.patience:
            for group in self.optimizer.param_groups:
                lower = max(group["lr"] * self.factor, self.min_lr)
                if group["lr"] - lower > self.eps:
                    group["lr"] = lower
            self.cooling, self.bad_steps = self.cooldown, 0
        self.rates = self.get_last_lr()

    def _better(self, value: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        margin = (
            self.threshold
            if self.threshold_mode == "abs"
            else self.threshold * (self.best if math.isfinite(self.best) else 0)
        )
        return sign * value > sign * (self.best + sign * margin)
