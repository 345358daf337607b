"""What is watched of a run that is traced: how the function calls its values, and what of the world it asks for."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd.programs.outside import (
    asked_for,
    asks_for_a_tensor,
    changes_in_a_trace,
    is_incidental,
    is_ours,
    outside_world,
    types_asked,
    variable_asked,
)
from autograd.programs.reach import is_library
from autograd.programs.traced import Traced


@contextmanager
def watched(tracer: Any) -> Iterator[None]:
    """Name what is computed inside as the user's functions do: by the variables that hold it when one returns.

    Calls that give something else each time (a clock, a file, Python's random numbers) are noticed.
    """

    def look(frame: Any, event: str, called: Any) -> None:
        if event == "c_call" and not is_ours(frame.f_code.co_filename):
            _doubt(tracer, outside_world(called, frame.f_globals.get("__name__", "")), frame, called)
            if called is isinstance and asks_for_a_tensor(frame):
                _see_asked(tracer, frame)
        elif event == "return":
            if asked := asked_for(frame):
                _doubt(tracer, asked, frame, frame.f_code)
            if not is_library(frame.f_globals.get("__name__", "")) and not is_ours(frame.f_code.co_filename):
                _name(tracer, frame)

    with told(look):
        yield


@contextmanager
def told(look: Callable[[Any, str, Any], None]) -> Iterator[None]:
    """Tell ``look`` of each call and each return; another profiler that runs waits until the end."""
    other: Any = sys.getprofile()
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None if hasattr(other, "enable") else other)
        if hasattr(other, "enable"):  # that of cProfile
            other.enable()


def _doubt(tracer: Any, what: str, frame: Any, called: Any) -> None:
    """Note that the function asks for what another call may answer in another way."""
    if what and changes_in_a_trace(called):
        tracer.give_up(f"it asks for {what}; do so in a function that is ag.opaque, or outside.")
    elif what and not is_incidental(frame):
        tracer.doubt = f"it reads {what} itself; do so in a function that is ag.opaque, or outside."


def _see_asked(tracer: Any, frame: Any) -> None:
    """Note that an array is asked whether it is a Tensor: what stands for it is one, and Python does not ask it."""
    name = variable_asked(frame)
    values = [x._node.value for x in [frame.f_locals.get(name)] if type(x) is Traced] if name else tracer.inputs  # type: ignore[union-attr]
    if any(value.seen is False for value in values):
        tracer.give_up("it asks whether an array is a Tensor; ask isinstance(x, np.ndarray).")


def _name(tracer: Any, frame: Any) -> None:
    """Let values have the names of the variables of a function that returns."""
    asked = types_asked(frame.f_code)
    for name, x in frame.f_locals.items():
        if isinstance(x, Traced):
            value: Any = x._node.value  # type: ignore[union-attr]
            if name in asked and value.seen is False:
                tracer.give_up("it asks what type() an array is of; use isinstance.")
            value.name = value.name or name
        elif type(x) is np.ndarray:
            tracer.call(x, name)
