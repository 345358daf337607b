"""The rows of ``autograd.scipy``, by module, and the samples on which each is tested."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autograd as ag
from autograd.primitive import registry
from tests.autograd.rows import domain_of, draw, ranges_of


def rows(module: str) -> dict[str, Callable[..., Any]]:
    """Find the rows of a module in the registry, under SciPy's names."""
    start = f"scipy.{module}."
    return {name.removeprefix(start): row for name, row in registry.items() if name.startswith(start)}


def samples(row: Any, seed: int = 7) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Give the inputs on which a row is tested."""
    rng = np.random.default_rng(seed)
    if callable(domain_of(row)):
        yield from domain_of(row)(rng)
    else:
        yield tuple(draw(row, [(2, 3)] * len(ranges_of(row)), rng)), {}


def leaves_of(args: Any) -> tuple[list[Any], list[ag.Tensor]]:
    """Make Tensors of the arrays; give the arguments and the Tensors among them."""
    filled = [ag.Tensor(x, requires_grad=True) if isinstance(x, np.ndarray) else x for x in args]
    return filled, [x for x in filled if isinstance(x, ag.Tensor)]


def check_row(row: Any, taken: Any = None, **options: Any) -> None:
    """Hold a row against finite differences to order two, by its arrays; numbers among its samples are constants.

    ``taken`` is what to take of the result, such as one element.
    """
    for args, kwargs in samples(row):
        places = [i for i, x in enumerate(args) if isinstance(x, np.ndarray)]

        def f(*varied: Any, args: Any = args, kwargs: Any = kwargs, places: Any = places) -> Any:
            filled = list(args)
            for i, x in zip(places, varied, strict=True):
                filled[i] = x
            return row(*filled, **kwargs) if taken is None else taken(row(*filled, **kwargs))

        ag.check_grads(f, *[args[i] for i in places], **options)
