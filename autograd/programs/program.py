"""A program: what a trace became, written out as Python, and how it runs in place of the function.

``forward`` takes the arrays of the inputs and gives outputs and what backward reads; ``backward`` takes cotangents and
those, and gives the gradients. The result of a call is a Tensor with one node; looked at closer (a higher derivative,
a nan behind a mask) it is the ordinary ops again: see :meth:`Program.replay`.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from autograd.box import Box, leaf_of, wrap
from autograd.differentiate import has_nan
from autograd.graph import Node, versions
from autograd.modes import current, no_grad
from autograd.programs.passes import PASSES
from autograd.programs.source import Source
from autograd.programs.tracing import same
from autograd.programs.values import ARRAY, INPUT, RESULT, Step, Value, replaced, values_in
from autograd.tensor import Tensor
from autograd.vjp import Cotangents, check, item_node

Array = np.ndarray[Any, Any]


class Doubtful(Exception):
    """The function itself must run: what the program gave may be wrong."""


class Program:
    """Hold the steps of a function and of its gradient.

    ``inputs`` are the values that come in: arguments, then Tensors and arrays that the function closes over.
    ``gradients`` has an entry for each of them, None for those that need none.
    """

    def __init__(
        self,
        name: str,
        inputs: list[Value],
        trace: list[Step],
        adjoint: list[Step],
        results: list[Any],
        rebuild: Callable[[list[Any]], Any],
        cotangents: dict[Value, Value],
        gradients: dict[Value, Any],
        off: Collection[str] = (),
    ) -> None:
        self.name, self.inputs, self.results, self.rebuild = name, inputs, results, rebuild
        self.trace, self.cotangents, self.gradients = trace, list(cotangents.values()), gradients
        self.roots = list(cotangents)
        self.forward, self.backward = [step.copy() for step in trace], [step.copy() for step in adjoint]
        self.outputs = [v for v in results if isinstance(v, Value)]
        for each in PASSES:
            if each.__name__ not in off:
                each(self)
        self._plan()
        self.op = _Compiled(self)
        self.text = Source(self)
        self.run_forward, self.run_backward = self.text.functions()

    def _plan(self) -> None:
        """Decide what is kept for backward, and what must be copied because its memory is somebody else's."""
        own = {*_in_order(self.backward), *self.cotangents}
        read = {v for step in self.backward for v in step.values()} | set(values_in(list(self.gradients.values())))
        drawn = {out for step in self.forward if step.effect for out in step.outputs if out.shape is not None}
        self.saved: list[Value] = []
        if self.gradients:
            every = [*self.inputs, *_in_order(self.forward)]
            self.saved = [
                v for v in every if v in read - own or v in drawn or (v.kind in (INPUT, ARRAY) and not v.boxed)
            ]
        self.used = [v for v in self.inputs if v.kind == INPUT or v in _read(self.forward, self.outputs, self.saved)]
        self.parents = [v for v in self.used if v.boxed]
        raw = [v for v in self.used if not v.boxed]
        self.copied = [i for i, v in enumerate(self.saved) if any(_share(v, other) for other in raw)]
        self.aliased = [
            i
            for i, v in enumerate(self.outputs)
            if any(_share(v, other) for other in (*self.used, *self.outputs[:i], *self.saved))
        ]
        self.values = [v for v in self.results if isinstance(v, Value)]
        self.boxed = [v.boxed for v in self.values]
        self.single = len(self.results) == 1 and self.results[0] in self.values and self.rebuild([self]) is self
        self.closed = [v.source for v in self.used if v.kind != INPUT]
        self.places = [i for i, v in enumerate(self.used) if v.boxed]
        self.roots_at = [self.values.index(root) for root in self.roots]
        self.effects = any(step.effect for step in self.forward)
        self.selects = any(step.op is not None and step.op.selects is not None for step in self.trace) or None
        inner = any(out.of is not None for step in self.trace for out in step.outputs)
        self.differentiates = inner and self.selects and not self.effects  # what draws or counts cannot run again

    @property
    def source(self) -> str:
        """Return the program as Python: forward and backward."""
        return self.text.source

    @property
    def steps(self) -> list[Step]:
        """List the steps of forward and backward."""
        return [*self.forward, *self.backward]

    # ------------------------------------------------------------------------------------------------------- running

    def __call__(self, leaves: Sequence[Any]) -> Any:
        """Run on the arguments that are Tensors or arrays, in order."""
        sources = [*leaves, *self.closed]
        outputs, saved = self.run_forward(*[x._array if isinstance(x, Box) else x for x in sources])
        if self.is_doubtful(outputs):
            raise Doubtful
        return self.finish(sources, outputs, saved)

    def is_doubtful(self, outputs: Sequence[Any]) -> bool:
        """Tell whether a gradient behind a mask was computed and a nan came out: eager backward may know it to be 0."""
        return bool(self.differentiates) and any(map(has_nan, outputs))

    def finish(self, sources: Sequence[Any], outputs: list[Any], saved: tuple[Any, ...]) -> Any:
        """Wrap what forward gave, with one node behind what needs a gradient."""
        for i in self.aliased:
            outputs[i] = np.array(outputs[i])[()]
        made = [wrap(y) if boxed else y for y, boxed in zip(outputs, self.boxed, strict=True)]
        if self.gradients:
            if self.copied:
                kept = list(saved)
                for i in self.copied:
                    kept[i] = kept[i].copy()
                saved = tuple(kept)
            boxes = [sources[i] for i in self.places]
            parents = tuple([leaf_of(box) if box._node is None else box._node for box in boxes])
            residuals = (*[box._array for box in boxes], None)
            several = len(self.roots_at) > 1
            ys = [outputs[i] for i in self.roots_at]
            shape: Any = [y.shape for y in ys] if several else ys[0].shape
            dtype: Any = [y.dtype for y in ys] if several else ys[0].dtype
            node = Node(self.op, parents, residuals, {"saved": saved}, shape, dtype, current().scope)
            for i, (root, at) in enumerate(zip(self.roots, self.roots_at, strict=True)):
                box = wrap(outputs[at], item_node(node, i, outputs[at]) if several else node)
                made = [box if v is root else x for v, x in zip(self.values, made, strict=True)]
        if self.single:
            return made[0]
        given = iter(made)
        return self.rebuild([next(given) if isinstance(v, Value) else v for v in self.results])

    def replay(self, *inputs: Any, saved: tuple[Any, ...]) -> Any:
        """Compute the roots by the ordinary ops, from Tensors, with what was drawn or read when forward ran."""
        drawn = {out for step in self.trace if step.effect for out in step.outputs}
        pairs = zip(self.saved, saved, strict=True)
        env: dict[Value, Any] = {v: x for v, x in pairs if v in drawn or (v.kind != RESULT and not v.boxed)}
        env.update(zip(self.parents, inputs, strict=True))

        def get(x: Any) -> Any:
            return env[x] if isinstance(x, Value) else x

        def plain(x: Any) -> Any:
            x = get(x)
            return x._array if isinstance(x, Box) else x

        for step in self.trace:
            if step.effect:
                continue
            if step.op is not None and step.recorded:
                y = step.op.apply(*replaced(step.inputs, get), **replaced(step.kwargs, plain))
            elif step.op is not None:
                with no_grad():
                    y = step.op.apply(*replaced(step.inputs, get), **replaced(step.kwargs, plain))
            elif step.function is same:
                y = get(step.inputs[0])
                y = y.detach() if isinstance(y, Tensor) and not step.recorded else y
            else:
                y = step.function(*replaced(step.inputs, plain), **replaced(step.kwargs, plain))
            env.update(zip(step.outputs, y if isinstance(y, tuple) else (y,), strict=False))
        ys = tuple([env[root] for root in self.roots])
        return ys if len(ys) > 1 else ys[0]


class _Compiled:
    """Stand in the graph for a whole program, as an op does."""

    elementwise, joint, cache, linear, variadic = False, None, (), False, False
    rules: dict[int, Any] = {}  # noqa: RUF012
    keywords: dict[str, Any] = {}  # noqa: RUF012
    reads_output = False

    def __init__(self, program: Program) -> None:
        self.program = program
        self.name = self.symbol = f"compiled {program.name}"
        self.inputs = tuple(v.name or f"input {i}" for i, v in enumerate(program.parents))
        self.formula = (None,) * len(self.inputs)
        self.selects = program.selects
        self.definition = program.replay
        at = {v: i for i, v in enumerate(program.gradients)}
        self._pairs = [(i, at[v]) for i, v in enumerate(program.parents) if v in at]
        self._reads = frozenset(
            i
            for i, parent in enumerate(program.parents)
            if parent in program.saved or any(_share(parent, v) for v in program.saved)
        )

    def reads(self, needs: Sequence[bool]) -> frozenset[int]:
        """Return the inputs whose values backward reads."""
        return self._reads

    def closed_over(self, node: Node) -> int:
        """Return 0: every input is one of the definition's."""
        return 0

    def argument(self, i: int) -> str:
        """Name an input for a message."""
        return self.inputs[i]

    def vjp(self, node: Any, residuals: Any, g: Any, wanted: Any = None) -> Any:
        """Run the backward that was written out."""
        if node.released or versions.latest < node.order:
            check(node)
        program = self.program
        parts = g.fill(node) if isinstance(g, Cotangents) else (g,)
        found = program.run_backward(*parts, *node.kwargs["saved"])
        parents = node.parents
        return [
            (parents[i], found[k])
            for i, k in self._pairs
            if parents[i].needs and (wanted is None or parents[i] in wanted)
        ]

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def _in_order(steps: Sequence[Step]) -> list[Value]:
    return [out for step in steps for out in step.outputs]


def _read(steps: Sequence[Step], outputs: Sequence[Any], saved: Sequence[Value]) -> set[Value]:
    return {v for step in steps for v in step.values()} | set(values_in(list(outputs))) | set(saved)


def _share(a: Value, b: Value) -> bool:
    """Tell whether two values lay in the same memory when the function was traced."""
    if not isinstance(a.array, np.ndarray) or not isinstance(b.array, np.ndarray):
        return False
    return a is b or bool(np.may_share_memory(a.array, b.array))
