"""NumPy as the oracle of the laws: a program run on plain arrays gives the value, differences of it the gradient.

A program is a function of one float64 array (or number) that gives a number, an array or a tuple of arrays; what is
not a number is weighed to one, so that every element counts. It runs on arrays and on Tensors as it stands.
"""

import functools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np
import pytest

import autograd as ag

Program = Callable[..., Any]


# ------------------------------------------------------------------------------------------------ values on plain NumPy


def plain(y: Any) -> Any:
    """Return what a Tensor holds, as an array of its own; anything else as an array."""
    return np.array(y.detach().numpy() if isinstance(y, ag.Tensor) else y)


def weigh(y: Any) -> Any:
    """Return one number in which every element of an array, or of a tuple of arrays, has a weight of its own."""
    if not isinstance(y, tuple | list):
        if np.shape(y) == ():
            return y
        y = [y]
    total = 0.0
    for k, part in enumerate(y):
        weights = np.cos(np.arange(1.0, 1 + np.size(part)) + k).reshape(np.shape(part))
        total = total + (weights * (part + 0.5 * part * part)).sum()
    return total


def fresh(x: Any) -> Any:
    """Return a copy that a program may write into; a number as NumPy's float."""
    x = np.array(x, float)
    return x if x.ndim else x[()]


def value(f: Program, x: Any) -> float:
    """Return what the program gives on a plain array."""
    with np.errstate(all="ignore"):
        return float(plain(weigh(f(fresh(x)))))


def differences(f: Program, x: Any, step: float = 1e-3, side: int = 0, off: Any = False) -> Any:
    """Return ∇f(x) by differences of fourth order; with ``side`` = 1 or -1 by one-sided ones of second order.

    Where ``off`` is true the gradient is 0 by law, though the program may jump right beside it.
    """
    x = fresh(x)
    gradient, off = np.zeros(np.shape(x)), np.broadcast_to(off, np.shape(x))
    for i in np.ndindex(gradient.shape):
        if off[i]:
            continue

        def at(t: float, i: Any = i) -> float:
            moved = np.array(x)
            moved[i] += t
            return value(f, moved)

        h = step
        if side:
            h = side * step
            gradient[i] = (4 * at(h) - at(2 * h) - 3 * at(0)) / (2 * h)
        else:
            gradient[i] = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    return gradient


# ---------------------------------------------------------------------------------------------- ways to one gradient


def by_grad(f: Program, x: Any) -> Any:
    return ag.grad(lambda x: weigh(f(x)))(fresh(x))


def by_backward(f: Program, x: Any, create_graph: bool = False) -> Any:
    """Return what arrives in a leaf; zeros where the result is none of its own."""
    leaf = ag.Tensor(fresh(x), requires_grad=True)
    y = weigh(f(leaf))
    if isinstance(y, ag.Tensor) and y.requires_grad:
        y.backward(create_graph=create_graph)
    gradient = np.zeros(leaf.shape) if leaf.grad is None else plain(leaf.grad)
    leaf.grad = None  # a leaf and the graph of its gradient hold each other
    return gradient


def by_create_graph(f: Program, x: Any) -> Any:
    return by_backward(f, x, create_graph=True)


def by_jvp(f: Program, x: Any) -> Any:
    """Return the derivatives along the axes, put together."""
    gradient = np.zeros(np.shape(x))
    for i in np.ndindex(gradient.shape):
        tangent = np.zeros(gradient.shape)
        tangent[i] = 1.0
        gradient[i] = plain(ag.jvp(lambda x: weigh(f(x)), (fresh(x),), (tangent[()],))[1])
    return gradient


FIRST_ORDER: dict[str, Callable[[Program, Any], Any]] = {
    "grad": by_grad,
    "backward": by_backward,
    "create_graph": by_create_graph,
    "jvp": by_jvp,
}


# two ways run the rules on arrays, and one of them will do where many rows are tried
THREE_WAYS = {name: FIRST_ORDER[name] for name in ("backward", "create_graph", "jvp")}


def second_order(f: Program, x: Any) -> Any:
    """Return the gradient of Σ c · ∇f(x): as many numbers as x has, each a sum over a row of the Hessian."""
    return ag.grad(lambda x: weigh_linearly(ag.grad(lambda x: weigh(f(x)))(x)))(fresh(x))


def second_differences(f: Program, x: Any, off: Any = False) -> Any:
    """Return what :func:`second_order` gives, by differences of differences."""
    return differences(lambda x: weigh_linearly(differences(f, x, off=off)), x, 4e-3, off=off)


def weigh_linearly(g: Any) -> Any:
    return (np.cos(np.arange(1.0, 1 + np.size(g))).reshape(np.shape(g)) * g).sum()


# ------------------------------------------------------------------------------------------------------------ outcomes


@dataclass(frozen=True, eq=False)
class Row:
    """Hold a program, where it is run, and which outcomes beside the right value are honest.

    ``accept`` lists "refused" (an error of the family, raised in the program), "refused late" (raised in backward, too)
    and "nan" (or infinite, as 1e-17 · ∞ is: whoever looks sees it). ``wrapped`` names what NumPy or Python raise in
    place of an error of ours, which is then the cause of it, or lost.
    """

    program: Program
    at: Any
    right: Any = None  # None: differences of the program on arrays
    accept: Collection[str] = ("refused",)
    wrapped: tuple[type[Exception], ...] = ()
    error: type[Exception] = ag.AutogradError
    off: Any = False  # where the gradient is 0 by law

    @functools.cache  # noqa: B019 (rows live as long as the tests)
    def gradient(self) -> Any:
        """Return the right gradient."""
        if self.right is not None:
            return np.array(self.right, float)
        return differences(self.program, self.at, off=self.off)

    def second(self) -> Any:
        """Return the right second derivatives, as :func:`second_order` sums them."""
        return second_differences(self.program, self.at, self.off)


class Table(dict[str, Row]):
    """Collect rows: ``@table.row(at)`` over a function, or ``table.add(name, function, at)`` for a lambda.

    ``Table(accept=…)`` gives what holds for all its rows.
    """

    def __init__(self, **common: Any) -> None:
        super().__init__()
        self.common = common

    def add(self, name: str, program: Program, at: Any, **options: Any) -> None:
        if name in self:
            raise KeyError(f"two rows are called {name!r}")
        self[name] = Row(program, at, **{**self.common, **options})

    def row(self, at: Any, **options: Any) -> Callable[[Program], Program]:
        def keep(program: Program) -> Program:
            self.add(program.__name__.replace("_", " "), program, at, **options)
            return program

        return keep

    @property
    def every(self) -> Any:
        """Return the decorator that runs a test on each row."""
        return pytest.mark.parametrize("row", self.values(), ids=self.keys())


def codes(code: CodeType) -> Iterator[CodeType]:
    """List the code of a function and of those made in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def raised_in(program: Program, error: BaseException) -> bool:
    """Tell whether an error came up while the program ran, and not later, in backward."""
    own, trace = set(codes(program.__code__)), error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in own:
            return True
        trace = trace.tb_next
    return False


def family(error: BaseException | None) -> BaseException | None:
    """Return the error of ours, where NumPy or Python put their own before it."""
    while error is not None and not isinstance(error, ag.AutogradError):
        error = error.__cause__ or error.__context__
    return error


def is_refusal(error: BaseException, row: Row) -> bool:
    if "refused late" not in row.accept and not ("refused" in row.accept and raised_in(row.program, error)):
        return False
    return isinstance(error, (row.error, *row.wrapped))


def close(found: Any, right: Any, rtol: float = 1e-6, atol: float = 1e-7) -> Any:
    """Compare element by element, relative to it or to the largest finite one."""
    right = np.asarray(right, float)
    finite = np.abs(right[np.isfinite(right)])
    return np.isclose(found, right, rtol=rtol, atol=atol + rtol * np.max(finite, initial=0.0), equal_nan=True)


def hold(row: Row, way: Callable[[Program, Any], Any], right: Any, rtol: float = 1e-6) -> str:
    """Run a program in one way, return "right", "nan" or "refused"; AssertionError for any other outcome."""
    try:
        with np.errstate(all="ignore"):
            found = plain(way(row.program, row.at))
    except Exception as error:
        if is_refusal(error, row):
            return "refused"
        raise
    assert found.shape == np.shape(right)
    same = close(found, right, rtol)
    if "nan" in row.accept and not np.all(same) and np.all(same | ~np.isfinite(found)):
        return "nan"
    assert np.all(same), f"got {found.tolist()}, right is {np.asarray(right).tolist()}"
    return "right"


def hold_all(row: Row, ways: Mapping[str, Callable[[Program, Any], Any]], right: Any, rtol: float = 1e-6) -> None:
    """Run a program in several ways; AssertionError that lists those that are neither right nor honest."""
    wrong = {}
    for name, way in ways.items():
        try:
            hold(row, way, right, rtol)
        except Exception as error:
            wrong[name] = f"{type(error).__name__}: {error}".partition("\n")[0]
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())
