"""chainrule's engine: Tensors that record what is computed from them, and every gradient in the open.

>>> import numpy as np, autograd as ag
>>> x = ag.Tensor([1.0, 2.0], requires_grad=True)
>>> np.log(x * x).sum().backward()
>>> x.grad
Tensor([2., 1.])
"""

from typing import Any

from autograd import _clash as _clash
from autograd import errors, hints
from autograd.effects import effect
from autograd.errors import AutogradError
from autograd.gathering import gathered
from autograd.leaves import depends_on, leaf_arrays, mark_changed
from autograd.memory import reuse_memory
from autograd.modes import current_scope, enable_grad, is_grad_enabled, no_grad, scope
from autograd.ops.activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    logit,
    logsumexp,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from autograd.ops.joining import array
from autograd.ops.special import erf
from autograd.primitive import implements, nondifferentiable, op, opaque
from autograd.tensor import Tensor
from autograd.tree import ravel, register_tree, tree_map

del tensor, vjp  # type: ignore[name-defined]  # noqa: F821  # modules: ag.tensor(…) is told ag.Tensor(…), ag.vjp loads late
__version__ = "0.1.0"
__distribution__ = "chainrule"
_PICTURES = ("draw", "draw_dot", "explain", "find_nonfinite", "make_dot", "replay", "why_none")
_LATER = dict.fromkeys(_PICTURES, "autograd.viz")
_LATER |= dict.fromkeys(("detect_anomaly", "diff", "lint", "path_so_far", "who_holds"), "autograd.debug")
_TRANSFORMS = ("grad", "gradient", "hvp", "jvp", "linearize", "value_and_grad", "vjp")
_LATER |= dict.fromkeys(_TRANSFORMS, "autograd.transforms")
_LATER["checkpoint"] = "autograd.checkpointing"
_LATER["check_grads"] = "autograd.gradcheck"
_LATER |= dict.fromkeys(("hessian", "jacfwd", "jacobian"), "autograd.matrices")
_LATER["vmap"] = "autograd.mapping"
_LATER["record"] = "autograd.recording"
_LATER["compile"] = "autograd.programs.compiled"

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


def __dir__() -> list[str]:
    """List the public names, also those that load at first use; modules of the engine are none."""
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])


def __getattr__(name: str) -> Any:
    """Load what transforms functions, draws pictures or reads graphs when it is first used."""
    if name in _LATER:
        import importlib

        found = globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
        return found
    raise hints.unknown_function(name, __all__)
