"""What people write out of habit, from PyTorch, JAX or SciPy, and the word that works here: a table, and who reads it.

Floor 2: used by Tensor, the package, the compiler and the protocols.
"""

import functools
import sys
from collections.abc import Callable, Iterable
from inspect import signature
from types import FrameType
from typing import Any, ParamSpec, TypeVar

from autograd.errors import ConversionError, UnexpectedKeyword, UnknownName

P = ParamSpec("P")
R = TypeVar("R")

_CAST = "use t.astype(np.float32) and its kin"
_HERE = "there is one device, the processor: NumPy's arrays lie in its memory. Leave it out"
TENSOR = {
    "view": "use t.reshape(…)",
    "view_as": "use t.reshape(other.shape)",
    "unsqueeze": "use np.expand_dims(t, axis) or t[None]",
    "numel": "use t.size",
    "dim": "use t.ndim",
    "to": f"{_CAST}; {_HERE}",
    "cuda": _HERE,
    "cpu": _HERE,
    "device": _HERE,
    "float": _CAST,
    "double": _CAST,
    "half": _CAST,
    "long": _CAST,
    "int": _CAST,
    "bool": _CAST,
    "type": _CAST,
    "requires_grad_": "set t.requires_grad = True",
    "detach_": "use t = t.detach()",
    "zero_": "use t[...] = 0, or t.zero_grad() for the gradient",
    "fill_": "use t[...] = value",
    "copy_": "use t[...] = other",
    "add_": "use t += other",
    "sub_": "use t -= other",
    "mul_": "use t *= other",
    "div_": "use t /= other",
    "clamp": "use t.clip(min, max)",
    "clamp_": "use t[...] = t.clip(min, max)",
    "permute": "use t.transpose(axes)",
    "mm": "use t @ other",
    "bmm": "use t @ other",
    "matmul": "use t @ other",
    "cat": "use np.concatenate([…])",
    "expand": "use np.broadcast_to(t, shape)",
    "contiguous": "leave it out: every op takes arrays as they lie",
    "clone": "use t.copy()",
    "t": "use t.T",
    "label": "use t.name",
    "angle": "use np.angle(t)",
    "sgn": "use np.sign(t)",
    "mH": "use t.conj().mT",
    "H": "use t.conj().T",
    "adjoint": "use t.conj().mT",
    "resolve_conj": "leave it out: t.conj() is computed at once",
    "is_complex": "look at t.dtype.kind",
    "tanh_": "use t[...] = np.tanh(t)",
    "backwards": "use t.backward()",
    "pow": "use t ** exponent",
    "norm": "use np.linalg.norm(t)",
    "add": "use t + other",
    "sub": "use t - other",
    "mul": "use t * other",
    "div": "use t / other",
    "neg": "use -t",
    "eq": "use t == other",
    "gt": "use t > other",
    "lt": "use t < other",
    "square": "use t ** 2",
    "new_zeros": "use np.zeros_like(t)",
    "grad_fn": "it is no attribute: ag.draw(t) shows where a Tensor comes from, t.is_leaf whether from anywhere",
    "split": "use np.split(t, parts)",
    "chunk": "use np.array_split(t, parts)",
    "gather": "use np.take_along_axis(t, index, axis)",
    "index_select": "use t.take(index, axis)",
    "masked_fill": "use np.where(mask, value, t)",
    "scatter_add": "use ag.array, or np.add.at on a copy",
    "topk": "use np.sort(t)[..., -k:]",
    "argsort_": "use t.argsort()",
    "movedim": "use np.moveaxis(t, source, destination)",
    "unbind": "use list(t)",
    "tile": "use np.tile(t, reps)",
    "roll": "use np.roll(t, shift)",
    "flip": "use np.flip(t)",
    "append": "use np.concatenate([t, other])",
    "extend": "use np.concatenate([t, other])",
    "gradient": "use t.grad",
    "stop_gradient": "use t.detach()",
    # ndarray's, about memory rather than numbers
    "argpartition": "call NumPy's function of that name",
    "put": "assign t[index] = v",
    "resize": "use np.resize(t, shape)",
    "flat": "use t.ravel(), or assign t[index] = v",
    "itemsize": "use t.dtype.itemsize",
    "to_device": _HERE,
    "__dlpack__": "use t.numpy(), which has it",
    **{
        name: f"use t.numpy().{name}"
        for name in (
            *("base", "byteswap", "ctypes", "dump", "dumps", "flags", "getfield", "setfield", "setflags"),
            *("strides", "tobytes", "tofile"),
        )
    },
}
_SHOWN = (
    "a notebook shows it where it is the last line of a cell; elsewhere use .save('name.svg') or .save('name.html')"
)
VIEW = {"show": _SHOWN, "view": _SHOWN, "display": _SHOWN, "plot": _SHOWN, "savefig": "use .save('name.svg')"}
_LOOP = "call the function itself with the Tensor, or np.stack([f(x) for x in t])"
CONVERTS = {  # functions of NumPy that make a plain array of what they are given before anything can be recorded
    "vectorize": _LOOP,
    "kaiser": "write np.i0(beta * np.sqrt(1 - x**2)) / np.i0(beta) for x from -1 to 1",
    "full": "use np.broadcast_to(t, shape)",
    "full_like": "use np.broadcast_to(t, a.shape)",
    "nan_to_num": "use np.where(np.isnan(a), t, a)",
    "fromiter": "use np.stack([…])",
}
MODULE = {
    "tensor": "use ag.Tensor(…)",
    "Variable": "use ag.Tensor(…, requires_grad=True)",
    "from_numpy": "use ag.Tensor(array, copy=False)",
    "manual_seed": "pass rng= where something is random",
    "rand": "use np.random.default_rng(seed).random(shape)",
    "randn": "use np.random.default_rng(seed).normal(size=shape)",
    "randint": "use np.random.default_rng(seed).integers(low, high, shape)",
    "rand_like": "use np.random.default_rng(seed).random(t.shape)",
    "randn_like": "use np.random.default_rng(seed).normal(size=t.shape)",
    "nn": "import nn",
    "optim": "import nn, and use nn.optim",
    "save": "use nn.save_model(model, path), or np.savez",
    "load": "use nn.load_model(model, path), or np.load",
    "jacrev": "use ag.jacobian(f)",
    "jit": "use ag.compile(f)",
    "custom_vjp": "use ag.op(forward, vjp=rule)",
    "stop_gradient": "use t.detach()",
    "set_grad_enabled": "use ag.no_grad() or ag.enable_grad()",
    "set_detect_anomaly": "use with ag.detect_anomaly():",
    "custom_jvp": "use ag.op(forward, vjp=rule), which is transposed forwards",
    "elementwise_grad": "use ag.grad(lambda x: f(x).sum())",
    "make_vjp": "use value, pullback = ag.vjp(f, x)",
    "make_jvp": "use value, tangent = ag.jvp(f, (x,), (v,))",
    "make_hvp": "use ag.hvp(f)(x, v)",
    "make_ggnvp": "docs/transforms.md has it, by ag.jvp, ag.hvp and ag.vjp",
    "hessian_vector_product": "use ag.hvp(f)(x, v)",
    "hessian_tensor_product": "use ag.hvp(f)(x, v)",
    "vector_jacobian_product": "use ag.vjp(f, x)[1](u)",
    "tensor_jacobian_product": "use ag.vjp(f, x)[1](u)",
    "multigrad_dict": "use ag.grad(f, argnums=(0, 1)), or ag.grad(f) of a dict",
    "grad_named": "use ag.grad(f, argnums=1)",
    "grad_and_aux": "use ag.grad(f, has_aux=True)",
    "holomorphic_grad": "use ag.jacobian(f, holomorphic=True)",
    "defvjp": "use ag.op(forward, vjp=rule)",
    "defjvp": "use ag.op(forward, vjp=rule), which is transposed forwards",
    "functional_call": "import nn, and use nn.functional_call(model, params, x)",
    "stack_module_state": "use np.stack for each parameter",
    "pmap": "use ag.vmap(f)",
    "lax": "write a loop, np.where in place of cond",
    "tree_multimap": "use ag.tree_map(f, tree, other)",
    "ravel_pytree": "use ag.ravel(tree)",
    "numpy": "use NumPy itself: np.exp(tensor) works",
}
_NUMPY = {"cat": "concatenate", "mm": "matmul", "from_list": "array", "arange": "arange"}  # torch.x -> np.y
KEYWORDS = {
    "dim": "axis",
    "keepdim": "keepdims",
    "dims": "axis",
    "input": "the first argument",
    "other": "the second",
    "unbiased": "ddof",
    "correction": "ddof",
}
_ELSEWHERE = {  # keywords of other libraries, and what takes their place
    "argnum": "Use argnums",
    "in_dims": "Use in_axes",
    "out_dims": "Use out_axes",
    "in_axis": "Use in_axes",
    "device": f"{_HERE[0].upper()}{_HERE[1:]}",
    "allow_int": "Integers have no gradient: use x.astype(float)",
    "axis_name": "Leave it out: sums over examples are taken outside, of the result",
    "grad_outputs": "Use upstream",
    "allow_unused": "Leave it out: ag.depends_on(y, [x]) tells beforehand",
    "fullgraph": "Leave it out: what cannot be part of a program raises TraceError",
    "dynamic": "Leave it out: a function is traced once for each kind of input",
    "mode": "Leave it out: there is one",
    "backend": "Leave it out: there is one",
}
SCIPY = {
    "erf": "autograd.erf",
    "expit": "autograd.sigmoid",
    "logit": "autograd.logit",
    "zeta": "autograd.scipy.special.zeta",
}
_PRIVATE = {"_riemann_zeta": "zeta", "_zeta": "zeta"}  # ufuncs behind a function of scipy.special


def unknown_attribute(kind: type, name: str) -> UnknownName:
    """Return the error for an attribute that a Tensor does not have."""
    if name in TENSOR:
        return UnknownName(f"{kind.__name__!r} object has no attribute {name!r}: {TENSOR[name]}.")
    return UnknownName(f"{kind.__name__!r} object has no attribute {name!r}.", name, kind)


def unknown_of_view(view: Any, name: str) -> Any:
    """Raise for an attribute that a picture or a replay does not have."""
    kind = type(view)
    if name in VIEW:
        raise UnknownName(f"{kind.__name__!r} object has no attribute {name!r}: {VIEW[name]}.")
    raise UnknownName(f"{kind.__name__!r} object has no attribute {name!r}.", name, kind)


def unknown_function(name: str, public: Iterable[str]) -> UnknownName:
    """Return the error for a name that the package does not have."""
    numpy, there = sys.modules["numpy"], _NUMPY.get(name, name)
    hint = MODULE.get(name) or (f"use np.{there}" if not name.startswith("_") and hasattr(numpy, there) else "")
    if hint:
        return UnknownName(f"module 'autograd' has no attribute {name!r}: {hint}.")
    return UnknownName(f"module 'autograd' has no attribute {name!r}.", name, public)


def unexpected_keyword(function: str, names: Iterable[str]) -> UnexpectedKeyword:
    """Return the error for keywords that a function does not take."""
    name = next(iter(names))
    hint = f" Use {KEYWORDS[name]}, NumPy's word." if name in KEYWORDS else ""
    hint = hint or (f" {_ELSEWHERE[name]}." if name in _ELSEWHERE else "")
    return UnexpectedKeyword(f"{function}() got an unexpected keyword argument {name!r}.{hint}")


def told(transform: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function so that keywords of other libraries are told what takes their place.

    A call is looked at when it has failed, so that a good one costs nothing.
    """

    @functools.wraps(transform)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return transform(*args, **kwargs)
        except TypeError:
            wrong = [name for name in kwargs if name in _ELSEWHERE and name not in signature(transform).parameters]
            if wrong:
                raise unexpected_keyword(transform.__qualname__.removesuffix(".__init__"), wrong) from None
            raise

    return checked


def hinted(method: Callable[P, R]) -> Callable[P, R]:
    """Decorate a method so that PyTorch's keywords are told NumPy's, and NumPy's ``out`` that there is none."""

    @functools.wraps(method)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        for name, value in kwargs.items():
            if name in KEYWORDS:
                raise unexpected_keyword(method.__name__, [name])
            if name == "out" and value is not None:
                name = method.__name__
                raise ConversionError(
                    f"t.{name}(…, out=…): results of ops on Tensors are new arrays. Write y = t.{name}(…) without out=."
                )
        return method(*args, **kwargs)

    return checked


def full_name(function: Any, numpy: Any) -> tuple[str, str]:
    """Return the name by which users know a function, with its module, and what replaces it here, if anything."""
    name = getattr(function, "__name__", str(function))
    module = getattr(function, "__module__", None) or "numpy"
    if name.endswith(" (vectorized)"):
        return f"np.frompyfunc({name.removesuffix(' (vectorized)')})", "the function itself on Tensors, or np.stack"
    if isinstance(function, numpy.ufunc) and getattr(numpy, name, None) is not function:
        special = sys.modules.get("scipy.special")
        name = _PRIVATE.get(name, name)
        if special is not None and hasattr(special, name):
            loaded = "autograd.scipy.special" in sys.modules
            teach = (
                "" if loaded else "autograd.scipy: importing it gives the functions of scipy.special their derivatives"
            )
            return f"scipy.special.{name}", ", or ".join(filter(None, [SCIPY.get(name, ""), teach]))
    return f"{module.replace('numpy', 'np', 1)}.{name}", ""


def called_within() -> tuple[str, str]:
    """Return the function of NumPy or SciPy that the user called, and its module, where one of theirs called us."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _package(frame) == "autograd":
        frame = frame.f_back
    name = module = ""
    while frame is not None and _package(frame) in ("numpy", "scipy"):
        module = frame.f_globals["__name__"]
        name = frame.f_code.co_qualname.partition(".")[0]
        frame = frame.f_back
    return name, module


def _package(frame: FrameType) -> str:
    return frame.f_globals.get("__name__", "").partition(".")[0]  # type: ignore[no-any-return]


def converted() -> str:
    """Return the message for a Tensor that NumPy turns into a plain array: which function does, and what to use."""
    name, module = called_within()
    if module.startswith("scipy."):
        return _converted_by_scipy(module.split(".")[1])
    usual = "use ag.array for nested lists, np.stack or np.concatenate to join Tensors"
    parts = module.split(".")[1:]
    public = [part for part in parts if part[0] != "_" and parts[0] in ("linalg", "fft", "polynomial")]
    who = ".".join(["np", *public, name]) if name else "np.array (or what calls it)"
    return (
        f"{who} would turn a Tensor that requires grad into a plain array and lose its gradient. In its place "
        f"{CONVERTS.get(name, usual)}; for the numbers alone use .numpy(), .item() or .detach()."
    )


def _converted_by_scipy(module: str) -> str:
    """Return the message for a function of SciPy that cannot be taught gradients: it names ours, if there are any."""
    from importlib.util import find_spec

    place = f"autograd.scipy.{module}"
    way = "write it in NumPy's functions, or declare it with ag.op(…)"
    if find_spec(place) is not None:
        way = f"use the function of the same name in {place}, or where there is none {way}"
    return (
        f"scipy.{module} would turn a Tensor that requires grad into a plain array and lose its gradient. In its place "
        f"{way}; for the numbers alone use .numpy(), .item() or .detach()."
    )
