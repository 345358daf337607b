"""Inputs that are other than the example in every way: what the model took from the example's numbers shows there.

Used by ``nn.onnx.export``. A mask, a sign or a branch that is the same for all numbers like the example's would be a
constant of the file, and wrong for every other input.
"""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

Arrays = list[Any]
ENOUGH = 5  # inputs that the model takes


def others(run: Callable[[Arrays], Arrays], inputs: Arrays, rng: np.random.Generator) -> list[Arrays]:
    """Make inputs of the same shapes with other signs, sizes and orders, such as the model takes."""
    example = _outcome(run, inputs)
    found: list[Arrays] = []
    floats = _FLOATS if any(x.dtype.kind == "f" for x in inputs) else _FLOATS[:1]
    integers = _INTEGERS if any(x.dtype.kind != "f" for x in inputs) else _INTEGERS[:1]
    for of_floats, of_integers in product(floats, integers):
        made = [(of_floats if x.dtype.kind == "f" else of_integers)(x, rng) if x.size else x for x in inputs]
        if len(found) < ENOUGH and _outcome(run, made) in (example, "finite"):
            found.append(made)
    return found


def _outcome(run: Callable[[Arrays], Arrays], inputs: Arrays) -> str:
    """Say whether the outputs are finite, or the model refuses these inputs."""
    try:
        with np.errstate(all="ignore"):
            outputs = run(inputs)
    except Exception:  # whatever the model has against them
        return "refused"
    return "finite" if all(bool(np.isfinite(y).all()) for y in outputs) else "not finite"


def _any_sign(x: Any, rng: np.random.Generator) -> Any:
    return (rng.standard_normal(x.shape) * _size(x)).astype(x.dtype)


def _larger(x: Any, rng: np.random.Generator) -> Any:
    return (rng.standard_normal(x.shape) * 10 * _size(x)).astype(x.dtype)


def _positive(x: Any, rng: np.random.Generator) -> Any:
    return (rng.uniform(0.1, 2, x.shape) * _size(x)).astype(x.dtype)


def _negative(x: Any, rng: np.random.Generator) -> Any:
    return -_positive(x, rng)


def _in_another_order(x: Any, rng: np.random.Generator) -> Any:
    return rng.permutation(x.reshape(-1)).reshape(x.shape)


def _size(x: Any) -> float:
    return float(np.abs(x).max()) or 1.0


def _up_to_the_largest(x: Any, rng: np.random.Generator) -> Any:
    return rng.integers(min(0, int(x.min())), int(x.max()), x.shape, endpoint=True)


def _between(x: Any, rng: np.random.Generator) -> Any:
    return rng.integers(int(x.min()), int(x.max()), x.shape, endpoint=True)


def _one_more(x: Any, rng: np.random.Generator) -> Any:
    return x + rng.permutation(np.arange(x.size) % 2 == 0).reshape(x.shape)


def _one_less(x: Any, rng: np.random.Generator) -> Any:
    return x - rng.permutation(np.arange(x.size) % 2 == 0).reshape(x.shape)


_FLOATS = (_any_sign, _larger, _positive, _negative, _in_another_order)
_INTEGERS = (_up_to_the_largest, _between, _one_more, _one_less)
