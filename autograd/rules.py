"""What one declaration says about an op: inputs and keywords, gradient rules, what these keep alive, what is cut off.

Floor 3: an :class:`Op` is frozen once declared; :mod:`autograd.compiler` writes out its ``apply`` and ``vjp``.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from inspect import Parameter
from keyword import iskeyword
from types import FunctionType
from typing import Any, ClassVar

import numpy as np

from autograd.backward import InputCotangents
from autograd.box import Box, needs_grad
from autograd.errors import MissingRule, RuleError
from autograd.graph import Node
from autograd.modes import current, printable

_RESERVED = {
    "y": "the output",
    "shapes": "the shapes of the inputs",
    "needs": "which inputs want a gradient",
    "arrived": "which outputs got a cotangent",
    "alive": "for each output which elements of its cotangent no mask cut off",
}
_WRITTEN = frozenset({"isinstance", "any", "tuple", "len", "zip", "enumerate", "Exception"})  # what apply calls
# keywords whose values hold nothing
PLAIN = frozenset({type(None), bool, int, float, complex, str, slice, type, np.dtype})


class Rule:
    """Hold one gradient rule, the names of what it asks for, where each stands on a node, and which inputs it reads.

    ``sources`` are pairs: ``("residuals", place)``, ``("inputs", None)`` for all of ``*args``, ``("kwargs", key)``, or
    one of ``shapes``, ``needs``, ``arrived`` and ``alive``, and None.
    """

    __slots__ = ("function", "names", "reads", "sources")

    def __init__(self, function: Callable[..., Any], op: "Op", first: tuple[str, ...] = ("g",)) -> None:
        names = [name for name, _, _ in parameters_of(function)]
        if tuple(names[: len(first)]) != first:
            raise RuleError(f"op {op.name!r}: the first parameter of a rule must be named g, got {names}.")
        self.function = function
        self.names = names[len(first) :]
        self.sources = [op.source_of(name) for name in self.names]
        self.reads = frozenset(i for i, name in enumerate(op.inputs) if name in self.names)

    def conjugated(self) -> "Rule":
        """Return the rule conj(rule(conj(g)))."""
        made, function = copy(self), self.function

        def rule(g: Any, *rest: Any) -> Any:
            return conjugate(function(conjugate(g), *rest))

        made.function = rule
        return made


def conjugate(x: Any) -> Any:
    """Conjugate an array, a Tensor, or each part of a tuple that is there."""
    if isinstance(x, tuple | list):
        return tuple([conjugate(part) for part in x])
    return x if x is None else np.conjugate(x)


class Op:
    """Hold everything that one declaration says.

    ``rules[i]`` is the rule of input ``i``, ``joint`` one for all of them. ``selects`` says whether the op takes some
    elements of its inputs and not others, and ``masks[i]`` is the rule that tells which elements of the output come
    from input ``i``, where there is one (see :func:`autograd.op`). ``holomorphic`` says what the rules mean where the
    output is complex, and ``conjugated`` is the op that stands on such nodes, made by the compiler. ``linear`` says
    whether the forward applies to tangents as it is (see :mod:`autograd.forward`), ``batch`` how the op is applied to
    many examples at once (see :mod:`autograd.lanes`).
    """

    let_go: ClassVar[Any] = None  # how a node lets go of large arrays, where it is known beforehand which are large
    __slots__ = (
        "__weakref__", "_reads", "apply", "batch", "cache", "conjugated", "definition", "domain", "elementwise",
        "formula", "forward", "holomorphic", "inline", "inputs", "joint", "keyword_only", "keywords", "linear", "masks",
        "name", "reads_nothing", "reads_output", "required", "rules", "selects", "symbol", "variadic", "vjp",
    )  # fmt: skip
    apply: Callable[..., Any]
    conjugated: "Op"
    vjp: Callable[..., InputCotangents]  # both written out at its first use: see compiler.py

    def __init__(
        self,
        forward: Callable[..., Any],
        name: str,
        *,
        symbol: str | None = None,
        inputs: Sequence[str] | None = None,
        elementwise: bool = False,
        definition: Callable[..., Any] | None = None,
        cache: tuple[str, ...] = (),
        domain: Any = None,
        vjp: Callable[..., Any] | Mapping[str, Callable[..., Any]] | None = None,
        selects: Any = None,
        formula: Any = None,
        inline: str = "",
        holomorphic: bool | None = True,
        linear: Any = None,
        batch: Any = None,
    ) -> None:
        name, self.inline, self.holomorphic, self.linear = printable(name), inline, holomorphic, linear
        self.batch = batch
        if linear not in (None, True, "each"):
            raise RuleError(f"op {name!r}: linear= is True, or 'each' for one linear in each input, got {linear!r}.")
        if inline not in ("", "definition", "forward"):
            raise RuleError(f"op {name!r}: inline= is 'definition' or 'forward', got {inline!r}.")
        self.forward, self.name, self.symbol, self.domain = forward, name, printable(symbol or name), domain
        self.elementwise, self.definition, self.cache = elementwise, definition, cache
        self.inputs, found, self.variadic = _signature(forward, inputs, name)
        self.keywords = {n: None if default is Parameter.empty else default for n, default, _ in found}
        self.required = frozenset(n for n, default, _ in found if default is Parameter.empty)
        self.keyword_only = frozenset(n for n, _, kind in found if kind is Parameter.KEYWORD_ONLY)
        _check_names(name, (*self.inputs, *self.keywords, *self.cache))
        self._reads: dict[tuple[bool, ...], frozenset[int]] = {}  # found once for each choice of inputs
        self.rules: dict[int, Rule] = {}
        self.joint: Rule | None = None
        self._read_rules(vjp)
        self.selects, self.masks = bool(selects), self._read_masks(selects)
        read = {name for rule in (*self.rules.values(), self.joint) if rule for name in rule.names}
        self.reads_nothing = definition is None and not read & {"y", *self.inputs, *cache}
        self.reads_output = "y" in read or any("y" in rule.names for rule in self.masks.values())
        self.formula = self._read_formula(formula)

    @property
    def as_written(self) -> bool:
        """Tell whether the rules were declared to be right for complex numbers as they are."""
        return self.holomorphic is False

    @property
    def takes_complex(self) -> bool:
        """Tell whether the rules of this op, as it stands on a node, get and give complex gradients."""
        return self.as_written or getattr(self, "conjugated", None) is self

    def with_conjugated_rules(self) -> "Op":
        """Return this op with rules for complex results: for g · f'(x) they give g times the conjugate of f'(x)."""
        made = copy(self)
        made.rules = {i: rule.conjugated() for i, rule in self.rules.items()}
        made.joint = None if self.joint is None else self.joint.conjugated()
        return made

    def _read_rules(self, vjp: Callable[..., Any] | Mapping[str, Callable[..., Any]] | None) -> None:
        """Read the rules and refuse what does not fit the forward."""
        if vjp is None and self.definition is None:
            raise RuleError(
                f"op {self.name!r}: give vjp= or definition=; for a piecewise-constant function use nondifferentiable."
            )
        if not callable(vjp) and isinstance(vjp, Mapping):  # a look at an abstract class takes a microsecond
            for name, function in vjp.items():
                self.rules[self._place(name, "vjp")] = Rule(function, self)
        elif vjp is not None and len(self.inputs) == 1 and not self.variadic:
            self.rules[0] = Rule(vjp, self)
        elif vjp is not None:
            self.joint = Rule(vjp, self)

    def _read_masks(self, selects: Any) -> dict[int, Rule]:
        if selects is True and self.elementwise and self.definition is None:
            raise RuleError(
                f"op {self.name!r}: an elementwise op says by a rule what it selects, as in selects=lambda x: x > 0."
            )
        if selects is None or selects is True:
            return {}
        if not self.elementwise:
            raise RuleError(f"op {self.name!r}: selects= as a rule is for elementwise ops; others say selects=True.")
        if not isinstance(selects, Mapping):
            selects = dict.fromkeys(self.inputs, selects)
        return {self._place(name, "selects"): Rule(function, self, ()) for name, function in selects.items()}

    def _read_formula(self, formula: Any) -> tuple[str | None, ...]:
        formula = {} if formula is None else formula
        if isinstance(formula, str):
            formula = {self.inputs[0]: formula}
        for name in formula:
            self._place(name, "formula")
        return tuple(formula.get(name) for name in self.inputs)

    def _place(self, name: str, what: str) -> int:
        if name not in self.inputs:
            raise RuleError(f"op {self.name!r}: {what} names {name!r}, but the inputs are {', '.join(self.inputs)}.")
        return self.inputs.index(name)

    def source_of(self, name: str) -> tuple[str, Any]:
        """Tell where what a rule asks for stands on a node, and refuse a name that no rule may ask for."""
        if name in _RESERVED and name in [*self.inputs, *self.keywords, *self.cache]:
            raise RuleError(
                f"op {self.name!r}: a rule asks for {name!r}, which is an input here (or a keyword) and elsewhere "
                f"means {_RESERVED[name]}. Rename it."
            )
        known = [*_RESERVED, *self.inputs, *self.keywords, *self.cache]
        if name not in known:
            raise RuleError(f"op {self.name!r}: a rule asks for {name!r}; it may use {', '.join(['g', *known])}.")
        if name in self.inputs:
            return ("inputs", None) if self.variadic else ("residuals", self.inputs.index(name))
        if name in ("y", *self.cache):  # behind the inputs
            return "residuals", ("y", *self.cache).index(name) - 1 - len(self.cache)
        return ("kwargs", name) if name in self.keywords else (name, None)

    def constant(self, name: str, value: Any) -> Any:
        """Return a keyword's value; arrays and lists are copied, as they belong to somebody who may change them."""
        kind = value.__class__
        if kind is tuple or kind is list:
            for part in value:
                if part.__class__ not in PLAIN:
                    return kind([self.constant(name, part) for part in value])
            return value if kind is tuple else value.copy()
        if isinstance(value, Box):
            if needs_grad(value):
                several = "" if name != "axis" else f"; several Tensors go into one list, as in np.{self.name}([a, b])"
                raise MissingRule(
                    f"{self.name}(): keyword {name!r} has no gradient rule. Pass {name}=….detach(){several}."
                )
            value = value._array
        # An array of its own that is read-only is one that an op has made for this (an index).
        if isinstance(value, np.ndarray) and (value.flags.writeable or value.base is not None):
            copied, tracer = value.copy(), current().tracer
            return copied if tracer is None else tracer.same(copied, value)
        return value

    def reads(self, needs: Sequence[bool]) -> frozenset[int]:
        """Return which inputs' values are kept until backward, given which inputs need a gradient."""
        key = tuple(needs)
        known = self._reads.get(key)
        if known is None:
            known = self._reads[key] = self._find_reads(key)
        return known

    def _find_reads(self, needs: tuple[bool, ...]) -> frozenset[int]:
        if self.definition is not None:
            return frozenset(range(len(needs)))
        if self.variadic:
            read = self.joint is not None and self.inputs[0] in self.joint.names
            return frozenset(range(len(needs))) if read else frozenset()
        chosen = [i for i in range(len(self.inputs)) if needs[i] or self.joint is not None]
        return frozenset[int]().union(*[rule.reads for i in chosen for rule in self.rules_for(i)])

    def rules_for(self, i: int) -> list[Rule]:
        """List the rules that run for input ``i``."""
        if self.joint is not None:
            return [self.joint]
        return [rules[i] for rules in (self.rules, self.masks) if i in rules]

    def closed_over(self, node: Node) -> int:
        """Count the parents that are not inputs but values a definition closes over (see ``checkpoint``)."""
        return 0 if self.variadic else max(0, len(node.parents) - len(self.inputs))

    def argument(self, i: int) -> str:
        """Name input ``i`` for a message."""
        if self.variadic:
            return f"{self.inputs[0]}[{i}]"
        return self.inputs[i] if i < len(self.inputs) else "a value from outside"

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.inputs)})>"


def _check_names(op: str, names: Sequence[Any]) -> None:
    """Refuse names that the generated code cannot use for parameters."""
    for name in names:
        if not isinstance(name, str) or not name.isidentifier() or iskeyword(name) or names.count(name) > 1:
            raise RuleError(f"op {op!r}: {name!r} is no name for a parameter, or stands twice. Rename it.")
        own = name.startswith("_") or name.endswith(("_data", "_node", "_needs", "_residual", "_cached"))
        if own or name in _WRITTEN:
            raise RuleError(f"op {op!r}: {name!r} is a name that the written-out code uses itself. Rename it.")


def _has_signature(function: Any) -> bool:
    return hasattr(function, "__signature__")


def parameters_of(function: Any) -> list[tuple[str, Any, Any]]:
    """List name, default and kind of the parameters; of a plain function from its code object, 10 times as fast."""
    if type(function) is not FunctionType or function.__dict__:  # it may stand for another one
        function = inspect.unwrap(function, stop=_has_signature)
        if not isinstance(function, FunctionType) or _has_signature(function):
            return [(p.name, p.default, p.kind) for p in inspect.signature(function).parameters.values()]
    code = function.__code__
    names, count, extra = code.co_varnames, code.co_argcount, code.co_kwonlyargcount
    defaults = function.__defaults__ or ()
    padded = (*[Parameter.empty] * (count - len(defaults)), *defaults)
    listed: list[tuple[str, Any, Any]] = [
        (name, default, Parameter.POSITIONAL_OR_KEYWORD) for name, default in zip(names, padded, strict=False)
    ]
    if code.co_flags & inspect.CO_VARARGS:
        listed.append((names[count + extra], Parameter.empty, Parameter.VAR_POSITIONAL))
    only = function.__kwdefaults__ or {}
    return [*listed, *[(n, only.get(n, Parameter.empty), Parameter.KEYWORD_ONLY) for n in names[count : count + extra]]]


def _signature(forward: Any, inputs: Sequence[str] | None, name: str) -> tuple[list[str], list[Any], bool]:
    """Read inputs, keywords (as :func:`parameters_of` lists them), and whether the inputs are ``*args``."""
    if not callable(forward):
        raise RuleError(f"op: the forward must be a function of arrays, got {type(forward).__name__}: {forward!r}.")
    if isinstance(inputs, str):
        raise RuleError(f"op {name!r}: inputs= is a list of names, got {inputs!r}.")
    if isinstance(forward, np.ufunc):
        names = list(inputs or (["x"] if forward.nin == 1 else ["a", "b"]))
        if len(names) != forward.nin:
            raise RuleError(f"op {name!r}: inputs={names} are {len(names)} names, but the ufunc takes {forward.nin}.")
        return names, [], False
    try:
        parameters = parameters_of(forward)
    except (TypeError, ValueError):
        if inputs is None:
            raise RuleError(
                f"op {name!r}: the forward has no readable signature; name its inputs with inputs=[…]."
            ) from None
        return list(inputs), [], False
    many = [n for n, _, kind in parameters if kind is Parameter.VAR_POSITIONAL]
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    required = [n for n, default, kind in parameters if default is Parameter.empty and kind in positional]
    if many and required:
        raise RuleError(f"op {name!r}: the forward mixes {required} with *{many[0]}; use one or the other.")
    names = list(inputs) if inputs is not None else many or required
    leading = [n for n, _, kind in parameters if kind in positional][: len(names)]
    if not many and (not names or names != leading):
        raise RuleError(
            f"op {name!r}: the inputs are the first parameters of the forward, in its order: "
            f"{leading or 'it has none without a default'}, not {names}."
        )
    some = (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
    keywords = [each for each in parameters if each[0] not in names and each[2] not in some]
    return names, keywords, bool(many) and inputs is None
