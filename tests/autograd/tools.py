"""What tests of the engine share: a leaf, a chain of ops, freedom from the garbage collector, memory measured."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import autograd as ag

MB = 1 << 20


def leaf(data: Any, **kwargs: Any) -> ag.Tensor:
    """Make a Tensor that requires a gradient."""
    return ag.Tensor(data, requires_grad=True, **kwargs)


def chain(f: Callable[[Any], Any], x: Any, n: int) -> Any:
    """Apply ``f`` n times."""
    for _ in range(n):
        x = f(x)
    return x


@contextmanager
def no_collector() -> Iterator[None]:
    """Freeze the garbage collector: what is freed inside is freed by reference counts alone."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def measured(compute: Callable[[], Any]) -> tuple[float, Any]:
    """Give what ``compute`` keeps alive, in MB, and its result."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    result = compute()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / MB, result
