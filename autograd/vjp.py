"""What every vjp shares: fitting a cotangent to its input, refusing what is gone, and the engine's own few ops.

Floor 4: used by the compiler and by :mod:`autograd.differentiate`.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from autograd.backward import InputCotangents
from autograd.box import ARRAYS, KINDS, Box
from autograd.errors import GraphError, InPlaceError, MissingRule, RuleError
from autograd.graph import Node, node_of, versions
from autograd.rules import Op

_F64 = np.float64


class Cotangents:
    """Hold the cotangents of a multi-output op, which arrive output by output and are merged by ``+``.

    ``masks`` tell of them which elements are alive, where a mask cut others off.
    """

    __slots__ = ("masks", "parts")

    def __init__(self, parts: dict[int, Any], masks: dict[int, Any] | None = None) -> None:
        self.parts, self.masks = parts, masks or {}

    def __add__(self, other: "Cotangents") -> "Cotangents":
        merged = dict(self.parts)
        for i, g in other.parts.items():
            merged[i] = merged[i] + g if i in merged else g
        return Cotangents(merged)

    def fill(self, node: Node) -> tuple[Any, ...]:
        """List the cotangents of all outputs; one that did not arrive is zeros (which take no memory)."""
        zeros = [
            np.broadcast_to(np.zeros((), dtype), shape) for shape, dtype in zip(node.shape, node.dtype, strict=True)
        ]
        return tuple(self.parts.get(i, zero) for i, zero in enumerate(zeros))

    def arrived(self, node: Node) -> tuple[bool, ...]:
        """Tell for each output whether a cotangent arrived."""
        return tuple(i in self.parts for i in range(len(node.shape)))

    def alive(self, node: Node) -> tuple[Any, ...]:
        """Tell for each output which elements of its cotangent no mask cut off: None for all."""
        return tuple(self.masks.get(i) for i in range(len(node.shape)))


class NodeOp:
    """Stand on a node in the place of a declared op: it has no rules, and its ``vjp`` does all."""

    elementwise, joint, cache, selects, linear, variadic = False, None, (), False, False, False
    reads_nothing, reads_output = True, False
    definition: Any = None
    let_go: Any = None
    inputs: Sequence[str] = ("x",)
    formula: Sequence[str | None] = (None,)
    rules: ClassVar[dict[int, Any]] = {}
    masks: ClassVar[dict[int, Any]] = {}
    keywords: ClassVar[dict[str, Any]] = {}

    def reads(self, needs: Sequence[bool]) -> frozenset[int]:
        """Return the inputs whose values backward reads: none."""
        return frozenset()

    def closed_over(self, node: Node) -> int:
        """Return 0: all parents are inputs."""
        return 0

    def argument(self, i: int) -> str:
        """Name input ``i`` for a message."""
        return self.inputs[i]


class _Plumbing(NodeOp):
    """Represent an op of the engine's own that only passes cotangents on."""

    def __init__(self, name: str, vjp: Callable[..., InputCotangents]) -> None:
        self.name = self.symbol = name
        self.vjp = vjp


def _item_vjp(node: Node, residuals: Any, g: Any, wanted: Any = None) -> InputCotangents:
    return [(node.parents[0], Cotangents({node.kwargs["index"]: g}))]


def _identity_vjp(node: Node, residuals: Any, g: Any, wanted: Any = None) -> InputCotangents:
    return [(node.parents[0], g)]


def _bundle_vjp(node: Node, residuals: Any, g: Any, wanted: Any = None) -> InputCotangents:
    pairs = zip(node.parents, g, strict=True)
    return [
        (parent, part)
        for parent, part in pairs
        if parent is not None and parent.needs and part is not None and (wanted is None or parent in wanted)
    ]


def _pushed_vjp(node: Node, residuals: Any, g: Any, wanted: Any = None) -> InputCotangents:
    return ()


ITEM: Any = _Plumbing("item", _item_vjp)
IDENTITY: Any = _Plumbing("identity", _identity_vjp)
BUNDLE: Any = _Plumbing("bundle", _bundle_vjp)
PUSHED: Any = _Plumbing("pushed", _pushed_vjp)  # of a node that was cut off when its tangent was known
PLUMBING = (ITEM, IDENTITY, BUNDLE, PUSHED)


def item_node(node: Node, i: int, part: Any, source: Node | None = None) -> Node:
    """Make the node of output ``i`` of a multi-output node: a view if it looks at the memory of ``source``."""
    value = part.copy() if part.size <= 64 else None  # a view would keep the large array behind it
    return node_of(source, ITEM, (node,), (None, value), {"index": i}, part.shape, part.dtype, node.scope)


def identity_node(parent: Node) -> Node:
    """Make a node that stands for ``parent`` in one place, whose cotangent can then be told apart."""
    return Node(IDENTITY, (parent,), (None, None), None, parent.shape, parent.dtype, parent.scope)


def bundle_node(nodes: Sequence[Node | None]) -> Node:
    """Make one root of several, for a pass that starts with a tuple of cotangents."""
    return Node(BUNDLE, tuple(nodes), (None,) * (len(nodes) + 1), None, (), None, None)


# ----------------------------------------------------------------------------------------------- fitting a cotangent


@lru_cache(maxsize=64)
def row_of_ones(n: int, dtype: Any) -> Any:
    """Return a row of ones: its product with a matrix sums over the rows in a third of the time of ``sum``."""
    row = np.ones(n, dtype)
    row.flags.writeable = False
    return row


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``g`` over the axes along which an input of ``shape`` was broadcast."""
    extra = g.ndim - len(shape)
    if g.shape[extra:] == shape:
        if extra == 1 == len(shape) and type(g) is np.ndarray and g.dtype.char in "fd":
            return np.dot(row_of_ones(len(g), g.dtype), g)
        return g.sum(axis=0 if extra == 1 else tuple(range(extra)))
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1)
    g = g.sum(axis=axes, keepdims=True) if axes else g
    return g.reshape(shape) if extra else g


def fit(cotangent: Any, parent: Any, op: Op, i: int) -> Any:
    """Return the cotangent in the shape and dtype of input ``i``, or raise RuleError.

    Of a complex cotangent a real input takes the real part.
    """
    # the array's attributes cost less than the Tensor's properties
    inner = cotangent._array if isinstance(cotangent, Box) else cotangent
    if not isinstance(inner, ARRAYS):
        if not isinstance(inner, int | float | complex):
            raise RuleError(
                f"op {op.name!r}: the rule for {op.argument(i)!r} returned {type(cotangent).__name__}, not an array."
            )
        cotangent = inner = np.asarray(cotangent)
    shape, dtype = inner.shape, inner.dtype
    if shape != parent.shape:
        if not op.elementwise or not _broadcasts(parent.shape, shape):
            raise RuleError(
                f"op {op.name!r}: the rule for {op.argument(i)!r} returned shape {shape}, but the input has "
                f"shape {parent.shape}."
            )
        cotangent = unbroadcast(cotangent, parent.shape)
    if dtype is not parent.dtype and dtype != parent.dtype:
        if dtype.kind not in KINDS:
            raise RuleError(f"op {op.name!r}: the rule for {op.argument(i)!r} returned dtype {dtype}.")
        if dtype.kind == "c" and parent.dtype.kind != "c":  # a real input can move along the real axis only
            if not op.takes_complex:
                raise RuleError(
                    f"op {op.name!r}: the rule for {op.argument(i)!r} returned dtype {dtype} for a real input and "
                    "output. Take its real part, or declare the op with holomorphic=False."
                )
            cotangent = cotangent.real
        if cotangent.dtype != parent.dtype:
            cotangent = cotangent.astype(parent.dtype)
    return cotangent


def _broadcasts(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    return len(small) <= len(large) and all(n in (1, m) for n, m in zip(reversed(small), reversed(large), strict=False))


def joint_cotangents(op: Op, cotangents: Any, parents: Sequence[Any], needs: Sequence[bool]) -> InputCotangents:
    """Return the cotangents of a joint rule, with the inputs that want one."""
    if not isinstance(cotangents, tuple | list) or len(cotangents) != len(parents):
        said = f"{len(cotangents)} values" if isinstance(cotangents, tuple | list) else type(cotangents).__name__
        raise RuleError(f"op {op.name!r}: the joint rule must return a tuple of {len(parents)} gradients, got {said}.")
    return [(parents[i], fit(cotangents[i], parents[i], op, i)) for i, needed in enumerate(needs) if needed]


def missing_rule(op: Op, i: int) -> None:
    """Refuse to differentiate by an input that has no rule."""
    raise MissingRule(f"op {op.name!r} has no gradient rule for {op.argument(i)!r}. Pass it detached.")


def check(node: Node) -> None:
    """Refuse to differentiate a node whose values are gone or were changed."""
    if node.released:
        raise GraphError(
            f"backward reached {node.op.name!r}, whose saved arrays were released by an earlier backward. "
            "Call the first backward with retain_graph=True, or compute the loss again."
        )
    for i in stale(node) if versions.latest < node.order else ():
        parent = node.parents[i]
        who = f" {parent.name!r}" if parent.name else ""
        raise InPlaceError(
            f"input {node.op.argument(i)!r}{who} of {node.op.name!r}, shape {parent.shape}, was changed in place "
            "after it was used. Change it after backward, or use a new Tensor."
        )


def stale(node: Node) -> Iterator[int]:
    """Yield the inputs whose values are read in backward but were changed in place since the forward."""
    changed = [p is not None and p.version < node.order for p in node.parents]
    if True in changed:
        reads = node.op.reads([p is not None and p.needs for p in node.parents])
        yield from (i for i, was in enumerate(changed) if was and i in reads)


def arguments_of(
    rule: Any,
    node: Node,
    residuals: Sequence[Any],
    needs: Sequence[bool],
    arrived: Any = (True,),
    alive: Any = (None,),
) -> list[Any]:
    """List what a rule asks for besides the cotangent; ``arrived`` and ``alive`` are about the outputs."""
    found: list[Any] = []
    for source, key in rule.sources:
        if source == "residuals":
            found.append(residuals[key])
        elif source == "kwargs":
            found.append(node.kwargs[key])
        elif source == "inputs":
            found.append(tuple(residuals[: len(needs)]))
        elif source == "shapes":
            found.append(tuple([() if p is None else p.shape for p in node.parents]))
        else:
            found.append({"needs": tuple(needs), "arrived": arrived, "alive": alive}[source])
    return found
