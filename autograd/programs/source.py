"""Write a program out as Python: a function for forward and one for backward, as a person would write them."""

import keyword
import linecache
import math
import operator
import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from autograd.compiler import select
from autograd.programs.blocks import added, order_of, parts
from autograd.programs.simplify import add_at
from autograd.programs.values import NOTHING, Step, Value
from autograd.rules import parameters_of

_OPERATORS: dict[Any, str] = {
    operator.gt: ">", operator.lt: "<", operator.ge: ">=", operator.le: "<=", operator.eq: "==", operator.ne: "!=",
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.matmul: "@", np.greater: ">", np.less: "<",
    np.greater_equal: ">=", np.less_equal: "<=", np.equal: "==", np.not_equal: "!=", operator.and_: "&",
    operator.or_: "|", operator.xor: "^",
}  # fmt: skip
_WIDTH = 110
_TAKEN = {"np", "select", "saved", "forward", "backward", *keyword.kwlist}


class Changed(Exception):
    """Report that what a plain function gave has another form than in the trace."""


class Source:
    """Hold the text of a program, and the names that it uses."""

    def __init__(self, program: Any, *, alone: bool = False) -> None:
        self.program, self.alone = program, alone  # alone: with NumPy, where nobody gives memory for gradients
        self.space: dict[str, Any] = {"np": np, "select": select}
        self._names: dict[Value, str] = {}
        self._constants: dict[int, tuple[str, Any]] = {}
        self._used = set(_TAKEN)
        self._last: dict[str, int] = {}  # the number that a label has reached
        self._part = ""  # the block of a loop
        self._line: tuple[str, int] | None = None  # of the user's program
        self.lines: list[str] = []
        self.origins: list[tuple[str, int] | None] = []  # for each line the user's that it was written from
        self._reserve()
        self._write(self._forward())
        if program.gradients:
            self._write(["", ""])
            self._write(self._backward())
        head = [] if alone else [f"{name} = {text}" for name, x in self._constants.values() if (text := _written(x))]
        if head:
            self.lines, self.origins = [*head, "", "", *self.lines], [*[None for _ in [*head, "", ""]], *self.origins]
        self.source = "\n".join(self.lines) + "\n"

    def _reserve(self) -> None:
        """Let values have the names that the user gave them, before others take these."""
        made = [out for step in self.program.steps if step.out is None for out in step.outputs]
        inline = {step.outputs[0] for step in self.program.steps if self._is_inline(step)}
        for value in [*self.program.used, *made]:
            if value.name and value not in inline:
                self.name(value)

    def _write(self, lines: Iterable[str]) -> None:
        for text in lines:
            self.lines.append(text)
            self.origins.append(self._line if text.startswith("    ") else None)

    @property
    def names(self) -> set[str]:
        """Return every name that is taken."""
        return self._used

    def constants(self) -> list[tuple[str, Any]]:
        """List the objects that the functions use, by name."""
        used = [("select", select)] if any("select(" in line for line in self.lines) else []
        return [*used, *self._constants.values()]

    def functions(self) -> tuple[Any, Any]:
        """Return forward and backward; ``linecache`` holds their lines for tracebacks and debuggers."""
        file = f"<autograd program {self.program.name} {id(self.program):x}>"
        linecache.cache[file] = (len(self.source), None, self.source.splitlines(keepends=True), file)
        exec(compile(self.source, file, "exec"), self.space)  # noqa: S102
        return self.space["forward"], self.space.get("backward")

    # -------------------------------------------------------------------------------------------------------- lines

    def _forward(self) -> Iterator[str]:
        program = self.program
        inputs = [self.name(v) for v in program.used]
        yield from self._signature("forward", inputs)
        yield from self._body(program.forward)
        outputs = ", ".join([self.expression(v) for v in program.outputs])
        saved = ", ".join([self.name(v) for v in program.saved])
        self._line = None
        yield f"    return [{outputs}], ({saved}{',' if len(program.saved) == 1 else ''})"

    def _backward(self) -> Iterator[str]:
        program = self.program
        given = [self.name(v, f"d{self.name(root)}") for v, root in zip(program.cotangents, program.roots, strict=True)]
        places = [] if self.alone else program.gathered
        yield from self._signature("backward", [*given, *map(self.name, [*program.saved, *places])])
        for v in program.gathered if self.alone else ():
            order = "" if v.array.flags.c_contiguous else ", order='F'"
            yield f"    {self.name(v)} = np.empty({v.shape}, np.{v.dtype.name}{order})"
        yield from self._body(program.backward)
        self._line = None
        yield f"    return [{', '.join([self.expression(g) for g in program.gradients.values()])}]"

    @staticmethod
    def _signature(name: str, arguments: list[str]) -> Iterator[str]:
        """Write the head of a function, on several lines where it is long."""
        line = f"def {name}({', '.join(arguments)}):"
        if len(line) <= _WIDTH:
            yield line
            return
        yield f"def {name}("
        yield from textwrap.wrap(", ".join(arguments) + ",", _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4)
        yield "):"

    def _body(self, steps: list[Step]) -> Iterator[str]:
        path = ""
        self._line = None
        for step in steps:
            if (
                self.alone
                and step.effect
                and step.function is not np.copyto
                and all(v.shape is None for v in step.outputs)
            ):
                continue  # a check of what comes in
            if self._is_inline(step):
                self._names[step.outputs[0]] = f"{self.name(step.inputs[0])}.T"
                continue
            here = step.scope.path if step.scope is not None else ""
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
            yield f"    {self.statement(step)}"
            check = self.checks(step)
            if check:
                yield f"    {check}"

    def _loop(self, loop: Step) -> Iterator[str]:
        """Write a run that goes over arrays block by block."""
        large = [v for v in loop.inputs if v.shape]
        size = math.prod(next(step.outputs[0] for step in loop.inner if step.outputs[0].shape).shape)
        sums = [step for step in loop.inner if step.outputs[0].shape == ()]
        results = [v for v in loop.outputs if v.shape]
        outer = {v: self.name(v) for v in (*large, *results)}
        flat = {v: self._free(f"{name}_flat") for v, name in outer.items()}
        order = ", order='F'" if order_of(next(iter(outer))) == "F" else ""
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
            if step in sums:
                total = self.name(step.outputs[0])
                yield f"        {total}.append(np.add.reduce({self.expression(step.inputs[0])}))"
            else:
                yield f"        {self.statement(step)}"
        for v in results:
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
        return f"if {' or '.join(tests)}: raise {self.constant(Changed, 'Changed')}" if tests else ""

    def statement(self, step: Step) -> str:
        """Write one step."""
        value = self.call(step) + ("[()]" if step.number and step.out is None else "")
        if not step.outputs or (not step.packed and step.outputs[0].shape is None and not step.dynamic):
            return value
        if step.out is not None:
            return value
        names = ["_" if out.kind == NOTHING else self.name(out, step.label) for out in step.outputs]
        if step.op is not None and step.op.cache and step.nested:
            inner = len(names) - len(step.op.cache)
            names = [f"({', '.join(names[:inner])})", *names[inner:]]
        return f"{', '.join(names)}{',' if step.packed and len(names) == 1 else ''} = {value}"

    def call(self, step: Step) -> str:
        """Write the expression of one step."""
        inputs = [self.expression(x) for x in step.inputs]
        if step.out is not None:
            inputs.append(f"out={self.name(step.out)}{'.T' if step.turned else ''}")
            step.outputs[0].name = ""
            self._names.setdefault(step.outputs[0], self.name(step.out))
            return f"{self.function(step)}({', '.join(inputs)})"
        if step.function is add_at:
            return f"{inputs[0]}[{self.index(step.kwargs['index'])}] += {inputs[1]}"
        if step.function is np.transpose:
            return f"{inputs[0]}.T"
        sign = _OPERATORS.get(step.function) if _hashable(step.function) else None
        if sign and len(inputs) == 2 and not step.kwargs:
            return f"{inputs[0]} {sign} {inputs[1]}"
        if (step.function is np.negative or step.function is operator.invert) and not step.kwargs:
            return f"{'-' if step.function is np.negative else '~'}{inputs[0]}"
        if step.op is not None and step.op.forward is step.function and step.op.name == "getitem":
            return f"{inputs[0]}[{self.index(step.kwargs['index'])}]"
        if step.op is not None and step.op.forward is step.function and step.op.name in _METHODS:
            written = _METHODS[step.op.name](inputs, {k: self.expression(v) for k, v in step.kwargs.items()}, step)
            if written:
                return str(written)
        keywords = [f"{k}={self.expression(v)}" for k, v in step.kwargs.items() if not self._is_default(step, k, v)]
        return f"{self.function(step)}({', '.join([*inputs, *keywords])})"

    @staticmethod
    def _is_default(step: Step, key: str, value: Any) -> bool:
        if step.op is None or step.op.forward is not step.function:
            return False
        default = {name: default for name, default, _ in parameters_of(step.function)}.get(key, ...)
        return value is default or (
            isinstance(value, bool | int | str) and type(value) is type(default) and value == default
        )

    def function(self, step: Step) -> str:
        """Name the function of a step."""
        f = step.function
        name = getattr(f, "__name__", step.label)
        if getattr(np, name, None) is f:
            return f"np.{name}"
        return self.constant(f, step.label)

    def expression(self, x: Any) -> str:
        """Write a value or a constant."""
        if isinstance(x, Value):
            return self.name(x)
        if isinstance(x, tuple) and not hasattr(x, "_fields"):
            return f"({', '.join(map(self.expression, x))}{',' if len(x) == 1 else ''})"
        if isinstance(x, list):
            return f"[{', '.join(map(self.expression, x))}]"
        if isinstance(x, dict):
            return "{" + ", ".join([f"{k!r}: {self.expression(v)}" for k, v in x.items()]) + "}"
        if isinstance(x, slice):
            return f"slice({self.expression(x.start)}, {self.expression(x.stop)}, {self.expression(x.step)})"
        if x is None or x is Ellipsis or type(x) in (bool, int, str):
            return "..." if x is Ellipsis else repr(x)
        if type(x) is float and math.isfinite(x):
            return repr(x)
        if isinstance(x, type) and x in (bool, int, float):
            return x.__name__
        if isinstance(x, np.dtype) and x.isbuiltin == 1:
            return f"np.{x.name}" if x.name != "bool" else "bool"
        return self.constant(x, _called(x))

    def index(self, x: Any) -> str:
        """Write an index as between brackets."""
        if isinstance(x, tuple) and x:
            return ", ".join(map(self.index, x)) + ("," if len(x) == 1 else "")
        if isinstance(x, slice):
            start, stop, step = ("" if part is None else self.expression(part) for part in (x.start, x.stop, x.step))
            return f"{start}:{stop}{':' if step else ''}{step}"
        return self.expression(x)

    def constant(self, x: Any, label: str) -> str:
        """Name an object that the functions use."""
        known = self._constants.get(id(x))
        if known is None:
            known = self._constants[id(x)] = self._free(label), x
            self.space[known[0]] = x
        return known[0]

    def name(self, value: Value, label: str = "") -> str:
        """Name a value: a gradient by what it is the gradient of."""
        if value not in self._names:
            of = f"d{self.name(value.of)}" if value.of is not None and value.of in self._names else ""
            self._names[value] = self._free(value.name or of or _SHORT.get(label, label) or value.kind)
        return self._names[value]

    def _is_inline(self, step: Step) -> bool:
        """Tell whether a transpose is written where it is read: it costs next to nothing."""
        named = step.function is np.transpose or (step.op is not None and step.op.name == "transpose")
        out, program = step.outputs[0] if step.outputs else None, self.program
        if not named or out is None or len(out.shape) != 2 or step.kwargs.get("axes") not in (None, (1, 0)):
            return False
        if not isinstance(step.inputs[0], Value):
            return False
        return out not in program.saved and not any(out is v for v in (*program.outputs, *program.gradients.values()))

    def _free(self, label: str) -> str:
        label = re.sub(r"\W", "_", label).strip("_") or "v"
        label = f"v_{label}" if label[0].isdigit() else label
        name, n = label, self._last.get(label, 1)
        while name in self._used:
            n += 1
            name = f"{label}_{n}"
        self._last[label] = n
        self._used.add(name)
        return name


_SHORT = {
    "matmul": "z",
    "multiply": "p",
    "subtract": "s",
    "add": "s",
    "divide": "q",
    "getitem": "part",
    "gather": "part",
}
_METHODS: dict[str, Any] = {
    "select": lambda x, kw, step: f"select({kw['mask']}, {x[0]})",
    "transpose": lambda x, kw, step: (
        f"{x[0]}.T" if kw.get("axes", "None") == "None" else f"{x[0]}.transpose({kw['axes']})"
    ),
    "reshape": lambda x, kw, step: f"{x[0]}.reshape({kw['shape']})" if kw.get("order", "'C'") == "'C'" else None,
    "matmul": lambda x, kw, step: f"{x[0]} @ {x[1]}",
    "where": lambda x, kw, step: f"np.where({kw['condition']}, {x[0]}, {x[1]})",
    "astype": lambda x, kw, step: f"{x[0]}.astype({kw['dtype']})",
}


def _is_even(x: Any) -> bool:
    """Tell whether an array holds one number throughout, which is not -0."""
    even = x.size > 0 and x.dtype.kind in "fiu" and (x == x.flat[0]).all()
    return bool(even) and not (x.flat[0] == 0 and bool(np.signbit(x).any()))


def _written(x: Any) -> str:
    """Write a constant that one line can make; of others there is the name only."""
    if not isinstance(x, np.ndarray | np.generic) or not _is_even(x) or not np.isfinite(x.flat[0]):
        return ""
    number, dtype = x.flat[0].item(), f"np.{x.dtype.name}"
    if isinstance(x, np.generic):
        return f"{dtype}({number!r})"
    if not x.ndim:
        return f"np.array({number!r}, {dtype})"
    made = {0: f"np.zeros({x.shape}", 1: f"np.ones({x.shape}"}.get(number, f"np.full({x.shape}, {number!r}")
    return f"{made}, {dtype})"


def _called(x: Any) -> str:
    """Name a constant by its number, where that is short."""
    if not isinstance(x, np.ndarray | np.generic) or not _is_even(x):
        return "c"
    number: Any = x.flat[0]
    if x.ndim:
        return {0: "zeros", 1: "ones"}.get(number, "c")
    whole = abs(number) < 10_000 and number == int(number)
    return {0: "zero", 1: "one"}.get(number, f"{'minus' if number < 0 else 'c'}{abs(int(number))}") if whole else "c"


def _hashable(x: Any) -> bool:
    return isinstance(x, np.ufunc) or type(x) is type(operator.gt)
