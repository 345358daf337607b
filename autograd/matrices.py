"""Whole Jacobians and Hessians: by rows or by columns, whichever are fewer.

Floor 14: public; loaded when one of its functions is first used.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from autograd.errors import DTypeError
from autograd.hints import told
from autograd.mapping import mapped
from autograd.modes import current
from autograd.trace import Function, Trace, Transformed, check_function, places_of, shape_dtype, units

LANES = 128  # directions that are pushed at once


@told
def jacobian(
    f: Function, argnums: int | Sequence[int] = 0, holomorphic: bool = False, has_aux: bool = False
) -> Function:
    """Return the function that returns the Jacobian J[i, j] = ∂fᵢ/∂xⱼ, of shape output.shape + input.shape.

    The function runs once; then each row is one pass backwards, or each column one pass forwards, whichever are fewer.
    From complex to complex numbers there is such a matrix only for a holomorphic function: say ``holomorphic=True``.
    With ``has_aux`` the function returns ``(value, aux)``, and the result is ``(J, aux)``. Raises DTypeError for
    integers.

    >>> import numpy as np
    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    return Transformed(
        _matrix(f, argnums, holomorphic, has_aux, "jacobian"), jacobian, f, argnums, holomorphic, has_aux
    )


@told
def jacfwd(f: Function, argnums: int | Sequence[int] = 0, holomorphic: bool = False, has_aux: bool = False) -> Function:
    """Return the function that returns the Jacobian, column by column: for functions of few inputs.

    ``jacobian`` does so by itself where there are fewer inputs than outputs; the arguments are its own. J[i, j] =
    ∂fᵢ/∂xⱼ has the shape output.shape + input.shape. Raises DTypeError for integers.

    >>> import numpy as np
    >>> jacfwd(lambda x: np.stack([np.sin(x), np.cos(x)]))(0.0)
    array([ 1., -0.])
    """
    run = _matrix(f, argnums, holomorphic, has_aux, "jacfwd", forwards=True)
    return Transformed(run, jacfwd, f, argnums, holomorphic, has_aux)


def _matrix(f: Function, argnums: Any, holomorphic: bool, has_aux: bool, who: str, forwards: bool = False) -> Function:
    """Return what ``jacobian`` returns, and is ``who`` in errors; ``forwards`` goes by columns in any case."""
    check_function(who, f)
    numbers, single = places_of(argnums)

    def matrix(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(f, args, numbers, kwargs, who, has_aux)
        outputs = [shape_dtype(y) for y in trace.outputs]
        for _, dtype in outputs:
            _check_holomorphic(holomorphic, dtype, [target.dtype for target in trace.targets])
        wide = sum(prod(target.shape) for target in trace.targets) >= sum(prod(shape) for shape, _ in outputs)
        blocks = (_by_rows if wide and not forwards else _by_columns)(trace, outputs, holomorphic)
        made = trace.rebuild_output([trace.shape(block, single) for block in blocks])
        return trace.with_aux(made, has_aux)

    return matrix


def _by_rows(trace: Trace, outputs: Any, holomorphic: bool) -> list[list[Any]]:
    """Pull the unit vectors of the results back: of a complex result for real inputs two for each row."""
    blocks = []
    for k, (shape, dtype) in enumerate(outputs):

        def row(i: int, unit: complex, k: int = k) -> list[Any]:
            seeds = [np.zeros(*other) for other in outputs]
            seeds[k].reshape(-1)[i] = unit
            return trace.vjp([s[()] for s in seeds], trace.outside)

        pulled = []
        for i in range(prod(shape)):
            of_real = row(i, 1)
            if holomorphic:  # the gradient of Re f is conj f'
                of_real = [np.conjugate(g) for g in of_real]
            elif dtype.kind == "c":
                of_real = [g + 1j * h for g, h in zip(of_real, row(i, 1j), strict=True)]
            pulled.append(of_real)
        rows = []
        for j, target in enumerate(trace.targets):
            full = (*shape, *target.shape)
            rows.append(
                np.reshape(np.stack([row[j] for row in pulled]), full) if pulled else np.zeros(full, target.dtype)
            )
        blocks.append(rows)
    return blocks


def _by_columns(trace: Trace, outputs: Any, holomorphic: bool) -> list[list[Any]]:
    """Push the unit vectors of the arguments forwards: along the real axis that is f', where there is one."""
    blocks: list[list[Any]] = [[] for _ in outputs]
    for j, target in enumerate(trace.targets):
        size = prod(target.shape)
        pushed = [_columns(trace, j, range(start, min(size, start + LANES))) for start in range(0, size, LANES)]
        for k, (shape, dtype) in enumerate(outputs):
            full = (*shape, *target.shape)
            parts = [columns[k] for columns in pushed]
            y = np.zeros((0, *shape), dtype) if not parts else parts[0] if len(parts) == 1 else np.concatenate(parts)
            blocks[k].append(np.reshape(np.moveaxis(y, 0, -1), full))
    return blocks


def _columns(trace: Trace, j: int, places: range) -> list[Any]:
    """Push some unit vectors of target ``j``: all together, or, where a mask may have cut off a nan, one by one."""

    def along(unit: Any) -> tuple[Any, ...]:
        seeds: list[Any] = [np.zeros(other.shape, other.dtype)[()] for other in trace.targets]
        seeds[j] = unit
        return tuple(trace.pushed(seeds, trace.outside))

    seeds = units(trace.targets[j], places)
    if current().tracer is not None:
        pairs, _, _ = mapped(along, [(current().tracer.constant(seeds), True)], len(places))
        return [y if own else np.broadcast_to(y, (len(places), *np.shape(y))) for y, own in pairs]
    made = trace.columns(j, places)
    if made is None:
        made = [np.stack(parts) for parts in zip(*[along(unit) for unit in seeds], strict=True)]
    return made


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


@told
def hessian(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """Return the function that returns the Hessian H[i, j] = ∂²f/∂xᵢ∂xⱼ, of shape output.shape + 2 · input.shape.

    It is the Jacobian of the gradient, by columns: forward over reverse. Of a function with several results it is the
    Hessian of each. With ``has_aux`` the function returns ``(value, aux)``, and the result is ``(H, aux)``. Raises
    DTypeError for integers.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    inner = Transformed(_matrix(f, argnums, False, has_aux, "hessian"), jacobian, f, argnums, False, has_aux)
    run = _matrix(inner, argnums, False, has_aux, "hessian", forwards=True)
    return Transformed(run, hessian, f, argnums, has_aux)
