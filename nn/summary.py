"""A model's tree with the shape of what each part gives, for an example input."""

from dataclasses import dataclass
from html import escape
from typing import Any

import autograd as ag
from autograd.errors import ArgumentError
from nn.hints import hinted
from nn.module import Module
from nn.report import STYLE, rows

HEAD = ("module", "output", "parameters")


@dataclass(frozen=True, repr=False)
class Summary:
    """Hold the lines of a summary; it prints as text, and shows as a table in a notebook."""

    lines: tuple[tuple[int, str, str, str], ...]  # depth, module, shape of its output, number of parameters
    total: str

    def __str__(self) -> str:
        cells = [HEAD, *(("  " * depth + label, shape, count) for depth, label, shape, count in self.lines)]
        a, b, c = (max(len(row[i]) for row in cells) for i in range(3))
        return "\n".join([*(f"{x:{a}}  {y:{b}}  {n:>{c}}".rstrip() for x, y, n in cells), self.total])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head = "".join(f'<th style="{STYLE}">{name}</th>' for name in HEAD)
        body = "".join(
            f'<tr><td style="{STYLE};padding-left:{1.2 * depth:.1f}em">{escape(label)}</td>'
            f'<td style="{STYLE}">{escape(shape)}</td><td style="{STYLE};text-align:right">{count}</td></tr>'
            for depth, label, shape, count in self.lines
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{escape(self.total)}</p>"


@hinted
def summary(model: Module, example: Any) -> Summary:
    """Run ``model`` on an example, in evaluation mode, and list its parts with output shapes and parameter counts.

    ``example`` is an array, or a tuple of arrays for several inputs. What is not called, such as a ModuleList, has no
    shape; what is called n times with one result has it once, with ``×n``. Raises ArgumentError for something else than
    a module, and what ``model(example)`` raises.

    >>> import numpy as np, nn
    >>> print(nn.summary(nn.Sequential(nn.Conv2d(1, 4, 3, rng=0), nn.ReLU(), nn.Flatten()), np.zeros((2, 1, 8, 8))))
    module                           output        parameters
    Sequential                       (2, 144)              40
      0: Conv2d(1 -> 4, kernel 3×3)  (2, 4, 6, 6)          40
      1: ReLU                        (2, 4, 6, 6)
      2: Flatten                     (2, 144)
    40 parameters, all of them learnt (0.2 kB)
    """
    if not isinstance(model, Module):
        raise ArgumentError(f"summary: the first argument must be a Module, got {type(model).__name__}.")
    found = _outputs(model, example if isinstance(example, tuple) else (example,))
    modules = [module for _, module in model.named_modules(remove_duplicate=False)]
    lines = tuple(
        (row.depth, row.label, _shapes(found.get(id(module), [])), row.total or row.shapes)
        for row, module in zip(rows(model), modules, strict=True)
    )
    sizes = [(p.size, p.size * p.dtype.itemsize, p.requires_grad) for p in model.parameters()]
    count, learnt = sum(n for n, _, _ in sizes), sum(n for n, _, learns in sizes if learns)
    part = "all of them learnt" if count == learnt else f"{learnt:,} of them learnt"
    return Summary(lines, f"{count:,} parameters, {part} ({_bytes(sum(n for _, n, _ in sizes))})")


def _outputs(model: Module, inputs: tuple[Any, ...]) -> dict[int, list[str]]:
    """List what each module gives, call by call, and leave the model as it was."""
    found: dict[int, list[str]] = {}

    def note(module: Module, args: Any, y: Any) -> None:
        found.setdefault(id(module), []).append(_shape(y))

    modes = [(module, module.training) for module in model.modules()]
    handles = [module.register_forward_hook(note) for module in model.modules()]
    try:
        model.eval()
        with ag.no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module._set_mode(training)
    return found


def _shape(y: Any) -> str:
    """Say the shape of an output, which may be nested tuples, lists and dicts."""
    if isinstance(y, dict):
        return ", ".join(f"{key}: {_shape(value)}" for key, value in y.items())
    if isinstance(y, tuple | list):
        return ", ".join(_shape(part) for part in y if part is not None)
    return str(tuple(y.shape)) if hasattr(y, "shape") else type(y).__name__


def _shapes(calls: list[str]) -> str:
    """Say what several calls gave: each shape once, with how often."""
    return " | ".join(s + f" ×{calls.count(s)}" * (calls.count(s) > 1) for s in dict.fromkeys(calls))


def _bytes(n: float) -> str:
    return f"{n / 1e6:,.1f} MB" if n >= 1e6 else f"{n / 1e3:.1f} kB"
