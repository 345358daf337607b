"""Functions of functions: gradients, products with Jacobians and Hessians, to any order.

Each takes a function of arrays (or nested tuples, lists and dicts of them) and gives a function of the same. Results
are arrays, unless something outside records: then they are Tensors, and can be differentiated again. Every call makes
nodes of its own, so nested derivatives with respect to different variables cannot be confused.

Floor 12: public.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.accumulate import add_up
from autograd.box import Box, leaf_of, looked_at, needs_grad, small, watch, wrap
from autograd.differentiate import definition_vjp, differentiate, differentiate_recorded
from autograd.errors import ArgumentError, DTypeError, GraphError, NotAFunction, ShapeError
from autograd.graph import Node, TracedLeaf, ancestors, leading_to, next_order, node_of, origin, reaches_other_leaf
from autograd.modes import current, enable_grad, no_grad
from autograd.reading import as_seed
from autograd.rules import Op
from autograd.tensor import Tensor
from autograd.tree import flatten
from autograd.vjp import bundle_node, identity_node, item_node

Function = Callable[..., Any]


class _Transformed:
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


def _check_function(name: str, f: Any) -> None:
    if not callable(f):
        raise NotAFunction(_meant(name, f))


_ARRAYS = (np.ndarray, np.generic)
_NUMBERS = (Box, *_ARRAYS, float, int, complex)


class _Trace:
    """Hold one run of a function: the nodes of its chosen arguments, its output, whether anything outside records."""

    def __init__(
        self, f: Function, args: Sequence[Any], argnums: Sequence[int], kwargs: dict[str, Any], who: str
    ) -> None:
        inner, start = list(args), next_order()
        self.targets: list[Node] = []
        self.inputs: list[Box] = []
        self.rebuilds: list[tuple[int, Callable[[list[Any]], Any]]] = []
        outer = current().recording
        self.outside = False
        for number in _places(argnums, len(args), who):
            values, rebuild = flatten(args[number])
            boxes = [_track(value, outer, who) for value in values]
            self.outside = self.outside or (outer and any(needs_grad(value) for value in values))
            self.targets += [box._node for box in boxes if box._node is not None]
            self.inputs += boxes
            self.rebuilds.append((len(values), rebuild))
            inner[number] = rebuild(boxes)
        self.own = set(self.targets)
        if outer:
            output = f(*inner, **kwargs)
        else:
            with enable_grad():
                output = f(*inner, **kwargs)
        self.tracer = current().tracer
        self.outputs, self.rebuild_output = flatten(output)
        for y in self.outputs:
            if not isinstance(y, _NUMBERS):
                missing = " Is a return missing?" if y is None else ""
                raise DTypeError(
                    f"{who}: the function returned {type(y).__name__}; it must return numbers or arrays.{missing}"
                )
        self.nodes = [y._node if needs_grad(y) else None for y in self.outputs]
        self.foreign = reaches_other_leaf(self.nodes, self.own)
        # The arguments of transforms inside f end there; those of transforms around it were made before, and do not.
        self.outside = self.outside or (
            outer
            and self.foreign
            and reaches_other_leaf(
                self.nodes, self.own, lambda leaf: not isinstance(leaf, TracedLeaf) or leaf.order > start
            )
        )

    def value(self) -> Any:
        """Return the output: Tensors if something outside records, else arrays (read-only: rules may need them)."""
        if self.tracer is not None:
            return self.rebuild_output([self.tracer.result(y) for y in self.outputs])
        if self.outside:
            return self.rebuild_output(self.outputs)
        return self.rebuild_output([_frozen(y._array) if isinstance(y, Box) else y for y in self.outputs])

    def pull(self, seeds: Sequence[Any], traced: bool) -> list[Any]:
        """Return the gradient for each target, given one for each output; zeros where nothing arrives."""
        return _taken(_walk(self.nodes, seeds, self.own, traced, self.foreign), self.targets)

    def shape(self, gradients: list[Any], single: bool) -> Any:
        """Arrange gradients like the arguments they belong to."""
        parts, at = [], 0
        for count, rebuild in self.rebuilds:
            parts.append(rebuild(gradients[at : at + count]))
            at += count
        return parts[0] if single else tuple(parts)


def _walk(
    roots: Sequence[Node | None], seeds: Sequence[Any], own: set[Node], traced: bool, foreign: bool
) -> dict[Node, Any]:
    """Go back from several roots to ``own``; only what leads there is computed."""
    tracer = current().tracer
    if tracer is not None:
        return tracer.gradients(roots, seeds, own)  # type: ignore[no-any-return]
    if len(roots) == 1 and roots[0] is not None:
        root, seed = roots[0], seeds[0]
        if traced and not isinstance(seed, Box):
            seed = wrap(seed)
    else:
        root, seed = bundle_node(roots), tuple(s if isinstance(s, Box) or not traced else wrap(s) for s in seeds)
    wanted = leading_to(root, own) if foreign else None
    run = differentiate_recorded if traced else differentiate
    return run({root: seed}, own, wanted=wanted)


def _frozen(data: Any) -> Any:
    if type(data) is np.ndarray:
        data = data.view()
        data.flags.writeable = False
    return data


def _taken(found: dict[Node, Any], targets: Sequence[Node]) -> list[Any]:
    """Take the gradients out of ``found``, as arrays that nobody else holds."""
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
    """Make a leaf that only a transform knows."""
    tracer = current().tracer
    if tracer is not None:
        return tracer.target(value)  # type: ignore[no-any-return]
    data = np.array(value) if type(value) is np.ndarray and value.ndim else Tensor(value, requires_grad=True)._array
    return wrap(data, TracedLeaf(small(data), data.shape, data.dtype))  # type: ignore[no-any-return]


def _places(argnums: Sequence[int], count: int, who: str) -> list[int]:
    """Count from the front, and refuse what is not there or named twice."""
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
    """Make a Tensor whose node stands for this argument only."""
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


def _numbers(argnums: int | Sequence[int]) -> tuple[tuple[int, ...], bool]:
    if isinstance(argnums, int | np.integer):
        return (int(argnums),), True
    if isinstance(argnums, str) or not all(isinstance(each, int | np.integer) for each in _listed(argnums)):
        raise ArgumentError(f"argnums must be the place of an argument, or a tuple of places, got {argnums!r}.")
    return tuple(argnums), False


def _listed(argnums: Any) -> Any:
    return argnums if isinstance(argnums, Sequence | np.ndarray) else (None,)


def _seed(given: Any, y: Any, who: str) -> Any:
    """Check one upstream gradient or tangent against the value it belongs to."""
    shape, dtype = np.shape(y._array if isinstance(y, Box) else y), getattr(y, "dtype", np.dtype(np.float64))
    given = as_seed(given, dtype, who)
    if given.shape != shape:
        raise ShapeError(f"{who}: expected shape {shape}, got {given.shape}.")
    return given


def _plain(x: Any) -> Any:
    return x._array if isinstance(x, Box) else x


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """Return a function that returns ``(f(x), ∇f(x))`` for a scalar-valued ``f``.

    ``argnums`` (int or tuple) chooses the arguments; the gradient has the form of the argument, or is a tuple of such.

    >>> value_and_grad(lambda x: x**2)(3.0)
    (np.float64(9.0), np.float64(6.0))
    """
    _check_function("grad", f)
    numbers, single = _numbers(argnums)

    def both(*args: Any, **kwargs: Any) -> Any:
        trace = _Trace(f, args, numbers, kwargs, "grad")
        if len(trace.outputs) != 1 or np.size(_plain(trace.outputs[0])) != 1:
            shapes = [np.shape(_plain(y)) for y in trace.outputs]
            raise ShapeError(
                f"grad: the function must return one scalar, got {shapes}. Use jacobian, or reduce with .sum()."
            )
        y = trace.outputs[0]
        if getattr(y, "dtype", np.dtype(float)).kind == "c":
            raise DTypeError(
                f"grad: the function returned {y.dtype}, and only a real number has a gradient. Return .real, .imag or "
                "abs() of it; for f'(z) of a holomorphic function use jacobian(f, holomorphic=True)."
            )
        seed = np.ones(np.shape(_plain(y)), getattr(y, "dtype", float))[()]
        return trace.value(), trace.shape(trace.pull([seed], trace.outside), single)

    return _Transformed(both, value_and_grad, f, argnums)


def grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """Return the gradient function ∇f of a scalar-valued ``f``.

    >>> import numpy as np
    >>> grad(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    array([ 3., 12.])
    >>> grad(grad(lambda x: x**3))(2.0)
    np.float64(12.0)
    """
    both = value_and_grad(f, argnums)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return _Transformed(gradient, grad, f, argnums)


def vjp(f: Function, *args: Any) -> tuple[Any, Function]:
    """Return ``(f(*args), pullback)`` with pullback(u) = uᵀ · J: one gradient for one argument, else a tuple.

    >>> import numpy as np
    >>> y, pullback = vjp(np.sin, 0.0)
    >>> pullback(2.0)
    np.float64(2.0)
    """
    _check_function("vjp", f)
    trace = _Trace(f, args, range(len(args)), {}, "vjp")

    def pullback(cotangents: Any) -> Any:
        given, _ = flatten(cotangents)
        if len(given) != len(trace.outputs):
            raise ShapeError(f"pullback: expected {len(trace.outputs)} gradients, one per output, got {len(given)}.")
        seeds = [_seed(u, y, "pullback") for u, y in zip(given, trace.outputs, strict=True)]
        traced = current().recording and (trace.outside or any(needs_grad(u) for u in seeds))
        if not traced:
            seeds = [_plain(u) for u in seeds]
        return trace.shape(trace.pull(seeds, traced), len(args) == 1)

    return trace.value(), pullback


def jvp(f: Function, args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return ``(f(*args), J · tangents)``: forward-mode by two reverse passes.

    uᵀ · J is linear in u, so its derivative along the tangents with respect to u is J · t.

    >>> import numpy as np
    >>> jvp(lambda x: x**2, (np.array([1.0, 2.0]),), (np.array([1.0, 10.0]),))
    (array([1., 4.]), array([ 2., 40.]))
    """
    _check_function("jvp", f)
    if not isinstance(args, tuple | list) or not isinstance(tangents, tuple | list):
        raise ArgumentError(
            "jvp: args and tangents must be tuples with one entry per argument, as in jvp(f, (x,), (t,))."
        )
    trace = _Trace(f, args, range(len(args)), {}, "jvp")
    given = flatten(tuple(tangents))[0]
    if len(given) != len(trace.inputs):
        raise ShapeError(f"jvp: expected {len(trace.inputs)} tangents, one per argument, got {len(given)}.")
    seeds = [_seed(t, x, "jvp tangent") for t, x in zip(given, trace.inputs, strict=True)]
    traced = current().recording and (trace.outside or any(needs_grad(t) for t in seeds))
    duals = [
        _argument(np.zeros_like(_plain(y))) if node is not None else None
        for y, node in zip(trace.outputs, trace.nodes, strict=True)
    ]
    shares = trace.pull([u if u is not None else np.zeros(()) for u in duals], True)
    nodes = [share._node if needs_grad(share) else None for share in shares]
    own = {u._node for u in duals if u is not None and u._node is not None}
    found = _walk(nodes, seeds if traced else [_plain(t) for t in seeds], own, traced, foreign=True)
    arrived = iter(_taken(found, [u._node for u in duals if u is not None and u._node is not None]))
    pushed = [
        next(arrived) if u is not None else np.zeros(np.shape(_plain(y)))[()]
        for u, y in zip(duals, trace.outputs, strict=True)
    ]
    return trace.value(), trace.rebuild_output(pushed)


def jacobian(f: Function, argnums: int | Sequence[int] = 0, holomorphic: bool = False) -> Function:
    """Return the function that returns the Jacobian J[i, j] = ∂fᵢ/∂xⱼ, of shape output.shape + input.shape.

    The function runs once; each row is one pass over the same graph (of a complex output for real inputs two). From
    complex to complex numbers there is such a matrix only for a holomorphic function: say ``holomorphic=True``.

    >>> import numpy as np
    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    _check_function("jacobian", f)
    numbers, single = _numbers(argnums)

    def rows(*args: Any, **kwargs: Any) -> Any:
        trace = _Trace(f, args, numbers, kwargs, "jacobian")
        blocks = []
        for k, y in enumerate(trace.outputs):
            shape, dtype = np.shape(_plain(y)), getattr(y, "dtype", np.dtype(float))
            _check_holomorphic(holomorphic, dtype, [target.dtype for target in trace.targets])

            def row(i: int, unit: complex, k: int = k) -> list[Any]:
                seeds = [np.zeros(np.shape(_plain(other)), getattr(other, "dtype", float)) for other in trace.outputs]
                seeds[k].reshape(-1)[i] = unit
                return trace.pull([s[()] for s in seeds], trace.outside)

            pulled = []
            for i in range(int(np.prod(shape))):
                of_real = row(i, 1)
                if holomorphic:  # the gradient of Re f is conj f'
                    of_real = [np.conjugate(g) for g in of_real]
                elif dtype.kind == "c":
                    of_real = [g + 1j * h for g, h in zip(of_real, row(i, 1j), strict=True)]
                pulled.append(of_real)
            columns = []
            for j, target in enumerate(trace.targets):
                full = (*shape, *target.shape)
                columns.append(
                    np.reshape(np.stack([row[j] for row in pulled]), full) if pulled else np.zeros(full, target.dtype)
                )
            blocks.append(trace.shape(columns, single))
        return trace.rebuild_output(blocks)

    return _Transformed(rows, jacobian, f, argnums, holomorphic)


def _check_holomorphic(holomorphic: bool, output: Any, inputs: Sequence[Any]) -> None:
    """Refuse a Jacobian that is no matrix of complex numbers, or a promise that cannot be kept."""
    if holomorphic and not (output.kind == "c" and all(dtype.kind == "c" for dtype in inputs)):
        given = ", ".join(map(str, inputs))
        raise DTypeError(f"jacobian(holomorphic=True): from {given} to {output}; both must be complex.")
    if not holomorphic and output.kind == "c" and any(dtype.kind == "c" for dtype in inputs):
        raise DTypeError(
            "jacobian: from complex to complex numbers there is such a matrix only for a holomorphic function: say "
            "jacobian(f, holomorphic=True). For others, take real and imaginary part as two real arguments and results."
        )


def hessian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """Return the function that returns the Hessian H[i, j] = ∂²f/∂xᵢ∂xⱼ of a scalar-valued ``f``.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return _Transformed(jacobian(grad(f, argnums), argnums), hessian, f, argnums)


def hvp(f: Function) -> Function:
    """Return the function ``(x, v) -> H(x) · v`` for a scalar-valued ``f`` of one argument, without building H.

    >>> import numpy as np
    >>> hvp(lambda x: (x**3).sum())(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    gradient = grad(f)

    def product(x: Any, v: Any, *more: Any) -> Any:
        if more:
            raise ArgumentError(
                f"hvp: takes x and v of a function of one argument, got {2 + len(more)} values. Put several arguments "
                "into a tuple: hvp(lambda x: f(*x))((a, b), (u, v))."
            )
        return vjp(gradient, x)[1](v)  # H is symmetric, so vᵀ · H is H · v

    return _Transformed(product, hvp, f)


def checkpoint(f: Function) -> Function:
    """Return a function that computes ``f`` but keeps only its inputs and output: backward runs ``f`` again.

    Memory is traded for a second forward pass. ``f`` may use Tensors from outside; they get their gradients. It must
    give the same values both times (a random generator inside must be made inside): GraphError otherwise.

    >>> x = Tensor(0.5, requires_grad=True)
    >>> checkpoint(lambda t: (t * t).exp())(x).backward()
    >>> round(x.grad.item(), 4)
    1.284
    """

    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if current().recording is not True:
            return f(*args, **kwargs)
        values, rebuild = flatten((args, kwargs))
        places = [i for i, value in enumerate(values) if isinstance(value, Box)]

        def run(*boxes: Any) -> Any:
            filled = list(values)
            for i, box in zip(places, boxes, strict=True):
                filled[i] = box
            inner_args, inner_kwargs = rebuild(filled)
            return f(*inner_args, **inner_kwargs)

        return _checkpointed(run, [values[i] for i in places], getattr(f, "__name__", "f"))

    return _Transformed(checkpointed, checkpoint, f)


def _checkpointed(run: Function, inputs: list[Any], name: str) -> Any:
    start = next_order()
    inner = [Tensor(x._array, True, copy=False) if needs_grad(x) else wrap(x._array) for x in inputs]
    y = run(*inner)
    outputs = list(y) if isinstance(y, tuple) else [y]
    if not any(isinstance(part, Box) for part in outputs) and not any(isinstance(part, Box) for part in flatten(y)[0]):
        return y  # no Tensor went in, none came out
    if not all(isinstance(part, Box) for part in outputs):
        raise GraphError(
            f"checkpoint({name}): the function must return a Tensor or a tuple of Tensors, got {type(y).__name__}."
        )
    root = bundle_node([part._node for part in outputs])
    own = {x._node for x in inner}
    closed = [
        node
        for node in ancestors(root, lambda node: node.order < start)
        if node.order > start and node.needs and node not in own
    ]
    if not closed and not any(needs_grad(x) for x in inputs):
        with no_grad():
            return run(*inputs)
    data = [part._array for part in outputs]

    def again(*boxes: Any) -> Any:
        second = run(*boxes)
        for old, new in zip(data, second if isinstance(second, tuple) else [second], strict=True):
            if not np.array_equal(old, new._array, equal_nan=True):
                raise GraphError(
                    f"checkpoint({name}): the second run gave other values, so the gradient would be wrong. Make the "
                    "function deterministic (create random generators inside, from a seed)."
                )
        return second

    op = Op(
        run,
        f"checkpoint({name})",
        symbol="checkpoint",
        inputs=[f"input_{i}" for i in range(len(inputs))],
        definition=again,
        selects=True,
    )
    op.vjp = definition_vjp
    parents = (*map(leaf_of, inputs), *closed)
    residuals = (*[x._array for x in inputs], *[None] * len(closed), tuple(data) if isinstance(y, tuple) else data[0])
    given, scope = [x._array for x in inputs], current().scope
    seen = [looked_at(d, inputs, given)[1] for d in data]
    sources = [inputs[at] if at is not None else _outside(part, start) for at, part in zip(seen, outputs, strict=True)]
    roots = [None if source is None else leaf_of(source) for source in sources]
    if isinstance(y, tuple):
        node = Node(op, parents, residuals, None, [d.shape for d in data], [d.dtype for d in data], scope)
        nodes = [item_node(node, i, d, source) for i, (d, source) in enumerate(zip(data, roots, strict=True))]
    else:
        nodes = [node_of(roots[0], op, parents, residuals, None, data[0].shape, data[0].dtype, scope)]
    results = [
        wrap(d, node) if source is None else watch(wrap(d[...], node), source)
        for d, node, source in zip(data, nodes, sources, strict=True)
    ]
    return tuple(results) if isinstance(y, tuple) else results[0]


def _outside(part: Box, start: int) -> Box | None:
    """Return ``part`` if it looks at memory that may have been there before ``start``: no op made it since."""
    root = origin(leaf_of(part))
    return part if type(part._array) is np.ndarray and (root.op is None or root.order > start) else None
