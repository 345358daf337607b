"""Random in-place programs, written out as Python: views, copies, other names and writes, in any order.

A program is drawn while it runs on plain arrays, so that every statement fits; what it prints when a test fails can be
pasted into a file and run.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd as ag

Array = Any


turned = ag.op(lambda a: a[::-1], vjp=lambda g: g[::-1], name="turned")
given = ag.op(lambda a: a, vjp=lambda g: g, name="given", elementwise=True)
seen = ag.checkpoint(lambda a: a[:1])


def bump(z: Array) -> None:
    """Write into the parameter, as functions do."""
    z += 0.25


def halve(z: Array) -> Array:
    """Write into the parameter and return it."""
    z *= 0.5
    return z


KNOWN = {"np": np, "bump": bump, "halve": halve, "turned": turned, "given": given, "seen": seen}


class Writer:
    """Draw statements one by one; run each on arrays to learn the shapes."""

    def __init__(self, seed: int, shape: tuple[int, ...]) -> None:
        self.rng = np.random.default_rng(seed)
        self.x = self.rng.uniform(0.3, 2.0, shape)
        self.space: dict[str, Any] = {**KNOWN, "x": self.x.copy()}
        self.names: list[str] = []
        self.lines: list[str] = []
        self.run("a = x * 1")
        self.names.append("a")

    def run(self, line: str) -> None:
        exec(line, self.space)  # noqa: S102 (the text was drawn here)
        self.lines.append(line)

    def pick(self, good: Callable[[Any], bool] = lambda z: True) -> str | None:
        fitting = [name for name in self.names if good(self.space[name])]
        return str(self.rng.choice(fitting)) if fitting else None

    def one_of(self, *texts: str) -> str:
        return str(texts[self.rng.integers(len(texts))])

    # ------------------------------------------------------------------------------------------------- pieces of text

    def index(self, z: Array) -> str:
        """Draw a basic index that leaves something."""
        parts = []
        for n in z.shape:
            k = int(self.rng.integers(n)) if n else 0
            parts.append(self.one_of(str(k), str(k - n), ":", f"{k}:", f":{k + 1}", "::2", "::-1", f"{k}::-1"))
        parts = parts[: int(self.rng.integers(1, len(parts) + 1))]
        text = ", ".join([*parts, *([self.one_of("...", "None")] if self.rng.random() < 0.15 else [])])
        return f"[{text}]"

    def value(self, shape: tuple[int, ...]) -> str:
        """Draw an expression that broadcasts to a shape."""

        def fits(z: Array) -> bool:
            try:
                return np.broadcast_shapes(np.shape(z), shape) == shape
            except ValueError:
                return False

        z = self.pick(fits)
        if z is None or self.rng.random() < 0.15:
            return self.one_of("0.5", "-1.0", "x.sum() * 0.1")
        return self.one_of(z, f"0.5 * {z}", f"np.sin({z})", f"{z} * {z} * 0.3", f"{z}.sum() * 0.1", f"np.cos({z} + 1)")

    # ----------------------------------------------------------------------------------------------------- statements

    def view(self) -> None:
        name = self.pick(lambda z: np.ndim(z) > 0)
        if name is None:
            return
        z, new = self.space[name], self.new()
        forms = [
            f"{name}{self.index(z)}",
            f"{name}{self.index(z)}",
            f"{name}.T",
            f"{name}.reshape(-1)",
            f"{name}.ravel()",
            f"{name}[::-1]",
            f"{name}[None]",
            f"np.swapaxes({name}, 0, -1)",
            f"np.flip({name}, 0)",
            f"np.atleast_2d({name})",
            f"np.expand_dims({name}, -1)",
            f"np.squeeze({name})",
            f"np.reshape({name}, {z.shape[::-1]})",
            f"list({name})[-1]",
            f"np.split({name}, {z.shape[0]})[0]",
            f"np.moveaxis({name}, -1, 0)",
            f"{name}.transpose()",
            f"turned({name})",
            f"given({name})",
            f"seen({name})",
            name,
            *([f"np.diagonal({name})"] if z.ndim == 2 else []),
            *([f"np.broadcast_to({name}, (2, *{z.shape}))"] if z.ndim < 3 else []),
        ]
        self.run(f"{new} = {self.one_of(*forms)}")
        self.names.append(new)

    def copy(self) -> None:
        name = self.pick(lambda z: np.ndim(z) > 0)
        if name is None:
            return
        new = self.new()
        forms = [
            f"{name}.copy()",
            f"{name}[[0, -1]]",
            f"{name} + 0",
            f"np.sin({name})",
            f"{name}.flatten()",
            f"{name}.T.reshape(-1)",
            f"np.concatenate([{name}, {name}])[1:]",
            f"np.where({name} > 0.5, {name}, 0.1)",
            f"{name} * np.ones({self.space[name].shape}) * 0.5",
            f"np.array([2.0, 3.0])[0] * {name}",
            f"np.take({name}, [0], axis=0)",
            f"np.roll({name}, 1, axis=0)",
        ]
        self.run(f"{new} = {self.one_of(*forms)}")
        self.names.append(new)

    def write(self) -> None:
        name = self.pick(lambda z: np.ndim(z) > 0 and z.flags.writeable and z.size > 0)
        if name is None:
            return
        z = self.space[name]
        index = self.one_of(self.index(z), self.index(z), "[...]", "[[0]]", f"[{name} > 0.7]")
        part = z[np.zeros(0, int)] if ">" in index else eval("z" + index, {**self.space, "z": z})  # noqa: S307
        whole, inside = self.value(z.shape), self.value(np.shape(part))
        if ">" in index:
            inside = self.one_of("0.5", "-1.0", "x.sum() * 0.1")
        self.run(
            self.one_of(
                f"{name}{index} = {inside}",
                f"{name}{index} = {inside}",
                f"{name}{index} += {inside}",
                f"{name}{index} *= 0.5",
                f"{name} += {whole}",
                f"{name} -= {whole}",
                f"{name} *= {self.one_of('0.5', '-0.75', f'np.cos({whole})')}",
                f"{name} /= 2.0",
                f"bump({name})",
                f"bump({name}[0:1])",
                f"{name}.T[...] *= 0.5",
                f"for row in {name}: row *= 0.9" if z.ndim > 1 else f"for i in range({len(z)}): {name}[i] *= 0.9",
            )
        )

    def shuffle(self) -> None:
        """Draw a statement that reads and writes one array, so that the order of reading counts."""
        name = self.pick(lambda z: np.ndim(z) > 0 and z.flags.writeable and len(z) > 1)
        if name is None:
            return
        other = self.pick(lambda z: np.shape(z) == np.shape(self.space[name])) or name
        self.run(
            self.one_of(
                f"{name}[0], {name}[-1] = {name}[-1], {name}[0]",
                f"{name}[0], {name}[-1] = {name}[-1].copy(), {name}[0].copy()",
                f"{name}[[0, -1]] = {name}[[-1, 0]]",
                f"{name}[[0, 0, -1]] += 0.5 * {name}[[0, -1, -1]]",
                f"{name}[1:] += {name}[:-1]",
                f"{name}[:-1] = {name}[1:]",
                f"{name}[1:] *= np.sin({name}[:-1])",
                f"{name}[...] = {name}[::-1]",
                f"{name} += {name}[::-1]",
                f"{name} -= 0.5 * {name}.mean(axis=0)",
                f"{name}[{other} > 0.6] = 0.5 * {name}[{other} > 0.6]",
                f"{name}[..., 0] = {name}[..., -1] * {other}[..., 0]",
                f"{name}.sort(axis=0)",
                f"{name} = {name} + 0.5",
                f"{name} = {name}[::-1]",
                f"for p, q in zip({name}, {other}): p += 0.5 * q"
                if np.ndim(self.space[name]) > 1
                else f"{name} *= {name}",
                f"{name}[:], {other}[:] = 0.5 * {other}, 0.5 * {name}"
                if self.space[other].flags.writeable
                else f"{name} *= 0.5",
            )
        )

    def number(self) -> None:
        name = self.pick(lambda z: np.ndim(z) > 0)
        if name is None:
            return
        new = self.new()
        where = ", ".join(["0"] * np.ndim(self.space[name]))
        self.run(f"{new} = {self.one_of(f'{name}.sum() * 0.1', f'{name}[{where}]')}")
        self.names.append(new)
        if self.rng.random() < 0.5:
            self.run(f"{new} {self.one_of('+', '*')}= 0.5")

    def call(self) -> None:
        name = self.pick(lambda z: np.ndim(z) > 0 and z.flags.writeable)
        if name is not None:
            new = self.new()
            self.run(f"{new} = halve({name})")
            self.names.append(new)

    def new(self) -> str:
        return "abcdefghijklmnop"[len(self.names)]


def draw(seed: int) -> tuple[str, Callable[[Array], Array], Array]:
    """Return source, function and argument of a random program."""
    shapes = [(3,), (2, 3), (2, 2), (3, 2), (2, 2, 2)]
    w = Writer(seed, shapes[seed % len(shapes)])
    kinds = [w.view, w.view, w.write, w.write, w.shuffle, w.shuffle, w.copy, w.number, w.call]
    for _ in range(4 + seed % 9):
        kinds[w.rng.integers(len(kinds))]()
    while not any("= " in line and line[0] != "a" for line in w.lines) or len(w.lines) < 4:
        w.view()
        w.write()
    body = "\n".join(f"    {line}" for line in w.lines)
    source = f"def program(x):\n{body}\n    return {', '.join(w.names)},\n"
    space: dict[str, Any] = dict(KNOWN)
    exec(compile(source, f"<program {seed}>", "exec"), space)  # noqa: S102
    return source, space["program"], w.x
