"""The way that values took through a model until a shape did not fit: module by module, shape in, shape out."""

from collections.abc import Iterator
from types import TracebackType
from typing import Any

from autograd.box import Box
from autograd.graph import Node, ancestors
from autograd.modes import Scope, is_grad_enabled
from autograd.viz.snapshot import is_multiple, is_output

LONG = 24  # so many steps are shown, the last ones


def path_so_far(error: BaseException, failed: str = "") -> str:
    """Say by which modules the values came that an error was about: shape in, shape out; last what ``failed``; or "".

    They are found in the frames of the error, and in the graphs behind them: what was not recorded (under ``no_grad``)
    has left no trace. A Module adds this to a ShapeError as a note.

    >>> import numpy as np, autograd as ag
    >>> x = ag.Tensor(np.ones((2, 3)), requires_grad=True)
    >>> def model(x):
    ...     with ag.scope("encoder", "Encoder"):
    ...         h = x.reshape(6)
    ...     return h + np.ones(4)
    >>> try:
    ...     model(x)
    ... except ag.errors.ShapeError as error:
    ...     print(path_so_far(error))
    The path so far:
      Encoder encoder  (2, 3) → (6,)
    """
    nodes: set[Node] = set()
    for box in _boxes(error.__traceback__):
        if box._node is not None:
            nodes.update(ancestors(box._node))
    steps = list(_steps(sorted(nodes, key=lambda node: -node.order)))
    if not steps and not is_grad_enabled():
        steps = ["(under no_grad() nothing is recorded of the modules before)"]
    left = len(steps) - LONG
    lines = [*([f"… {left} more"] if left > 0 else []), *steps[-LONG:], *([failed] if failed else [])]
    return "\n  ".join(["The path so far:", *lines]) if steps else ""


def _boxes(traceback: TracebackType | None) -> Iterator[Box]:
    while traceback is not None:
        for value in list(traceback.tb_frame.f_locals.values()):
            for each in value if isinstance(value, tuple | list) else (value,):
                if isinstance(each, Box):
                    yield each
        traceback = traceback.tb_next


def _steps(nodes: list[Node]) -> Iterator[str]:
    """Write one line for each run of ops in one place, oldest first; what stands in no module is left out."""
    run: list[Node] = []
    for node in nodes:
        if node.op is None or node.scope is None:
            continue
        if run and run[-1].scope is not node.scope:
            yield _line(run)
            run = []
        run.append(node)
    if run:
        yield _line(run)


def _line(run: list[Node]) -> str:
    scope: Any = run[0].scope
    own = set(run)
    given = [p for node in run for p in node.parents if p is not None and p not in own]
    values = [p for p in given if p.op is not None] or [p for p in given if not p.needs] or given
    shapes = dict.fromkeys(_shape(p) for p in values)
    last = run[-1]
    return f"{_title(scope, run)}  {', '.join(shapes) or '()'} → {_shape(last)}"


def _title(scope: Scope, run: list[Node]) -> str:
    """Name a module; of one that holds others also the ops, as they stand between those."""
    names = list(dict.fromkeys(node.op.name for node in run if not is_output(node)))
    module = (scope.info or {}).get("module")
    module = module() if callable(module) else None
    holds = module is not None and any(True for _ in getattr(module, "children", tuple)())
    name = f"{scope.kind} {scope.path}" if scope.kind and scope.kind != scope.path else scope.path
    return f"{', '.join(names)} in {name}" if holds else name


def _shape(node: Node) -> str:
    return " and ".join(map(str, node.shape)) if is_multiple(node) else str(node.shape)
