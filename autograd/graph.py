"""The graph: nodes that remember which op made a value, from which parents, and what backward will need.

Nothing here knows arrays. A :class:`Node` points to its parents only, so dropping the root frees the graph at once, and
the order of creation is an order in which every parent stands before its users.
"""

from collections.abc import Callable, Container, Iterable, Iterator
from itertools import count
from threading import Lock
from typing import Any

tick = count(0, -1).__next__  # creation order, counted downwards: a min-heap then yields the newest node first


class _Absent:
    """Stand where a node has no second parent: as a parent that asks for nothing."""

    needs, changed = False, 1


ABSENT: Any = _Absent()


class _Clock:
    """Hold the time of the last change in place of any leaf: a node made after it need not look at its parents."""

    changed = 1  # times are <= 0, and fall


clock = _Clock()
_clock_lock = Lock()


def note_change(leaves: Iterable["Node | None"]) -> None:
    """Set the time at which these leaves were changed in place."""
    with _clock_lock:  # so that the clock never runs back
        clock.changed = now = tick()
        for leaf in leaves:
            if leaf is not None:
                leaf.changed = now


class Node:
    """Remember one recorded op.

    ``parents`` has one entry per input (None for a Python scalar); ``saved`` holds the inputs' values, then the output,
    then what the forward cached, with None where nothing needs it; ``cot`` is the gradient of the last backward (small
    values).

    Up to two parents stand in slots of their own: a tuple for them would be a second object per op that the garbage
    collector tracks, and its full collections then cost 2.3 µs per op in a graph of 10⁶ ops instead of 0.7.
    """

    __slots__ = (
        "__weakref__",
        "a",
        "b",
        "cot",
        "dtype",
        "grad",
        "kwargs",
        "more",
        "name",
        "op",
        "order",
        "released",
        "retain",
        "saved",
        "scope",
        "shape",
    )
    needs: Any = True  # an op is recorded only when one of its inputs needs a gradient
    changed: Any = 1  # results are read-only, so they never change; orders are <= 0
    scalar = False  # whether output and inputs are all float64 numbers: see ScalarNode
    pull: Any = None  # how to go back through several ops at once: see Folded

    def __init__(
        self,
        op: Any,
        a: Any,
        b: Any,
        more: Any,
        saved: tuple[Any, ...],
        kwargs: Any,
        shape: Any,
        dtype: Any,
        scope: Any,
    ) -> None:
        self.op = op
        self.a = a
        self.b = b
        self.more = more
        self.saved = saved
        self.kwargs = kwargs
        self.shape = shape
        self.dtype = dtype
        self.scope = scope
        self.order: float = tick()
        self.released = self.retain = False
        self.cot: Any = None
        self.grad: Any = None
        self.name: str | None = None

    @property
    def parents(self) -> tuple[Any, ...]:
        """List the nodes of the inputs, in input order."""
        if self.more is not None:
            return self.more  # type: ignore[no-any-return]
        return (self.a,) if self.b is ABSENT else (self.a, self.b)

    @property
    def where(self) -> tuple[Any, Any]:
        """Give op and scope, for messages."""
        return self.op, self.scope

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.op.name if self.op else self.name or 'leaf'} {self.shape}>"


class View(Node):
    """Remember an op whose output may share memory with its first parent, and so changes when that changes.

    ``root`` is the owner of the memory, noted where the way there is long.
    """

    __slots__ = ("root",)
    root: Any

    @property
    def changed(self) -> Any:
        """Give the time of the last in-place change of the memory that this node looks at."""
        return origin(self).changed


class Cut(str):
    """Name what cut a value off from its graph, and know the line of the user's program that did it."""

    __slots__ = ("file", "line")
    file: str
    line: int

    def __new__(cls, what: str, file: str, line: int) -> "Cut":
        """Remember file and line."""
        cut = super().__new__(cls, what)
        cut.file, cut.line = file, line
        return cut


class Leaf(Node):
    """Be a value that no recorded op made: a parameter, an input, a constant.

    ``grad`` accumulates what each backward brings, ``changed`` is the time of the last in-place change, and ``note``
    says what cut the value off from an earlier graph (``"detach"``, the name of a piecewise-constant function).
    """

    __slots__ = ("changed", "needs", "note")

    def __init__(
        self, value: Any, shape: Any, dtype: Any, needs: bool, name: str | None = None, note: str = ""
    ) -> None:
        self.op = self.a = self.b = self.kwargs = self.scope = self.cot = self.grad = None
        self.more = ()
        self.saved = (value,)
        self.shape = shape
        self.dtype = dtype
        self.order = tick()
        self.released = self.retain = False
        self.needs = needs
        self.name = name
        self.note = note
        self.changed = 1


class Argument(Leaf):
    """Be the argument of a function that a transform differentiates: of interest to that transform alone.

    While the function is ``running``, transforms inside it see the argument as a variable from outside. This stands
    here and not in a context variable, because threads that the function starts do not inherit its context.
    """

    __slots__ = ("running",)

    def __init__(self, value: Any, shape: Any, dtype: Any) -> None:
        super().__init__(value, shape, dtype, True)
        self.running = False


class Alias(Leaf):
    """Be a leaf that shares the memory of another leaf (after ``detach``): a change of either is a change of both."""

    __slots__ = ("root",)

    def __init__(self, root: Node, value: Any, shape: Any, dtype: Any, note: str) -> None:
        self.root = root
        changed = root.changed
        super().__init__(value, shape, dtype, False, None, note)
        self.changed = changed

    @property
    def changed(self) -> Any:
        """Give the time of the last in-place change of the shared memory."""
        return self.root.changed

    @changed.setter
    def changed(self, time: int) -> None:
        self.root.changed = time


def make_node(kind: type[Node], op: Any, parents: tuple[Any, ...], *rest: Any) -> Node:
    """Make a node with any number of parents."""
    if len(parents) == 1:
        return kind(op, parents[0], ABSENT, None, *rest)
    if len(parents) == 2:
        return kind(op, parents[0], parents[1], None, *rest)
    return kind(op, None, None, parents, *rest)


def origin(node: Node) -> Node:
    """Find the node that owns the memory of ``node``: follow views and aliases towards the leaves."""
    for _ in range(32):
        if isinstance(node, View):
            node = node.a if node.more is None else node.more[0]
        elif isinstance(node, Alias):
            node = node.root
        else:
            return node
    path = []  # views of views of views: note the end for all of them, else a chain of n would take n² steps
    while isinstance(node, View | Alias):
        path.append(node)
        node = getattr(node, "root", None) or node.parents[0]
    for view in path:
        view.root = node
    return node


def ancestors(root: Node, follow: Callable[[Node], bool] = lambda node: True) -> Iterator[Node]:
    """Yield ``root`` and every node that it depends on, each once, without recursion.

    ``follow(node)`` says whether to go on to the parents of ``node``.
    """
    seen, stack = {root}, [root]
    while stack:
        node = stack.pop()
        yield node
        if follow(node):
            for parent in node.parents:
                if parent is not None and parent not in seen:
                    seen.add(parent)
                    stack.append(parent)


def reaches_other_leaf(
    roots: Iterable[Node | None], own: Container[Node], counts: Callable[[Node], bool] = lambda leaf: True
) -> bool:
    """Tell whether a gradient from ``roots`` would reach a leaf that counts and is not in ``own`` (nor behind it)."""
    seen: set[Node] = set()
    stack = [root for root in roots if root is not None]
    while stack:
        node = stack.pop()
        if node in seen or node in own:
            continue
        seen.add(node)
        if node.op is None:
            if counts(node):
                return True
        elif node.more is not None:
            stack.extend([parent for parent in node.more if parent is not None and parent.needs])
        else:
            if node.a is not None and node.a.needs:
                stack.append(node.a)
            if node.b is not None and node.b.needs:
                stack.append(node.b)
    return False


def leading_to(root: Node, targets: set[Node]) -> set[Node]:
    """Collect the nodes between ``root`` and ``targets``: those through which a gradient must pass."""
    found = sorted(ancestors(root, lambda node: node not in targets), key=lambda node: -node.order)
    wanted = set(targets)
    for node in found:  # oldest first, so that parents are decided before their users
        if node.needs and any(parent in wanted for parent in node.parents):
            wanted.add(node)
    return wanted
