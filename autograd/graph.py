"""The graph: nodes that remember which op made a value, from which parents, and what backward will need.

Nothing here knows arrays. A :class:`Node` points to its parents only, so dropping the root frees the graph at once, and
the order of creation is an order in which every parent stands before its users. Floor 1: used by all of the engine.
"""

from _thread import allocate_lock  # that of threading, which takes two milliseconds to import
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from linecache import getline
from os.path import basename
from typing import Any, NamedTuple

next_order = count(0, -1).__next__  # creation order, counted downwards: a min-heap then yields the newest node first
RETAINED, HOOKED = 1, 2  # bits of ``retain``: the gradient is kept, or hooks see it
NEVER = 1  # the version of a leaf that was never changed: orders are <= 0 and fall


class _Versions:
    """Hold the order of the last in-place change of any leaf: a node made after it need not look at its parents."""

    latest = NEVER


versions = _Versions()
_versions_lock = allocate_lock()


def note_change(leaves: Iterable["Node | None"]) -> None:
    """Set a new version on these leaves: their arrays were changed in place."""
    with _versions_lock:  # so that the latest version is never an older one
        versions.latest = now = next_order()
        for leaf in leaves:
            if leaf is not None:
                leaf.version = now


class Node:
    """Hold what is known of one recorded op.

    ``parents`` has one entry per input (None for a Python number). ``residuals`` hold the inputs' values, then the
    output, then what the forward cached, with None where no rule needs it. ``cotangent`` is the gradient of the last
    backward, of small values only, for pictures.
    """

    __slots__ = (
        "__weakref__", "cotangent", "dtype", "grad", "hooks", "kwargs", "made_at", "name", "op", "order",
        "parents", "released", "residuals", "retain", "scope", "shape", "since", "tangent", "views",
    )  # fmt: skip
    needs: Any = True  # an op is recorded only when one of its inputs needs a gradient
    version: Any = NEVER  # the array of a result never changes: what is written into it becomes a new node
    hooks: Any  # functions that see the gradient, by number; set by the first
    views: Any  # Tensors that look at the memory of this one (see inplace.py); set by the first
    tangent: Any  # set by a jvp that pushes while its function runs: itself, and the tangent
    since: int  # the order of the first part of ``grad``, set when that came
    made_at: "Site"  # the user's line, set by a debugger that watches; see site_of

    def __init__(
        self, op: Any, parents: tuple[Any, ...], residuals: Any, kwargs: Any, shape: Any, dtype: Any, scope: Any
    ) -> None:
        self.op = op
        self.parents = parents
        self.residuals = residuals
        self.kwargs = kwargs
        self.shape = shape
        self.dtype = dtype
        self.scope = scope
        self.order = next_order()
        self.released, self.retain = False, 0
        self.cotangent: Any = None
        self.grad: Any = None
        self.name: str | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.op.name if self.op else self.name or 'leaf'} {self.shape}>"


class View(Node):
    """Represent an op whose output looks at the memory of a parent, and so changes when that changes.

    ``root`` is that parent, or one further on the way to the owner of the memory.
    """

    __slots__ = ("root",)
    root: Any

    @property
    def version(self) -> Any:
        """Return the version of the memory that this node looks at."""
        return origin(self).version


class Site(NamedTuple):
    """Name a line of the user's program; ``inside`` tells calls of functions of ours apart (0: the line is its own)."""

    file: str
    line: int
    inside: int = 0

    def __str__(self) -> str:
        """Write ``train.py:12: y = np.log(p)``."""
        name = "line " if self.file.startswith("<") or "ipykernel" in self.file else f"{basename(self.file)}:"
        source = getline(self.file, self.line).strip()
        return f"{name}{self.line}{': ' * bool(source)}{source}"


def site_of(node: Node) -> Site | None:
    """Return the user's line that made a node, where a debugger watched."""
    return getattr(node, "made_at", None)


def cast_of(node: Node) -> Any:
    """Return the leaf of the constant that a leaf was converted from (float64 data in a float32 layer), or None."""
    source = getattr(node, "cast", None)
    return None if source is None else source()


def keep_site(old: Node, new: Node) -> None:
    """Copy the user's line of a node to one that stands for it, where a debugger watched."""
    if (site := site_of(old)) is not None:
        new.made_at = site


def node_of(source: Node | None, *fields: Any) -> Node:
    """Make a node: a View if its output looks at the memory of ``source``."""
    if source is None:
        return Node(*fields)
    view = View(*fields)
    view.root = source
    return view


class DetachSite(str):
    """Name what cut a value off from its graph, and know the line of the user's program that did it."""

    __slots__ = ("file", "line")
    file: str
    line: int

    def __new__(cls, what: str, file: str, line: int) -> "DetachSite":
        """Remember file and line."""
        site = super().__new__(cls, what)
        site.file, site.line = file, line
        return site


class Leaf(Node):
    """Represent a value that no recorded op made: a parameter, an input, a constant.

    ``grad`` accumulates what each backward brings, ``version`` is the order of the last in-place change, and ``note``
    says what cut the value off from an earlier graph (``"detach"``, the name of a piecewise-constant function).
    ``holder`` refers weakly to the Tensor or array that holds a value which the graph does not, for pictures,
    ``other`` to the leaf that stood for the Tensor before its ``requires_grad`` was switched, and ``cast`` to that of
    the constant which this one was converted from.
    """

    __slots__ = ("cast", "holder", "needs", "note", "other", "version")
    cast: Any
    other: Any

    def __init__(
        self, value: Any, shape: Any, dtype: Any, needs: bool, name: str | None = None, note: str = ""
    ) -> None:
        self.op = self.kwargs = self.scope = self.cotangent = self.grad = None
        self.holder: Any = None
        self.parents = ()
        self.residuals = (value,)
        self.shape = shape
        self.dtype = dtype
        self.order = next_order()
        self.released, self.retain = False, 0
        self.needs = needs
        self.name = name
        self.note = note
        self.version = NEVER


class TracedLeaf(Leaf):
    """Represent the argument of a function that a transform differentiates: of interest to that transform alone."""

    __slots__ = ()

    def __init__(self, value: Any, shape: Any, dtype: Any) -> None:
        super().__init__(value, shape, dtype, True)


class Symbol(Leaf):
    """Represent ``value``, a place in the program that ``tracer`` notes."""

    __slots__ = ("tracer", "value")

    def __init__(self, value: Any, tracer: Any) -> None:
        super().__init__(None, value.shape, value.dtype, False)
        self.value, self.tracer = value, tracer

    @property
    def needs(self) -> bool:
        """Tell whether a gradient flows through the value."""
        return bool(self.value.needs)

    @needs.setter
    def needs(self, value: bool) -> None:
        """Leave it to the value."""


class Alias(Leaf):
    """Represent a leaf that shares the memory of another (after ``detach``): a change of either is one of both."""

    __slots__ = ("root",)

    def __init__(self, root: Node, value: Any, shape: Any, dtype: Any, note: str) -> None:
        self.root = root
        version = root.version
        super().__init__(value, shape, dtype, False, None, note)
        self.version = version

    @property
    def version(self) -> Any:
        """Return the version of the shared memory."""
        return self.root.version

    @version.setter
    def version(self, order: int) -> None:
        self.root.version = order


class Detached(Leaf):
    """Represent a constant that lies in the memory of a result (after ``detach``, or a view that was not recorded).

    It holds nothing of the graph: ``views`` are the Tensors that look at that memory, or None once it has left it.
    """

    __slots__ = ()


def origin(node: Node) -> Node:
    """Find the node that owns the memory of ``node``: follow views and aliases towards the leaves."""
    for _ in range(32):
        if not isinstance(node, View | Alias):
            return node
        node = node.root
    path = []  # views of views of views: note the end for all of them, else a chain of n would take n² steps
    while isinstance(node, View | Alias):
        path.append(node)
        node = node.root
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
    roots: Iterable[Node | None], own: set[Node], counts: Callable[[Node], bool] = lambda leaf: True
) -> bool:
    """Tell whether a gradient from ``roots`` would reach a leaf that ``counts``, past the nodes in ``own``."""
    seen: set[Node] = set()
    stack = [root for root in roots if root is not None]
    while stack:
        node = stack.pop()
        if node in seen or node in own:
            continue
        seen.add(node)
        if not node.parents and counts(node):  # what a jvp cut off ends there as well
            return True
        stack.extend([parent for parent in node.parents if parent is not None and parent.needs])
    return False


def leading_to(root: Node, targets: set[Node]) -> set[Node]:
    """Collect the nodes between ``root`` and ``targets``: those through which a gradient must pass."""
    found = sorted(ancestors(root, lambda node: node not in targets), key=lambda node: -node.order)
    wanted = set(targets)
    for node in found:  # oldest first, so that parents are decided before their users
        if node.needs and any(parent in wanted for parent in node.parents):
            wanted.add(node)
    return wanted
