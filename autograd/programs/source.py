"""Write a program out as Python: a function for forward and one for backward, as a person would write them."""

import ast
import builtins
import keyword
import linecache
import math
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.compiler import run, select
from autograd.programs.blocks import added, parts
from autograd.programs.simplify import add_at
from autograd.programs.spelling import LETTERS, Spelling, new_axis, written
from autograd.programs.values import NOTHING, Step, Value, is_write, values_in

_WIDTH = 110
_INSIDE = 50  # columns of an expression that is written inside another
_TAKEN = {"np", "select", "saved", "forward", "backward", *keyword.kwlist, *dir(builtins)}


class Changed(Exception):
    """Report that what a plain function gave has another form than in the trace."""


class Source(Spelling):
    """Hold the text of a program, and the names that it uses.

    What the user has named is called so, a gradient after what it is the gradient of. Each function has names of its
    own; what is saved bears one name in both.
    """

    def __init__(self, program: Any, *, alone: bool = False) -> None:
        self.program, self.alone = program, alone  # alone: with NumPy, where nobody gives memory for gradients
        self.space: dict[str, Any] = {"np": np, "select": select}
        self._names: dict[Value, str] = {}
        self._constants: dict[Any, tuple[str, Any]] = {}
        self._used = set(_TAKEN)  # in the function that is written
        self._other: set[str] = set()  # in the one before
        self._last: dict[str, int] = {}  # the number that a label has reached
        self._as: dict[Value, Value] = {}  # what is written into the memory of another value and bears its name
        self._read: dict[Value, int] = {}  # the step that reads a value last
        self._at = 0  # the step that is written
        self._inside: dict[Value, str] = {}  # the labels of what is written inside another line
        self._part = ""  # the block of a loop
        self._line: tuple[str, int] | None = None  # of the user's program
        self.lines: list[str] = []
        self.origins: list[tuple[str, int] | None] = []  # for each line the user's that it was written from
        self._write(self._forward())
        if program.gradients:
            self._write(["", ""])
            self._write(self._backward())
        if program.effects is not None:
            self._write(["", "", "# At each call:", *[f"#     {line}" for line in program.effects.lines()]])
        head = [] if alone else [f"{name} = {text}" for name, x in self._constants.values() if (text := written(x))]
        if head:
            self.lines, self.origins = [*head, "", "", *self.lines], [*[None for _ in [*head, "", ""]], *self.origins]
        self.source = "\n".join(self.lines) + "\n"

    def _begin(self, steps: Sequence[Step], given: Sequence[Value], kept: Iterable[Value]) -> None:
        """Let values have the names that the user gave them, before others take these."""
        every = [each for step in steps for each in (step, *step.inner)]
        results = {out for step in steps if step.inner for out in step.outputs}  # of loops: one part of them at a time
        self._read = {v: i for i, step in enumerate(steps) for each in (step, *step.inner) for v in each.values()}
        self._read |= dict.fromkeys(kept, len(steps))
        self._at = 0
        for step in every:
            if step.out is not None and (self.changes(step) or is_write(step)) and step.outputs[0] not in results:
                first, y = self._as.get(step.out, step.out), step.outputs[0]
                if (first.letter is None) is not (y.letter is None):  # what another op gave means something else
                    continue
                if not first.name and first.of is None and not first.letter:
                    first.name, first.of, first.letter = y.name, y.of, y.letter
                if (first.name, first.of, first.letter) == (y.name, y.of, y.letter):
                    self._as[y] = first
        inline = {step.outputs[0] for step in steps if self._is_inline(step)}
        for value in [*given, *[out for step in every for out in step.outputs]]:
            if value.name and value not in inline:
                self.name(value)

    def _write(self, lines: Iterable[str]) -> None:
        for line in lines:
            for text in _wrapped(line):
                self.lines.append(text)
                self.origins.append(self._line if text.startswith("    ") else None)

    @property
    def names(self) -> set[str]:
        """Return every name that is taken."""
        return self._used | self._other

    def constants(self) -> list[tuple[str, Any]]:
        """List the objects that the functions use, by name."""
        used = [("select", select)] if any("select(" in line for line in self.lines) else []
        return [*used, *self._constants.values()]

    def functions(self) -> tuple[Any, Any]:
        """Return forward and backward."""
        run(self.source, f"program {self.program.name}", self.program, self.space)
        return self.space["forward"], self.space.get("backward")

    # -------------------------------------------------------------------------------------------------------- lines

    def _forward(self) -> Iterator[str]:
        program = self.program
        self._begin(program.forward, program.used, [*program.saved, *values_in(program.outputs)])
        inputs = [self.name(v) for v in program.used]
        yield f"def forward({', '.join(inputs)}):"
        yield from self._body(program.forward)
        outputs = ", ".join([self.expression(v) for v in program.outputs])
        saved = ", ".join([self.name(v) for v in program.saved])
        self._line = None
        saved = f"({saved}{',' if len(program.saved) == 1 else ''})"
        line = f"    return [{outputs}], {saved}"
        if len(line) > _WIDTH:
            yield f"    saved = {saved}"
            line = f"    return [{outputs}], saved"
        yield line

    def _backward(self) -> Iterator[str]:
        program = self.program
        self._other, self._used = self._used, _TAKEN | {name for name, _ in self._constants.values()}
        self._used |= {self._names[v] for v in program.saved}
        self._last, self._part = {}, ""
        self._begin(program.backward, (), values_in(list(program.gradients.values())))
        given = [self.name(v) for v in program.cotangents]
        places = [] if self.alone else program.gathered
        names = [*given, *map(self.name, [*program.saved, *places])]
        yield f"def backward({', '.join(names)}):"
        for v in program.gathered if self.alone else ():
            order = "" if v.array.flags.c_contiguous else ", order='F'"
            yield f"    {self.name(v)} = np.empty({v.shape}, np.{v.dtype.name}{order})"
        yield from self._body(program.backward)
        self._line = None
        yield f"    return [{', '.join([self.expression(g) for g in program.gradients.values()])}]"

    def _body(self, steps: list[Step]) -> Iterator[str]:
        path, within = "", list[Value]()
        self._line = None
        for self._at, step in enumerate(steps):
            if self.alone and self._is_check(step):
                continue
            if self._is_inline(step):
                self._names[step.outputs[0]] = self.call(step)
                continue
            if step.inside and len(text := self.call(step)) <= _INSIDE:
                self._names[step.outputs[0]], self._inside[step.outputs[0]] = f"({text})", self._label(step)
                within.append(step.outputs[0])
                continue
            here = step.scope.path if step.scope is not None else "" if step.line is not None else path
            if step.line != self._line and step.line is not None:
                self._line, path = step.line, ""
                if text := linecache.getline(*step.line).strip():
                    yield f"    # {text if len(text) <= _WIDTH else text[: _WIDTH - 1] + '…'}"
            if here != path:
                path = here
                if here:
                    yield f"    # {here}" + (f": {step.scope.kind}" if step.scope.kind != here else "")
            if step.inner:
                yield from self._loop(step)
                continue
            for text in self.statements(step):
                yield f"    {_tidied(text, step, {self._names[v]: v for v in within}) if within else text}"
            within = []
            check = self.checks(step)
            if check:
                yield f"    if {check}:"
                yield f"        raise {self.constant(Changed, 'Changed')}"

    @staticmethod
    def _is_check(step: Step) -> bool:
        """Tell whether a step only refuses what comes in: it writes nowhere and gives nothing."""
        writes = step.function in (np.copyto, add_at)
        return step.effect and not writes and all(v.shape is None for v in step.outputs)

    def _loop(self, loop: Step) -> Iterator[str]:
        """Write a run that goes over arrays block by block."""
        large = [v for v in loop.inputs if v.shape]
        size = math.prod(next(step.outputs[0] for step in loop.inner if step.outputs[0].shape).shape)
        sums = [step for step in loop.inner if step.outputs[0].shape == ()]
        results = [v for v in loop.outputs if v.shape]
        read = {v for step in loop.inner for v in step.values()}
        outer = {v: self.name(v) for v in (*large, *results)}
        flat = {v: self._free(f"{name}_flat") for v, name in outer.items()}
        order = ", order='F'" if loop.kwargs["order"] == "F" else ""
        for v in results:
            yield f"    {outer[v]} = np.empty({v.shape}, np.{v.dtype.name}{order})"
        yield f"    {', '.join(flat.values())} = {', '.join([f'{outer[v]}.reshape(-1{order})' for v in flat])}"
        for step in sums:
            yield f"    {self.name(step.outputs[0])} = []"
        part = self._part = self._part or self._free("part")  # one name for all loops, which nothing else has
        yield f"    for {part} in {self.constant(parts, 'parts')}({size}):"
        for v, name in outer.items():
            del self._names[v]
            if v in large:
                self._names[v] = self._free(f"{name}_part")
                yield f"        {self._names[v]} = {flat[v]}[{part}]"
        for step in loop.inner:
            y = step.outputs[0]
            if step in sums:
                yield f"        {self.name(y)}.append(np.add.reduce({self.expression(step.inputs[0])}))"
            elif y in results and isinstance(step.function, np.ufunc):
                inputs = ", ".join([*map(self.expression, step.inputs), f"out={flat.pop(y)}[{part}]"])
                self._names[y] = self._free(f"{outer[y]}_part") if y in read else ""
                yield f"        {f'{self._names[y]} = ' if y in read else ''}{self.function(step)}({inputs})"
            else:
                for text in self.statements(step):
                    yield f"        {text}"
        for v in results:
            if v in flat:
                yield f"        {flat[v]}[{part}] = {self._names[v]}"
        for step in sums:
            total = self.name(step.outputs[0])
            yield f"    {total} = {self.constant(added, 'added')}(iter({total}), {size})"
        self._names.update(outer)

    def checks(self, step: Step) -> str:
        """Write what must be as it was in the trace: what a plain function gives may change its form with the data."""
        if not step.dynamic:
            return ""
        tests = [
            f"{self.name(out)} is not None"
            if out.shape is None
            else f"{self.name(out)} is None or {self.name(out)}.shape != {out.shape}"
            for out in step.outputs
            if out.shape is None or out.shape
        ]
        if step.packed and len(step.outputs) and all(out.shape == () for out in step.outputs):
            return ""
        return " or ".join(tests)

    def statements(self, step: Step) -> list[str]:
        """Write one step: one line, where it puts a part into an array two."""
        if step.out is not None and is_write(step):
            written, memory = step.outputs[0], self.name(step.out)
            renamed = self._wish(written) != self._wish(step.out)
            self._names.setdefault(written, self._result(step, 0) if renamed else memory)
            return self.put_in(step, self._names[written])
        if step.out is not None:
            return [self._into(step)]
        y = step.outputs[0] if step.outputs else None
        if y is None or (not step.packed and y.shape is None and not step.dynamic):
            return self.put_in(step, "") or [self.call(step)]
        value = self.call(step)  # what it reads has its name before what it gives
        names = ["_" if out.kind == NOTHING else self._result(step, i) for i, out in enumerate(step.outputs)]
        if lines := self.put_in(step, names[0]):
            return lines
        if step.op is not None and step.op.cache and step.nested:
            inner = len(names) - len(step.op.cache)
            names = [f"({', '.join(names[:inner])})", *names[inner:]]
        given = f"{value}[()]" if step.number else value
        return [f"{', '.join(names)}{',' if step.packed and len(names) == 1 else ''} = {given}"]

    def _into(self, step: Step) -> str:
        """Write a step whose result goes into memory that there is; with another meaning it gets another name."""
        out: Any = step.out
        y, memory = step.outputs[0], self.name(out)
        if y not in self._names:
            shared = y not in self._read or step.turned or self._as.get(y, y) is not y
            wish, other = self._wish(y), self._wish(out)
            shared = shared or (wish == other and (bool(wish) or self.changes(step)))
            self._names[y] = memory if shared else self._result(step, 0)
        if self._names[y] == memory and self.changes(step):
            return self.changed(step, memory)
        inputs = ", ".join([*map(self.expression, step.inputs), f"out={memory}{'.T' if step.turned else ''}"])
        call = f"{self.function(step)}({inputs})"
        return call if self._names[y] == memory else f"{self._names[y]} = {call}"

    def _result(self, step: Step, i: int) -> str:
        """Name what a step gives: in place of what it reads for the last time, if that bears the same name."""
        out, op = step.outputs[i], step.op
        wish = self._wish(out)
        if out not in self._names and wish:
            for x in step.values():
                same = self._wish(x) == wish and x.shape == out.shape and self._names.get(x, ".").isidentifier()
                if same and self._read.get(x) == self._at and not x.name:
                    self._names[out] = self._names[x]
        cached = i - len(step.outputs) + len(op.cache) if op is not None and op.forward is step.function else -1
        return self.name(out, op.cache[cached] if op is not None and cached >= 0 else self._label(step))

    def _label(self, step: Step) -> str:
        """Return what a step does; a product of matrices is called so with what is added to it on its line as well."""
        inside = [self._inside.get(x, "") for x in step.values()] if step.function is np.add else []
        return next((label for label in inside if LETTERS.get(label) == "z"), step.label)

    def _wish(self, value: Value) -> str:
        """Return how a value is to be called: as the user does, after what it is the gradient of, as its op does."""
        of = value.of
        after = f"d{self._names[of]}" if of is not None and self._names.get(of, ".").isidentifier() else ""
        return value.name or after or value.letter or ""

    def constant(self, x: Any, label: str) -> str:
        """Name an object that the functions use; of small arrays those that are equal once."""
        small = isinstance(x, np.ndarray | np.generic) and x.nbytes <= 1024 and not x.dtype.hasobject
        plain = small and (isinstance(x, np.generic) or not x.flags.writeable)
        key = (type(x), x.dtype, x.shape, x.strides, x.tobytes()) if plain else id(x)
        known = self._constants.get(key)
        if known is None:
            label = self.program.labels.get(id(x), label)
            known = self._constants[key] = self._free(label, self._other), x
            self.space[known[0]] = x
        return known[0]

    def name(self, value: Value, label: str = "") -> str:
        """Name a value."""
        if value not in self._names:
            first = self._as.get(value, value)
            if label not in LETTERS and label in self.space:  # not the name of the function that gives it
                label = "h" if value.shape else "loss"
            own = self._wish(value) or LETTERS.get(label, label) or value.kind
            self._names[value] = self.name(first, label) if first is not value else self._free(own)
        return self._names[value]

    def _is_inline(self, step: Step) -> bool:
        """Tell whether a transpose, or a column of a vector, is written where it is read: it costs next to nothing."""
        out, x = step.outputs[0] if step.outputs else None, step.inputs[0] if step.inputs else None
        if out is None or not isinstance(x, Value) or len(out.shape or ()) != 2:
            return False
        turns = step.function is np.transpose or (step.op is not None and step.op.name == "transpose")
        turns = turns and step.kwargs.get("axes") in (None, (1, 0))
        if not turns and (step.function is not np.expand_dims or len(x.shape) != 1 or not new_axis(step)):
            return False
        kept = (*self.program.saved, *self.program.outputs, *self.program.gradients.values())
        return not any(out is v for v in kept)

    def _free(self, label: str, others: Iterable[str] = ()) -> str:
        label = re.sub(r"\W", "_", label).strip("_") or "v"
        label = f"v_{label}" if label[0].isdigit() else label
        name, n = label, self._last.get(label, 1)
        while name in self._used or name in others:
            n += 1
            name = f"{label}_{n}"
        self._last[label] = n
        self._used.add(name)
        return name


def _tidied(text: str, step: Step, within: dict[str, Value]) -> str:
    """Write a line with the brackets that it needs, and ``y[i] = y[i] - x`` as ``y[i] -= x``."""
    line: Any = ast.parse(text).body[0]
    if isinstance(line, ast.Assign) and is_write(step) and isinstance(line.value, ast.BinOp):
        (target,), value, new = line.targets, line.value, step.inputs[1]
        old = within.get(f"({ast.unparse(value.left)})") if ast.unparse(value.left) == ast.unparse(target) else None
        alike = old is not None and old.shape == new.shape and old.dtype == new.dtype == step.outputs[0].dtype
        plain = isinstance(value.op, ast.Add | ast.Sub | ast.Mult | ast.Div)
        if alike and plain and isinstance(target, ast.Subscript):
            line = ast.AugAssign(target, value.op, value.right)
    return ast.unparse(line)


def _wrapped(line: str) -> list[str]:
    """Break a long line inside the last bracket that it opens and closes; at none that stands in a text."""
    end = len(line.rstrip(":"))
    if (
        len(line) <= _WIDTH
        or line[end - 1] not in ")]"
        or line.lstrip().startswith("#")
        or re.search(r"'[^']*[ ()\[\]][^']*'", line)
    ):
        return [line]
    depth = 0
    for at in range(end - 1, 0, -1):
        depth += (line[at] in ")]") - (line[at] in "([")
        if not depth:
            break
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    inside = line[at + 1 : end - 1].rstrip(",") + ","
    parts = textwrap.wrap(inside, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
    return [line[: at + 1], *parts, indent[4:] + line[end - 1 :]]
