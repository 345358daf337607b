"""The two NumPy protocols: what ``np.f(tensor)`` does, decided three ways.

A function with a rule is recorded; one whose result has no derivative by nature (comparisons, indices, shapes) works on
the plain array; anything else raises by name when a gradient would be lost, and works on the plain array when none
would.

Floor 10: used by :mod:`autograd.tensor`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from autograd.box import Box, contains_box, is_recording, needs_grad, read_only, unbox, values_of
from autograd.errors import AutogradError, ConversionError, InPlaceError, MissingRule, ShapeError, TraceError
from autograd.hints import called_within, converted, full_name
from autograd.modes import current
from autograd.ops import ufuncs
from autograd.primitive import dispatch, missing
from autograd.tree import flatten

# Results are indices, truth values or descriptions: no gradient exists, and plain arrays are what code expects.
PLAIN: set[Any] = {
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.logical_and, np.logical_or,
    np.logical_not, np.logical_xor, np.isfinite, np.isinf, np.isnan, np.signbit, np.invert, np.bitwise_and,
    np.bitwise_or, np.all, np.any, np.allclose, np.isclose, np.array_equal, np.array_equiv, np.argmax, np.argmin,
    np.argsort, np.argpartition, np.nanargmax, np.nanargmin, np.nonzero, np.diag_indices_from,
    np.tril_indices_from, np.triu_indices_from, np.flatnonzero, np.argwhere, np.count_nonzero, np.searchsorted,
    np.digitize, np.lexsort, np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj,
    np.isrealobj, np.iscomplex, np.isreal, np.isposinf, np.isneginf, np.isin, np.linalg.matrix_rank, np.array_repr,
    np.array_str, np.array2string, np.may_share_memory, np.shares_memory, np.min_scalar_type, np.common_type,
    np.save, np.savetxt, np.savez, np.savez_compressed, np.isscalar, np.einsum_path,
}  # fmt: skip

_REDUCE: dict[tuple[Any, str], Any] = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.add, "accumulate"): np.cumsum,
    (np.multiply, "accumulate"): np.cumprod,
}

# Tables of ops that are loaded when one of their functions is first called: NumPy itself loads np.fft then.
_LATER = {"numpy.fft": "autograd.ops.fft", "numpy.lib.scimath": "autograd.ops.emath"}

_ASSIGN = "Assign x[index] = v instead, which is differentiable."
_SET = "The set of values has no derivative; use np.sort, or .detach() first."
_SETS = [
    *["unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"],
    *["intersect1d", "setdiff1d", "setxor1d", "union1d"],
]
_INTEGERS = [
    "bitwise_count", "bitwise_left_shift", "bitwise_right_shift", "bitwise_xor", "gcd", "lcm", "left_shift",
    "right_shift", "isnat", "packbits", "unpackbits", "ravel_multi_index", "unravel_index",
]  # fmt: skip
_AT = "It writes into a plain array: make that a Tensor."
_ADVICE: dict[Any, str] = {
    np.copyto: "Write y = np.where(mask, source, target) instead.",
    np.put_along_axis: _ASSIGN,
    np.put: _ASSIGN,
    np.place: _ASSIGN,
    np.putmask: _ASSIGN,
    np.fill_diagonal: "Assign x[np.diag_indices(n)] = v instead, which is differentiable.",
    np.histogram_bin_edges: "Pass x.detach(), or the edges themselves.",
    np.nextafter: "Its result is x1 but for the last bit: use that.",
    **dict.fromkeys((getattr(np, name) for name in _SETS if hasattr(np, name)), _SET),
    **dict.fromkeys((getattr(np, name) for name in _INTEGERS if hasattr(np, name)), "It is for integers."),
}


def array_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer ``np.f(…)`` for ufuncs, and their ``reduce``, ``accumulate`` and ``outer``."""
    out = kwargs.get("out")
    if out is not None:
        return _into(ufunc, method, inputs, kwargs)
    if method == "__call__":
        function = dispatch.get(np.clip if ufunc.nin == 3 and ufunc.__name__ == "clip" else ufunc)  # array.clip(t, …)
        if function is not None:
            if ufunc.signature is not None:  # matmul, vecdot: they have arguments of their own
                return function(*inputs, **kwargs)
            return _called(function, inputs, {}) if not kwargs else _with_options(ufunc, function, inputs, kwargs)
    elif method == "outer" and ufunc in dispatch:
        a, b = inputs
        pair = np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b
        return dispatch[ufunc](*pair) if not kwargs else _with_options(ufunc, dispatch[ufunc], pair, kwargs)
    elif (ufunc, method) in _REDUCE:
        given = dict(zip(("a", "axis", "dtype", "out", "keepdims", "initial", "where"), inputs, strict=False)) | kwargs
        if ufunc in (np.maximum, np.minimum) and given.pop("dtype", None) is not None:
            raise MissingRule(f"np.{ufunc.__name__}.{method}(…, dtype=…) has no gradient rule. Use x.astype(dtype).")
        return dispatch[_REDUCE[ufunc, method]](**({"axis": 0} | given))
    elif method == "at":
        if ufunc in dispatch and isinstance(inputs[0], Box):
            return ufuncs.at(dispatch[ufunc], *inputs)
    elif ufunc in dispatch and ufunc.nin == 2 and ufunc.nout == 1 and contains_box(inputs, _is_live):
        return _called(_method_of(ufunc, method), inputs, kwargs)
    return _plain(ufunc, ufunc if method == "__call__" else getattr(ufunc, method), inputs, kwargs)


def _method_of(ufunc: np.ufunc, method: str) -> Callable[..., Any]:
    """Return a method of a ufunc as a function of what it is given."""

    def run(*args: Any, **kwargs: Any) -> Any:
        return getattr(ufuncs, method)(ufunc, dispatch[ufunc], *args, **kwargs)

    run.__name__ = f"{ufunc.__name__}.{method}"
    return run


def array_function(function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer ``np.f(…)`` for functions that are not ufuncs."""
    ours = dispatch.get(function)
    if ours is None and getattr(function, "__module__", None) in _LATER:
        import_module(_LATER[function.__module__])
        ours = dispatch.get(function)
    if ours is not None:
        try:
            return _called(ours, args, kwargs)
        except ValueError as error:
            raise _placed(error, function.__name__, args) from None
    if not all(issubclass(kind, Box | np.ndarray) for kind in types):
        return NotImplemented
    return _plain(function, function, args, kwargs)


def _called(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function of ours; under ``vmap`` one that reads numbers becomes a step of its own."""
    tracer = current().tracer
    if tracer is None:
        return function(*args, **kwargs)
    if not tracer.loops:
        with tracer.names(function.__name__):
            return function(*args, **kwargs)
    mark = tracer.mark()
    try:
        return function(*args, **kwargs)
    except (TraceError, ConversionError):
        tracer.take_back(mark)

    def again(*inner: Any, **keywords: Any) -> Any:
        return _called(function, inner, keywords)

    again.__name__ = function.__name__
    return tracer.each_of(again, args, kwargs)


def _placed(error: ValueError, name: str, args: Any) -> Exception:
    """Return the error of a function that is made of ops as one that names it and the shapes it was given."""
    if isinstance(error, np.exceptions.AxisError | np.linalg.LinAlgError):
        return error
    shapes = [str(np.shape(unbox(x))) for x in flatten(args)[0] if isinstance(x, Box | np.ndarray)]
    text = str(error)
    if isinstance(error, AutogradError) and (
        not isinstance(error, ShapeError) or (name in text and all(shape in text for shape in shapes))
    ):
        return error
    return ShapeError(f"{name} of {' and '.join(shapes)}: {text.rstrip('. ')}. Give shapes that fit.")


def _plain(named: Any, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run on plain arrays, if that loses no gradient and writes into no Tensor."""
    tracer = current().tracer
    if tracer is not None and named in PLAIN:
        return tracer.called(function, args, kwargs)
    method = "" if function is named else function.__name__
    if current().recording and named not in PLAIN and contains_box((args, kwargs), needs_grad):
        if called_within()[0] and not full_name(named, np)[0].startswith("scipy."):
            raise ConversionError(converted())
        raise missing(named, _AT if method == "at" and named in dispatch else _ADVICE.get(named, ""), method)
    if method == "at" and isinstance(args[0], Box):
        raise _writes(f"np.{named.__name__}.at", _ASSIGN)  # its fast loops write into read-only arrays, too
    try:
        return function(*unbox(args, _locked), **unbox(kwargs, _locked))
    except TraceError:
        if named in _ADVICE:  # there is a way that is followed
            raise missing(named, _ADVICE[named], method) from None
        raise
    except ValueError as error:
        if "read-only" in str(error):
            raise _writes(f"np.{named.__name__}", _ADVICE.get(named, _ASSIGN)) from None
        raise


def _writes(name: str, advice: str) -> InPlaceError:
    return InPlaceError(f"{name} would write into a Tensor, unseen by the graphs that use it. {advice}")


def _locked(box: Box) -> Any:
    """Return the values so that nothing can be written into them."""
    return read_only(values_of(box))


def _is_live(box: Box) -> bool:
    """Tell whether a plain array in place of a Tensor would lose a gradient, or be numbers that a trace reads."""
    return needs_grad(box) or current().tracer is not None


def _with_options(ufunc: np.ufunc, function: Any, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Serve ``dtype=`` by casting the inputs; the other options of ufuncs have no rule."""
    dtype = kwargs.pop("dtype", None)
    others = [name for name, value in kwargs.items() if not (name == "where" and value is True)]
    if others:
        if is_recording(*inputs):
            raise MissingRule(
                f"{full_name(ufunc, np)[0]}(…, {others[0]}=…) has no gradient rule. Leave {others[0]} out, or use "
                "np.where."
            )
        return ufunc(*unbox(inputs), **kwargs, **({"dtype": dtype} if dtype else {}))
    if dtype is None:
        return function(*inputs)
    boxed: list[Any] = [x.astype(dtype) if hasattr(x, "astype") else np.asarray(x, dtype) for x in inputs]
    return function(*boxed)


def _into(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Write into ``out=`` (as ``array += tensor`` does) only if no gradient is lost by it."""
    out, name = kwargs["out"], full_name(ufunc, np)[0]
    if contains_box(out):
        raise ConversionError(f"{name}(…, out=tensor): a Tensor cannot be an output. Write t = {name}(…).")
    if is_recording(*inputs) or current().tracer is not None:
        raise ConversionError(
            converted()
            if called_within()[0]
            else f"{name} into a plain array would lose the gradient of a Tensor. Make the array a Tensor, "
            "or write a = a + t instead of a += t."
        )
    return getattr(ufunc, method)(*unbox(inputs), **kwargs)
