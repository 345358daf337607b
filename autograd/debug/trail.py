"""The way that values took through a model until a shape did not fit: module by module, shape in, shape out."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from autograd.box import Box
from autograd.graph import Node, ancestors
from autograd.modes import Scope, is_grad_enabled
from autograd.viz.arrange import arrange
from autograd.viz.escape import clean
from autograd.viz.model import Arrow, Item, View
from autograd.viz.picture import Picture
from autograd.viz.snapshot import is_multiple, is_output

LONG = 24  # so many steps are shown, the last ones
WIDE = 44  # letters of a line of the message in the picture


@dataclass(frozen=True, slots=True)
class Step:
    """Describe what a run of ops in one module made of shapes; ``sources`` are the earlier steps that it came from.

    ``failed`` is what was said of the step that could not be taken, which made nothing.
    """

    path: str
    kind: str
    ops: str
    given: str
    made: str
    sources: tuple[int, ...] = ()
    failed: str = ""

    def __str__(self) -> str:
        name = f"{self.kind} {self.path}" if self.kind and self.kind != self.path else self.path
        where = f"{self.ops} in {name}" if self.ops else name
        return f"{where}  {self.given} → {f'failed: {self.failed}' if self.failed else self.made}"


class Path(Picture):
    """Hold the path so far as ``steps``; prints as text, in a notebook it is a picture, and ``save`` writes that.

    It is empty (False) if no step is known.
    """

    def __init__(self, steps: list[Step], notes: list[str], theme: str = "auto") -> None:
        self.steps, self.notes = steps, notes
        super().__init__(_view(steps, notes), theme=theme)

    def __bool__(self) -> bool:
        return bool(self.steps or self.notes)

    @property
    def title(self) -> str:
        """Tell in one line what is drawn."""
        return f"The path so far: {len(self.steps)} steps"

    def __str__(self) -> str:
        return "\n  ".join(["The path so far:", *self.notes, *map(str, self.steps)]) if self else ""

    __repr__ = __str__


def path_so_far(error: BaseException, failed: str = "", kind: str = "", given: Iterable[Any] = ()) -> Path:
    """Tell by which modules the values came that an error was about: shape in, shape out.

    The last step is what ``failed``: the path of a module, its ``kind``, and what it was ``given``. The others are
    found in the frames of the error, and in the graphs behind them: what was not recorded (under ``no_grad``) has left
    no trace. Prints as text, and draws itself in a notebook. A Module sets it as ``error.path`` of a ShapeError, and
    adds the text as a note.

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
    runs = list(_runs(sorted(nodes, key=lambda node: -node.order)))
    at = {node: k for k, run in enumerate(runs) for node in run}
    given = list(_flat(given))
    passed = {x._node for x in given if isinstance(x, Box)}
    passed |= {p for node, k in at.items() for p in node.parents if at.get(p) != k}
    steps = [_step(run, k, at, passed) for k, run in enumerate(runs)]
    notes = []
    if not steps and not is_grad_enabled():
        notes = ["(under no_grad() nothing is recorded of the modules before)"]
    if failed and (steps or notes):
        used = {source for step in steps for source in step.sources}
        fed = {at[x._node] for x in given if isinstance(x, Box) and x._node in at}
        sources = tuple(sorted(fed | set(range(len(steps))) - used))  # and what was left lying within it
        shapes = ", ".join(str(tuple(x.shape)) for x in given) or "()"
        steps.append(Step(failed, kind, "", shapes, "", sources, str(error).splitlines()[0]))
    left = max(len(steps) - bool(failed) - LONG, 0)
    notes += [f"… {left} more"] * bool(left)
    return Path([_later(step, left) for step in steps[left:]], notes)


def _later(step: Step, left: int) -> Step:
    """Count the sources of a step from those that are shown."""
    sources = tuple(source - left for source in step.sources if source >= left)
    return Step(step.path, step.kind, step.ops, step.given, step.made, sources, step.failed)


def _boxes(traceback: TracebackType | None) -> Iterator[Box]:
    while traceback is not None:
        yield from (x for x in _flat(traceback.tb_frame.f_locals.values()) if isinstance(x, Box))
        traceback = traceback.tb_next


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    """Yield what has a shape: values, and those in lists and tuples."""
    for value in list(values):
        for each in value if isinstance(value, tuple | list) else (value,):
            if isinstance(each, Box) or isinstance(getattr(each, "shape", None), tuple):
                yield each


def _runs(nodes: list[Node]) -> Iterator[list[Node]]:
    """Part nodes into runs of ops in one module, oldest first; what stands in no module is left out."""
    run: list[Node] = []
    for node in nodes:
        if node.op is None or node.scope is None:
            continue
        if run and run[-1].scope is not node.scope:
            yield run
            run = []
        run.append(node)
    if run:
        yield run


def _step(run: list[Node], k: int, at: dict[Node, int], passed: set[Any]) -> Step:
    """Describe a run: what it was given by others, and what of it was passed on (else what it made last)."""
    scope: Any = run[0].scope
    given = [p for node in run for p in node.parents if p is not None and at.get(p) != k]
    values = [p for p in given if p.op is not None] or [p for p in given if not p.needs] or given
    shapes = ", ".join(dict.fromkeys(_shape(p) for p in values)) or "()"
    sources = tuple(sorted({at[p] for p in values if p in at}))
    made = ", ".join(dict.fromkeys(_shape(node) for node in run if node in passed)) or _shape(run[-1])
    return Step(scope.path, scope.kind, _ops(scope, run), shapes, made, sources)


def _ops(scope: Scope, run: list[Node]) -> str:
    """Name the ops of a module that holds others, as they stand between those."""
    module = (scope.info or {}).get("module")
    module = module() if callable(module) else None
    holds = module is not None and any(True for _ in getattr(module, "children", tuple)())
    return ", ".join(dict.fromkeys(node.op.name for node in run if not is_output(node))) if holds else ""


def _shape(node: Node) -> str:
    return " and ".join(map(str, node.shape)) if is_multiple(node) else str(node.shape)


def _view(steps: list[Step], notes: list[str]) -> View:
    """Describe the path as boxes of the pictures: a module with its shapes, and marked the one that failed."""
    items, arrows = [], []
    for k, step in enumerate(steps):
        kind = step.kind if step.kind != step.path else ""
        item = Item(f"f{k}", "fold", step.ops or step.path, "module", f"in {step.path}" if step.ops else kind)
        item.facts = [("in", step.given), *([("out", step.made)] if step.made else [])]
        if step.failed:
            item.alarm = "failed"
            lines = textwrap.wrap(re.sub(r"(\d,) (?=\d)", "\\1\u00a0", clean(step.failed)), WIDE)
            item.facts += zip(["failed", *[""] * len(lines)], lines, strict=False)
        items.append(item)
        arrows += [Arrow(f"e{k}s{source}", f"f{source}", f"f{k}", state="made") for source in step.sources]
    view = View(items, arrows, [], [], "", list(notes), len(steps))
    if items:
        made = arrange(view)
        view.rankdir, view.starts = made.rankdir, made.starts
        for arrow in arrows:
            arrow.wraps = made.wraps(arrow)
    return view
