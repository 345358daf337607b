"""List the figures that chainrule must reach, each as a ratio in one run on one thread.

Where two figures were set for the same cell, the stricter one stands here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """Set the highest allowed ratio of chainrule to a peer on one workload."""

    workload: str
    against: str
    limit: float
    kind: str = "time"


def times(against: str, **limits: float) -> list[Bar]:
    """Make one bar of time per workload."""
    return [Bar(workload, against, limit) for workload, limit in limits.items()]


BARS = [
    *times(
        "torch-fused", mlp_small=0.40, mlp_mnist=0.70, cnn=0.45, lstm=1.2, gan=0.55,
        transformer=0.70, elementwise=0.6, hvp=1.0, scalar=0.30, chain=0.4,
    ),
    *times(
        "jax", mlp_small=1.2, mlp_mnist=1.35, cnn=0.5, lstm=0.6, gan=1.6, transformer=0.65,
        scalar=1.1,
    ),
    *times(
        "numpy", mlp_small=2.2, mlp_mnist=1.15, cnn=1.4, lstm=1.0, gan=1.7, transformer=1.2,
        elementwise=2.5,
    ),
    *times("micrograd", scalar=0.75),
    *(
        Bar(workload, against, limit, "memory")
        for workload in ("mlp_mnist", "cnn", "transformer")
        for against, limit in (("torch-fused", 1.0), ("numpy", 1.5))
    ),
    Bar("chain", "torch-fused", 0.8, "memory"),
]  # fmt: skip

LIMITS = {(bar.workload, bar.against, bar.kind): bar.limit for bar in BARS}

# The same of functions that `ag.compile` compiled: a whole step of training, as JAX's peer has it, of `elementwise`
# and `scalar` the loss, and of `hvp` the transform.
COMPILED = {
    (bar.workload, bar.against, bar.kind): bar.limit
    for bar in [
        *times(
            "numpy", mlp_small=1.6, mlp_mnist=1.12, cnn=1.2, lstm=1.02, gan=1.5, transformer=1.1, elementwise=1.05,
            hvp=1.5,
        ),
        *times("jax", mlp_small=0.75, mlp_mnist=1.3, cnn=0.55, lstm=0.9, gan=1.3, transformer=0.9, hvp=0.6),
        *times("torch-fused", scalar=0.06, mlp_small=0.2),
        *times("micrograd", scalar=0.12),
    ]
}  # fmt: skip
MEANS = {"jax": 0.80, "torch-fused": 0.35}  # geometric means of the compiled ones over the rows of the main table
NOT_IN_MEANS = ("chain",)  # and not of JAX the graph of scalars, which it compiles for minutes

FIRST_SECONDS = 0.5  # that the first step of a compiled function may take beyond the same uncompiled
TRACE_SECONDS = 2.0  # of the first call with 10^4 ops
CHAIN_GROWTH = 2.0  # time per op of the workload chain, of 10^6 scalar ops, against 10^4
CHAIN_BYTES = 700.0  # bytes per op of the same, of 10^6
IMPORT_SECONDS = 0.025  # `import autograd` beyond NumPy's own import
