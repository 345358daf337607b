"""Module: a tree of parameters with a ``forward``, and what can be done with the whole tree.

A module is an ordinary object: its parameters, buffers and children are its attributes, found by looking. Nothing has
to be registered, and lists, dicts, named tuples, dataclasses and other containers of modules are looked into too.

>>> import numpy as np
>>> import nn
>>> class Scale(nn.Module):
...     def __init__(self):
...         self.factor = nn.Parameter(2.0)
...     def forward(self, x):
...         return self.factor * x
>>> Scale()(np.float32(3.0)).item()
6.0
"""

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, ParamSpec, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

import autograd as ag
from autograd.errors import ArgumentError, ConversionError, DTypeError, ShapeError
from nn import report, trail
from nn.backward_hooks import BackwardHook, Passing
from nn.hints import Taken, hinted, refuse_call, unknown_attribute
from nn.inputs import refuse_masked
from nn.members import BOOKS, is_container, parts, places
from nn.state import Incompatible, Slot, load

Array = NDArray[Any]
Hook = Callable[["Module", tuple[Any, ...], Any], Any]
P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class _Forward(Protocol[P, R_co]):
    """Describe what has a ``forward``."""

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


class Parameter(ag.Tensor):
    """Hold a Tensor that a module learns: it requires a gradient, and lists or plain numbers become float32.

    Raises DTypeError for arrays of integers, which have no gradient.

    >>> Parameter([1.0, 2.0]).dtype
    dtype('float32')
    """

    __slots__ = ()
    alive: ClassVar[weakref.WeakValueDictionary[int, "Parameter"]] = weakref.WeakValueDictionary()  # wherever they are
    held: ClassVar[list["Parameter"] | None] = None  # those that are made meanwhile, while somebody looks

    __signature__ = Taken()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        cls.alive[id(self)] = self
        if Parameter.held is not None:
            Parameter.held.append(self)
        return self

    @staticmethod
    @contextmanager
    def kept_alive() -> Iterator[None]:
        """Keep the parameters that are made inside, though nobody else may: a graph does not keep its leaves."""
        Parameter.held = []
        try:
            yield
        finally:
            Parameter.held = None

    @hinted
    def __init__(
        self,
        data: Any,
        requires_grad: bool = True,
        *,
        dtype: "DTypeLike | None" = None,
        copy: bool = True,
        name: str | None = None,
    ) -> None:
        if dtype is None and not hasattr(data, "dtype"):
            dtype = np.float32
        super().__init__(data, requires_grad, dtype=dtype, copy=copy, name=name)


class Structure:
    """Count the changes of module trees, so that the names found at call time can be remembered."""

    version = 0


class _Place(ag.scope):
    """Enter the scope of a module: the outermost is named by its class, a child as its caller holds it."""

    def __init__(self, module: "Module") -> None:
        kind = type(module).__name__
        super().__init__(kind, kind, module=weakref.ref(module), text=module.extra_repr())
        self.module, self.version = weakref.ref(module), Structure.version
        self.names: dict[int, tuple[weakref.ref[Module], str]] = {}  # of the modules inside, by identity

    @property
    def path(self) -> str:
        """Return the path of the module as of its last call."""
        return self._place.path if self._place is not None else ""

    def name_under(self, outer: Any) -> str:
        """Find the name under which the nearest module around holds this one."""
        module = self.module()
        while outer is not None:
            holder: Module | None = outer.info.get("module", _nothing)()
            if module is not None and holder is not None and (name := holder._call_scope().name_of(module)):
                return name
            outer = outer.parent
        return type(module).__name__

    def name_of(self, module: Any) -> str:
        """Return the name of a module inside this one, "" where it is none; all are looked up at once."""
        known, holder = self.names.get(id(module)), self.module()
        if (known is None or known[0]() is not module) and holder is not None:
            self.names.update({id(child): (weakref.ref(child), name) for name, child in holder.named_modules()})
            known = self.names.get(id(module))
        return known[1] if known is not None and known[0]() is module else ""


class Handle:
    """Undo a registration."""

    def __init__(self, registry: dict[int, Hook], key: int) -> None:
        self._registry, self._key = registry, key

    def remove(self) -> None:
        """Take the hook away again; doing it twice is harmless."""
        Structure.version += 1
        self._registry.pop(self._key, None)


class Module:
    """Hold parameters, buffers and child modules as attributes, and compute by ``forward``.

    Calling a module runs ``forward`` inside a scope that bears its name, so that pictures and messages can say where
    they are. ``super().__init__()`` may be called first, as in PyTorch, but need not be. Raises UnknownName for an
    attribute that is not there, NotImplementedError where ``forward`` is missing.

    >>> import nn
    >>> class Half(nn.Module):
    ...     def __init__(self):
    ...         self.scale = nn.Parameter([0.5])
    ...     def forward(self, x):
    ...         return x * self.scale
    >>> model = Half()
    >>> model([2.0, 4.0]).tolist(), [name for name, _ in model.named_parameters()]
    ([1.0, 2.0], ['scale'])
    """

    _caches: ClassVar[tuple[str, ...]] = ("_place", "_buffers")  # attributes that decide nothing
    _books: ClassVar[frozenset[str]] = BOOKS  # attributes that are no containers of parts
    _fixed: ClassVar[tuple[str, ...]] = ()  # attributes that are read when the module is made, and then no more
    training: bool
    _place: _Place | None
    _buffers: dict[str, bool]
    _hooks: dict[int, Hook]

    __signature__ = Taken()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if args or kwargs:  # copies are made without any
            if cls.__init__ is object.__init__:
                raise ArgumentError(f"{cls.__name__} takes no arguments. Make it, then call it: {cls.__name__}()(x).")
            refuse_call(cls.__name__, cls.__init__, (cls, *args), kwargs)
        self = super().__new__(cls)
        vars(self).update(training=True, _place=None, _buffers={}, _hooks={})
        return self

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward. Define forward(self, ...) in the class.")

    def __call__(self: "_Forward[P, R_co]", *args: P.args, **kwargs: P.kwargs) -> R_co:
        module: Any = self  # typed by its forward: a call has the parameters of that, and its result
        place = module._call_scope()
        given: Any = args
        if module._hooks:
            for hook in module._hooks.values():
                given = hook.enter(given) if isinstance(hook, Passing) else given
        try:
            y = place.run(module.forward, given, kwargs)
        except ShapeError as error:
            trail.note(error, type(module).__name__, place.path, (*args, *kwargs.values()))
            raise
        if y is None:
            raise DTypeError(f"{type(module).__name__}.forward returned None. Is a return missing?")
        if module._hooks:
            for hook in tuple(module._hooks.values()):
                replaced = hook(module, given, y)
                y = y if replaced is None else replaced
        return y

    def _call_scope(self) -> "_Place":
        """Return the scope that this module enters when it is called."""
        place = self._place
        if place is None or place.version != Structure.version:
            place = vars(self)["_place"] = _Place(self)
        return place

    # ------------------------------------------------------------------------------------------------------ the tree

    def __setattr__(self, name: str, value: Any) -> None:
        old = vars(self).get(name)
        if isinstance(old, Parameter) and not (value is None or isinstance(value, Parameter)):
            raise ConversionError(
                f"{type(self).__name__}.{name} is a Parameter and cannot become {_kind(value)}. "
                f"Set {name}.data to change its values, or assign nn.Parameter(...) or None."
            )
        if name in _TAKEN:
            self._refuse(name, value)
        if name in self._fixed and name in vars(self):
            who = type(self).__name__
            raise ArgumentError(f"{who}.{name} has no effect once the {who} is made: make a new one with it.")
        if isinstance(value, Parameter) and value.name is None:
            value.name = name
        is_part = isinstance(value, _OWN) or is_container(value)
        if is_part or isinstance(old, Module) or is_container(old):
            Structure.version += 1
        object.__setattr__(self, name, value)

    def _refuse(self, name: str, value: Any) -> None:
        """Refuse a value that would hide a method, and a switch of another library that nothing reads here."""
        who, switch = type(self).__name__, name in _SWITCHES
        if switch and not hasattr(type(self), name):
            raise ArgumentError(f"{who}.{name} has no effect: call .requires_grad_({value!r}) to freeze or unfreeze.")
        if not switch and (isinstance(value, Module) or not callable(value)):
            raise ArgumentError(
                f"{who}.{name} = {_kind(value)} would hide the method {name}() of every module. Call it, or choose "
                "another name."
            )

    def __delattr__(self, name: str) -> None:
        Structure.version += 1
        self._buffers.pop(name, None)
        object.__delattr__(self, name)

    def __getstate__(self) -> dict[str, Any]:
        state: Any = object.__getstate__(self)
        attributes, slots = state if isinstance(state, tuple) else (state, {})
        return {**attributes, **slots, "_place": None}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)

    def _members(self) -> Iterator[tuple[str, Any]]:
        """Yield the parameters and modules that this one holds, in the order in which they were set."""
        return ((name, value) for name, _, value in parts(self, _OWN))

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """Yield ``(name, module)`` for each direct child."""
        return ((name, value) for name, value in self._members() if isinstance(value, Module))

    def children(self) -> Iterator["Module"]:
        """Yield each direct child."""
        return (module for _, module in self.named_children())

    def named_modules(self, *, remove_duplicate: bool = True) -> Iterator[tuple[str, "Module"]]:
        """Yield ``(dotted name, module)`` for the whole tree, this one first under the name ``""``.

        A module held twice comes once, under its first name, unless ``remove_duplicate`` is False.
        """
        return ((name, module) for name, module, _ in self._tree(remove_duplicate))

    def _tree(self, unique: bool) -> Iterator[tuple[str, "Module", list[tuple[str, Any]]]]:
        """Yield dotted name, module and its members for the whole tree."""
        seen: set[int] = set()
        stack: list[tuple[str, Module, tuple[int, ...]]] = [("", self, ())]
        while stack:
            name, module, above = stack.pop()
            if id(module) in above or (unique and id(module) in seen):
                continue
            seen.add(id(module))
            members = list(module._members())
            yield name, module, members
            prefix, line = f"{name}." if name else "", (*above, id(module))
            stack += [(prefix + n, child, line) for n, child in reversed(members) if isinstance(child, Module)]

    def modules(self) -> Iterator["Module"]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield ``(dotted name, parameter)`` for the whole tree, each parameter once, in insertion order."""
        seen = set()
        for name, slot in self._slots("parameters"):
            if id(slot.value) not in seen:
                seen.add(id(slot.value))
                yield name, slot.value

    def parameters(self) -> Iterator[Parameter]:
        """Yield every parameter of the tree once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Yield ``(dotted name, array)`` for every buffer of the tree."""
        return ((name, slot.value) for name, slot in self._slots("buffers"))

    def buffers(self) -> Iterator[Array]:
        """Yield every buffer of the tree."""
        return (buffer for _, buffer in self.named_buffers())

    def _slots(self, what: str = "state", *, unique: bool = True) -> Iterator[tuple[str, Slot]]:
        """Yield the places where the tree keeps parameters, buffers or (``"state"``) whatever is saved.

        Two that bear one name raise ArgumentError: a state could hold one of them only.
        """
        known: dict[str, Any] = {}
        for path, module, members in self._tree(unique):
            prefix = f"{path}." if path else ""
            found = []
            if what != "buffers":
                found += [(name, value) for name, value in members if isinstance(value, Parameter)]
            if what != "parameters":
                saved = [name for name, persistent in module._buffers.items() if persistent or what == "buffers"]
                found += [(name, getattr(module, name)) for name in saved if getattr(module, name) is not None]
            for name, value in found:
                if known.setdefault(prefix + name, value) is not value:
                    self._refuse_twins(prefix + name)
                yield prefix + name, Slot(module, name, value)

    def _refuse_twins(self, name: str) -> None:
        first, second = [place for dotted, place in places(self, _OWN) if dotted == name][:2]
        raise ArgumentError(
            f"{type(self).__name__}: {first} and {second} have one name, {name!r}, and a state could hold one of them "
            "only. Rename one."
        )

    # ------------------------------------------------------------------------------------------------------ the state

    def register_buffer(self, name: str, value: Any, persistent: bool = True) -> None:
        """Keep an array that belongs to the state but is not learnt; with ``persistent=False`` it is not saved."""
        if not isinstance(name, str) or not name.isidentifier() or (hasattr(self, name) and name not in self._buffers):
            raise ArgumentError(
                f"{type(self).__name__}.register_buffer: {name!r} is taken or is no attribute name. Choose another."
            )
        self._buffers[name] = persistent
        refuse_masked(value, f"register_buffer: {name}")
        array = None if value is None else np.array(value)
        if array is not None and array.dtype.kind not in "biufc":
            raise DTypeError(f"{type(self).__name__}.register_buffer: {name} has dtype {array.dtype}. Pass numbers.")
        setattr(self, name, array)

    def state_dict(self) -> dict[str, Array]:
        """Copy parameters and buffers into a dict of arrays, by dotted name and in order."""
        return {name: slot.copy() for name, slot in self._slots(unique=False)}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> Incompatible:
        """Copy ``state`` into the parameters and buffers; on a mismatch raise an error and change nothing.

        Values are anything that ``np.asarray`` takes (PyTorch's CPU tensors too) and are cast to the dtype that is
        there. ``strict=False`` allows missing and unexpected names and returns them.
        """
        return load(type(self).__name__, dict(self._slots(unique=False)), state, strict=strict)

    def astype(self, dtype: "DTypeLike") -> Self:
        """Convert all floating-point parameters and buffers in place, and return the module.

        Gradients are dropped; call it before the optimizer is made, or between steps.
        """
        dtype = np.dtype(dtype)
        if dtype.kind != "f":
            raise ArgumentError(
                f"{type(self).__name__}.astype({dtype}): parameters must be floating point. Use float32 or float64."
            )
        for parameter in self.parameters():
            if parameter.dtype != dtype:
                parameter.grad = None
                parameter.data = parameter.data.astype(dtype)
        for module in self.modules():
            if "dtype" in vars(module):  # a normalization without parameters computes in it
                vars(module)["dtype"] = dtype
        for _, slot in self._slots("buffers"):
            if slot.value.dtype.kind == "f":
                setattr(slot.module, slot.name, slot.value.astype(dtype))
        return self

    # ------------------------------------------------------------------------------------------------------ the modes

    def train(self, mode: bool = True) -> Self:
        """Switch the tree to training (dropout drops, batch norm uses the batch) or, with False, to evaluation."""
        if not isinstance(mode, bool | np.bool_):
            raise ArgumentError(
                f"{type(self).__name__}.train(mode) switches a mode on or off, got {_kind(mode)}. To learn from data "
                "use nn.Trainer(model, loss, optimizer).fit(x, y)."
            )
        for module in self.modules():
            module._set_mode(mode)
        return self

    def _set_mode(self, mode: bool) -> None:
        """Switch this module alone; a frozen dataclass has a mode like others."""
        object.__setattr__(self, "training", mode)

    def eval(self) -> Self:
        """Switch the tree to evaluation."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget all gradients: ``.grad`` becomes None."""
        for parameter in self.parameters():
            parameter.grad = None

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze (False) or unfreeze all parameters; frozen ones cost no work in backward."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def apply(self, function: Callable[["Module"], Any]) -> Self:
        """Call ``function`` on every module of the tree, children first, and return the module."""
        for module in reversed(list(self.modules())):
            function(module)
        return self

    def register_forward_hook(self, hook: Hook) -> Handle:
        """Call ``hook(module, args, output)`` after each forward; what it returns, if not None, replaces the output."""
        Structure.version += 1
        key = max(self._hooks, default=-1) + 1
        self._hooks[key] = hook
        return Handle(self._hooks, key)

    def register_full_backward_hook(self, hook: BackwardHook) -> Handle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of all positional inputs are complete.

        Both are tuples of Tensors, with None for what needs no gradient. With one such input the hook may return its
        new gradient.
        """
        return self.register_forward_hook(Passing(hook, before=False))

    def register_full_backward_pre_hook(self, hook: BackwardHook) -> Handle:
        """Call ``hook(module, grad_output)`` before backward enters the module; with one output it may be replaced."""
        return self.register_forward_hook(Passing(hook, before=True))

    # ------------------------------------------------------------------------------------------------------ the look

    def extra_repr(self) -> str:
        """Say what stands between the brackets of the repr, such as ``4 -> 8``; subclasses define it."""
        return ""

    def __repr__(self) -> str:
        return report.text(self)

    def _repr_html_(self) -> str:
        return report.html(self)


# Not in the class, where type checkers would then take every name for a good one.
setattr(Module, "__getattr__", unknown_attribute)  # noqa: B010
_OWN = (Module, Parameter)  # a tuple made once: isinstance with Parameter | Module makes the union anew each time
_SWITCHES = ("trainable", "requires_grad")  # what freezes a layer in Keras, and a Tensor in PyTorch
_TAKEN = frozenset([*_SWITCHES, *(name for name, value in vars(Module).items() if callable(value))])


def _nothing() -> None:
    return None


def _kind(value: Any) -> str:
    return (
        f"an array of shape {value.shape}" if isinstance(value, np.ndarray | ag.Tensor) else f"a {type(value).__name__}"
    )
