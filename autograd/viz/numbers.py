"""Write numbers and arrays for people: short, aligned with what micrograd shows, never wider than a box."""

from typing import Any

import numpy as np

FEW = 9  # arrays of at most this many elements are shown whole


def number(x: Any) -> str:
    """Write a number with four decimals, or in scientific form when it would lose its digits.

    >>> number(138.8338), number(1.5e-7), number(float("nan")), number(3)
    ('138.8338', '1.500e-07', 'nan', '3')
    """
    if isinstance(x, bool | np.bool_ | int | np.integer):
        return str(x)
    value = float(x) + 0.0  # no negative zero
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    size = abs(value)
    return f"{value:.4f}" if size == 0 or 1e-3 <= size < 1e6 else f"{value:.3e}"


def signed(x: Any) -> str:
    """Write a number with its sign, as a contribution."""
    text = number(x)
    return text if text[0] == "-" or text == "nan" else f"+{text}"


def short(x: Any) -> str:
    """Write a number with about four digits, for the inside of arrays.

    >>> short(0.123456), short(1234567.0), short(2.0)
    ('0.1235', '1.235e+06', '2')
    """
    return f"{float(x) + 0.0:.4g}"


def grid(array: Any) -> list[list[str]]:
    """Write a small array as rows of texts; a column stands as one row (see :func:`is_column`)."""
    a = np.asarray(array)
    if a.ndim == 0:
        return [[number(a[()])]]
    flat = a.reshape(1, -1) if a.ndim == 1 or is_column(a) else a.reshape(-1, a.shape[-1])
    return [[short(x) for x in line] for line in flat]


def is_column(a: Any) -> bool:
    """Tell whether an array is a column of several numbers, which is shown lying down, with a ᵀ."""
    return bool(a.ndim == 2 and a.shape[1] == 1 and a.shape[0] > 1)


def rows(array: Any) -> list[str]:
    """Write a small array row by row, or the mean and spread of a large one."""
    a = np.asarray(array)
    if a.ndim and not a.size:
        return ["empty"]
    if a.size > FEW:
        return [spread(a)]
    lines = ["  ".join(line) for line in grid(a)]
    return [f"[{line}]{'ᵀ' * is_column(a)}" for line in lines] if a.ndim else lines


def spread(a: Any) -> str:
    """Write mean ± standard deviation; with a count of what is not finite."""
    a = np.asarray(a)
    finite = a if a.dtype.kind in "biu" else a[np.isfinite(a)]
    lost = a.size - finite.size
    if not finite.size:
        return f"no finite value in {a.size}"
    text = f"{short(finite.mean(dtype=np.float64))} ± {short(finite.std(dtype=np.float64))}"
    return f"{text}, {lost} not finite" if lost else text


def one_line(array: Any) -> str:
    """Write an array on one line, for outlines and hover texts."""
    return "; ".join(rows(array))


def shape_text(shape: Any) -> str:
    """Write a shape as NumPy does; a scalar has none."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def norm(array: Any) -> float:
    """Give the Euclidean norm in double precision, without overflow for finite input."""
    a = np.asarray(array)
    if a.ndim == 0:
        return abs(float(a))
    if not a.size:
        return 0.0
    flat = a.astype(np.float64, copy=False).ravel()
    top = float(np.abs(flat).max())
    return top if top == 0 or not np.isfinite(top) else top * float(np.sqrt(np.square(flat / top).sum()))
