"""Write the view model as JSON: everything that the pictures show, for other tools."""

import json
from typing import Any

import numpy as np

from autograd.viz.model import View
from autograd.viz.numbers import FEW, rms
from autograd.viz.theme import LOWEST, STEPS

FORMAT = 1


def as_dict(view: View) -> dict[str, Any]:
    """Return a view as plain lists and dicts; long arrays become mean, standard deviation, root mean square."""
    return {
        "format": FORMAT,
        "nodes": [
            {
                "id": item.id,
                "kind": item.kind,
                "name": item.name,
                "op": item.op,
                "shape": list(item.shape),
                "dtype": item.dtype,
                "leaf": item.leaf,
                "root": item.root,
                "module": item.module,
                "value": _numbers(item.value),
                "grad": _numbers(item.grad),
                "state": item.state,
                "accumulated": _numbers(item.total),
                "note": item.note,
                "line": item.line,
                "facts": dict(item.facts),
                "says": item.says,
                "parts": [
                    {
                        "id": part.id,
                        "name": part.name,
                        "shape": list(part.shape),
                        "dtype": part.dtype,
                        "value": _numbers(part.value),
                        "grad": _numbers(part.grad),
                        "state": part.state,
                        "note": part.note,
                    }
                    for part in item.parts
                ],
            }
            for item in view.items
        ],
        "edges": [
            {
                "id": arrow.id,
                "source": arrow.source,
                "target": arrow.target,
                "argument": arrow.argument,
                "count": arrow.count,
                "adds": _numbers(arrow.share),
                "state": arrow.state,
            }
            for arrow in view.arrows
        ],
        "modules": [
            {"id": g.id, "path": g.path, "kind": g.kind, "parent": g.parent, "text": g.text} for g in view.groups
        ],
        "folded": view.folded,
        "banner": view.banner,
        "notes": view.problems,
        "total": view.total,
        "scale": [10.0**LOWEST, 10.0 ** (LOWEST + STEPS)],
    }


def write(view: View) -> str:
    """Return the JSON text of a view: strict JSON, in which nan and inf are strings."""
    return json.dumps(as_dict(view), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _numbers(x: Any) -> Any:
    if x is None:
        return None
    a = np.asarray(x)
    if a.size <= FEW:
        return _finite(a.tolist())
    if a.dtype.kind == "c":
        return {"real": _numbers(a.real), "imag": _numbers(a.imag)}
    wide = a.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        return {
            "mean": _finite(float(wide.mean())),
            "std": _finite(float(wide.std())),
            "rms": _finite(rms(wide)),
        }


def _finite(x: Any) -> Any:
    if isinstance(x, list):
        return [_finite(each) for each in x]
    return str(x) if isinstance(x, complex) or (isinstance(x, float) and not np.isfinite(x)) else x
