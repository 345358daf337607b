"""Files of arrays and plain data: safetensors with JSON metadata, written all or nothing, read without running code.

Nothing in a file can name code. A write goes to a temporary file in the same folder, is flushed to the disk and then
replaces the old file, so a crash at any moment leaves either the old or the new file, never half of one.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ArgumentError, FileError

Array = NDArray[Any]
_DTYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
_NAMES = {np.dtype(kind): name for name, kind in _DTYPES.items()}
_ARRAY = "__array__"  # stands in the JSON text where an array was


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace the file by ``data`` in one step; leftovers of writes that were killed are removed."""
    target = Path(path)
    folder = target.parent
    if not folder.is_dir():
        raise FileError(f"cannot write {target}: the folder {folder} does not exist. Create it first.")
    prefix = f".{target.name}."
    for stale in folder.glob(f"{prefix}*.tmp"):
        stale.unlink(missing_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the new name must reach the disk too
        folder_handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(folder_handle)
        finally:
            os.close(folder_handle)


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write named arrays and text metadata as a safetensors file."""
    import safetensors.numpy

    entries = {}
    for name, array in arrays.items():
        entries[name] = np.array(array, order="C")  # the library stores a transposed or strided array silently wrong
        if entries[name].dtype not in _NAMES:
            raise ArgumentError(f"{path}: array {name!r} has dtype {array.dtype}, which safetensors cannot hold.")
    write_bytes(path, safetensors.numpy.save(entries, metadata=dict(metadata)))


def read_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Read a safetensors file as ``(arrays, metadata)``; bfloat16 becomes float32. Raise FileError if it is not one."""
    import safetensors

    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}.") from None
    try:
        deserialize: Any = safetensors.deserialize
        entries = deserialize(data)
    except safetensors.SafetensorError as error:
        raise FileError(f"{path} is not a whole safetensors file: {error}. It may be damaged or cut off.") from None
    return {name: _decode(name, entry, path) for name, entry in sorted(entries)}, _metadata(data)


def _metadata(data: bytes) -> dict[str, str]:
    """Read the text metadata; the library has checked the header already."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    return dict(header.get("__metadata__") or {})


def _decode(name: str, entry: Mapping[str, Any], path: Any) -> Array:
    raw, shape, kind = entry["data"], tuple(entry["shape"]), entry["dtype"]
    if kind == "BF16":  # the upper half of a float32
        wide = np.frombuffer(raw, np.uint16).astype(np.uint32) << 16
        return wide.view(np.float32).reshape(shape)
    if kind not in _DTYPES:
        raise FileError(f"{path}: array {name!r} has dtype {kind}, which NumPy cannot hold.")
    return np.frombuffer(bytearray(raw), _DTYPES[kind]).reshape(shape)


def write_tree(path: str | os.PathLike[str], tree: Mapping[str, Any], kind: str) -> None:
    """Write nested dicts and lists of arrays, numbers, texts and None; ``kind`` says what the file is."""
    arrays: dict[str, Array] = {}
    text = json.dumps(_strip(tree, "", arrays))
    write_arrays(path, arrays, {"kind": kind, "tree": text})


def read_tree(path: str | os.PathLike[str], kind: str) -> dict[str, Any]:
    """Read what :func:`write_tree` wrote; raise FileError if the file is of another kind or does not hold together."""
    arrays, metadata = read_arrays(path)
    if metadata.get("kind") != kind or "tree" not in metadata:
        found = metadata.get("kind", "a file with weights only" if arrays else "empty")
        raise FileError(f"{path} is not a {kind}: it says {found!r}.")
    try:
        tree = _fill(json.loads(metadata["tree"]), arrays)
    except (ValueError, KeyError, RecursionError) as error:
        raise FileError(f"{path}: the {kind} does not hold together: {error!r}.") from None
    if not isinstance(tree, dict):
        raise FileError(f"{path}: the {kind} does not hold together: a dict was expected.")
    return tree


def _strip(value: Any, place: str, arrays: dict[str, Array]) -> Any:
    """Move the arrays of ``value`` into ``arrays`` and leave their names."""
    if isinstance(value, np.ndarray):
        arrays[place] = value
        return {_ARRAY: place}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _strip(item, f"{place}/{key}" if place else str(key), arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strip(item, f"{place}/{i}", arrays) for i, item in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ArgumentError(
        f"the state at {place!r} is a {type(value).__name__}; only arrays, numbers, texts, lists and dicts can "
        "be saved."
    )


def _fill(value: Any, arrays: Mapping[str, Array]) -> Any:
    if isinstance(value, dict):
        if set(value) == {_ARRAY}:
            return arrays[value[_ARRAY]]
        return {key: _fill(item, arrays) for key, item in value.items()}
    return [_fill(item, arrays) for item in value] if isinstance(value, list) else value
