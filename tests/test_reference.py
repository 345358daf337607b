"""What a page of the reference has to say: one table of kinds and parts, over all public names.

A page is the docstring, and what the site adds from the declaration of an op: derivative, elementwise or not.
"""

import builtins
import inspect
import re
from types import ModuleType

import pytest

import autograd as ag
import nn
import nn.datasets
import nn.functional
import nn.init
import nn.metrics
import nn.optim
from docs.site import reference

PARTS = {
    "sentence": r"\A[A-Z][a-z]+(?<![^s]s)\b[^\n]*\.(?=\n|\Z)",  # in the imperative, on a line of its own
    "formula": r"[=←Σ√²·∂∇‖⋆⌊≤−ᵀσα]|[\w)] / [\w(√]|[\w)]\^|\|x|max\(|\b(log|tanh|softmax|cos) ?[\w(]",
    "shapes": r"->|→|\bshape|\([NC.…BKn\d]+, ?|\([.…]+\)|[Ee]lementwise",
    "errors": r"\b[A-Z]\w+Error\b|MissingRule|MissingExtra|MissingFile|NonFinite",
    "example": r"^ *>>> ",
}
ALL = tuple(PARTS)
KINDS = {  # what the page of a name has to have, by the group that it is in
    "functions": ALL,
    "Tensor": ("sentence", "example"),  # tests/test_site.py asks that the example calls it
    "derivatives": ALL,
    "transforms": ("sentence", "errors", "example"),
    "tools": ("sentence", "example"),
    "layers": ALL,
    "holders": ("sentence", "errors", "example"),
    "activations": ("sentence", "formula", "shapes", "example"),
    "losses": ALL,
    "nn.functional": ALL,
    "optimizers": ("sentence", "formula", "errors", "example"),
    "schedules": ("sentence", "formula", "errors", "example"),
    "metrics": ALL,
    "init": ("sentence", "formula", "errors", "example"),
    "data": ("sentence", "shapes", "errors", "example"),
    "training": ("sentence", "errors", "example"),
}
DERIVATIVES = {
    *("grad", "value_and_grad", "gradient", "vjp", "jvp", "linearize"),
    *("jacobian", "jacfwd", "hessian", "hvp", "vmap"),
}


def kind_of(path: str, thing: object) -> str:
    """Put a public name into its group, by what it is and where it was made."""
    module, name = path.rsplit(".", 1)
    if module == "Tensor":
        return "Tensor"
    if module == "autograd":
        if name in reference.GROUPS["Functions"].split():
            return "functions"
        if name in DERIVATIVES:
            return "derivatives"
        return "transforms" if name in reference.GROUPS["Transforms"].split() else "tools"
    if module == "nn.optim":
        if isinstance(thing, type):
            return "schedules" if issubclass(thing, nn.optim.Schedule) else "optimizers"
        return "training"
    if path == "nn.metrics.get":
        return "training"
    if module != "nn":
        return {"nn.metrics": "metrics", "nn.init": "init", "nn.datasets": "data"}.get(module, module)
    home = getattr(thing, "__module__", "")
    if home == "nn.activation" or thing is nn.Identity:
        return "activations"
    if home in ("nn.losses", "nn.distances", "nn.distributions"):
        return "losses"
    if home in ("nn.container", "nn.module", "nn.module_dict"):
        return "holders"
    return "layers" if isinstance(thing, type) and issubclass(thing, nn.Module) else "training"


def names() -> dict[str, object]:
    """Map the path of each public name to what it is."""
    methods = {name for kind in ag.Tensor.__mro__ if kind is not object for name in vars(kind) if name[0] != "_"}
    found = {f"Tensor.{name}": inspect.getattr_static(ag.Tensor, name) for name in sorted(methods - {"label"})}
    for module in (ag, nn, nn.functional, nn.optim, nn.init, nn.metrics, nn.datasets):
        public = {name: getattr(module, name) for name in module.__all__}
        found |= {f"{module.__name__}.{name}": x for name, x in public.items() if not isinstance(x, ModuleType)}
    return found


def lacking(path: str, thing: object, kind: str) -> list[str]:
    """List the parts that a page should have and has not.

    What all optimizers, schedules and callbacks refuse stands at their base, which their pages name. An elementwise op
    that takes any number refuses nothing.
    """
    text = inspect.getdoc(thing) or ""
    bases = [
        base for base in getattr(thing, "__mro__", ()) if base in (nn.optim.Optimizer, nn.optim.Schedule, nn.Callback)
    ]
    prose = {part: text.split(">>>")[0] + reference.facts(thing) for part in PARTS}
    prose["errors"] += "".join(inspect.getdoc(base) or "" for base in bases)
    prose |= {"sentence": text, "example": text}
    op = reference.op_of(thing)
    free = {"errors"} if kind == "activations" or (op and op.elementwise and op.holomorphic) else set()
    return [part for part in KINDS[kind] if part not in free and not re.search(PARTS[part], prose[part], re.MULTILINE)]


NAMES = {
    f"{path} ({kind})": (path, thing, kind)
    for path, thing in names().items()
    if (kind := kind_of(path, thing)) and path not in ("autograd.AutogradError", "nn.metrics.Undefined")  # errors
}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_the_parts_of_its_kind(name):
    assert lacking(*NAMES[name]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_pages(kind):
    assert any(name.endswith(f"({kind})") for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_docstring_names_errors_that_there_are(name):
    _, thing, _ = NAMES[name]
    known = {**vars(ag.errors), **vars(nn.metrics), **vars(builtins), "AxisError": 1}
    assert [
        word for word in re.findall(r"(?<![\w.])[A-Z]\w+Error\b", inspect.getdoc(thing) or "") if word not in known
    ] == []
