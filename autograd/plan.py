"""How a chain of ops is applied and walked back: two functions written out for its steps, as ``dataclasses`` does.

In a small net most of the time is Python's. A loop that asks each step what it needs takes as long as the steps.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np

from autograd.box import SMALL
from autograd.errors import MissingRule
from autograd.pull import as_many, fit
from autograd.rules import Kept, Op, Rule


class Ghost(NamedTuple):
    """Stand for an input whose array is gone."""

    shape: tuple[int, ...]
    dtype: Any


class Plan:
    """Know what a chain of ops keeps, and how to apply it and to go back, given which inputs need a gradient.

    ``ops`` come with whether they are called with keywords. ``needs`` speaks of the chain's input, then of the other
    inputs of all steps; the first step has one that does.

    ``forward(x, *others, keywords)`` gives the output and all values from x to it, or None where one is no array of x's
    dtype. A value that no rule reads is let go at once: its shape stands in its place. ``backward(g, run, values,
    others, leaves, keywords, release)`` gives the shares of the leaves, and that of x, or None where another thread has
    begun to let go of what ``run`` holds; small gradients on the way go to ``run.cots``. ``backward`` is None where an
    op has no rule, but a definition: that takes a node.
    """

    def __init__(self, ops: tuple[tuple[Op, bool], ...], needs: tuple[bool, ...]) -> None:
        self.ops = [op for op, _ in ops]
        self.named = [named for _, named in ops]
        ends = list(accumulate((len(op.inputs) - 1 for op in self.ops), initial=0))
        self.others = [slice(a, b) for a, b in pairwise(ends)]
        self.needs = [(i > 0 or needs[0], *needs[1 + at.start : 1 + at.stop]) for i, at in enumerate(self.others)]
        self.kept: list[Kept] = [op.kept_for(which) for op, which in zip(self.ops, self.needs, strict=True)]
        outputs = [False, *[kept.output for kept in self.kept]]
        inputs = [*[0 in kept.inputs for kept in self.kept], False]
        self.reads = [a or b for a, b in zip(outputs, inputs, strict=True)]
        # The other inputs that no rule reads: what is large of them need not stay.
        self.unread = [
            at.start + k - 1
            for at, kept, which in zip(self.others, self.kept, self.needs, strict=True)
            for k in range(1, len(which))
            if k not in kept.inputs
        ]
        self.forward = self._compile("forward", self._forward())
        try:
            self.backward = self._compile("backward", self._backward())
        except MissingRule:
            self.backward = None

    def _compile(self, name: str, lines: Iterator[str]) -> Any:
        known: dict[str, Any] = {"ndarray": np.ndarray, "SMALL": SMALL, "Ghost": Ghost, "fit": fit, "as_many": as_many}
        for i, op in enumerate(self.ops):
            known |= {f"op{i}": op, f"forward{i}": op.forward, f"needs{i}": self.needs[i]}
            known |= {f"rule{i}_{k}": rule.function for k, rule in op.rules.items()}
            known[f"joint{i}"] = op.joint and op.joint.function
        exec(compile("\n".join(lines), f"<chain of {len(self.ops)} ops>", "exec"), known)  # noqa: S102
        return known[name]

    def _forward(self) -> Iterator[str]:
        count = len(self.ops)
        yield f"def forward({', '.join(['y0', *self._names('t'), 'keywords'])}):"
        yield "    dtype = y0.dtype"
        for i, at in enumerate(self.others):
            inputs = [f"y{i}", *self._names("t", at), *([f"**keywords[{i}]"] if self.named[i] else [])]
            yield f"    y{i + 1} = forward{i}({', '.join(inputs)})"
            yield f"    if y{i + 1}.__class__ is not ndarray or y{i + 1} is y{i} or y{i + 1}.dtype is not dtype:"
            yield "        return None"
            if not self.reads[i]:
                yield f"    if y{i}.size > SMALL: y{i} = y{i}.shape"
        yield f"    y = y{count}"
        if not self.reads[-1]:
            yield f"    if y.size > SMALL: y{count} = y.shape"
        yield f"    return y, [{', '.join(f'y{i}' for i in range(count + 1))}]"

    def _backward(self) -> Iterator[str]:
        yield "def backward(g, run, values, others, leaves, keywords, release):"
        for name, several in (("y", "values"), ("t", "others"), ("l", "leaves")):
            names = self._names(name) if name != "y" else [f"y{i}" for i in range(len(self.reads))]
            if names:
                yield f"    {', '.join(names)}, = {several}"
        yield "    if run.released and not release: return None"  # another thread lets go of what was just read
        yield "    small, dtype = run.cots, run.dtype"
        for i in reversed(range(len(self.ops))):
            yield f"    at = {i}"
            yield from self._step_back(i)
        pairs = [
            f"(l{at.start + k}, d{at.start + k})"
            for at, needs in zip(self.others[::-1], self.needs[::-1], strict=True)
            for k, needed in enumerate(needs[1:])
            if needed
        ]
        yield f"    return [{', '.join(pairs)}], g"

    def _step_back(self, i: int) -> Iterator[str]:
        """Run the rules of step ``i``, let go of its output, see that each share has its input's shape and dtype."""
        op, at, needs = self.ops[i], self.others[i], self.needs[i]
        targets = [f"d{at.start + k - 1}" if k else "g" for k in range(len(needs))]
        wanted = [k for k in range(len(needs)) if needs[k]]
        if op.joint is not None:
            yield f"    s = joint{i}({', '.join(['g', *self._arguments(i, op.joint)])})"
            yield f"    if s.__class__ is not tuple or len(s) != {len(needs)}: as_many(op{i}, s, {len(needs)})"
            yield f"    {', '.join(t if k in wanted else '_' for k, t in enumerate(targets))}, = s"
            yield "    s = None"
        else:
            for k in reversed(wanted):  # the first changes g
                if k not in op.rules:
                    raise MissingRule(op.name)
                yield f"    {targets[k]} = rule{i}_{k}({', '.join(['g', *self._arguments(i, op.rules[k])])})"
        yield "    if release:"
        yield f"        if y{i + 1}.__class__ is ndarray and y{i + 1}.size > SMALL: values[{i + 1}] = y{i + 1}.shape"
        yield f"        y{i + 1} = None"
        for k in wanted:
            share, shape, dtype = targets[k], self._shape(i), "dtype"
            like = f"Ghost({shape}, dtype)"
            if k:
                like = f"l{at.start + k - 1}"
                shape, dtype = f"{like}.shape", f"{like}.dtype"
            misfit = f"{share}.__class__ is not ndarray or {share}.dtype is not {dtype} or {share}.shape != {shape}"
            yield f"    if {misfit}: {share} = fit({share}, {like}, op{i}, {k})"
        if i:
            yield f"    if g.size <= SMALL: small[{i}] = g"

    def _names(self, letter: str, at: slice = slice(None)) -> list[str]:
        return [f"{letter}{j}" for j in range(self.others[-1].stop)[at]]

    def _shape(self, i: int) -> str:
        """Write the shape of value ``i``: perhaps nothing else is there."""
        return f"y{i}.shape" if self.reads[i] else f"(y{i} if y{i}.__class__ is tuple else y{i}.shape)"

    def _arguments(self, i: int, rule: Rule) -> Iterator[str]:
        """Write what a rule of step ``i`` asks for, after g."""
        op = self.ops[i]
        for name in rule.names:
            if name in op.inputs:
                k = op.inputs.index(name)
                yield f"t{self.others[i].start + k - 1}" if k else f"y{i}"
            elif name in op.keywords:
                yield f"keywords[{i}][{name!r}]"
            elif name == "y":
                yield f"y{i + 1}"
            elif name == "shapes":
                yield f"({self._shape(i)}, {' '.join(f'{leaf}.shape,' for leaf in self._names('l', self.others[i]))})"
            else:
                yield f"needs{i}"


plan_for: Callable[[tuple[tuple[Op, bool], ...], tuple[bool, ...]], Plan] = lru_cache(maxsize=512)(Plan)
