"""Facts: what all ranks must have in common, in words, so that a difference can be told before it does harm."""

import hashlib
import os
import platform
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sized
from pathlib import Path
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.distributed.world import World, listed


def of_program(trainer: Any) -> dict[str, str]:
    """Describe the program: its file, versions, model, loss, optimizer and callbacks."""
    main = getattr(sys.modules.get("__main__"), "__file__", None) or sys.argv[0]
    facts = {
        "the program": _digest(main),
        "the version": f"chainrule {ag.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
        "the model": type(trainer.model).__name__,
        "the loss": f"{type(trainer.loss).__name__} {_plain(trainer.loss)}".strip(),
        "the optimizer": repr(trainer.optimizer),
        "metrics": ", ".join(trainer.metrics),
        "callbacks": ", ".join(type(callback).__name__ for callback in trainer.callbacks),
        "clip_grad_norm": str(trainer.clip_grad_norm),
        "accumulate": str(trainer.accumulate),
    }
    facts |= {f"parameter {n}": f"{p.shape} {p.dtype}" for n, p in trainer.model.named_parameters()}
    return facts | {f"buffer {n}": f"{b.shape} {b.dtype}" for n, b in trainer.model.named_buffers()}


def of_fit(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Describe the arguments of ``fit``: data by shape, dtype and checksum."""
    return {name: describe(value) for name, value in arguments.items()}


def of_state(trainer: Any) -> dict[str, str]:
    """Describe what training starts from: each weight and buffer by checksum, what is frozen, optimizer, place."""
    model, state = trainer.model, trainer.optimizer.state_dict()["state"]
    found = {}
    for name, p in model.named_parameters():
        kind = "trained" if p.requires_grad else "frozen"
        found[f"parameter {name}"] = f"{kind}, of shape {p.shape}, checksum {fingerprint(p):08x}"
    for name, b in model.named_buffers():
        found[f"buffer {name}"] = f"of shape {b.shape}, checksum {fingerprint(b):08x}"
    place = {"the place": f"epoch {trainer.epoch}, step {trainer.step}"}
    return found | of_options(trainer) | {"the optimizer's state": f"of checksum {fingerprint(state):08x}"} | place


def of_options(trainer: Any) -> dict[str, str]:
    """Describe the options of the optimizer by group."""
    groups = enumerate(trainer.optimizer.param_groups)
    return {f"group {i}": str({name: v for name, v in group.items() if name != "params"}) for i, group in groups}


def fingerprint(value: Any) -> int:
    """Compute one CRC-32 of all arrays and numbers in nested tuples, lists and dicts, with their shapes and dtypes."""
    if isinstance(value, Mapping):
        parts: Iterable[Any] = value.values()
    elif isinstance(value, tuple | list) and not all(isinstance(x, int | float) for x in value):
        parts = value
    elif hasattr(value, "indices") and hasattr(value, "data"):  # rows that are sparse
        parts = (value.data, value.indices)
    else:
        array = np.asarray(value.data if isinstance(value, ag.Tensor) else value)
        words = f"{array.shape} {array.dtype}" if array.dtype.kind != "O" else type(value).__name__
        return zlib.crc32(words.encode(), checksum([array]))
    return zlib.crc32(repr([fingerprint(part) for part in parts]).encode())


def same_batch(world: World, what: str, batch: Any) -> None:
    """Raise, on all ranks alike, unless all have the same batch; None stands for no batch any more."""
    first = batch[0] if isinstance(batch, tuple | list) and batch else batch
    size = -1 if batch is None else len(first) if isinstance(first, Sized) else 0
    mark = 0 if batch is None else fingerprint(batch)
    own = [size, mark & 0xFFFF, mark >> 16]  # small numbers, so that sums are exact
    found = world.equal(own)
    if found is not None:
        texts = [
            "no batch" if n < 0 else f"{n} samples, checksum {int(high) << 16 | int(low):08x}" for n, low, high in found
        ]
        raise ArgumentError(
            f"{what}: the ranks have different batches. Each must iterate over the same whole batches, of which it "
            "takes its rows.\n  " + listed([f"rank {rank}: {text}" for rank, text in enumerate(texts)])
        )


def describe(value: Any) -> str:
    """Say what an argument is.

    >>> describe([[1.0, 2.0]]), describe(None), describe(3)
    ('(1, 2) float64, checksum 7ba3895f', 'None', '3')
    """
    if value is None or isinstance(value, bool | int | float | str | os.PathLike | Mapping):
        return str(value)
    if isinstance(value, tuple):
        return " and ".join(map(describe, value))
    if not isinstance(value, list | np.ndarray | ag.Tensor):
        return type(value).__name__ + (f" of {len(value)}" if isinstance(value, Sized) else "")
    try:
        array = np.asarray(value.data if isinstance(value, ag.Tensor) else value)
    except ValueError:
        return "a ragged list"
    return f"{array.shape} {array.dtype}, checksum {checksum([array]):08x}"


def checksum(arrays: Iterable[Any]) -> int:
    """Compute one CRC-32 of the bytes of arrays."""
    total = 0
    for array in arrays:
        if array.dtype.kind in "biufc":
            total = zlib.crc32(np.ascontiguousarray(array).data, total)
    return total


class InStep:
    """Iterate over batches on all ranks at once; raise on all when one has no batch or another number of samples."""

    def __init__(self, world: World, source: Iterable[Any]) -> None:
        self.world, self.source = world, source

    def __iter__(self) -> Iterator[Any]:
        batches = iter(self.source)
        while True:
            item = next(batches, None)
            same_batch(self.world, "fit", item)
            if item is None:
                return
            yield item


class SizedInStep(InStep):
    """Describe a source of which the number of batches is known, too."""

    def __len__(self) -> int:
        return len(self.source)  # type: ignore[arg-type]


def in_step(world: World, source: Any) -> Any:
    """Wrap an iterable of batches; arrays, lists of numbers and tuples of them are given back."""
    if world.size == 1 or isinstance(source, np.ndarray | ag.Tensor | tuple | str) or not isinstance(source, Iterable):
        return source
    return (SizedInStep if isinstance(source, Sized) else InStep)(world, source)


def _plain(thing: Any) -> str:
    """List the numbers and texts among the attributes."""
    shown = {k: v for k, v in vars(thing).items() if isinstance(v, int | float | str) and not k.startswith("_")}
    return ", ".join(f"{name}={value}" for name, value in shown.items()) if shown else ""


def _digest(path: str) -> str:
    try:
        return hashlib.blake2b(Path(path).read_bytes(), digest_size=6).hexdigest()
    except OSError:
        return "not a file"
