"""Lengths that vary: which axes of the inputs do, at which lengths the model is recorded, and what follows from them.

Every length in a model is taken to be a sum of products of those that vary, such as ``2*batch*time+1``; it is recorded
at two lengths of each, and its coefficients are differences.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from typing import Any

from autograd.errors import ArgumentError

BATCH = "batch"
Lengths = Mapping[str, int]
MOST = 3  # names of lengths: the model is recorded at two of each, which makes eight runs


@dataclass(frozen=True)
class Size:
    """Represent a length that depends on those that vary: a sum of (names, how many times their product)."""

    terms: tuple[tuple[tuple[str, ...], int], ...]

    def at(self, lengths: Lengths) -> int:
        """Return the length at given lengths of what varies."""
        return sum(times * prod(lengths[name] for name in names) for names, times in self.terms)

    def __str__(self) -> str:
        text = ""
        for names, times in self.terms:
            number = [str(abs(times))] if abs(times) != 1 or not names else []
            text += ("-" if times < 0 else "+") + "*".join([*number, *names])
        return text.removeprefix("+")


@dataclass(frozen=True)
class Axes:
    """Say which axes of each input vary, by name, and how long they are in the example."""

    names: tuple[dict[int, str], ...]
    example: dict[str, int]

    @property
    def grid(self) -> list[dict[str, int]]:
        """List the lengths at which the model is recorded: two of each, not 1, which broadcasts."""
        pairs = [[(name, n) for n in self._two(name)] for name in self.example]
        return [dict(point) for point in product(*pairs)] if pairs else [{}, {}]

    def _two(self, name: str) -> tuple[int, int]:
        low = 2 if name == BATCH else max(2, self.example[name])
        return low, low + 1

    @property
    def trials(self) -> list[dict[str, int]]:
        """List the lengths at which the file is tried: a batch of one, the example's own, and longer ones."""
        longer = {name: 7 + i if name == BATCH else 2 * n + 3 + i for i, (name, n) in enumerate(self.example.items())}
        return [{name: 1 if name == BATCH else n for name, n in self.example.items()}, longer]

    def solve(self, values: Sequence[int]) -> Size:
        """Find the formula of a length from its values along :attr:`grid`."""
        known = dict(zip((tuple(point.values()) for point in self.grid), values, strict=True))
        names, low = list(self.example), {name: self._two(name)[0] for name in self.example}
        found: dict[tuple[str, ...], int] = {}
        for chosen in _subsets(names):
            slope = sum(
                (-1) ** (len(chosen) - len(raised)) * known[tuple(low[n] + (n in raised) for n in names)]
                for raised in _subsets(chosen)
            )
            for kept in _subsets(chosen):  # slope · Π (n - low), multiplied out
                rest = prod(-low[n] for n in chosen if n not in kept)
                found[kept] = found.get(kept, 0) + slope * rest
        order = sorted(found, key=lambda names: -len(names))
        return Size(tuple((names, int(found[names])) for names in order if found[names]))


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (chosen for n in range(len(names) + 1) for chosen in combinations(names, n))


def read_axes(given: Any, labels: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> Axes:
    """Read ``dynamic_axes``: {axis: name} for all inputs, or as PyTorch has it by input, with names or a list of axes.

    Axes of one name have one length.
    """
    by_input = given if all(isinstance(key, str) for key in given) else dict.fromkeys(labels, given)
    unknown = [name for name in by_input if name not in labels]
    if unknown:
        raise ArgumentError(
            f"onnx.export: dynamic_axes names {unknown[0]!r}; the inputs are {', '.join(labels)}, and the lengths of "
            "outputs follow from them."
        )
    names: list[dict[int, str]] = []
    example: dict[str, int] = {}
    for label, shape in zip(labels, shapes, strict=True):
        axes = by_input.get(label, {})
        named = axes if isinstance(axes, Mapping) else {axis: f"{label}_axis_{axis}" for axis in axes}
        names.append({})
        for axis, name in named.items():
            if not isinstance(axis, int) or not -len(shape) <= axis < len(shape) or not str(name).isidentifier():
                raise ArgumentError(
                    f"onnx.export: dynamic_axes maps axis {axis!r} of {label}, of shape {shape}, to {name!r}; give "
                    "the number of an axis and a name, such as {0: 'batch', 1: 'time'}."
                )
            names[-1][axis % len(shape)] = str(name)
            if example.setdefault(str(name), shape[axis]) != shape[axis] or not shape[axis]:
                raise ArgumentError(
                    f"onnx.export: the axes called {name!r} have the lengths {example[str(name)]} and {shape[axis]} in "
                    "the example; one name stands for one length, of at least 1."
                )
    if len(example) > MOST:
        raise ArgumentError(f"onnx.export: dynamic_axes has {len(example)} names, and at most {MOST} are tried.")
    return Axes(tuple(names), example)
