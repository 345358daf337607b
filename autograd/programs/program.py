"""A program: what a trace became, written out as Python, and how it runs in place of the function.

``forward`` takes the arrays of the inputs and gives outputs and what backward reads; ``backward`` takes cotangents and
those, and gives the gradients. The result of a call is a Tensor with one node; looked at closer (a higher derivative,
a nan behind a mask) it is the ordinary ops again: see :meth:`Program.replay`.
"""

import copy
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import compress
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import numpy as np

from autograd.accumulate import accumulate_grads
from autograd.box import SMALL, Box, leaf_of, plain, wrap
from autograd.differentiate import GONE, definition_vjp, has_nan
from autograd.gathering import Gathered
from autograd.graph import Node
from autograd.modes import current, no_grad
from autograd.programs import blocks, passes, simplify
from autograd.programs.effects import Halfway, Later
from autograd.programs.nesting import nested
from autograd.programs.page import page
from autograd.programs.saving import save
from autograd.programs.source import Changed, Source
from autograd.programs.tracing import same
from autograd.programs.values import ARRAY, INPUT, RESULT, Step, Value, replaced, values_in
from autograd.tensor import Tensor
from autograd.vjp import Cotangents, NodeOp, check, item_node

Array = np.ndarray[Any, Any]
_ARRAY, _RETAIN = attrgetter("_array"), attrgetter("retain")
PASSES = (
    passes.names, passes.products, passes.common, simplify.spreads, simplify.constants, simplify.squares,
    passes.dead, passes.extremes, simplify.factors, simplify.signs, passes.dead, simplify.indices, simplify.scatters,
    passes.dots, passes.sums, passes.rectifiers, passes.masks, passes.dead, blocks.ahead, simplify.constants,
    blocks.ones, simplify.factors, simplify.signs, simplify.quotients, passes.dead, blocks.blocks, simplify.numbers,
    passes.in_place, passes.gather, nested,
)  # fmt: skip


class Doubtful(Exception):
    """The function itself must run: what the program gave may be wrong."""


class Program:
    """Hold the steps of a function and of its gradient.

    ``forward`` is the trace, with some ops in the lines that they consist of. ``inputs`` are the values that come in:
    arguments, then Tensors and arrays that the function closes over. ``gradients`` has an entry for each of them, None
    for those that need none.
    """

    def __init__(
        self,
        name: str,
        inputs: list[Value],
        trace: list[Step],
        forward: list[Step],
        adjoint: list[Step],
        results: list[Any],
        rebuild: Callable[[list[Any]], Any],
        cotangents: dict[Value, Value],
        gradients: dict[Value, Any],
        off: Collection[str] = (),
        labels: Mapping[int, str] = MappingProxyType({}),
        differentiates: bool = False,
        effects: Any = None,
        released: Sequence[Value] = (),
    ) -> None:
        self.effects = effects or None  # what the function does beside computing
        self.released = frozenset(released)  # results through whose graph the function itself goes back
        self.inner = differentiates  # whether a transform inside computes gradients or tangents
        self.name, self.inputs, self.results, self.rebuild = name, inputs, results, rebuild
        self.labels = labels  # the constants that the function has names for, by id
        self.trace, self.cotangents, self.gradients = trace, list(cotangents.values()), gradients
        self.roots = list(cotangents)
        self.forward, self.backward = [step.copy() for step in forward], [step.copy() for step in adjoint]
        self.outputs = [v for v in results if isinstance(v, Value)]
        self.gathered: list[Value] = []  # gradients of leaves that are written one behind the other
        for each in PASSES:
            if each.__name__ not in off:
                each(self)
        self._plan()
        self.memories: list[Gathered] = []  # that were used, and are used again when nobody holds a part of one
        self._forms = [(v.shape, not v.array.flags.c_contiguous) for v in self.gathered]
        self.op = _Compiled(self)
        for v in self.outputs:
            if isinstance(v, Value) and v.kind == RESULT and not v.name:
                v.name = "" if v.of is not None else "y" if v.shape else "loss" if v in self.roots else "value"
        self.text = Source(self)
        self.run_forward, self.run_backward = self.text.functions()

    def _plan(self) -> None:
        """Decide what is kept for backward, and what must be copied because its memory is somebody else's."""
        own = {*_in_order(self.backward), *self.cotangents, *self.gathered}
        read = {v for step in self.backward for v in step.values()} | set(values_in(list(self.gradients.values())))
        drawn = {out for step in self.forward if step.effect for out in step.outputs if out.shape is not None}
        self.saved: list[Value] = []
        if self.gradients:
            every, outside = [*self.inputs, *_in_order(self.forward)], read - own
            self.saved = [v for v in every if v in outside or v in drawn or (v.kind in (INPUT, ARRAY) and not v.boxed)]
        needed = _read(self.forward, self.outputs, self.saved)
        self.used = [v for v in self.inputs if v.kind == INPUT or v in needed]
        self.parents = [v for v in self.used if v.boxed]
        raw = [v for v in self.used if not v.boxed]
        self.copied = [i for i, v in enumerate(self.saved) if any(_share(v, other) for other in raw)]
        self.aliased = [
            i
            for i, v in enumerate(self.outputs)
            if not isinstance(v, Value) or any(_share(v, x) for x in (*self.used, *self.outputs[:i], *self.saved))
        ]
        self.values = [v for v in self.results if isinstance(v, Value)]
        self.boxed = [v.boxed for v in self.values]
        self.single = len(self.results) == 1 and self.results[0] in self.values and self.rebuild([self]) is self
        self.closed = [v.source for v in self.used if v.kind != INPUT]
        self.given = sum(v.kind == INPUT for v in self.used)
        self.are_boxed = [v.boxed for v in self.used]
        self.roots_at = [self.values.index(root) for root in self.roots]
        self.moved = list(_moved(self.forward))  # what must be put back where the function itself has to run
        self.targets_at = [self.parents.index(v) for v in self.gradients] if self.effects is not None else []
        self.see_closed()
        self.selects = any(step.op is not None and step.op.selects for step in self.trace)
        self.differentiates = self.inner and _cuts_off(self.trace)

    @property
    def source(self) -> str:
        """Return the program as Python: forward and backward."""
        return self.text.source

    @property
    def memory(self) -> dict[str, int]:
        """Return the bytes of each array that a call makes, and backward with it: results, what is kept, gradients."""
        found: dict[str, int] = {}
        for steps in (self.forward, [*self.backward, *[Step(np.empty, "", (), {}, (v,)) for v in self.gathered]]):
            made = [out for step in steps if step.out is None for out in step.outputs if out.shape is not None]
            named = {self.text.name(v): math.prod(v.shape) * v.dtype.itemsize for v in made if v.dtype is not None}
            found |= {f"{k}, in backward" if k in found else k: n for k, n in named.items() if k.isidentifier()}
        return found

    def __repr__(self) -> str:
        return f"<program {self.name}: {len(self.forward)} steps forward, {len(self.backward)} back>"

    def _repr_html_(self) -> str:
        return page(self)

    def save(self, path: Any) -> None:
        """Write a module with the same two functions that needs NumPy only; arrays lie in a file beside it.

        ``path`` ends in ``.py``. Raises TraceError for a program that uses what no file can hold.
        """
        save(self, path)

    @property
    def steps(self) -> list[Step]:
        """List the steps of forward and backward."""
        return [*self.forward, *self.backward]

    # ------------------------------------------------------------------------------------------------------- running

    def __call__(self, leaves: Sequence[Any]) -> Any:
        """Run on the arguments that are Tensors or arrays, in order."""
        arrays = [plain(x) for x in leaves]
        arrays += map(_ARRAY, self.boxes) if self.all_boxed else map(plain, self.closed)
        before = [(x, _state(x)) for x in self.moved] if self.moved else ()
        try:
            outputs, saved = self.run_forward(*arrays)
            if self.differentiates and self.is_doubtful(outputs):
                raise Doubtful
        except Exception:
            for x, state in before:
                _put_back(x, state)
            raise
        parts = self.complete(leaves, arrays, outputs, saved)
        return parts[0] if self.single else self.rebuild(parts)

    def is_doubtful(self, outputs: Sequence[Any]) -> bool:
        """Tell whether a gradient behind a mask was computed and a nan came out: eager backward may know it to be 0."""
        return bool(self.differentiates) and any(map(has_nan, outputs))

    def see_closed(self) -> None:
        """Note the nodes of the Tensors that the function closes over."""
        self.boxes = [x for x in self.closed if isinstance(x, Box)]
        self.all_boxed = len(self.boxes) == len(self.closed)
        self.nodes = [leaf_of(box) for box in self.boxes]
        self.ends: Any = (
            None  # the leaves that gradients are added to, if none is an argument and each is one of its own
        )
        inside = len(self.parents) - len(self.nodes)
        if self.targets_at and min(self.targets_at) >= inside:
            ends = [self.nodes[i - inside] for i in self.targets_at]
            self.ends = ends if len({*ends}) == len(ends) and all(node.op is None for node in ends) else None

    def complete(
        self, leaves: Sequence[Any], arrays: list[Any], outputs: list[Any], saved: tuple[Any, ...]
    ) -> list[Any]:
        """Return the parts of the result, from what forward gave, with one node behind what needs a gradient."""
        for i in self.aliased:
            outputs[i] = np.array(outputs[i])[()]
        node: Any = None
        given: list[Any] = []
        if self.effects is not None:
            given = self._take_effect(leaves, arrays, outputs, saved)
        elif self.gradients:
            node = self._node(leaves, arrays, outputs, saved)
            if self.single:
                return [wrap(outputs[0], node)]
        made = [wrap(y) if boxed else y for y, boxed in zip(outputs, self.boxed, strict=True)]
        if node is not None:
            for i, (root, at) in enumerate(zip(self.roots, self.roots_at, strict=True)):
                box = wrap(outputs[at], item_node(node, i, outputs[at]) if len(self.roots) > 1 else node)
                made = [box if v is root else x for v, x in zip(self.values, made, strict=True)]
        elif self.released:
            pairs = zip(self.values, made, outputs, strict=True)
            made = [wrap(y, self._released_node(leaves, y)) if v in self.released else x for v, x, y in pairs]
        if self.single:
            return made
        parts = iter(made)
        return [next(parts) if isinstance(v, Value) else given[v.at] if type(v) is Later else v for v in self.results]

    def _take_effect(self, leaves: Any, arrays: Any, outputs: Any, saved: Any) -> list[Any]:
        """Do what the function does beside computing, and return what that gave."""
        effects: Any = self.effects
        try:
            given = [each() for each in effects.before]
            if effects.root is not None and self.gradients:
                self._go_back(leaves, arrays, outputs, saved)
            return given + [each() for each in effects.after]
        except Exception as error:
            raise Halfway(error) from error

    def _parents(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        return (*[x._node or leaf_of(x) for x in leaves if isinstance(x, Box)], *self.nodes)

    def _node(self, leaves: Sequence[Any], arrays: list[Any], outputs: list[Any], saved: tuple[Any, ...]) -> Node:
        """Return the node that stands for the program in the graph."""
        if self.copied:
            kept = list(saved)
            for i in self.copied:
                kept[i] = kept[i].copy(order="K")  # a product rounds by how its factors lie
            saved = tuple(kept)
        residuals = (*compress(arrays, self.are_boxed), None)
        ys = [outputs[i] for i in self.roots_at]
        several = len(ys) > 1
        shape: Any = [y.shape for y in ys] if several else ys[0].shape
        dtype: Any = [y.dtype for y in ys] if several else ys[0].dtype
        return Node(self.op, self._parents(leaves), residuals, {"saved": saved}, shape, dtype, current().scope)

    def _released_node(self, leaves: Sequence[Any], y: Any) -> Node:
        """Return the node of a result whose graph is released: the function has gone back through it."""
        parents = self._parents(leaves)
        residuals, kwargs = (None,) * (len(parents) + 1), {"saved": GONE}
        node = Node(self.op, parents, residuals, kwargs, y.shape, y.dtype, current().scope)
        node.released = True
        return node

    def _go_back(self, leaves: Sequence[Any], arrays: list[Any], outputs: list[Any], saved: tuple[Any, ...]) -> None:
        """Add the gradients of the root to the leaves: at once, where no hook looks and no graph is behind them."""
        y = outputs[self.roots_at[0]]
        nodes = self.ends
        if nodes is not None and not any(map(_RETAIN, nodes)) and (found := self._found(nodes, saved, y)):
            accumulate_grads(found)
            return
        root: Any = wrap(y, self._node(leaves, arrays, outputs, saved))
        root.backward()

    @np.errstate(all="ignore")  # as in eager backward
    def _found(self, nodes: Sequence[Node], saved: tuple[Any, ...], y: Any) -> dict[Node, Any]:
        """Return the gradients of leaves, held by nothing else; none where the ordinary ops have to give them."""
        one = y.dtype.type(1) if y.ndim == 0 else np.ones(y.shape, y.dtype)
        memory = self.take_memory() if self.gathered else None
        views = memory.views if memory is not None else []
        try:
            found = self.run_backward(one, *saved, *views)
        except Changed:
            return {}
        if memory is not None:
            self.memories.append(memory)
        written = [memory.flat] if memory is not None and len(views) == len(found) else found
        return {} if self.selects and any(map(has_nan, written)) else dict(zip(nodes, found, strict=True))

    def take_memory(self) -> Gathered:
        """Return where the gradients of leaves are written: memory of an earlier call that nobody looks at any more."""
        for _ in range(min(len(self.memories), 2)):
            try:
                found = self.memories.pop(0)  # by one thread only
            except IndexError:
                break
            if found.is_free():
                return found
            if len(self.memories) < 2:
                self.memories.append(found)
        return Gathered(self._forms, self.gathered[0].dtype)

    def replay(self, *inputs: Any, saved: tuple[Any, ...]) -> Any:
        """Compute the roots by the ordinary ops, from Tensors, with what was drawn or read when forward ran."""
        drawn = {out for step in self.trace if step.effect for out in step.outputs}
        pairs = zip(self.saved, saved, strict=True)
        env: dict[Value, Any] = {v: x for v, x in pairs if v in drawn or (v.kind != RESULT and not v.boxed)}
        env.update(zip(self.parents, inputs, strict=True))

        def get(x: Any) -> Any:
            return env[x] if isinstance(x, Value) else x

        def get_plain(x: Any) -> Any:
            return _apart(plain(get(x)))

        for step in self.trace:
            if step.effect:
                continue
            if step.op is not None and step.recorded:
                y = step.op.apply(*replaced(step.inputs, get), **replaced(step.kwargs, get_plain))
            elif step.op is not None:
                with no_grad():
                    y = step.op.apply(*replaced(step.inputs, get), **replaced(step.kwargs, get_plain))
            elif step.function is same:
                y = get(step.inputs[0])
                y = y.detach() if isinstance(y, Tensor) and not step.recorded else y
            else:
                y = step.function(*replaced(step.inputs, get_plain), **replaced(step.kwargs, get_plain))
            env.update(zip(step.outputs, y if isinstance(y, tuple) else (y,), strict=False))
        ys = tuple([env[root] for root in self.roots])
        return ys if len(ys) > 1 else ys[0]


class _Compiled(NodeOp):
    """Stand in the graph for a whole program."""

    reads_nothing = False
    unfolds = True  # pictures show the ordinary ops

    def __init__(self, program: Program) -> None:
        self.program = program
        self.name = self.symbol = f"compiled {program.name}"
        self.inputs = tuple(v.name or f"input {i}" for i, v in enumerate(program.parents))
        self.formula = (None,) * len(self.inputs)
        self.selects = program.selects
        self.definition = program.replay
        at = {v: i for i, v in enumerate(program.gradients)}
        self._pairs = [(i, at[v]) for i, v in enumerate(program.parents) if v in at]
        in_order = self._pairs == [(i, i) for i in range(len(program.parents))]
        self._paired: Any = zip if in_order else lambda parents, found: [(parents[i], found[k]) for i, k in self._pairs]
        small = all(v.shape is not None and math.prod(v.shape) <= SMALL for v in (*program.parents, *program.saved))
        self._rest: Any = None if small else ((None,) * (len(program.parents) + 1), {"saved": GONE})
        self._reads = frozenset(
            i
            for i, parent in enumerate(program.parents)
            if parent in program.saved or any(_share(parent, v) for v in program.saved)
        )

    def reads(self, needs: Sequence[bool]) -> frozenset[int]:
        """Return the inputs whose values backward reads."""
        return self._reads

    def let_go(self, node: Node) -> None:
        """Let go of the arrays of a node, where one is large: it is a whole that no part of is drawn."""
        if self._rest:
            node.residuals, node.kwargs = self._rest

    def vjp(self, node: Any, residuals: Any, g: Any, wanted: Any = None) -> Any:
        """Run the backward that was written out."""
        check(node)
        program = self.program
        parts = g.fill(node) if isinstance(g, Cotangents) else (g,)
        parents = node.parents
        try:
            if program.gathered:
                memory = program.take_memory()
                found = program.run_backward(*parts, *node.kwargs["saved"], *memory.views)
                program.memories.append(memory)
            else:
                found = program.run_backward(*parts, *node.kwargs["saved"])
        except Changed:  # a mask that decided where something is written takes another number of elements
            return definition_vjp(node, residuals, g, wanted)
        if wanted is None:
            return self._paired(parents, found)
        return [(parents[i], found[k]) for i, k in self._pairs if parents[i] in wanted]

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def _cuts_off(steps: Sequence[Step]) -> bool:
    """Tell whether a step selects from what was computed: of an input itself, nothing multiplies its gradient."""
    inputs: set[Value] = set()  # and their other names
    for step in steps:
        given = all(v in inputs or v.kind != RESULT for v in step.values())
        if step.function is same and given:
            inputs.update(step.outputs)
        elif step.op is not None and step.op.selects and not given:
            return True
    return False


def _moved(steps: Sequence[Step]) -> Iterator[Any]:
    """Yield the generators that steps draw from and the arrays that they write into, each once."""
    found: dict[int, Any] = {}
    for step in steps:
        for x in (*step.inputs, *step.kwargs.values()):
            inside = () if callable(x) or isinstance(x, Value) else getattr(x, "__dict__", {}).values()
            held = inside if isinstance(x, np.ndarray) and not step.effect else (x, *inside)  # else it is a constant
            found |= {id(part): part for part in held if isinstance(part, np.random.Generator | np.ndarray)}
    yield from (x for x in found.values() if not isinstance(x, np.ndarray) or x.flags.writeable)


def _apart(x: Any) -> Any:
    """Return an object that holds arrays with copies of them: what is computed a second time moves no statistics."""
    held = {} if callable(x) else getattr(x, "__dict__", {})
    arrays = {name: part.copy() for name, part in held.items() if isinstance(part, np.ndarray)}
    if arrays:
        x = copy.copy(x)
        vars(x).update(arrays)
    return x


def _state(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) else x.bit_generator.state


def _put_back(x: Any, state: Any) -> None:
    if isinstance(x, np.ndarray):
        x[...] = state
    else:
        x.bit_generator.state = state


def _in_order(steps: Sequence[Step]) -> list[Value]:
    return [out for step in steps for out in step.outputs]


def _read(steps: Sequence[Step], outputs: Sequence[Any], saved: Sequence[Value]) -> set[Value]:
    return {v for step in steps for v in step.values()} | set(values_in(list(outputs))) | set(saved)


def _share(a: Value, b: Any) -> bool:
    """Tell whether two values lay in the same memory when the function was traced; a constant lies in its own."""
    if not isinstance(b, Value) or not isinstance(a.array, np.ndarray) or not isinstance(b.array, np.ndarray):
        return False
    return a is b or bool(np.may_share_memory(a.array, b.array))
