"""A model's weights as a safetensors file: what ``safetensors.torch`` writes loads here, and ours loads there."""

import os
from collections.abc import Mapping
from typing import Any

import autograd as ag
from autograd.errors import ArgumentError
from nn.files import read_arrays, write_arrays
from nn.module import Module
from nn.state import Incompatible, ties


def save_model(model: Module, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
    """Write the parameters and buffers of ``model`` to a safetensors file, all or nothing.

    A weight with several names is written once, and the metadata map the others to it, as PyTorch does. The file also
    says which version wrote it and what the architecture looks like; ``metadata`` adds texts of your own. Raises
    ArgumentError for something else than a module, OSError where the file cannot be written.

    >>> import nn, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "model.safetensors"
    ...     save_model(nn.Linear(2, 1, rng=0), path)
    ...     load_model(nn.Linear(2, 1), path)
    Incompatible(missing_keys=[], unexpected_keys=[])
    """
    _check_model("save_model", model)
    if not isinstance(metadata, Mapping | None):
        raise ArgumentError(f"save_model: metadata maps texts to texts, got {type(metadata).__name__}.")
    own = dict(metadata or {})
    wrong = [key for key, value in own.items() if not isinstance(key, str) or not isinstance(value, str)]
    if wrong:
        raise ArgumentError(
            f"save_model: metadata maps texts to texts; {wrong[0]!r} does not. Use str(...) or json.dumps(...)."
        )
    slots = dict(model._slots(unique=False))
    tied = ties(slots)
    arrays = {name: slot.copy() for name, slot in slots.items() if name not in tied}
    write_arrays(path, arrays, {"chainrule": ag.__version__, "architecture": repr(model), **own, **tied})


def load_model(model: Module, path: str | os.PathLike[str], strict: bool = True) -> Incompatible:
    """Read weights into ``model``; on a mismatch raise with all missing, unexpected and mis-shaped names.

    Values are cast to the dtype of the model's parameters (float16 and bfloat16 too). With ``strict=False`` names may
    be missing or unexpected; they are returned as ``(missing_keys, unexpected_keys)``. Raises FileError for a damaged
    file.

    >>> import nn
    >>> import os, tempfile
    >>> one, other = nn.Linear(2, 1, rng=0), nn.Linear(2, 1, rng=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save_model(one, os.path.join(folder, "net.safetensors"))
    ...     nn.load_model(other, os.path.join(folder, "net.safetensors"))
    Incompatible(missing_keys=[], unexpected_keys=[])
    >>> bool((one.weight.data == other.weight.data).all())
    True
    """
    _check_model("load_model", model)
    arrays, metadata = read_arrays(path)
    names = dict(model._slots(unique=False))
    for name, same in metadata.items():  # a weight with several names is stored once, and here are the others
        if name in names and name not in arrays and same in arrays:
            arrays[name] = arrays[same]
    return model.load_state_dict(arrays, strict=strict)


def _check_model(who: str, model: Any) -> None:
    if not isinstance(model, Module):
        raise ArgumentError(f"{who}(model, path) takes a module and then a path, got {type(model).__name__} first.")
