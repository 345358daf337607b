"""What a function does beside computing: it steps an optimizer, forgets gradients, moves a rate.

Floor 8: public as ``autograd.effect``; a compiled function does such things at its end, in their order.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, overload

from autograd.errors import NotAFunction
from autograd.modes import current

F = TypeVar("F", bound=Callable[..., Any])


@overload
def effect(function: F, *, values: bool = True) -> F: ...


@overload
def effect(function: None = None, *, values: bool = True) -> Callable[[F], F]: ...


def effect(function: Any = None, *, values: bool = True) -> Any:
    """Return ``function`` marked as one that changes the state of a training: parameters, gradients, rates.

    In a function that is being compiled such a call is no part of what is computed. The program calls it as it is, at
    its end and in its place among the others: ``zero_grad()`` and ``step()`` of optimizers are marked so. With
    ``values=False`` it leaves the numbers of Tensors and arrays alone (but for gradients), and what is computed later
    may read them. Its arguments must be there before the call of the compiled function. Also a decorator.

    >>> import autograd as ag
    >>> def training(w, average):
    ...     @ag.effect
    ...     def follow():
    ...         average.data[:] = 0.5 * average.data + 0.5 * w.data
    ...     @ag.compile
    ...     def step(x):
    ...         w.grad = None
    ...         loss = (w * x).sum()
    ...         loss.backward()
    ...         follow()
    ...         return loss
    ...     return step
    >>> w, average = ag.Tensor([4.0], requires_grad=True), ag.Tensor([0.0])
    >>> training(w, average)(ag.Tensor([3.0])).item(), w.grad, average
    (12.0, Tensor([3.]), Tensor([2.]))
    """
    if function is None:
        return functools.partial(effect, values=values)
    if not callable(function):
        raise NotAFunction(f"effect takes a function, got {type(function).__name__}.")

    @functools.wraps(function)
    def done(*args: Any, **kwargs: Any) -> Any:
        tracer = current().tracer
        if tracer is not None:
            return tracer.does(function, args, kwargs, values)
        return function(*args, **kwargs)

    done.changes_values = values  # type: ignore[attr-defined]  # the mark of an effect
    return done
