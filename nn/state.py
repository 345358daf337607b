"""Loading a state: everything is checked and all problems are listed before anything is changed."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, AutogradError, ShapeError
from nn.inputs import constant, refuse_masked

Array = NDArray[Any]
IGNORED = "num_batches_tracked"  # PyTorch's BatchNorm counts its batches; nothing here uses that


class Incompatible(NamedTuple):
    """List the names that the state lacks and those that the module does not know."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Slot(NamedTuple):
    """Point to one parameter or buffer: the module that holds it, its name there and its value."""

    module: Any
    name: str
    value: Any

    def copy(self) -> Array:
        """Copy the value."""
        return np.array(self.value.data if isinstance(self.value, ag.Tensor) else self.value, order="C")

    def write(self, value: Array) -> None:
        """Write into the array that is there, which an optimizer may share."""
        write(self.value, value)


def write(target: Any, value: Any) -> None:
    """Write ``value`` into the array of a Tensor, or into an array, in place.

    Assigning ``.data`` to itself tells graphs that used the old values that these are gone.
    """
    if isinstance(target, ag.Tensor):
        target.data[...] = value
        target.data = target.data
    else:
        target[...] = value


def ties(slots: Mapping[str, Slot]) -> dict[str, str]:
    """Map the names of a weight that stands in several places to the first of them; one in one place is left out."""
    first: dict[Any, str] = {}
    names = {name: first.setdefault(_memory(slot.value), name) for name, slot in slots.items()}
    return {name: one for name, one in names.items() if name != one}


def _memory(value: Any) -> Any:
    array = value.data if isinstance(value, ag.Tensor) else value
    return (array.__array_interface__["data"][0], array.shape, array.strides) if array.size else id(value)


def load(owner: str, slots: Mapping[str, Slot], state: Mapping[str, Any], *, strict: bool) -> Incompatible:
    """Copy ``state`` into ``slots``, all or nothing; raise with the full list of what does not fit."""
    if not isinstance(state, Mapping):
        raise ArgumentError(
            f"{owner}.load_state_dict got {type(state).__name__}; pass a dict of arrays, such as model.state_dict()."
        )
    tied = ties(slots)
    given = {tied.get(name, name) for name in slots if name in state}
    missing = [name for name in slots if tied.get(name, name) not in given]
    unexpected = [name for name in state if name not in slots and str(name).rpartition(".")[2] != IGNORED]
    values, misfits, unreadable = {}, [], []
    for name in slots:
        if name not in state:
            continue
        expected = np.shape(slots[name].value)
        try:
            value = _as_array(state[name])
        except (TypeError, ValueError, RuntimeError) as error:
            unreadable.append(f"unreadable: {name} ({error})")
            continue
        if lost := _loses(value, slots[name].value):
            unreadable.append(f"{lost[0]}: {name} {lost[1]}")
        if value.shape != expected:
            misfits.append(f"wrong shape: {name} is {value.shape}, needs {expected}")
        values[name] = value
    problems = hard = [*misfits, *unreadable, *_contradictions(values, tied)]
    if strict:
        soft = [f"missing: {name}" for name in missing] + [f"unexpected: {name}" for name in unexpected]
        problems = hard + soft
    if problems:
        kind: type[AutogradError] = ShapeError if misfits else ArgumentError
        hint = "" if hard else "\nPass strict=False to load what fits."
        raise kind(
            f"{owner}.load_state_dict changed nothing, as the state does not fit:\n  " + "\n  ".join(problems) + hint
        )
    for name, value in values.items():
        slots[name].write(value)
    return Incompatible(missing, unexpected)


def _contradictions(values: Mapping[str, Array], tied: Mapping[str, str]) -> Iterator[str]:
    """Say which weights are given two values by their two names."""
    seen: dict[str, str] = {}
    for name in values:
        one = seen.setdefault(tied.get(name, name), name)
        if not np.array_equal(values[one], values[name], equal_nan=values[name].dtype.kind == "f"):
            yield f"two values: {one} and {name} are one weight, and differ"


def _loses(value: Array, slot: Any) -> tuple[str, str] | None:
    """Say what would be lost of numbers in the dtype of a slot: those beyond its largest one, and fractions."""
    dtype = slot.dtype
    if dtype.kind == "f" and value.dtype.kind == "f" and value.dtype.itemsize > dtype.itemsize:
        largest = np.abs(value[np.isfinite(value)]).max(initial=0.0)
        if largest > np.finfo(dtype).max:
            return "too large", f"(holds {largest:g}, which {dtype} cannot)"
    if dtype.kind in "iu" and value.dtype.kind == "f" and not np.array_equal(value, np.rint(value)):
        return "not whole", f"(its dtype is {dtype})"
    return None


def _as_array(value: Any) -> Array:
    value = constant(value, "load_state_dict: a value") if isinstance(value, ag.Tensor) else value
    refuse_masked(value, "it")
    array = np.array(np.asarray(value))  # a copy: it may be one of our own arrays
    if array.dtype.kind not in "biuf":
        raise TypeError(f"dtype {array.dtype}; pass real numbers")
    return array
