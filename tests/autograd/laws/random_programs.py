"""Random programs over all registered ops: each op on a sample of its own domain, fed by what came before.

A step takes the floating-point inputs of a sample as leaves, leads them through harmless detours (views, writes in
place, islands of no_grad, detach, float32), adds a little of the numbers that earlier steps gave, applies the op, and
weighs what comes out to one bounded number. The same program runs on arrays and on Tensors.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd as ag
import nn
from tests.autograd.laws.fused import WITH_DOMAIN, is_float, numpy_of, samples
from tests.autograd.laws.oracle import plain


class Run:
    """Hold what one run knows: what was detached, so that differences keep it fixed, and whether float32 is played."""

    def __init__(self, frozen: list[Any] | None = None) -> None:
        self.seen: list[Any] = []
        self.frozen = None if frozen is None else iter(frozen)

    def stop(self, x: Any, f: Callable[[Any], Any] = lambda x: x) -> Any:
        """Return f(x) cut off from x: detached or computed under no_grad; in a run for differences, as it was."""
        if self.frozen is not None:
            return next(self.frozen)
        if isinstance(x, ag.Tensor):
            with ag.no_grad():
                y = f(x)
            y = y.detach()
        else:
            y = f(x)
        self.seen.append(plain(y))
        return y

    def narrow(self, x: Any) -> Any:
        """Return x in float32 where a Tensor runs; arrays keep float64, so that differences are sharp."""
        return x.astype(np.float32) if isinstance(x, ag.Tensor) else x

    def model(self, module: nn.Module, x: Any) -> Any:
        if isinstance(x, ag.Tensor):
            return module(x)
        with ag.no_grad():
            return plain(module(x))


# ------------------------------------------------------------------------------------ detours that change no value


def scaled_in_place(run, x):
    y = x * 1
    y *= 2.0
    y *= 0.5
    return y


def written_whole(run, x):
    y = x * 0.0 + 1.0
    if np.ndim(x) == 0:
        return y * x  # a number of NumPy's cannot be written into
    y[...] = x
    return y


def written_through_a_view(run, x):
    y = x * 1
    if np.ndim(x):
        v = y[:1]
        v *= 4.0
        v *= 0.25
    return y


def written_through_a_transpose(run, x):
    y = x * 1
    t = y.T
    t *= 2.0
    t /= 2.0
    return y


def written_by_rows(run, x):
    y = x * 1
    if np.ndim(x):
        for i in range(len(x)):
            y[i] = y[i] * 1.0
    return y


def another_name(run, x):
    y = x * 1
    z = y
    z *= 2.0
    return y * 0.5


def used_before_it_was_written(run, x):
    y = x * 1
    z = y * 2.0 - x
    y *= 0.0
    return z + y


DETOURS: dict[str, Callable[[Run, Any], Any]] = {
    "nothing": lambda run, x: x,
    "times one": lambda run, x: x * 1.0,
    "reshaped": lambda run, x: x.reshape(-1).reshape(np.shape(x)),
    "transposed": lambda run, x: x.T.T,
    "one of a stack": lambda run, x: np.stack([0.5 * x, x])[1],
    "half of a concatenation": lambda run, x: np.concatenate([x[None], x[None]])[:1][0],
    "flipped": lambda run, x: x[None][::-1][0],
    "masked nowhere": lambda run, x: np.where(np.ones(np.shape(x), bool), x, 0.0),
    "scaled in place": scaled_in_place,
    "written whole": written_whole,
    "written through a view": written_through_a_view,
    "written through a transpose": written_through_a_transpose,
    "written by rows": written_by_rows,
    "another name": another_name,
    "used before it was written": used_before_it_was_written,
    "half detached": lambda run, x: 0.5 * x + run.stop(x, lambda x: 0.5 * x),
    "detached": lambda run, x: run.stop(x),
    "island of no_grad": lambda run, x: 0.75 * x + run.stop(x, lambda x: x * 0.25),
    "float32": lambda run, x: run.narrow(x),
    "checkpointed": lambda run, x: ag.checkpoint(lambda x: x * 2.0)(x) * 0.5 if isinstance(x, ag.Tensor) else x,
}
STOPS = {"half detached", "detached", "island of no_grad"}
NARROW = {"float32"}
WRITES = {name for name, f in DETOURS.items() if not f.__name__.startswith("<")}


def weigh(y: Any) -> Any:
    """Return a bounded number of all floating-point results of an op."""
    total: Any = 0.0
    for k, part in enumerate(y if isinstance(y, tuple | list) else (y,)):
        if (part.dtype.kind == "f") if isinstance(part, ag.Tensor) else is_float(np.asarray(part)):
            w = np.cos(np.arange(1.0, 1 + np.size(part)) + k).reshape(np.shape(part))
            total = total + np.sum(w * np.arctan(part))
    return total


# --------------------------------------------------------------------------------------------------------- programs


@dataclass(frozen=True)
class Step:
    """Hold one op with its inputs, a detour for each of those that are leaves, and which earlier number feeds it."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    detours: tuple[str, ...]
    feeds: tuple[int | None, ...]


@dataclass(frozen=True)
class Program:
    steps: tuple[Step, ...]
    model: nn.Module | None

    def leaves(self) -> list[Any]:
        return [x for step in self.steps for x in floats(step.args)]

    def has(self, names: set[str]) -> bool:
        return any(name in names for step in self.steps for name in step.detours)

    def numbers(self, run: Run, leaves: list[Any], numpy: bool = False) -> list[Any]:
        """Run on leaves of either kind; return one number per step."""
        given, found = iter(leaves), []
        for step in self.steps:
            feeds, detours = iter(step.feeds), iter(step.detours)

            def value(x: Any, given: Any = given, feeds: Any = feeds, detours: Any = detours) -> Any:
                x, fed = DETOURS[next(detours)](run, next(given)), next(feeds)
                return x if fed is None else x + 0.01 * found[fed]

            args = replace(step.args, value)
            f = numpy_of(step.name) if numpy else WITH_DOMAIN[step.name]
            try:
                y = f(*args, **step.kwargs)
            except TypeError:
                if not numpy:
                    raise
                y = WITH_DOMAIN[step.name](*args, **step.kwargs)  # an argument that only ours has
            found.append(weigh(y if not numpy else unboxed(y)))
        if self.model is not None:
            found.append(np.sum(run.model(self.model, np.stack([1.0 * found[-1], 1.0 * found[0], 0.5 * found[-1]]))))
        return found

    def __str__(self) -> str:
        return " > ".join(f"{step.name}({', '.join(step.detours)})" for step in self.steps)


def unboxed(y: Any) -> Any:
    if isinstance(y, tuple | list):
        return [unboxed(part) for part in y]
    return plain(y) if isinstance(y, ag.Tensor) else y


def floats(args: Any) -> list[Any]:
    """List the floating-point arrays in nested arguments, in order."""
    if isinstance(args, tuple | list):
        return [x for part in args for x in floats(part)]
    return [args] if is_float(args) else []


def replace(args: Any, change: Callable[[Any], Any]) -> Any:
    """Replace them by what ``change`` gives."""
    if isinstance(args, tuple | list):
        return type(args)([replace(part, change) for part in args])
    return change(args) if is_float(args) else args


NAMES = sorted(WITH_DOMAIN)
PLAIN_DETOURS = [name for name in DETOURS if name not in STOPS | NARROW]


def draw(k: int) -> Program:
    """Draw program k: its first op is the k-th of the registry, the others are any."""
    rng = np.random.default_rng(1000 + k)
    names = [NAMES[k % len(NAMES)], *rng.choice(NAMES, 2)]
    choice = list(DETOURS) if k % 2 else PLAIN_DETOURS
    steps = []
    for i, name in enumerate(names):
        given = list(samples(WITH_DOMAIN[name], np.random.default_rng(7)))
        args, kwargs = given[rng.integers(len(given))]
        count = len(floats(args))
        detours = tuple(choice[j] for j in rng.integers(len(choice), size=count))
        feeds = tuple(int(rng.integers(i)) if i and rng.random() < 0.7 else None for _ in range(count))
        steps.append(Step(str(name), args, kwargs, detours, feeds))
    model = nn.MLP(3, [4, 1], "tanh", rng=k).astype(float) if k % 5 == 0 else None
    return Program(tuple(steps), model)


PROGRAMS = {f"{NAMES[k % len(NAMES)]} {k}": draw(k) for k in range(len(NAMES) * 3 // 2)}
