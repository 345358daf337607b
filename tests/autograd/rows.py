"""The registry as test rows: every op with sample inputs from its own domain, and how to vary them."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

import autograd
from autograd.errors import AutogradError
from autograd.primitive import dispatch, registry
from autograd.primitive import op as declare
from autograd.tree import flatten

Sample = tuple[tuple[Any, ...], dict[str, Any]]


def op_modules() -> list[ModuleType]:
    """Import every module that declares ops of the engine."""
    package = importlib.import_module("autograd.ops")
    return [importlib.import_module(f"autograd.ops.{info.name}") for info in pkgutil.iter_modules(package.__path__)]


def _home(row: Any) -> str:
    """Name the package in which a row was declared (a ufunc has none: only the engine declares those)."""
    forward = row.op.forward if hasattr(row, "op") else row
    package = (getattr(forward, "__module__", None) or "numpy").partition(".")[0]
    return "autograd" if package == "numpy" else package


MODULES = op_modules()
ROWS: dict[str, Callable[..., Any]] = {
    name: row for name, row in registry.items() if _home(row) == "autograd" and not name.startswith("scipy.")
}
ELEMENTWISE = [
    name for name, row in ROWS.items() if hasattr(row, "op") and row.op.elementwise and not callable(row.op.domain)
]


def domain_of(row: Any) -> Any:
    """Find the domain of a declared op or of a function registered by ``implements``."""
    domain = row.op.domain if hasattr(row, "op") else row.domain
    if domain is None:
        raise AutogradError(
            f"op {row.__name__!r} has no domain=: give it ranges or a sample generator, so that it is tested."
        )
    return domain


def ranges_of(row: Any) -> list[tuple[float, float]]:
    """List one range per input of an elementwise op."""
    domain = domain_of(row)
    return list(domain) if isinstance(domain, list) else [domain]


def draw(row: Any, shapes: list[tuple[int, ...]], rng: np.random.Generator) -> list[Any]:
    """Draw one array per input of an elementwise op, in its domain."""
    return [np.asarray(rng.uniform(*bounds, shape)) for bounds, shape in zip(ranges_of(row), shapes, strict=True)]


def samples(name: str, seed: int = 7) -> Iterator[Sample]:
    """Give the inputs on which a row is tested."""
    row, rng = ROWS[name], np.random.default_rng(seed)
    if callable(domain_of(row)):
        yield from domain_of(row)(rng)
    else:
        yield tuple(draw(row, [(2, 3)] * len(ranges_of(row)), rng)), {}


def is_float(x: Any) -> bool:
    return isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "fc"


def in_dtype(x: Any, dtype: Any) -> Any:
    """Give numbers in another precision, that of ``dtype``; complex ones stay complex."""
    return x.astype(np.result_type(dtype, np.complex64) if x.dtype.kind == "c" else dtype)


def vary(args: tuple[Any, ...], change: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Replace every array of floating-point or complex numbers among nested arguments."""
    values, rebuild = flatten(args)
    changed: tuple[Any, ...] = rebuild([change(x) if is_float(x) else x for x in values])
    return changed


def tensors(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[autograd.Tensor]]:
    """Make Tensors of the floating-point arrays; give the arguments and the Tensors among them."""
    made: list[autograd.Tensor] = []

    def change(x: Any) -> Any:
        made.append(autograd.Tensor(x, requires_grad=True))
        return made[-1]

    return vary(args, change), made


def arrays(y: Any) -> list[Any]:
    """List the results of an op as arrays."""
    return [np.asarray(part.data if isinstance(part, autograd.Tensor) else part) for part in flatten(y)[0]]


def second(y: Any) -> list[Any]:
    """Take one element of each result: the second, if there is one. An index cuts off the others in each pass."""
    parts = [part for part in flatten(y)[0] if getattr(part, "dtype", np.dtype(int)).kind in "fc" and np.size(part)]
    return [np.ravel(part)[min(1, part.size - 1)] for part in parts]


def backward(y: Any) -> None:
    """Run backward through all results of an op that need a gradient."""
    parts = [part for part in flatten(y)[0] if isinstance(part, autograd.Tensor) and part.requires_grad]
    total = sum((part * np.cos(np.arange(part.size)).reshape(part.shape).astype(part.dtype)).sum() for part in parts)
    real(total).backward()


def real(total: Any) -> Any:
    """Make a loss of a sum that may be complex."""
    return total.real + 2 * total.imag if total.dtype.kind == "c" else total


def numpy_names(name: str) -> list[Any]:
    """List the NumPy functions that are dispatched to a row."""
    return [function for function, ours in dispatch.items() if ours is ROWS[name]]


def redeclared(op: Any, mutate: Callable[[Any], Any], label: str | None = None) -> Any:
    """Declare an op again, all else as it is, with its rules (or the one of input ``label``) changed by ``mutate``."""
    vjp: Any
    if op.joint:
        vjp = mutate(op.joint.function)
    else:
        vjp = {op.argument(i): rule.function for i, rule in op.rules.items()}
        vjp.update({name: mutate(vjp[name]) for name in ([label] if label else vjp)})
    return declare(
        op.forward,
        vjp=vjp,
        definition=op.definition,
        inputs=op.inputs if isinstance(op.forward, np.ufunc) or not op.variadic else None,
        elementwise=op.elementwise,
        name=op.name,
        cache=op.cache,
        domain=op.domain,
        holomorphic=op.holomorphic,
        selects={op.argument(i): rule.function for i, rule in op.masks.items()} or (True if op.selects else None),
    )


# ------------------------------------------------------------------------------------------------- complex numbers

# What has no complex derivative, or no meaning for complex numbers.
REAL_ONLY = """
arctan2 bessel_i bincount cbrt clip copysign deg2rad degrees divmod_ elu erf fabs fmax fmin fmod frexp gelu hypot i0
ihfft interp ldexp leaky_relu logaddexp logaddexp2 max maximum min minimum modf nanmax nanmin nanpercentile
nanquantile percentile ptp quantile rad2deg radians relu remainder rfft rfft2 rfftn softplus unwrap
"""
REAL_ONLY = set(REAL_ONLY.split())
# Their vectors have a free phase, on which the sum of all elements depends: they have tables of their own.
PHASES = {"eig", "eigh", "svd"}
MIXED = {"pad"}  # some of the samples are for real numbers only


def made_complex(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Add imaginary parts to the arrays among nested arguments."""
    rng = np.random.default_rng(1)
    return vary(args, lambda x: x + 1j * rng.uniform(-0.4, 0.4, x.shape))


COMPLEX = [name for name in ROWS if name not in REAL_ONLY | PHASES]
