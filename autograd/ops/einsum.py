"""Einstein summation: arrays are contracted in pairs, and the gradients of a pair are contractions of the same kind."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import prod
from operator import index as as_int
from typing import Any, NamedTuple

import numpy as np

from autograd import lanes
from autograd.box import unbox
from autograd.errors import ShapeError
from autograd.ops.axes import as_array, no_out
from autograd.primitive import implements, op
from autograd.vjp import unbroadcast

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

Samples = Iterator[tuple[tuple[Any, ...], dict[str, Any]]]

# ---------------------------------------------------------------------------------------------------------- two arrays


class _Plan(NamedTuple):
    """Tell how a contraction of two arrays is a stack of matrix products."""

    a: str
    b: str
    out: str
    stack: str
    rows: str
    summed: str
    columns: str
    order_a: list[int]
    order_b: list[int]
    order_out: list[int]


@lru_cache(maxsize=1024)
def _plan(subscripts: str) -> _Plan:
    terms, out = subscripts.split("->")
    a, b = terms.split(",")
    stack = "".join([c for c in out if c in a and c in b])
    summed = "".join([c for c in a if c in b and c not in out])
    rows, columns = "".join([c for c in a if c not in b]), "".join([c for c in b if c not in a])
    order_a = [a.index(c) for c in stack + rows + summed]
    order_b = [b.index(c) for c in stack + summed + columns]
    order_out = [(stack + rows + columns).index(c) for c in out]
    return _Plan(a, b, out, stack, rows, summed, columns, order_a, order_b, order_out)


def _contract(a: Any, b: Any, subscripts: str = "") -> Any:
    """Contract two arrays by BLAS if anything is summed: 2 to 10 times as fast as ``np.einsum``, which loops."""
    plan = _plan(subscripts)
    size = dict(zip(plan.a, np.shape(a), strict=True))
    if not plan.summed or any(size.setdefault(c, n) != n for c, n in zip(plan.b, np.shape(b), strict=True)):
        return np.einsum(subscripts, a, b)  # an outer product, or an axis of length 1 that is broadcast
    stack = [size[c] for c in plan.stack]
    rows, summed, columns = ([size[c] for c in part] for part in (plan.rows, plan.summed, plan.columns))
    left = a.transpose(plan.order_a).reshape(*stack, prod(rows), prod(summed))
    right = b.transpose(plan.order_b).reshape(*stack, prod(summed), prod(columns))
    y = (left @ right).reshape(stack + rows + columns).transpose(plan.order_out)
    return y if y.ndim else y[()]


def _share_a(g: Any, b: Any, subscripts: str, shapes: Any) -> Any:
    plan = _plan(subscripts)
    return _fit(contract(g, b, subscripts=f"{plan.out},{plan.b}->{plan.a}"), shapes[0])


def _share_b(g: Any, a: Any, subscripts: str, shapes: Any) -> Any:
    plan = _plan(subscripts)
    return _fit(contract(g, a, subscripts=f"{plan.out},{plan.a}->{plan.b}"), shapes[1])


def _fit(y: Any, shape: tuple[int, ...]) -> Any:
    """Undo NumPy's broadcasting of axes of length 1 within a subscript, in both directions."""
    if y.shape == shape:
        return y
    y = unbroadcast(y, tuple(1 if n == 1 else m for n, m in zip(shape, y.shape, strict=True)))
    return np.broadcast_to(y, shape) if y.shape != shape else y


# Every letter of an input stands once in it, and also in the other input or in the output. Gradients are then of the
# same kind: "ij,jk->ik" of (a, b) has "ik,jk->ij" of (g, b) for a, and "ik,ij->jk" of (g, a) for b.
contract: Any = op(_contract, name="einsum", vjp=dict(a=_share_a, b=_share_b), linear="each", batch=lanes.contraction)


# --------------------------------------------------------------------------------------------------------- any number


def _einsum_samples(rng: np.random.Generator) -> Samples:
    def draw(*shapes: tuple[int, ...]) -> list[Any]:
        return [rng.uniform(-2, 2, shape) for shape in shapes]

    rows: tuple[tuple[str, list[tuple[int, ...]]], ...] = (
        ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 2)]), ("ba,cb", [(2, 3), (3, 2)]),
        ("i,i", [(3,)] * 2), ("ij->ji", [(2, 3)]), ("ij->", [(2, 3)]), ("ij->j", [(2, 3)]),
        ("ii", [(3, 3)]), ("ii->i", [(3, 3)]),
        ("iij->ji", [(2, 2, 3)]), ("ii,i->", [(3, 3), (3,)]), ("i,j->ij", [(2,), (3,)]), ("ij,k->j", [(2, 3), (2,)]),
        ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]), ("...ij,...jk->...ik", [(2, 2, 3), (3, 2)]),
        ("i...,i->...", [(2, 3, 2), (2,)]), ("...i,...i", [(2, 3), (2, 1, 3)]), ("i,i->i", [(1,), (3,)]),
        ("ij,ij->j", [(1, 3), (2, 3)]), ("i,i->", [(3,), (1,)]), (",ij->ij", [(), (2, 2)]),
        ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 4)]), ("i,i,i->i", [(3,)] * 3), ("ij,jk,ki", [(2, 3), (3, 2), (2, 2)]),
    )  # fmt: skip
    for subscripts, shapes in rows:
        yield (subscripts, *draw(*shapes)), {}
    yield (*draw((2, 3)), [0, 1], *draw((3, 2)), [1, 2], [2, 0]), {}
    yield (*draw((2, 3)), [Ellipsis, 7], *draw((3,)), [7]), {}
    yield ("ij,jk,kl->il", *draw((2, 3), (3, 2), (2, 4))), {"optimize": ["einsum_path", (1, 2), (0, 1)]}


@implements(np.einsum, domain=_einsum_samples)
def einsum(*operands: Any, out: Any = None, optimize: Any = False) -> Any:
    """Multiply arrays and sum over the subscripts that the output lacks, as ``np.einsum`` does, in either of its forms.

    Ellipsis, implicit output, repeated subscripts within an array and axes of length 1 work as in NumPy. Three or more
    arrays are contracted in pairs, in the order of ``np.einsum_path`` with ``optimize`` (False: "greedy"). Raises
    ShapeError.

    >>> a, b = np.ones((2, 3)), np.ones((3, 4))
    >>> einsum("ij,jk->ik", a, b).shape, einsum(a, [0, 1], b, [1, 2]).shape
    ((2, 4), (2, 4))
    """
    no_out("einsum", out)
    subscripts, arrays = _string_form(operands)
    arrays = [as_array(a) for a in arrays]
    terms, output, ready = _recipe(subscripts, tuple([a.shape for a in arrays]))
    if ready:
        return contract(arrays[0], arrays[1], subscripts=ready)
    others = [output + "".join(terms[:i] + terms[i + 1 :]) for i in range(len(terms))]
    pairs = [_reduced(*each) for each in zip(arrays, terms, others, strict=True)]
    for places in _path(pairs, output, optimize):
        chosen = [pairs[i] for i in places]
        pairs = [pair for i, pair in enumerate(pairs) if i not in places]
        pairs.append(_together(chosen, output + "".join([term for _, term in pairs]), output if not pairs else None))
    y, term = pairs[0]
    return y if term == output else np.transpose(y, [term.index(c) for c in output])


@lru_cache(maxsize=1024)
def _recipe(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[tuple[str, ...], str, str]:
    """Write the subscripts out and check them; the third is what ``contract`` takes, if that is all there is to do."""
    terms, output = _terms(subscripts, tuple([len(shape) for shape in shapes]))
    _check_sizes(subscripts, terms, shapes)
    bare = [c for term in terms for c in set(term)]
    simple = (
        len(terms) == 2 and len(bare) == sum(map(len, terms)) and all(bare.count(c) > 1 or c in output for c in bare)
    )
    return terms, output, f"{terms[0]},{terms[1]}->{output}" if simple else ""


def _reduced(a: Any, term: str, elsewhere: str) -> tuple[Any, str]:
    """Take the diagonal for a subscript that stands twice, and sum over those that stand nowhere else."""
    for c in dict.fromkeys(term):
        while term.count(c) > 1:
            i = term.index(c)
            j = term.index(c, i + 1)
            a, term = np.diagonal(a, axis1=i, axis2=j), term[:i] + term[i + 1 : j] + term[j + 1 :] + c
    lone = tuple(i for i, c in enumerate(term) if c not in elsewhere)
    return (np.sum(a, axis=lone), "".join([c for c in term if c in elsewhere])) if lone else (a, term)


def _together(chosen: list[tuple[Any, str]], elsewhere: str, output: str | None) -> tuple[Any, str]:
    """Contract some arrays pair by pair; what stands neither in the rest of them nor elsewhere is summed."""
    (y, term), *rest = chosen
    for i, (b, other) in enumerate(rest):
        needed = elsewhere + "".join([t for _, t in rest[i + 1 :]])
        y, term = _reduced(y, term, needed + other)
        b, other = _reduced(b, other, needed + term)
        result = "".join([c for c in dict.fromkeys(term + other) if c in needed])
        if output is not None and i == len(rest) - 1:
            result = output
        y, term = contract(y, b, subscripts=f"{term},{other}->{result}"), result
    return y, term


def _path(pairs: Sequence[tuple[Any, str]], output: str, optimize: Any) -> Sequence[Sequence[int]]:
    """Find the order of contractions: places in the list of arrays; each result is appended to what is left."""
    if len(pairs) <= 2:
        return [(0, 1)] if len(pairs) == 2 else []
    if isinstance(optimize, list | tuple) and optimize and optimize[0] == "einsum_path":
        return optimize[1:]
    subscripts = ",".join([term for _, term in pairs]) + "->" + output
    return _found_path(subscripts, tuple([a.shape for a, _ in pairs]), "greedy" if optimize is False else optimize)


@lru_cache(maxsize=1024)
def _found_path(subscripts: str, shapes: tuple[tuple[int, ...], ...], optimize: Any) -> Sequence[Sequence[int]]:
    shaped = [np.broadcast_to(np.zeros(()), shape) for shape in shapes]
    return np.einsum_path(subscripts, *shaped, optimize=optimize)[0][1:]


def _string_form(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Turn ``(a, [0, 1], b, [1, 2], [0, 2])`` into ``("AB,BC->AC", [a, b])``."""
    if not operands:
        raise ShapeError("einsum: needs subscripts and at least one array.")
    if isinstance(operands[0], str):
        return operands[0].replace(" ", ""), list(operands[1:])
    lists = operands[1::2]
    arrays = list(operands[: 2 * len(lists) : 2])
    subscripts = ",".join([_letters(item) for item in lists])
    if len(operands) % 2:
        subscripts += "->" + _letters(operands[-1])
    return subscripts, arrays


def _letters(sublist: Sequence[Any]) -> str:
    return "".join(["..." if part is Ellipsis else LETTERS[as_int(unbox(part))] for part in sublist])


def _terms(subscripts: str, ndims: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """Write the subscripts out: one letter per axis in place of each ellipsis, and the output that NumPy implies."""
    left, arrow, output = subscripts.partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ShapeError(f"einsum {subscripts!r}: subscripts for {len(terms)} arrays, but {len(ndims)} were given.")
    bare = left.replace("...", "").replace(",", "")
    wrong = [c for c in bare + output.replace("...", "") if c not in LETTERS]
    if wrong:
        raise ShapeError(f"einsum {subscripts!r}: {wrong[0]!r} is not a subscript; use letters, ',', '->' and '...'.")
    spare = [c for c in LETTERS if c not in subscripts]
    counts = [ndim - len(term.replace("...", "")) for term, ndim in zip(terms, ndims, strict=True)]
    for i, (term, count) in enumerate(zip(terms, counts, strict=True)):
        if count < 0 or (count and "..." not in term):
            raise ShapeError(f"einsum {subscripts!r}: array {i} has {ndims[i]} axes, which {term!r} does not fit.")
    dots = "".join(spare[: max([count for term, count in zip(terms, counts, strict=True) if "..." in term], default=0)])
    if not arrow:
        output = "..." + "".join(sorted(c for c in set(bare) if bare.count(c) == 1))
    elif dots and "..." not in output:
        raise ShapeError(f"einsum {subscripts!r}: the output needs '...' too, which stands for {len(dots)} axes here.")
    full = tuple([term.replace("...", dots[len(dots) - count :]) for term, count in zip(terms, counts, strict=True)])
    output = output.replace("...", dots)
    bad = [c for c in output if output.count(c) > 1 or not any(c in term for term in full)]
    if bad:
        raise ShapeError(
            f"einsum {subscripts!r}: the output must name a subscript once, and an input must have it; see {bad[0]!r}."
        )
    return full, output


def _check_sizes(subscripts: str, terms: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> None:
    """Refuse lengths that differ, unless one is 1 (in another array: a diagonal is not broadcast)."""
    size: dict[str, int] = {}
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        own: dict[str, int] = {}
        for c, n in zip(term, shape, strict=True):
            if own.setdefault(c, n) != n or (size.get(c, 1) != 1 and n not in (1, size[c])):
                other = own[c] if own[c] != n else size[c]
                raise ShapeError(
                    f"einsum {subscripts!r}: {c!r} has length {n} in array {i} of shape {shape}, but {other} before."
                )
        for c, n in own.items():
            size[c] = n if size.get(c, 1) == 1 else size[c]


# -------------------------------------------------------------------------------------------------- along given axes


def _tensordot_samples(rng: np.random.Generator) -> Samples:
    a, b = rng.uniform(-2, 2, (2, 3, 2)), rng.uniform(-2, 2, (3, 2, 4))
    yield (a, b), {}
    yield (a, b[0]), {"axes": 1}
    yield (a[0], b[0]), {"axes": 0}
    yield (a, b), {"axes": ([1, 0], [0, 1])}
    yield (a, b), {"axes": (-1, 1)}


@implements(np.tensordot, np.linalg.tensordot, domain=_tensordot_samples)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum over pairs of axes: the last N of ``a`` with the first N of ``b`` for ``axes=N``, or (of_a, of_b)."""
    a, b = as_array(a), as_array(b)
    if isinstance(axes, int | np.integer):
        of_a, of_b = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        of_a, of_b = ([as_int(part)] if np.ndim(part) == 0 else [as_int(i) for i in part] for part in axes)
    sizes = [_sizes(x.shape, of) for x, of in ((a, of_a), (b, of_b))]
    if sizes[0] is None or sizes[0] != sizes[1]:
        raise ShapeError(f"tensordot: axes {of_a} of a, shape {a.shape}, do not fit axes {of_b} of b, shape {b.shape}.")
    letters_a, letters_b = list(LETTERS[: a.ndim]), list(LETTERS[a.ndim : a.ndim + b.ndim])
    for i, j in zip(of_a, of_b, strict=True):
        letters_b[j] = letters_a[i]
    out = [c for c in letters_a if c not in letters_b] + [c for c in letters_b if c not in letters_a]
    return contract(a, b, subscripts=f"{''.join(letters_a)},{''.join(letters_b)}->{''.join(out)}")


def _sizes(shape: tuple[int, ...], axes: list[int]) -> list[int] | None:
    """List the lengths of some axes, or None if one is missing or named twice."""
    fine = all(-len(shape) <= i < len(shape) for i in axes) and len({i % len(shape) for i in axes}) == len(axes)
    return [shape[i] for i in axes] if fine else None
