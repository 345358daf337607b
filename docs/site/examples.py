"""The picture of what an example in a docstring computes: it is run again when the site is built."""

import contextlib
import doctest
import io
import sys
from collections.abc import Sequence
from typing import Any

import autograd as ag
import nn
from autograd.viz.picture import Picture

MOST = 12  # boxes: a larger picture says less than its example


def picture_of(lines: Sequence[str], thing: object) -> Picture | None:
    """Draw the graph behind the last Tensor that an example shows, or else gives a name, with the gradients of its sum.

    The example of a ``thing`` knows the names of its module. Where nothing in it asks for a gradient, all of its
    Tensors do. None where there is no such Tensor, or where the example ends in an error.
    """
    examples = doctest.DocTestParser().get_examples("\n".join(lines))
    if not any("Tensor" in example.source or "nn." in example.source for example in examples):
        return None
    drawn = _drawn(examples, thing)
    if drawn is None and not any("requires_grad" in example.source for example in examples):
        with _all_want_gradients(), contextlib.suppress(ag.errors.InPlaceError):  # which leaves with gradients are not
            drawn = _drawn(examples, thing)
    return drawn


def run(examples: Sequence[doctest.Example], thing: object) -> tuple[dict[str, Any], list[Any]]:
    """Run an example and give what has a name after it, and what it shows; nothing where it ends in an error."""
    home = vars(sys.modules[getattr(getattr(thing, "fget", thing), "__module__", None) or __name__])
    space: dict[str, Any] = {**home, "__name__": "example"}
    shown: list[Any] = []
    for example in examples:
        if example.exc_msg is not None:
            return {}, []
        with _showing(shown), contextlib.redirect_stdout(io.StringIO()):
            exec(compile(example.source, "<example>", "single"), space)
    return {key: x for key, x in space.items() if home.get(key) is not x}, shown


def _drawn(examples: Sequence[doctest.Example], thing: object) -> Picture | None:
    made, shown = run(examples, thing)
    root = next((x for x in [*reversed(shown), *reversed(made.values())] if _is_result(x)), None)
    if root is None:
        return None
    leaves = [x for x in made.values() if isinstance(x, ag.Tensor) and x.is_leaf and x.requires_grad]
    if not any(x.grad is not None for x in leaves):
        try:
            root.sum().backward()
        except ag.errors.AutogradError:  # the example shows how a graph becomes useless
            return None
    named = {key: x for key, x in made.items() if isinstance(x, ag.Tensor | nn.Module)}
    drawn = ag.draw(root, names=named)
    return drawn if drawn.view.boxes <= MOST else None


def _is_result(x: Any) -> bool:
    return isinstance(x, ag.Tensor) and x.requires_grad and not x.is_leaf and x.dtype.kind == "f"


@contextlib.contextmanager
def _all_want_gradients() -> Any:
    """Let every Tensor of numbers that can have a gradient require it, and have a name."""
    kind: Any = ag.Tensor
    init = kind.__init__
    names = iter("xyzuvw")

    def wanting(self: Any, data: Any, requires_grad: bool = False, **options: Any) -> None:
        init(self, data, requires_grad, **options)
        if self.dtype.kind == "f":
            self.requires_grad, self.name = True, self.name or next(names, None)

    kind.__init__ = wanting
    try:
        yield
    finally:
        kind.__init__ = init


@contextlib.contextmanager
def _showing(shown: list[Any]) -> Any:
    """Keep what an interactive session would print."""
    before, sys.displayhook = sys.displayhook, shown.append
    try:
        yield
    finally:
        sys.displayhook = before
