"""What one declaration says about an op: its inputs and keywords, its gradient rules, and what these keep alive."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from autograd.box import Box, needs_grad
from autograd.errors import MissingRule, RuleError
from autograd.graph import Node

Shares = list[tuple[Node, Any]]
_RESERVED = {"y": "the output", "shapes": "the shapes of the inputs", "needs": "which inputs want a gradient"}
_PLAIN = frozenset({type(None), bool, int, float, str, slice})  # keywords that need no look at what they hold


class Rule:
    """Hold one gradient rule and where its arguments come from."""

    __slots__ = ("function", "names", "reads", "sources")

    def __init__(self, function: Callable[..., Any], op: "Op") -> None:
        names = [name for name, _, _ in _parameters(function)]
        if not names or names[0] != "g":
            raise RuleError(f"op {op.name!r}: the first parameter of a rule must be named g, got {names}.")
        self.function = function
        self.names = names[1:]
        self.sources = [op.source(name) for name in self.names]
        self.reads = frozenset(i for i, name in enumerate(op.inputs) if name in self.names)

    def __call__(self, g: Any, node: Node, saved: Sequence[Any]) -> Any:
        return self.function(g, *[source(node, saved) for source in self.sources])


class Kept(NamedTuple):
    """Say what stays alive until backward: the values of these inputs, and the output or not."""

    inputs: frozenset[int]
    output: bool
    whole: bool  # all inputs


class Op:
    """Hold everything that one declaration says."""

    __slots__ = (
        "cache",
        "definition",
        "domain",
        "elementwise",
        "fast",
        "forward",
        "inputs",
        "joint",
        "keywords",
        "linear",
        "masks",
        "name",
        "pull",
        "pull_number",
        "rules",
        "short",
        "symbol",
        "variadic",
        "view",
    )

    def __init__(
        self,
        forward: Callable[..., Any],
        name: str,
        symbol: str,
        inputs: Sequence[str] | None,
        elementwise: bool,
        definition: Callable[..., Any] | None,
        cache: tuple[str, ...],
        view: bool,
        domain: Any,
    ) -> None:
        self.forward, self.name, self.symbol, self.domain = forward, name, symbol, domain
        self.elementwise, self.definition, self.cache, self.view = elementwise, definition, cache, view
        self.inputs, self.keywords, self.variadic = _signature(forward, inputs, name)
        self.fast: Callable[..., Any] = forward
        self.pull: Callable[[Node, Any, Any], Shares]
        self.pull_number: Callable[[Node, Any], Shares]  # of nodes of numbers; see fast_pull
        self.rules: dict[int, Rule] = {}
        self.joint: Rule | None = None
        self.masks: dict[Any, Kept] = {}
        self.short: list[Any] = []
        self.linear = False  # whether no rule reads a value: then a traced pull is the plain one, given Tensors

    def set_rules(self, vjp: Callable[..., Any] | Mapping[str, Callable[..., Any]] | None) -> None:
        """Read the rules and refuse what does not fit the forward."""
        if vjp is None and self.definition is None:
            raise RuleError(
                f"op {self.name!r}: give vjp= or definition=; for a piecewise-constant function use nondifferentiable."
            )
        if self.cache and self.definition is None:
            raise RuleError(
                f"op {self.name!r}: cache= needs definition=, as cached arrays are constants to second derivatives."
            )
        if isinstance(vjp, Mapping):
            for name, function in vjp.items():
                if name not in self.inputs:
                    raise RuleError(
                        f"op {self.name!r}: vjp names {name!r}, but the inputs are {', '.join(self.inputs)}."
                    )
                self.rules[self.inputs.index(name)] = Rule(function, self)
        elif vjp is not None and len(self.inputs) == 1 and not self.variadic:
            self.rules[0] = Rule(vjp, self)
        elif vjp is not None:
            self.joint = Rule(vjp, self)
        rules = [*self.rules.values(), *([self.joint] if self.joint else [])]
        read = {name for rule in rules for name in rule.names}
        self.linear = self.definition is None and not read & {"y", *self.inputs, *self.cache}

    def source(self, name: str) -> Callable[[Node, Sequence[Any]], Any]:
        """Find where a rule's argument comes from; an unknown name is an error."""
        if name in ("y", "shapes", "needs") and name in self.inputs:
            raise RuleError(
                f"op {self.name!r}: a rule asks for {name!r}, which is an input here and elsewhere means "
                f"{_RESERVED[name]}. Rename the input."
            )
        if name == "y":
            at = -1 - len(self.cache)
            return lambda node, saved: saved[at]
        if name in self.cache:
            at = self.cache.index(name) - len(self.cache)
            return lambda node, saved: saved[at]
        if self.variadic and name == self.inputs[0]:
            return lambda node, saved: tuple(saved[: len(node.parents)])
        if name in self.inputs:
            at = self.inputs.index(name)
            return lambda node, saved: saved[at]
        if name in self.keywords:
            return lambda node, saved: node.kwargs[name]
        if name == "needs":
            return lambda node, saved: tuple([parent is not None and parent.needs for parent in node.parents])
        if name == "shapes":
            return lambda node, saved: tuple(() if parent is None else parent.shape for parent in node.parents)
        known = ", ".join(["g", "y", "shapes", "needs", *self.inputs, *self.keywords, *self.cache])
        raise RuleError(f"op {self.name!r}: a rule asks for {name!r}; it may use {known}.")

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Split a call into inputs and keywords, defaults bound; a Tensor given as a keyword is a constant."""
        count = len(args) if self.variadic else len(self.inputs)
        if len(args) != count:
            args, kwargs = self._arrange(args, kwargs, count)
        if not kwargs:
            return args, self.keywords
        bound = {**self.keywords, **kwargs}
        if len(bound) != len(self.keywords):
            wrong = next(name for name in kwargs if name not in self.keywords)
            raise TypeError(
                f"{self.name}() got an unexpected argument {wrong!r}; it takes "
                f"{', '.join([*self.inputs, *self.keywords])}."
            )
        for name, value in kwargs.items():
            if value.__class__ not in _PLAIN:
                bound[name] = self._constant(name, value)
        return args, bound

    def _arrange(self, args: tuple[Any, ...], kwargs: dict[str, Any], count: int) -> tuple[Any, dict[str, Any]]:
        """Take inputs that were given by name, and keywords that were given by position, to their places."""
        kwargs = dict(kwargs)
        if len(args) < count:
            try:
                args = (*args, *[kwargs.pop(name) for name in self.inputs[len(args) :]])
            except KeyError as error:
                raise TypeError(f"{self.name}() misses argument {error}; it takes {', '.join(self.inputs)}.") from None
        extra = args[count:]
        if len(extra) > len(self.keywords):
            raise TypeError(f"{self.name}() takes at most {count + len(self.keywords)} arguments, got {len(args)}.")
        return args[:count], {**dict(zip(self.keywords, extra, strict=False)), **kwargs}

    def _constant(self, name: str, value: Any) -> Any:
        """Take a keyword's value; arrays and lists are copied, as they belong to somebody who may change them."""
        kind = value.__class__
        if kind is tuple or kind is list:
            for part in value:
                if part.__class__ not in _PLAIN:
                    return kind([self._constant(name, part) for part in value])
            return value if kind is tuple else value.copy()
        if isinstance(value, Box):
            if needs_grad(value):
                raise MissingRule(f"{self.name}(): keyword {name!r} has no gradient rule. Pass {name}=….detach().")
            value = value._array
        if isinstance(value, np.ndarray) and (value.flags.writeable or value.base is not None):
            return value.copy()  # an array of its own that is read-only is one that an op has made for this (an index)
        return value

    def kept(self, parents: Sequence[Node | None]) -> Kept:
        """Tell which inputs' values, and whether the output, are kept until backward, given the nodes of the inputs."""
        return self.kept_for(tuple([parent is not None and parent.needs for parent in parents]))

    def kept_for(self, needs: tuple[bool, ...]) -> Kept:
        """Answer ``kept`` from which inputs need a gradient: only the rules that will run are asked."""
        key = len(needs) if self.variadic else needs
        known = self.masks.get(key)
        if known is None:
            count = len(needs)
            rules = [self.joint] if self.joint else [rule for i, rule in self.rules.items() if needs[i]]
            whole = self.definition is not None or (
                self.variadic and any(self.inputs[0] in rule.names for rule in rules)
            )
            inputs = frozenset(range(count) if whole else [i for rule in rules for i in rule.reads])
            output = any("y" in rule.names for rule in rules)
            known = self.masks[key] = Kept(inputs, output, len(inputs) == count)
        return known

    def closed(self, node: Node) -> int:
        """Count the parents that are not inputs but values a definition closes over (see ``checkpoint``)."""
        return 0 if self.variadic else max(0, len(node.parents) - len(self.inputs))

    def argument(self, i: int) -> str:
        """Name input ``i`` for a message."""
        if self.variadic:
            return f"{self.inputs[0]}[{i}]"
        return self.inputs[i] if i < len(self.inputs) else "a value from outside"

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.inputs)})>"


def _parameters(function: Any) -> list[tuple[str, Any, Any]]:
    """List name, default and kind of the parameters; of a plain function from its code object, 10 times as fast."""
    if not isinstance(function, FunctionType) or hasattr(function, "__wrapped__"):
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


def _signature(forward: Any, inputs: Sequence[str] | None, name: str) -> tuple[list[str], dict[str, Any], bool]:
    """Read inputs, keywords with defaults, and whether the inputs are ``*args``."""
    if isinstance(forward, np.ufunc):
        return list(inputs or (["x"] if forward.nin == 1 else ["a", "b"])), {}, False
    try:
        parameters = _parameters(forward)
    except (TypeError, ValueError):
        if inputs is None:
            raise RuleError(
                f"op {name!r}: the forward has no readable signature; name its inputs with inputs=[…]."
            ) from None
        return list(inputs), {}, False
    many = [n for n, _, kind in parameters if kind is Parameter.VAR_POSITIONAL]
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    required = [n for n, default, kind in parameters if default is Parameter.empty and kind in positional]
    if many and required:
        raise RuleError(f"op {name!r}: the forward mixes {required} with *{many[0]}; use one or the other.")
    names = list(inputs) if inputs is not None else many or required
    keywords = {
        n: None if default is Parameter.empty else default
        for n, default, kind in parameters
        if n not in names and kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
    }
    return names, keywords, bool(many) and inputs is None
