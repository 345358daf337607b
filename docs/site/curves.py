"""Curves for the reference: a function of one number beside its derivative, and a learning rate as steps go by.

What is drawn is computed by the function itself, and by the schedule that the example of a docstring makes.
"""

import contextlib
import doctest
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd as ag
import nn
from docs.site.examples import run
from docs.site.reference import op_of

RANGE = (-4.0, 4.0)  # or, where a function has no values there, what its op was declared for
WIDTH, HEIGHT, LEFT, EDGE, STEPS = 420, 180, 44, 22, 12
STYLE = (
    ".a{stroke:#2364aa;fill:none;stroke-width:2}.b{stroke:#d9730d;fill:none;stroke-width:2;stroke-dasharray:6 3}"
    ".axis{stroke:#9aa0a6;stroke-width:1}text{font:12px sans-serif;fill:#444}.ta{fill:#2364aa}.tb{fill:#b85c00}"
    ".ground{fill:#fefefe}@media(prefers-color-scheme:dark){.ground{fill:#161b22}text{fill:#bbb}"
    ".a{stroke:#6cb0f5}.ta{fill:#6cb0f5}.b{stroke:#f0a35e}.tb{fill:#f0a35e}}"
)


@dataclass
class Curve:
    """Hold lines over one axis, by their names, and draw them."""

    title: str
    x: Any
    lines: dict[str, Any]
    stairs: bool = False

    def render(self, format: str) -> bytes:
        """Give the bytes of an SVG, the only format."""
        low, high = min(map(np.min, self.lines.values())), max(map(np.max, self.lines.values()))
        low, high = min(low, 0.0), max(high, 0.0)

        def at(x: Any, y: Any) -> str:
            across = LEFT + (WIDTH - LEFT - 8) * (x - self.x[0]) / (self.x[-1] - self.x[0])
            up = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (y - low) / (high - low)
            return f"{across:.1f},{up:.1f}"

        def path(y: Any) -> str:
            x = self.x
            if self.stairs:  # a rate holds until the next step
                x, y = np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
            return " ".join(at(*point) for point in zip(x, y, strict=True))

        zero = [at(self.x[0], 0.0), at(self.x[-1], 0.0)]
        parts = [f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>']
        parts += [f'<polyline class="axis" points="{" ".join(zero)}"/>']
        for value in {0.0, low, high}:
            if not value or abs(value) > 0.1 * (high - low):  # else the 0 stands there
                y = at(0, value).split(",")[1]
                parts.append(f'<text x="{LEFT - 6}" y="{y}" dy="4" text-anchor="end">{value:.2g}</text>')
        for value, anchor in ((self.x[0], "start"), (self.x[-1], "end")):
            x = at(value, 0).split(",")[0]
            parts.append(f'<text x="{x}" y="{HEIGHT - 5}" text-anchor="{anchor}">{value:g}</text>')
        for i, (name, y) in enumerate(self.lines.items()):
            kind = "ab"[i]
            parts.append(f'<polyline class="{kind}" points="{path(y)}"/>')
            parts.append(f'<text class="t{kind}" x="{LEFT + 10 + 130 * i}" y="14">{name}</text>')
        view = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {view} role="img"><title>{self.title}</title>'
        return f"{head}<style>{STYLE}</style>{''.join(parts)}</svg>".encode()


def curve_of(lines: Sequence[str], thing: Any) -> Curve | None:
    """Draw a function of one number, or the schedule that an example makes; None of anything else."""
    if inspect.isclass(thing) and issubclass(thing, nn.optim.Schedule):
        return _schedule(lines, thing)
    if inspect.isclass(thing) and thing.__module__ == "nn.activation":
        return _function(thing.__name__, thing(), RANGE)
    op = op_of(thing)
    if op is None or not op.elementwise or len(op.inputs) != 1 or op.name == "dropout":
        return None
    return _function(thing.__name__, thing, RANGE) or _function(thing.__name__, thing, op.domain)


def _function(name: str, function: Any, between: Any) -> Curve | None:
    """Draw a function of one number that is finite over a range; None of others."""
    x = ag.Tensor(np.linspace(*between, 201), requires_grad=True)
    with contextlib.suppress(ag.AutogradError, TypeError), np.errstate(all="ignore"):
        y = function(x)
        if y.shape == x.shape and np.isfinite(y.data).all() and np.allclose(function(x.data[:3]), y.data[:3]):
            slope = ag.gradient(y.sum(), x)
            return Curve(f"Curve of {name}", x.data, {f"{name}(x)": y.data, "its derivative": slope.data})
    return None


def _schedule(lines: Sequence[str], thing: Any) -> Curve | None:
    made, _ = run(doctest.DocTestParser().get_examples("\n".join(lines)), thing)
    found = [x for x in made.values() if type(x) is thing]
    if not found or isinstance(found[0], nn.optim.ReduceLROnPlateau):
        return None
    steps = np.arange(STEPS + 1)
    with contextlib.suppress(ag.AutogradError, NotImplementedError):
        rates = np.array([found[0].rate_of(0, found[0].base_lrs[0], int(t)) for t in steps], float)
        return Curve(f"Curve of {thing.__name__}", steps, {"lr of the example, by steps": rates}, stairs=True)
    return None
