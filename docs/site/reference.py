"""The reference as pages: what users import, in groups, each name once; a table of all ops and their derivatives."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import autograd
import nn
from autograd.primitive import registry

GROUPS = {  # the names of ``autograd``; each is in one group, or the build stops
    "Recording": "no_grad enable_grad is_grad_enabled scope current_scope array",
    "For optimizers and large arrays": "leaf_arrays mark_changed gathered effect reuse_memory",
    "Transforms": (
        "grad value_and_grad vjp jvp linearize jacobian jacfwd hessian hvp vmap checkpoint compile record check_grads "
        "gradient ravel tree_map register_tree"
    ),
    "Pictures": "draw explain replay diff draw_dot make_dot",
    "When something is wrong": "why_none find_nonfinite detect_anomaly lint depends_on path_so_far who_holds",
    "Functions": "relu leaky_relu elu gelu silu softplus sigmoid logit softmax log_softmax logsumexp erf",
    "Ops of your own": "op nondifferentiable implements opaque",
}
ELSEWHERE = {"Tensor", "errors", "AutogradError"}  # pages of their own
MODULES = {
    "autograd.errors": "Errors",
    "autograd.viz": "Views",
    "nn.functional": "Functions of nn",
    "nn.optim": "Optimizers and schedules",
    "nn.init": "Starting values",
    "nn.metrics": "Metrics",
    "nn.datasets": "Data",
    "nn.onnx": "ONNX",
    "nn.sklearn": "scikit-learn",
    "nn.distributed": "Many processes",
}

ABOUT_OPS = """\
Every op that has a derivative, as it is declared: in one statement, from which NumPy's dispatch, the picture, the
compiler and this table come. *y* is the result. Where no formula stands, the derivative is a rule that is no formula of
numbers (a sum along axes, a matrix product, an index), or that of the ops which a function is made of.

"""


def title(text: str, line: str = "=") -> str:
    return f"{text}\n{line * (len(text) + 2)}\n\n"


def documented(path: str, thing: object) -> str:
    """Give the directive for one name."""
    if inspect.isclass(thing):
        return f".. autoclass:: {path}\n   :members:\n   :show-inheritance:\n\n"
    return f".. autofunction:: {path}\n\n" if callable(thing) else f".. autodata:: {path}\n\n"


def engine() -> str:
    """Write the page of ``autograd``."""
    groups = {group: names.split() for group, names in GROUPS.items()}
    missing = set(autograd.__all__).symmetric_difference({*ELSEWHERE, *(n for names in groups.values() for n in names)})
    if missing:
        raise LookupError(f"docs/site/reference.py: GROUPS and autograd.__all__ differ by {sorted(missing)}.")
    parts = [title("autograd"), ".. automodule:: autograd\n   :no-members:\n\n"]
    for group, names in groups.items():
        parts += [title(group, "-"), *(documented(f"autograd.{name}", getattr(autograd, name)) for name in names)]
    return "".join(parts)


def layers() -> str:
    """Write the page of ``nn``: one section for each file that its names come from, in the order of the package."""
    homes: dict[str, list[str]] = {}
    for name in nn.__all__:
        thing = getattr(nn, name)
        if not isinstance(thing, ModuleType):
            homes.setdefault(thing.__module__, []).append(name)
    order = [line for line in inspect.getsource(nn).splitlines() if line.startswith("from nn.")]
    places = [line.split()[1] for line in order if line.split()[1] in homes]
    parts = [title("nn"), ".. automodule:: nn\n   :no-members:\n\n"]
    for home in ["nn.module", "nn.neuron", *(place for place in places if place not in ("nn.module", "nn.neuron"))]:
        parts += [title(home.partition(".")[2].replace("_", " ").capitalize(), "-")]
        parts += [documented(f"nn.{name}", getattr(nn, name)) for name in homes[home]]
    return "".join(parts)


def tensor() -> str:
    """Write the page of the Tensor, with what it has from its base."""
    return title("Tensor") + ".. autoclass:: autograd.Tensor\n   :members:\n   :inherited-members:\n\n"


def ops() -> str:
    """Write the table of ops: name, inputs, derivative, and what else its declaration says."""
    for part in pkgutil.iter_modules(importlib.import_module("autograd.ops").__path__):
        importlib.import_module(f"autograd.ops.{part.name}")
    importlib.import_module("nn")
    rows = [
        "* - Op\n  - Inputs\n  - Derivative\n  - Notes\n",
        *(_row(name, row) for name, row in sorted(registry.items())),
    ]
    table = "".join(rows).replace("\n", "\n   ").rstrip(" ")
    head = ".. list-table::\n   :header-rows: 1\n   :widths: auto\n\n"
    return f"{title('Ops and their derivatives')}{ABOUT_OPS}{head}   {table}\n"


def _row(name: str, row: Any) -> str:
    op = getattr(row, "op", None)
    if op is None:
        inputs = [p.name for p in inspect.signature(row).parameters.values() if p.kind is not p.KEYWORD_ONLY]
        return f"* - ``{name}``\n  - {', '.join(inputs)}\n  - –\n  - made of other ops\n"
    formulas = zip(op.inputs, op.formula, strict=False) if op.formula else ()
    derivative = ", ".join(f"∂y/∂{x} = ``{formula}``" for x, formula in formulas if formula)
    notes = [
        *(["elementwise"] if op.elementwise else []),
        *(["takes some elements, and cuts others off"] if op.selects else []),
        *(["fused, with a definition in plain ops"] if op.definition else []),
    ]
    return f"* - ``{name}``\n  - {', '.join(op.inputs)}\n  - {derivative or '–'}\n  - {'; '.join(notes) or '–'}\n"


def op_of(thing: object) -> Any:
    """Give the op behind a public function, found by its name; None where there is none, or plain ops make it."""
    row = registry.get(getattr(thing, "__name__", ""))
    return getattr(row, "op", None) if callable(thing) and not inspect.isclass(thing) else None


def facts(thing: object) -> str:
    """Say in one line what the declaration of an op says beyond its docstring: derivatives, and what it refuses."""
    op = op_of(thing)
    if op is None:
        return ""
    formulas = zip(op.inputs, op.formula, strict=False) if op.formula else ()
    told = [f"gradient of {x}: ``{formula}``" for x, formula in formulas if formula]
    if op.elementwise:
        told = [said.replace("gradient of", "∂y/∂", 1).replace("∂y/∂ ", "∂y/∂") for said in told]
        told.append("elementwise")
    if op.holomorphic is None:
        told.append("for real numbers: complex ones are a DTypeError")
    return f"By its declaration: {'; '.join(told)}." if told else ""


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page, in the order of the menu."""
    yield "tensor", tensor()
    yield "autograd", engine()
    yield "ops", ops()
    yield "nn", layers()
    for module, heading in MODULES.items():
        importlib.import_module(module)
        yield (
            module.replace(".", "-"),
            title(heading) + f".. automodule:: {module}\n   :members:\n   :show-inheritance:\n\n",
        )
