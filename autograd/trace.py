"""One run of a function that is transformed: arguments and results as nodes, tangents and cotangents through it.

Floor 12: used by the transforms.
"""

import functools
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from autograd.accumulate import add_up
from autograd.box import ARRAYS, Box, needs_grad, plain, read_only, small, wrap
from autograd.differentiate import differentiate, differentiate_recorded, has_nan
from autograd.errors import ArgumentError, DTypeError, NotAFunction, ShapeError, call_function
from autograd.forward import Stream, probe, push
from autograd.graph import Node, TracedLeaf, leading_to, next_order, reaches_other_leaf
from autograd.modes import current, enable_grad, watched_by
from autograd.reading import as_seed
from autograd.tensor import Tensor
from autograd.tree import flatten, numbers_in, values_like
from autograd.vjp import PUSHED, bundle_node, identity_node

Function = Callable[..., Any]


class Transformed:
    """Call a function made of ``f``; it can be pickled where ``f`` can."""

    _reaches = ("_run",)  # the rest names it

    def __init__(self, run: Function, transform: Function, f: Function, *options: Any) -> None:
        if not callable(f):
            raise NotAFunction(_meant(transform.__name__, f))
        functools.update_wrapper(self, f, updated=())
        self._run, self._recipe = run, (transform, (f, *options))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(*args, **kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __reduce__(self) -> Any:
        return self._recipe


def _meant(name: str, f: Any) -> str:
    if isinstance(f, Box):
        return (
            f"{name} takes a function, got a Tensor. For a result that was recorded already call y.backward() and read "
            f"x.grad, or pass the function that computes it: ag.{name}(f)(x)."
        )
    return f"{name} takes a function, got {type(f).__name__}: {f!r}"[:200] + ". Pass the function, not its result."


def check_function(name: str, f: Any) -> None:
    """Refuse what is no function, and say what is meant."""
    if not callable(f):
        raise NotAFunction(_meant(name, f))


def _is_number(x: Any) -> bool:
    """Tell whether a gradient may be asked for: None, words and truth values in a tree stay as they are."""
    return isinstance(x, _NUMBERS) and not isinstance(x, bool)


_NUMBERS = (Box, *ARRAYS, float, int, complex)


class Trace:
    """Hold one run of a function: the nodes of its chosen arguments, its output, whether anything outside records.

    With tangents ``along`` they are pushed while it runs, where nothing else asks for the graph.
    """

    targets: list[Node]
    inputs: list[Box]
    rebuilds: list[tuple[int, Callable[..., Any]]]
    own: set[Node]
    outside: bool

    def __init__(
        self,
        f: Function,
        args: Sequence[Any],
        argnums: Sequence[int],
        kwargs: dict[str, Any],
        who: str,
        has_aux: bool = False,
        along: Any = None,
    ) -> None:
        start, outer = next_order(), current().recording
        inner = self._chosen(args, _places(argnums, len(args), who), who)
        self.stream = None if along is None else self._stream(along, who)
        around = current().watcher
        if isinstance(around, Stream):  # of a jvp around this: what is recorded here is read here
            around.kept.update(self.targets)
        watched = self.stream is not None or isinstance(around, Stream)
        with nullcontext() if outer else enable_grad(), watched_by(self.stream) if watched else nullcontext():
            output = call_function(f, inner, kwargs)
        self.tracer = current().tracer
        self.aux: Any = None
        if has_aux:
            output, self.aux = _pair(output, who)
        self.outputs, self.rebuild_output = flatten(output)
        _check_outputs(self.outputs, who)
        self.nodes = [y._node if needs_grad(y) else None for y in self.outputs]
        if self.stream is not None:
            self.stream.finish()
        self.foreign = reaches_other_leaf(self.nodes, self.own)
        # The arguments of transforms inside f end there; those of transforms around it were made before, and do not.
        self.outside = self.outside or (
            outer
            and self.foreign
            and reaches_other_leaf(
                self.nodes,
                self.own,
                lambda leaf: not (isinstance(leaf, TracedLeaf) or leaf.op is PUSHED) or leaf.order > start,
            )
        )

    def _stream(self, along: Any, who: str) -> Stream | None:
        """Return what pushes tangents while the function runs, unless somebody else looks at its graph."""
        state = current()
        seeds = self._seeds(along, who)
        if self.outside or state.tracer or state.watcher or (state.recording and any(map(needs_grad, seeds))):
            return None
        return Stream(dict(zip(self.targets, map(plain, seeds), strict=True)), bool(state.recording))

    def streamed(self) -> Any:
        """Return the tangents of the outputs that were pushed while the function ran, or None where in doubt."""
        if self.stream is None or self.stream.failed:
            return None
        made = self.stream.ended(self.nodes, traced=bool(current().recording) and self.outside)
        if made is None:
            return None
        return self.rebuild_output([_or_zeros(t, y) for t, y in zip(made, self.outputs, strict=True)])

    def _chosen(self, args: Sequence[Any], places: Sequence[int], who: str) -> list[Any]:
        """Return the arguments with Tensors of this run in place of the numbers that are differentiated."""
        inner, outer = list(args), current().recording
        self.targets, self.inputs, self.rebuilds = [], [], []
        self.forms, self.outside = [args[place] for place in places], False
        for place in places:
            values, rebuild = numbers_in(args[place], _is_number)
            boxes = [_track(value, outer, who) for value in values]
            self.outside = self.outside or (outer and any(map(needs_grad, values)))
            self.targets += [box._node for box in boxes if box._node is not None]
            self.inputs += boxes
            self.rebuilds.append((len(values), rebuild))
            inner[place] = rebuild(boxes)
        self.own = set(self.targets)
        return inner

    def value(self) -> Any:
        """Return the output: Tensors if something outside records, else arrays, read-only as rules may need them."""
        return self.rebuild_output(self._given(self.outputs))

    def with_aux(self, result: Any, has_aux: bool) -> Any:
        """Return ``result``, with ``has_aux`` as a pair with what else the function returned."""
        if not has_aux:
            return result
        values, rebuild = flatten(self.aux)
        return result, rebuild(self._given(values))

    def _given(self, values: list[Any]) -> list[Any]:
        if self.tracer is not None:
            return [self.tracer.result(y) for y in values]
        return values if self.outside else [read_only(y._array) if isinstance(y, Box) else y for y in values]

    def vjp(self, seeds: Sequence[Any], traced: bool) -> list[Any]:
        """Return the gradient for each target, given one for each output; zeros where nothing arrives."""
        return _taken(_backprop(self.nodes, seeds, self.own, traced, self.foreign, self.tracer), self.targets)

    def push(self, tangents: tuple[Any, ...], who: str) -> Any:
        """Return the tangents of the outputs, given those of the arguments in their form."""
        seeds = self._seeds(tangents, who)
        traced = bool(current().recording) and (self.outside or any(needs_grad(t) for t in seeds))
        return self.rebuild_output(self.pushed(seeds, traced))

    def _seeds(self, tangents: tuple[Any, ...], who: str) -> list[Any]:
        given = self.directions(tangents, who)
        return [seed_of(t, x, f"{who} tangent") for t, x in zip(given, self.inputs, strict=True)]

    def directions(self, tangents: tuple[Any, ...], who: str) -> list[Any]:
        """List the tangents in the order of the numbers among the arguments."""
        given = flatten(tangents)[0]
        if len(tangents) != len(self.forms):
            raise ShapeError(f"{who}: expected {len(self.forms)} tangents, one per argument, got {len(given)}.")
        values, found = flatten(tuple(self.forms))[0], values_like(tuple(self.forms), tangents, who)
        alone = len(values) == len(self.inputs)
        return [t for t, x in zip(found, values, strict=True) if alone or _is_number(x)]

    def pushed(self, seeds: Sequence[Any], traced: bool) -> list[Any]:
        """Return the tangent of each output, given one for each target; zeros where nothing arrives."""
        if self.tracer is not None:
            made = self.tracer.pushed(self.nodes, self.targets, seeds)
            pairs = zip(made, self.outputs, strict=True)
            return [_or_zeros(None, y) if t is None else current().tracer.result(t) for t, y in pairs]
        traced = traced or current().tracer is not None
        seeds = [t if isinstance(t, Box) else wrap(t) for t in seeds] if traced else [plain(t) for t in seeds]
        try:
            made = push(dict(zip(self.targets, seeds, strict=True)), self.nodes, traced=traced)
        except ArgumentError:  # a rule refuses a value (a singular matrix) that a mask may cut off
            return self._pushed_back(seeds, traced)
        settled = current().tracer is not None  # the numbers of an example tell nothing; whoever traces looks at all
        if not settled and any(t is not None and has_nan(plain(t)) for t in made):  # a mask may cut it off
            return self._pushed_back(seeds, traced)
        return [_or_zeros(t, y) for t, y in zip(made, self.outputs, strict=True)]

    def columns(self, j: int, places: range) -> list[Any] | None:
        """Return ∂output/∂xᵢ for some elements of target ``j``, stacked.

        None where a mask may have cut off a nan, or what a rule refuses.
        """
        target, count, traced = self.targets[j], len(places), self.outside
        seeds = units(target, places)
        try:
            made = push({target: wrap(seeds) if traced else seeds}, self.nodes, traced=traced, lanes=count)
        except ArgumentError:
            return None
        if any(t is not None and has_nan(plain(t)) for t in made):
            return None
        return [_or_zeros(t, y, (count,)) for t, y in zip(made, self.outputs, strict=True)]

    def _pushed_back(self, seeds: Sequence[Any], traced: bool) -> list[Any]:
        """Return them by two reverse passes: uᵀ · J is linear in u, so its derivative along t by u is J · t."""
        duals = [None if node is None else _argument(probe(node.shape, node.dtype)) for node in self.nodes]
        own: list[Any] = [u._node for u in duals if u is not None]
        cotangents = self.vjp([np.zeros(()) if u is None else u for u in duals], True)
        nodes = [g._node if needs_grad(g) else None for g in cotangents]
        found = _backprop(nodes, seeds if traced else [plain(t) for t in seeds], set(own), traced, foreign=True)
        arrived = iter(_taken(found, own))
        return [_or_zeros(None, y) if u is None else next(arrived) for u, y in zip(duals, self.outputs, strict=True)]

    def shape(self, gradients: list[Any], single: bool) -> Any:
        """Arrange gradients like the arguments they belong to."""
        parts, at = [], 0
        for count, rebuild in self.rebuilds:
            parts.append(rebuild(gradients[at : at + count], None))
            at += count
        return parts[0] if single else tuple(parts)


def _pair(output: Any, who: str) -> tuple[Any, Any]:
    """Return value and aux of a function that gives both."""
    if not isinstance(output, tuple) or len(output) != 2:
        raise ArgumentError(
            f"{who}(has_aux=True): the function must return a pair (value, aux), got {type(output).__name__}."
        )
    return output


def _check_outputs(outputs: Sequence[Any], who: str) -> None:
    """Refuse what cannot be differentiated."""
    for y in outputs:
        if not isinstance(y, _NUMBERS):
            missing = " Is a return missing?" if y is None else ""
            raise DTypeError(
                f"{who}: the function returned {type(y).__name__}; it must return numbers or arrays.{missing}"
            )


def units(target: Any, places: range) -> Any:
    """Stack the unit vectors of some elements of a target."""
    made = np.zeros((len(places), *target.shape), target.dtype)
    made.reshape(len(places), -1)[np.arange(len(places)), places] = 1
    return made


def _backprop(
    roots: Sequence[Node | None], seeds: Sequence[Any], own: set[Node], traced: bool, foreign: bool, owner: Any = None
) -> dict[Node, Any]:
    """Return the gradients of ``own`` from several roots; only what leads there is computed."""
    tracer = current().tracer
    if tracer is not None:
        return tracer.gradients(roots, seeds, own, owner)  # type: ignore[no-any-return]
    if len(roots) == 1 and roots[0] is not None:
        root, seed = roots[0], seeds[0]
        if traced and not isinstance(seed, Box):
            seed = wrap(seed)
    else:
        root, seed = bundle_node(roots), tuple(s if isinstance(s, Box) or not traced else wrap(s) for s in seeds)
    wanted = leading_to(root, own) if foreign else None
    run = differentiate_recorded if traced else differentiate
    return run({root: seed}, own, wanted=wanted)


def _taken(found: dict[Node, Any], targets: Sequence[Node]) -> list[Any]:
    """Return the gradients in ``found`` in the order of ``targets``, as arrays that nobody else holds."""
    taken, tracer = [], current().tracer
    for target in targets:
        g = found.pop(target) if target in found else np.zeros(target.shape, target.dtype)[()]
        if tracer is not None:
            taken.append(tracer.result(tracer.boxed(g)))
            continue
        g = add_up(None, g)
        taken.append(g[()] if isinstance(g, np.ndarray) and not g.ndim else g)
    return taken


def _argument(value: Any) -> Box:
    """Return a leaf that only a transform knows."""
    tracer = current().tracer
    if tracer is not None:
        return tracer.target(value)  # type: ignore[no-any-return]
    data = np.array(value) if type(value) is np.ndarray and value.ndim else Tensor(value, requires_grad=True)._array
    return wrap(data, TracedLeaf(small(data), data.shape, data.dtype))  # type: ignore[no-any-return]


def _places(argnums: Sequence[int], count: int, who: str) -> list[int]:
    """Return the places counted from the front; refuse what is not there or named twice."""
    places = []
    for number in argnums:
        if not -count <= number < count:
            raise ArgumentError(
                f"{who}: argnums {number} but the function was called with {count} arguments, which count from 0."
            )
        if number % count in places:
            raise ArgumentError(f"{who}: argnums {tuple(argnums)} name argument {number % count} twice.")
        places.append(number % count)
    return places


def _track(value: Any, outer: bool, who: str) -> Box:
    """Return a Tensor whose node stands for this argument only."""
    if outer and needs_grad(value) and current().tracer is None:
        return wrap(value._array, identity_node(value._node))  # type: ignore[no-any-return]
    if isinstance(value, Box) and current().tracer is None:
        value = value._array
    dtype = getattr(value, "dtype", None)
    if dtype is not None and dtype.kind not in "fc":
        raise DTypeError(
            f"{who}: arguments must be floating-point to be differentiated, got dtype {dtype}. Use .astype(float)."
        )
    return _argument(value)


def places_of(argnums: int | Sequence[int]) -> tuple[tuple[int, ...], bool]:
    """Read ``argnums``: the places of the arguments, and whether it is one."""
    if isinstance(argnums, int | np.integer):
        return (int(argnums),), True
    if isinstance(argnums, str) or not all(isinstance(each, int | np.integer) for each in _listed(argnums)):
        raise ArgumentError(f"argnums must be the place of an argument, or a tuple of places, got {argnums!r}.")
    return tuple(argnums), False


def _listed(argnums: Any) -> Any:
    return argnums if isinstance(argnums, Sequence | np.ndarray) else (None,)


def shape_dtype(y: Any) -> tuple[tuple[int, ...], Any]:
    """Return shape and dtype of a Tensor, array or number."""
    return np.shape(plain(y)), getattr(y, "dtype", np.dtype(float))


def _or_zeros(t: Any, y: Any, lanes: tuple[int, ...] = ()) -> Any:
    """Return the tangent of ``y``, an array that nobody else holds: zeros where nothing arrived."""
    shape, dtype = shape_dtype(y)
    return np.zeros((*lanes, *shape), dtype)[()] if t is None else add_up(None, t)


def seed_of(given: Any, y: Any, who: str) -> Any:
    """Check one upstream gradient or tangent against the value it belongs to."""
    shape, dtype = shape_dtype(y)
    given = as_seed(given, dtype, who)
    if given.shape != shape:
        raise ShapeError(f"{who}: expected shape {shape}, got {given.shape}.")
    return given
