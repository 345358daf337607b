"""Files of arrays and plain data: safetensors with JSON metadata, written all or nothing, read without running code.

Nothing in a file can name code, and the same content gives the same bytes. A checksum over all of it stands in the
metadata and is verified when the file is read; files of others have none.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ArgumentError, FileError, missing
from nn.writing import read_bytes, write_bytes

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
_METADATA = "__metadata__"  # no array can have this name in the format
_CHECKSUM = "chainrule.sha256"
_ARRAY = "__array__"  # stands in the JSON text where an array was


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write named arrays and text metadata as a safetensors file."""
    for name in (_METADATA, _CHECKSUM):
        if name in arrays or name in metadata:
            raise ArgumentError(f"{path}: the name {name!r} is kept for the file itself. Choose another.")
    for text in (*arrays, *metadata, *metadata.values()):
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise ArgumentError(f"{path}: {text!r} holds half a character, which a file cannot. Choose another text.")
    entries = {}
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0])):  # so that all are aligned
        if array.dtype.newbyteorder("=") not in _NAMES:
            raise ArgumentError(f"{path}: array {name!r} has dtype {array.dtype}, which safetensors cannot hold.")
        entries[name] = np.array(array, array.dtype.newbyteorder("<"), order="C")
    header = _header(entries, {**metadata, _CHECKSUM: _checksum(entries, metadata)})
    write_bytes(path, b"".join([len(header).to_bytes(8, "little"), header, *(a.tobytes() for a in entries.values())]))


def _header(entries: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """Describe the arrays, which follow one another in this order."""
    header: dict[str, Any] = {_METADATA: dict(metadata)}
    start = 0
    for name, array in entries.items():
        kind, end = _NAMES[array.dtype.newbyteorder("=")], start + array.nbytes
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8)


def _checksum(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> str:
    """Digest what a file says, in whatever order it says it."""
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(json.dumps([name, _NAMES[array.dtype.newbyteorder("=")], array.shape]).encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def read_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Read a safetensors file as ``(arrays, metadata)``; bfloat16 becomes float32. Raise FileError if it is not one."""
    try:
        import safetensors
    except ImportError as error:
        raise missing("reading a safetensors file", "files", error) from None
    data = read_bytes(path)
    try:
        deserialize: Any = safetensors.deserialize
        entries = deserialize(data)
    except safetensors.SafetensorError as error:
        known = next((f" It is {what}" for start, what in _OTHERS.items() if data.startswith(start)), None)
        hint = known or " It may be damaged or cut off."
        raise FileError(f"{path} is not a whole safetensors file: {error}.{hint}") from None
    arrays, metadata = {name: _decode(name, entry, path) for name, entry in sorted(entries)}, _metadata(data)
    checksum = metadata.pop(_CHECKSUM, None)
    if checksum is not None and checksum != _checksum(arrays, metadata):
        raise FileError(
            f"{path} is damaged, or was changed by a program that kept the checksum: what it holds does not fit the "
            f"checksum in its metadata ({_CHECKSUM}). Take another copy."
        )
    return arrays, metadata


_TORCH = (
    "can hold code and is not read here. Convert it in PyTorch: "
    "safetensors.torch.save_file(torch.load(path, weights_only=True), 'model.safetensors')."
)
_OTHERS = {  # how files of other kinds begin
    b"PK\x03\x04": f"a zip archive; one of PyTorch (.pt, .pth) {_TORCH} Of NumPy's .npz give np.load(path) to "
    "load_state_dict.",
    b"\x80\x02\x8a\n": f"a file of PyTorch's old kind, which {_TORCH}",
    b"\x80\x04\x95": "a pickle, which can hold code and is not read.",
    b"\x80\x05\x95": "a pickle, which can hold code and is not read.",
    b"\x89HDF": "an HDF5 file, such as Keras writes. Give its arrays by name to load_state_dict.",
    b"\x93NUMPY": "an array of NumPy. Read it with np.load.",
}


def _metadata(data: bytes) -> dict[str, str]:
    """Read the text metadata; the library has checked the header already."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    return dict(header.get(_METADATA) or {})


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
