"""The chain rule with the numbers in it: the strongest paths to a value, and the sum that is the gradient."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np

from autograd.box import Box, plain
from autograd.errors import ArgumentError, DTypeError, GraphError
from autograd.viz.expand import open_ops
from autograd.viz.ledger import Ledger
from autograd.viz.local import Local, latex_name, latex_words, local_derivative, same, title
from autograd.viz.numbers import number, shape_text, signed, spread
from autograd.viz.paths import RELEASED, Partial, along_direction, between, count_paths, strongest
from autograd.viz.rerun import run_again, slope_by_differences
from autograd.viz.snapshot import Snapshot, as_roots

TOP = 20


@dataclass(frozen=True, slots=True)
class Path:
    """Hold one path: its nodes from the root on, local derivatives, its part of the gradient and its share."""

    nodes: tuple[str, ...]
    locals: tuple[Local, ...]
    value: float
    share: float

    @property
    def factors(self) -> tuple[float | None, ...]:
        """List the local derivatives as numbers (None between arrays)."""
        return tuple(local.value for local in self.locals)


class Explanation:
    """Hold the strongest paths, the gradient as ``total``, and what the unlisted paths add as ``rest``.

    ``sum(path.value for path in paths) + rest == total`` within rounding, which is never shown as a ``rest``. ``count``
    is the number of all paths; ``exact`` says whether the listed ones are surely the strongest. ``along`` is empty, the
    element of an array, or a direction in words. ``measured`` is the same by finite differences, in double precision,
    or None where the graph cannot be computed anew. Prints as text; in a notebook it is LaTeX.
    """

    def __init__(
        self,
        root: str,
        wrt: str,
        along: str,
        paths: list[Path],
        total: float,
        count: int,
        exact: bool,
        epsilon: float = 2**-52,
        measured: float | None = None,
    ) -> None:
        self.root, self.wrt, self.along = root, wrt, along
        self.paths, self.total, self.count, self.exact = paths, total, count, exact
        self.measured = measured
        values = [path.value for path in paths]
        rest = total - sum(values)
        self.rest = 0.0 if count <= len(paths) or abs(rest) <= epsilon * count * sum(map(abs, values)) else rest

    def __str__(self) -> str:
        lines = [self._headline(), ""]
        for rank, path in enumerate(self.paths, 1):
            lines.append(f"{rank:3}. {signed(path.value):>12}  {_percent(path.share):>8}   {' → '.join(path.nodes)}")
            if all(factor is not None for factor in path.factors):
                lines.append(f"{'':33}{_product(path)}")
        if self.count > len(self.paths):
            more = self.count - len(self.paths)
            lines.append(
                f"     {signed(self.rest):>11}  {_percent(_share(self.rest, self.total)):>8}   all {more:,} other "
                f"paths together"
            )
        if self.measured is not None:
            off = abs(self.measured - self.total)
            lines += ["", f"by finite differences {number(self.measured)}, a difference of {off:.1e}"]
        lines += ["", "local derivatives"]
        made = max((len(local.made) for local in self._locals()), default=0)
        for local in self._locals():
            lines.append(f"  {local.made:<{min(made, 40)}}   {local.text()}")
            lines += [f"  {'':<{min(made, 40)}}     made at {local.line}"] * bool(local.line)
            if local.chain is not None:
                given = local.chain.where.replace("g ", f"g = ∂{self.root}/∂{local.y} ", 1)
                lines += [f"  {'':<{min(made, 40)}}     {given}"] * bool(given)
                lines += [f"  {'':<{min(made, 40)}}     {local.chain.numbers}"] * bool(local.chain.numbers)
        if not self.exact:
            lines += [
                "",
                "The search kept only the largest partial products between arrays: a stronger path may be among the "
                "others.",
            ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Explanation {self._what()} = {number(self.total)}, {self._count()}>"

    def _headline(self) -> str:
        return f"{self._what()} = {number(self.total)}, the sum of {self._count()}"

    def _what(self) -> str:
        return f"∂{self.root}/∂{self.wrt}{self.along}"

    def _count(self) -> str:
        return f"{self.count:,} path{'s' * (self.count != 1)}"

    def _locals(self) -> list[Local]:
        return list(dict.fromkeys(local for path in self.paths for local in path.locals))

    def _repr_latex_(self) -> str:
        """Return the chain rule as LaTeX: the sum over paths, in symbols and in numbers."""
        element = self.along if self.along.startswith("[") else ""
        root, wrt = latex_name(self.root), latex_name(self.wrt) + element
        along = "" if element or not self.along else rf" && \text{{{latex_words(self.along)}}}"
        rows = [rf"\frac{{\partial {root}}}{{\partial {wrt}}} &= {_tex(self.total)}{along} \\"]
        for path in self.paths:
            names = [*map(latex_name, path.nodes[:-1]), wrt]
            chain = r" \cdot ".join(rf"\frac{{\partial {y}}}{{\partial {x}}}" for y, x in pairwise(names)) or "1"
            factors = [factor for factor in path.factors if factor is not None]
            product = r" \cdot ".join(f"({_tex(f)})" if f < 0 else _tex(f) for f in factors)
            middle = f" = {product}" if product and len(factors) == len(path.locals) else ""
            rows.append(rf"&\quad {chain}{middle} = {_tex(path.value)} && ({_percent(path.share)[:-1].strip()}\,\%) \\")
        if self.count > len(self.paths):
            rows.append(rf"&\quad \text{{{self.count - len(self.paths):,} other paths}} = {_tex(self.rest)} \\")
        if self.measured is not None:
            rows.append(rf"&\quad \text{{by finite differences }} {_tex(self.measured)} \\")
        for local in self._locals():
            at = rf" && \text{{{latex_words(local.line.partition(': ')[0])}}}" if local.line else ""
            if local.chain is not None:
                top, y, x = (rf"\partial {latex_name(name)}" for name in (self.root, local.y, local.x))
                where = rf",\; {local.chain.spaces}" if local.chain.spaces else ""
                rows.append(rf"\frac{{{top}}}{{{x}}} &= {local.latex}, \quad g = \frac{{{top}}}{{{y}}}{where}{at} \\")
            elif local.latex:
                value = "" if local.value is None else _tex(local.value)
                last = f" = {value}" if value and not local.convention and not same(local.latex, value) else ""
                rows.append(
                    rf"\frac{{\partial {latex_name(local.y)}}}{{\partial {latex_name(local.x)}}} &= "
                    rf"{local.latex}{last}{at} \\"
                )
        return "$$\\begin{aligned}\n" + "\n".join(rows) + "\n\\end{aligned}$$"

    def _repr_markdown_(self) -> str:
        return self._repr_latex_() + ("" if self.exact else "\n\nA stronger path may be among the unlisted ones.")


def _tex(x: float) -> str:
    text = number(x)
    if "e" in text:
        digits, exponent = text.split("e")
        return rf"{digits} \cdot 10^{{{int(exponent)}}}"
    return {"nan": r"\mathrm{nan}", "inf": r"\infty", "-inf": r"-\infty"}.get(text, text)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share == share else "– %"


def _share(value: float, total: float) -> float:
    return value / total if total else float("nan")


def _product(path: Path) -> str:
    parts = [number(factor) for factor in path.factors if factor is not None]
    text = " × ".join(f"({part})" if part[0] == "-" and k else part for k, part in enumerate(parts))
    cut = not path.value and any(not isfinite(factor) for factor in path.factors if factor is not None)
    return f"{text} = {signed(path.value)}{'  (a mask cut it off: what is behind does not count)' if cut else ''}"


def explain(
    root: Any,
    wrt: Any,
    *,
    index: Any = None,
    direction: Any = None,
    rng: Any = 0,
    top: int = TOP,
    names: Mapping[str, Any] | None = None,
) -> Explanation:
    """Explain ∂root/∂wrt as a sum over paths: local derivatives, their products, and the share of each path.

    ``root`` has one element. For an array ``wrt`` the derivative is taken at one element (``index=``), along
    ``direction=``, or along a random unit direction (``rng``), which the result says. The ``top`` strongest paths are
    found by dynamic programming (``exact`` says whether that is certain, as it is between scalars) and ``rest`` is what
    all others add. Runs its own walk and changes no ``.grad``;
    raises GraphError where backward released large arrays.

    >>> import autograd as ag
    >>> x = ag.Tensor(3.0, requires_grad=True, name="x")
    >>> y = x * x
    >>> [path.value for path in ag.explain(y, x).paths]
    [3.0, 3.0]
    """
    root, wrt = (_one(tensor, what) for tensor, what in ((root, "the result"), (wrt, "wrt")))
    if root._array.size != 1:
        raise ArgumentError(
            f"explain needs a result with one element, got shape {root._array.shape}. Reduce it, or pick one: y[0], "
            f"y.sum()."
        )
    if top < 1:
        raise ArgumentError(f"top must be at least 1, got {top}.")
    snap = Snapshot([root], names)
    node, opened = wrt._node, open_ops(snap, ())
    again = opened if opened and opened.alias else run_again([root], snap)
    if again is not None and node is not None:
        snap, node = Snapshot([root], names, again), again.alias.get(node, node)
    if node is None or node not in snap.at or not node.needs:
        raise GraphError(
            "explain: the result does not depend on wrt through the graph; autograd.why_none(wrt, root) says why."
        )
    at, start = snap.at[node], snap.at[snap.roots[0]]
    inside = between(snap, start, at)
    if any(
        np.result_type(snap.nodes[i].dtype).kind == "c" for i in inside if not isinstance(snap.nodes[i].dtype, list)
    ):
        raise DTypeError(
            "explain tells of real numbers: along a path of complex ones local derivatives do not multiply. Explain a "
            "part that is real, or look at ag.draw and ag.replay."
        )
    vector, along = _direction(wrt, index, direction, rng)
    seed = np.ones(root._array.shape, root._array.dtype)[()]
    if not inside or start not in inside:
        raise GraphError(
            "explain: no path that carries a gradient leads from the result to wrt; autograd.why_none(wrt, root) "
            "says why."
        )
    with np.errstate(all="ignore"):
        found, exact = strongest(snap, inside, seed, top, vector)
        ledger = _ledger(snap, inside, start, seed)
        total = along_direction(ledger.grads[inside[-1]], vector)
    paths = [_path(snap, partial, total, start, ledger) for partial in found]
    epsilon, count = float(np.finfo(wrt._array.dtype).eps), count_paths(snap, inside)
    measured = slope_by_differences([root], snap, at, vector)
    return Explanation(title(snap, start), title(snap, at), along, paths, total, count, exact, epsilon, measured)


def _one(tensor: Any, what: str) -> Box:
    """Accept a Tensor, or a list of one."""
    tensors = as_roots(tensor, "explain")
    if len(tensors) > 1:
        raise ArgumentError(f"explain takes one Tensor as {what}, got {len(tensors)}. Explain them one by one.")
    return tensors[0]


def _ledger(snap: Snapshot, inside: list[int], start: int, seed: Any) -> Ledger:
    """Walk back from the result to what is explained."""
    ledger = Ledger(snap, range(min(inside), start + 1), {snap.nodes[start]: seed}, fresh=True)
    if ledger.grads.get(inside[-1]) is None:
        raise GraphError(
            RELEASED.format(what="explain", op=snap.nodes[start].op.name if snap.nodes[start].op else "leaf")
        )
    return ledger


def _path(snap: Snapshot, partial: Partial, total: float, start: int, ledger: Ledger) -> Path:
    edges = partial.edges()
    ends = [snap.at[snap.parents(snap.nodes[i])[k]] for i, k in edges]
    nodes = tuple(title(snap, i) for i in [start, *ends])
    return Path(
        nodes,
        tuple(local_derivative(snap, i, k, ledger) for i, k in edges),
        partial.product,
        _share(partial.product, total),
    )


def _direction(wrt: Box, index: Any, direction: Any, rng: Any) -> tuple[Any, str]:
    """Choose along which vector an array is moved, and say which."""
    shape = wrt._array.shape
    if direction is not None and index is not None:
        raise ArgumentError("explain takes index= or direction=, not both.")
    if index is not None:
        vector = np.zeros(shape)
        try:
            vector[index] = 1.0
        except IndexError as error:
            raise ArgumentError(f"index {index!r} does not fit shape {shape_text(shape)}: {error}") from None
        if vector.sum() != 1:
            raise ArgumentError(
                f"index must name one element of shape {shape_text(shape)}, {index!r} names {int(vector.sum())}."
            )
        where = np.unravel_index(int(vector.argmax()), shape)
        return vector, f"[{', '.join(map(str, where))}]"
    if direction is not None:
        vector = np.asarray(plain(direction), np.float64)
        if vector.shape != shape:
            raise ArgumentError(
                f"direction must have the shape of wrt, {shape_text(shape)}, got {shape_text(vector.shape)}."
            )
        return vector, f" along the given direction ({spread(vector)})"
    if wrt._array.size == 1:
        return np.ones(shape), ""
    vector = np.random.default_rng(rng).standard_normal(shape)
    return vector / np.linalg.norm(vector), f" along a random unit direction (rng={rng!r})"


__all__ = ["Explanation", "Path", "explain"]
