"""Write every workload by hand in NumPy: no engine, no graph, no allocation in the loop.

The limit that chainrule is measured against. Rules of the game: the same layers in the same
order as everybody else, so no algebra across layers (no ReLU moved behind a max-pool); inside
a layer anything goes that a careful person would write: buffers made once and reused, parameters
and gradients as views into one flat buffer each, passes blocked to the L2 cache, BLAS on views.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.inputs import Inputs
from benchmarks.peers.handwritten import cnn, functions, gan, lstm, mlp, scalars, transformer

BUILDERS: dict[str, Callable[[Inputs], Callable[[], Any]]] = {
    "mlp": mlp.build,
    "cnn": cnn.build,
    "lstm": lstm.build,
    "gan": gan.build,
    "transformer": transformer.build,
    "elementwise": functions.elementwise,
    "hvp": functions.hvp,
    "scalar": scalars.build,
    "inference": mlp.inference,
}


def versions() -> dict[str, str]:
    """Name the versions that matter."""
    return {"numpy": np.__version__}


def as_array(value: Any) -> Any:
    """Return ``value`` as an array of numbers."""
    return np.asarray(value)
