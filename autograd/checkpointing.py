"""Memory for time: a function that keeps only its inputs and output, and is run again in backward.

Floor 13: public as ``autograd.checkpoint``.
"""

from typing import Any

import numpy as np

from autograd.box import Box, leaf_of, looked_at, needs_grad, watch, wrap
from autograd.differentiate import definition_vjp
from autograd.errors import GraphError
from autograd.graph import Node, ancestors, next_order, node_of, origin
from autograd.modes import current, no_grad
from autograd.rules import Op
from autograd.tensor import Tensor
from autograd.trace import Function, Transformed
from autograd.tree import flatten
from autograd.vjp import bundle_node, item_node


def checkpoint(f: Function) -> Function:
    """Return a function that computes ``f`` but keeps only its inputs and output: backward runs ``f`` again.

    Memory is traded for a second forward pass. ``f`` may use Tensors from outside; they get their gradients. It must
    give the same values both times (a random generator inside must be made inside): GraphError otherwise.

    >>> x = Tensor(0.5, requires_grad=True)
    >>> checkpoint(lambda t: (t * t).exp())(x).backward()
    >>> round(x.grad.item(), 4)
    1.284
    """

    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if current().recording is not True:
            return f(*args, **kwargs)
        values, rebuild = flatten((args, kwargs))
        places = [i for i, value in enumerate(values) if isinstance(value, Box)]

        def run(*boxes: Any) -> Any:
            filled = list(values)
            for i, box in zip(places, boxes, strict=True):
                filled[i] = box
            inner_args, inner_kwargs = rebuild(filled)
            return f(*inner_args, **inner_kwargs)

        return _checkpointed(run, [values[i] for i in places], getattr(f, "__name__", "f"))

    return Transformed(checkpointed, checkpoint, f)


def _checkpointed(run: Function, inputs: list[Any], name: str) -> Any:
    start = next_order()
    inner = [Tensor(x._array, True, copy=False) if needs_grad(x) else wrap(x._array) for x in inputs]
    y = run(*inner)
    outputs = list(y) if isinstance(y, tuple) else [y]
    if not any(isinstance(part, Box) for part in outputs) and not any(isinstance(part, Box) for part in flatten(y)[0]):
        return y  # no Tensor went in, none came out
    if not all(isinstance(part, Box) for part in outputs):
        raise GraphError(
            f"checkpoint({name}): the function must return a Tensor or a tuple of Tensors, got {type(y).__name__}."
        )
    closed = _closed_over(outputs, inner, start)
    if not closed and not any(needs_grad(x) for x in inputs):
        with no_grad():
            return run(*inputs)
    data = [part._array for part in outputs]
    op = _op_of(run, name, len(inputs), data)
    parents = (*map(leaf_of, inputs), *closed)
    residuals = (*[x._array for x in inputs], *[None] * len(closed), tuple(data) if isinstance(y, tuple) else data[0])
    given, scope = [x._array for x in inputs], current().scope
    seen = [looked_at(d, inputs, given)[1] for d in data]
    sources = [inputs[at] if at is not None else _outside(part, start) for at, part in zip(seen, outputs, strict=True)]
    roots = [None if source is None else leaf_of(source) for source in sources]
    if isinstance(y, tuple):
        node = Node(op, parents, residuals, None, [d.shape for d in data], [d.dtype for d in data], scope)
        nodes = [item_node(node, i, d, source) for i, (d, source) in enumerate(zip(data, roots, strict=True))]
    else:
        nodes = [node_of(roots[0], op, parents, residuals, None, data[0].shape, data[0].dtype, scope)]
    results = [
        wrap(d, node) if source is None else watch(wrap(d[...], node), source)
        for d, node, source in zip(data, nodes, sources, strict=True)
    ]
    return tuple(results) if isinstance(y, tuple) else results[0]


def _closed_over(outputs: list[Any], inner: list[Any], start: int) -> list[Node]:
    """List the nodes from before ``start`` that need a gradient and that the outputs depend on."""
    own = {x._node for x in inner}
    found = ancestors(bundle_node([part._node for part in outputs]), lambda node: node.order < start)
    return [node for node in found if node.order > start and node.needs and node not in own]


def _op_of(run: Function, name: str, count: int, data: list[Any]) -> Op:
    """Return the op whose backward runs the function again, and raises where it gives other values than ``data``."""

    def again(*boxes: Any) -> Any:
        second = run(*boxes)
        for old, new in zip(data, second if isinstance(second, tuple) else [second], strict=True):
            if not np.array_equal(old, new._array, equal_nan=True):
                raise GraphError(
                    f"checkpoint({name}): the second run gave other values, so the gradient would be wrong. Make the "
                    "function deterministic (create random generators inside, from a seed)."
                )
        return second

    inputs = [f"input_{i}" for i in range(count)]
    op = Op(run, f"checkpoint({name})", symbol="checkpoint", inputs=inputs, definition=again, selects=True)
    op.vjp = definition_vjp
    return op


def _outside(part: Box, start: int) -> Box | None:
    """Return ``part`` if it looks at memory that may have been there before ``start``: no op made it since."""
    root = origin(leaf_of(part))
    return part if type(part._array) is np.ndarray and (root.op is None or root.order > start) else None
