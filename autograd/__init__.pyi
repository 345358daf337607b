"""The public face, for editors and type checkers: it knows the names that load at first use, and what ops give.

A function of the package takes a Tensor, an array or a number and gives the same kind back. What a transform makes has
the parameters of the function that it was given. tests/test_typing.py holds this page against what runs.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, ParamSpec, Protocol, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from autograd import errors as errors
from autograd.debug import detect_anomaly as detect_anomaly
from autograd.debug import diff as diff
from autograd.debug import lint as lint
from autograd.debug import path_so_far as path_so_far
from autograd.debug import who_holds as who_holds
from autograd.effects import effect as effect
from autograd.errors import AutogradError as AutogradError
from autograd.gathering import gathered as gathered
from autograd.gradcheck import check_grads as check_grads
from autograd.leaves import depends_on as depends_on
from autograd.leaves import leaf_arrays as leaf_arrays
from autograd.leaves import mark_changed as mark_changed
from autograd.memory import reuse_memory as reuse_memory
from autograd.modes import current_scope as current_scope
from autograd.modes import enable_grad as enable_grad
from autograd.modes import is_grad_enabled as is_grad_enabled
from autograd.modes import no_grad as no_grad
from autograd.modes import scope as scope
from autograd.programs.program import Program
from autograd.recording import record as record
from autograd.tensor import Tensor as Tensor
from autograd.tree import ravel as ravel
from autograd.tree import register_tree as register_tree
from autograd.tree import tree_map as tree_map
from autograd.viz import draw as draw
from autograd.viz import draw_dot as draw_dot
from autograd.viz import explain as explain
from autograd.viz import find_nonfinite as find_nonfinite
from autograd.viz import make_dot as make_dot
from autograd.viz import replay as replay
from autograd.viz import why_none as why_none

__version__: str
__distribution__: str
__all__ = [
    "AutogradError",
    "Tensor",
    "array",
    "check_grads",
    "checkpoint",
    "compile",
    "current_scope",
    "depends_on",
    "detect_anomaly",
    "diff",
    "draw",
    "draw_dot",
    "effect",
    "elu",
    "enable_grad",
    "erf",
    "errors",
    "explain",
    "find_nonfinite",
    "gathered",
    "gelu",
    "grad",
    "gradient",
    "hessian",
    "hvp",
    "implements",
    "is_grad_enabled",
    "jacfwd",
    "jacobian",
    "jvp",
    "leaf_arrays",
    "leaky_relu",
    "linearize",
    "lint",
    "log_softmax",
    "logit",
    "logsumexp",
    "make_dot",
    "mark_changed",
    "no_grad",
    "nondifferentiable",
    "op",
    "opaque",
    "path_so_far",
    "ravel",
    "record",
    "register_tree",
    "relu",
    "replay",
    "reuse_memory",
    "scope",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tree_map",
    "value_and_grad",
    "vjp",
    "vmap",
    "who_holds",
    "why_none",
]

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
X = TypeVar("X", Tensor, NDArray[Any], float)
Argnums = int | Sequence[int]

# ---------------------------------------------------------------------------------------------------------- functions

def array(nested: Any, dtype: Any = None) -> Any: ...
def relu(x: X) -> X: ...
def leaky_relu(x: X, negative_slope: float = 0.01) -> X: ...
def elu(x: X, alpha: float = 1.0) -> X: ...
def sigmoid(x: X) -> X: ...
def softplus(x: X) -> X: ...
def silu(x: X) -> X: ...
def gelu(x: X, approximate: str = "none") -> X: ...
def logit(x: X) -> X: ...
def erf(x: X) -> X: ...
def softmax(x: X, axis: int = -1) -> X: ...
def log_softmax(x: X, axis: int = -1) -> X: ...
def logsumexp(x: X, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> X: ...

# ---------------------------------------------------------------------------------------------------------- transforms
# A ufunc has one signature for numbers and one for arrays, of which a ParamSpec would keep the first.

@overload
def grad(f: np.ufunc, argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]: ...
@overload
def grad(f: Callable[P, Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[P, Any]: ...
@overload
def value_and_grad(f: np.ufunc, argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., tuple[Any, Any]]: ...
@overload
def value_and_grad(
    f: Callable[P, Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[P, tuple[Any, Any]]: ...
@overload
def jacobian(
    f: np.ufunc, argnums: Argnums = 0, holomorphic: bool = False, has_aux: bool = False
) -> Callable[..., Any]: ...
@overload
def jacobian(
    f: Callable[P, Any], argnums: Argnums = 0, holomorphic: bool = False, has_aux: bool = False
) -> Callable[P, Any]: ...
@overload
def jacfwd(
    f: np.ufunc, argnums: Argnums = 0, holomorphic: bool = False, has_aux: bool = False
) -> Callable[..., Any]: ...
@overload
def jacfwd(
    f: Callable[P, Any], argnums: Argnums = 0, holomorphic: bool = False, has_aux: bool = False
) -> Callable[P, Any]: ...
@overload
def hessian(f: np.ufunc, argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]: ...
@overload
def hessian(f: Callable[P, Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[P, Any]: ...
def hvp(f: Callable[..., Any]) -> Callable[[Any, Any], Any]: ...
@overload
def vjp(f: Callable[..., Any], *args: Any, has_aux: Literal[True]) -> tuple[Any, Callable[[Any], Any], Any]: ...
@overload
def vjp(f: Callable[..., Any], *args: Any, has_aux: Literal[False] = False) -> tuple[Any, Callable[[Any], Any]]: ...
@overload
def jvp(
    f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any], has_aux: Literal[True]
) -> tuple[Any, Any, Any]: ...
@overload
def jvp(
    f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any], has_aux: Literal[False] = False
) -> tuple[Any, Any]: ...
@overload
def linearize(f: Callable[..., Any], *args: Any, has_aux: Literal[True]) -> tuple[Any, Callable[..., Any], Any]: ...
@overload
def linearize(f: Callable[..., Any], *args: Any, has_aux: Literal[False] = False) -> tuple[Any, Callable[..., Any]]: ...
def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]: ...
@overload
def gradient(
    y: Any, xs: Tensor, upstream: Any = None, *, create_graph: bool = False, retain_graph: bool = False
) -> Tensor: ...
@overload
def gradient(
    y: Any, xs: list[Tensor], upstream: Any = None, *, create_graph: bool = False, retain_graph: bool = False
) -> list[Tensor]: ...
@overload
def gradient(
    y: Any, xs: Any, upstream: Any = None, *, create_graph: bool = False, retain_graph: bool = False
) -> Any: ...
def checkpoint(f: Callable[P, R]) -> Callable[P, R]: ...

class _Compiled(Protocol[P, R_co]):
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    def program(self, *args: P.args, **kwargs: P.kwargs) -> Program: ...
    traces: int
    why: str

@overload
def compile(f: Callable[P, R], *, off: Collection[str] = (), quiet: bool = False) -> _Compiled[P, R]: ...
@overload
def compile(
    f: None = None, *, off: Collection[str] = (), quiet: bool = False
) -> Callable[[Callable[P, R]], _Compiled[P, R]]: ...

# ------------------------------------------------------------------------------------------------------ your own op

def op(
    forward: Callable[..., Any],
    *,
    vjp: Callable[..., Any] | Mapping[str, Callable[..., Any]] | None = None,
    definition: Callable[..., Any] | None = None,
    inputs: Sequence[str] | None = None,
    elementwise: bool = False,
    symbol: str | None = None,
    domain: Any = None,
    name: str | None = None,
    cache: Sequence[str] = (),
    selects: Any = None,
    formula: str | Mapping[str, str] | None = None,
    inline: str = "",
    holomorphic: bool | None = True,
    linear: Any = None,
    batch: Callable[..., Any] | None = None,
) -> Callable[..., Any]: ...
def implements(
    *functions: Any, domain: Any = None, name: str | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def nondifferentiable(forward: Callable[..., Any], *, name: str | None = None) -> Callable[..., Any]: ...
def opaque(function: Callable[P, R]) -> Callable[P, R]: ...
