"""A write into memory at which several values of a trace look: each looks at what was written from then on.

As in eager code (``autograd.inplace``) nothing is written into: the array that owns the memory is computed anew, and
its views are taken of that, by the index that they were made with, or by the places of their elements.
"""

from typing import Any

import numpy as np

from autograd.inplace import moved, numbered, places_of
from autograd.ops import indexing
from autograd.ops.indices import is_basic
from autograd.ops.places import overwrite, reread
from autograd.programs.values import RESULT, Step, Value


def write(tracer: Any, box: Any, value: Any, looking: list[Any]) -> bool:
    """Put ``value`` into the memory of ``box`` and let all who look at it see that; False where that is not known.

    ``looking`` are the other stand-ins that are alive.
    """
    owner = _owner(box._array)
    others = [each for each in looking if each is not box and _owner(each._array) is owner]
    root = tracer.value_of(owner)
    if not others:
        box._array, box._node = value._array, value._node
        return True
    if root is None or root.kind != RESULT or any(each._array.dtype != owner.dtype for each in (box, *others)):
        return False
    needs = root.needs or value._node.value.needs
    ways = {id(each): _way(each._node.value, root, owner, needs) for each in (box, *others)}
    if None in ways.values():
        return False
    whole = tracer.stand_in(root)
    way, changed = ways[id(box)], value
    if way is not _WHOLE:
        index = way if way is not _PLACES else None
        changed = (
            indexing.setitem(whole, value, index)
            if way is not _PLACES
            else overwrite(whole, value, places=places_of(box._array, owner, numbered(owner)))
        )
    if changed._array.strides != owner.strides or _owner(changed._array) is not changed._array:
        return False
    for each in (box, *others):
        new = _view(tracer, changed, each, ways[id(each)], owner)
        each._array, each._node = new._array, new._node
    return True


_WHOLE, _PLACES = object(), object()


def _owner(array: Any) -> Any:
    """Return the array whose memory ``array`` looks at."""
    base = array
    while base is not None:  # as_strided puts an object between an array and its memory
        array, base = (base if isinstance(base, np.ndarray) else array), getattr(base, "base", None)
    return array


def _way(value: Value, root: Value, owner: Any, needs: bool) -> Any:
    """Tell how a value looks at ``root``: as the whole, by an index, or by places; None where no op leads there.

    ``needs`` tells whether a gradient flows through what was written: then it must through what looks at it, too.
    """
    if value is root:
        return _WHOLE
    step: Step | None = value.step
    if step is not None and _is_read_of(step, root) and (step.recorded or not needs):
        return step.kwargs["index"]
    while value is not root:
        step = value.step
        parents = [] if step is None or step.op is None else [v for v in step.inputs if isinstance(v, Value)]
        looking = [v for v in parents if v.array is not None and _owner(v.array) is owner]
        if len(looking) != 1 or step is None or (needs and not step.recorded):
            return None
        value = looking[0]
    return _PLACES


def _is_read_of(step: Step, root: Value) -> bool:
    """Tell whether a step takes a part of ``root`` by slices and numbers."""
    read = step.op is not None and step.op.name in ("getitem", "gather") and step.inputs[0] is root
    return read and is_basic(step.kwargs["index"])


def _view(tracer: Any, changed: Any, each: Any, way: Any, old: Any) -> Any:
    """Return what a stand-in looks at from now on."""
    if way is _WHOLE:
        return changed
    if way is not _PLACES:
        return indexing.getitem(changed, way)
    new = reread(changed, places=places_of(each._array, old, numbered(old)))
    value = new._node.value
    tracer.lies_in(value, moved(each._array, changed._array, old), changed._node.value)
    new._array = value.array
    return new
