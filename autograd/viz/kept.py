"""What a graph keeps for backward: bytes by op, each memory counted once, the values of parameters not at all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.graph import Node
from autograd.viz.model import View


def kept_bytes(nodes: Iterable[Node]) -> dict[Node, int]:
    """Count the bytes that each op keeps until backward, oldest first; what two keep counts for the first."""
    found: dict[Node, int] = {}
    seen: set[int] = set()
    for node in nodes:
        if node.op is None:
            continue
        total = 0
        for array in _arrays(node):
            owner = array
            while isinstance(owner.base, np.ndarray):
                owner = owner.base
            if id(owner) not in seen:
                seen.add(id(owner))
                total += owner.nbytes
        found[node] = total
    return found


def _arrays(node: Node) -> Iterator[np.ndarray[Any, Any]]:
    for k, value in enumerate(node.residuals):
        parent = node.parents[k] if k < len(node.parents) else None
        if parent is None or parent.op is not None or not parent.needs:  # else it is a parameter's own
            yield from _inside(value)
    for value in (node.kwargs or {}).values():
        yield from _inside(value)


def _inside(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _inside(part)


def show_memory(nodes: Sequence[Node], place: Callable[[int], str], view: View) -> None:
    """Write what is kept for backward into each box of a picture, and the sum below it."""
    kept = kept_bytes(nodes)
    boxes: dict[str, int] = {}
    for i, node in enumerate(nodes):
        boxes[place(i)] = boxes.get(place(i), 0) + kept.get(node, 0)
    for item in view.items:
        if boxes.get(item.id):
            text = bytes_text(boxes[item.id])
            if item.kind == "fold":
                item.facts.append(("keeps", text))
            else:
                item.note = f"{item.note}; keeps {text}" if item.note else f"keeps {text}"
    released = " (backward has let go of the large arrays)" * any(node.released for node in nodes)
    view.problems.append(f"kept for backward: {bytes_text(sum(kept.values()))}{released}")


def bytes_text(count: float) -> str:
    """Write a number of bytes: ``640 B``, ``1.2 MB``.

    >>> bytes_text(640), bytes_text(1_234_567)
    ('640 B', '1.2 MB')
    """
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
