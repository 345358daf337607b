"""Write the scalar workloads for micrograd."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from micrograd.engine import Value

from benchmarks.inputs import Inputs
from benchmarks.peers import scalar_net


def versions() -> dict[str, str]:
    """Name the versions that matter."""
    return {"micrograd": version("micrograd")}


def as_array(value: Any) -> Any:
    """Return ``value`` as an array of numbers."""
    return np.asarray(value.data if isinstance(value, Value) else value)


def scalar(inputs: Inputs) -> Callable[[], Any]:
    """Differentiate the 2-16-16-1 net of scalars."""
    return scalar_net.step_with_grad(inputs, Value, Value.relu, empty=0)


def chain(inputs: Inputs) -> Callable[[], Any]:
    """Differentiate a long chain of scalar ops."""
    pairs = inputs.sizes["ops"] // 2

    def step() -> tuple[Any, Any]:
        x = Value(1.5)
        y = x
        for _ in range(pairs):
            y = y * 0.999999
            y = y + 0.000001
        y.backward()
        return y, x.grad

    return step


BUILDERS: dict[str, Callable[[Inputs], Callable[[], Any]]] = {"scalar": scalar, "chain": chain}
