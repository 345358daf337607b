"""SciPy with gradients: its own names and signatures, its values, our rules, to any order.

Floor 15: public; stands on SciPy (the extra ``scipy``), which nothing else here imports.

Importing it also teaches the ufuncs of ``scipy.special`` to take Tensors by their own name. The other modules are
loaded at their first use.

>>> import numpy as np, autograd as ag, autograd.scipy, scipy.special
>>> x = ag.Tensor(2.0, requires_grad=True)
>>> scipy.special.gammaln(x).backward()
>>> round(x.grad.item(), 6)
0.422784
"""

import importlib
from types import ModuleType

from autograd.errors import UnknownName, missing

try:
    import scipy as _scipy  # noqa: F401
except ImportError as error:
    raise missing("autograd.scipy", "scipy") from error

from autograd.scipy import special as special

__all__ = ["integrate", "interpolate", "linalg", "optimize", "signal", "special", "stats"]


def __getattr__(name: str) -> ModuleType:
    """Load a module at its first use."""
    if name in __all__:
        return importlib.import_module(f"autograd.scipy.{name}")
    raise UnknownName(f"module 'autograd.scipy' has no attribute {name!r}; it has {', '.join(__all__)}.")
