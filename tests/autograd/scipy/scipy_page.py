"""Write ``docs/scipy.md`` from the modules and their rows: ``python -m tests.autograd.scipy.scipy_page``."""

import importlib
from pathlib import Path
from types import BuiltinFunctionType, ModuleType
from typing import Any

import autograd.scipy
from tests.autograd.scipy.table import rows

PAGE = Path(__file__).parents[3] / "docs" / "scipy.md"
HEAD = """# SciPy functions with a derivative

`autograd.scipy` (it needs SciPy, the extra `scipy`) has SciPy's names and signatures. Values are SciPy's; derivatives
are right to any order, held against finite differences to second order. This page is written from the suite, in which
each name is called. Whatever else a module of SciPy has is there as well: it works on plain arrays, and refuses by name
a Tensor that records.

```python
import numpy as np
import scipy.special

import autograd as ag
from autograd.scipy import integrate, optimize, stats

t = ag.Tensor(2.0, requires_grad=True)
scipy.special.gammaln(t).backward()  # ufuncs by their own name, once autograd.scipy is imported
print(round(t.grad.item(), 4))  # 0.4228

fit = optimize.minimize(lambda p: -stats.norm.logpdf([1.0, 2.0, 6.0], p["mean"], 1.0).sum(), {"mean": 0.0})
print(round(float(fit.x["mean"]), 4))  # 3.0

decay = lambda rate: integrate.odeint(lambda y, t: -rate * y, [1.0], np.array([0.0, 1.0]))[-1, 0]
print(round(float(ag.grad(decay)(2.0)), 4))  # -0.1353
```

What is a constant: orders of Bessel functions, degrees of polynomials, parameters of hypergeometric functions, knots,
counts. Where one of them records, MissingRule names it. Complex numbers go through `linalg`, `signal`, `interpolate`,
`logsumexp` and the functions of `special` that have them; solvers of equations and integrals take real ones, and refuse
others, as does a matrix function whose result for a real matrix is complex.
"""
MORE = {
    "special": "The ufuncs take Tensors as `scipy.special.f(t)`, too.",
    "stats": """Each with `logpdf pdf cdf sf logcdf logsf` (`logpmf pmf` for integers), also frozen:
`norm(mean, 2.0).logpdf(x)`. Gradients in x, the shapes, `loc` and `scale`; beyond the support they are 0.""",
    "linalg": "Where SciPy reads one triangle, the gradient lies in it.",
    "signal": "In every mode, along any axes.",
    "integrate": """Equations by their adjoint, integrals by Leibniz' rule. Gradients reach initial values, times,
limits, `args` and every Tensor that the function reads from outside, as exactly as the solver's tolerances say.""",
    "interpolate": "In the values, and in the places where they are evaluated.",
    "optimize": """Derivatives are passed to SciPy's methods by themselves; `x` may be an array of any shape, or a
nested tree. Solutions are differentiable in `args` and in what the function reads from outside, by the implicit
function theorem; one that was not solved well enough for that is refused in backward.""",
}


def module(name: str) -> ModuleType:
    return importlib.import_module(f"autograd.scipy.{name}")


def names(name: str) -> list[str]:
    """List SciPy's names that a module has a derivative for."""
    ours, theirs = vars(module(name)), importlib.import_module(f"scipy.{name}")
    public: Any = getattr(theirs, "__all__", dir(theirs))
    leaked = ModuleType | BuiltinFunctionType
    return sorted({each for each in public if each in ours and not isinstance(ours[each], leaked)})


def constants(name: str) -> dict[str, list[str]]:
    """List the inputs of a module's rows for which there is no rule."""
    found: dict[str, list[str]] = {}
    for row, function in rows(name).items():
        op = getattr(function, "op", None)
        if op is not None and op.rules and len(op.rules) < len(op.inputs):
            found[row] = [each for i, each in enumerate(op.inputs) if i not in op.rules]
    return found


def text() -> str:
    """Return the page."""
    parts = [HEAD]
    for name in autograd.scipy.__all__:
        listed = " ".join(f"`{each}`" for each in names(name))
        parts.append(f"## scipy.{name}\n\n{MORE[name]}\n\n{listed}\n")
        kept = constants(name)
        if kept:
            said = ", ".join(f"`{row}` ({', '.join(inputs)})" for row, inputs in sorted(kept.items()))
            parts.append(f"Constant inputs: {said}.\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
