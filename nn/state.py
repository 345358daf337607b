"""Loading a state: everything is checked and all problems are listed before anything is changed."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, AutogradError, ShapeError

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


def load(owner: str, slots: Mapping[str, Slot], state: Mapping[str, Any], *, strict: bool) -> Incompatible:
    """Copy ``state`` into ``slots``, all or nothing; raise with the full list of what does not fit."""
    if not isinstance(state, Mapping):
        raise ArgumentError(
            f"{owner}.load_state_dict got {type(state).__name__}; pass a dict of arrays, such as model.state_dict()."
        )
    missing = [name for name in slots if name not in state]
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
        if value.shape != expected:
            misfits.append(f"wrong shape: {name} is {value.shape}, needs {expected}")
        values[name] = value
    problems = [*misfits, *unreadable]
    if strict:
        problems += [f"missing: {name}" for name in missing] + [f"unexpected: {name}" for name in unexpected]
    if problems:
        kind: type[AutogradError] = ShapeError if misfits else ArgumentError
        hint = "" if misfits or unreadable else "\nPass strict=False to load what fits."
        raise kind(
            f"{owner}.load_state_dict changed nothing, as the state does not fit:\n  " + "\n  ".join(problems) + hint
        )
    for name, value in values.items():
        slots[name].write(value)
    return Incompatible(missing, unexpected)


def _as_array(value: Any) -> Array:
    array = np.array(
        np.asarray(value.data if isinstance(value, ag.Tensor) else value)
    )  # a copy: it may be one of our own arrays
    if array.dtype.kind not in "biuf":
        raise TypeError(f"dtype {array.dtype}; pass real numbers")
    return array
