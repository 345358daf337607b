"""Write numbers and arrays for people: short, aligned with what micrograd shows, never wider than a box."""

import math
from typing import Any

import numpy as np

FEW = 9  # arrays of at most this many elements are shown whole
WIDE = 40  # a longer row of numbers is broken into two


def number(x: Any) -> str:
    """Write a number with four decimals, or in scientific form when it would lose its digits.

    >>> number(138.8338), number(1.5e-7), number(float("nan")), number(3)
    ('138.8338', '1.5e-07', 'nan', '3')
    """
    if isinstance(x, bool | np.bool_ | int | np.integer):
        return str(x)
    if np.iscomplexobj(x):
        return _parts(number(np.real(x)), number(np.imag(x)))
    value = float(x) + 0.0  # no negative zero
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    size = abs(value)
    return f"{value:.4f}" if size == 0 or 1e-3 <= size < 1e6 else _power(value, 3)


def _parts(real: str, imaginary: str) -> str:
    """Join the texts of the two parts of a complex number: ``1.5-2j``."""
    return f"{real}{'' if imaginary[0] == '-' else '+'}{imaginary}j"


def _power(value: float, digits: int) -> str:
    """Write a number in scientific form, without zeros that say nothing."""
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"


def signed(x: Any) -> str:
    """Write a number with its sign, as a contribution."""
    text = number(x)
    return text if text[0] == "-" or text == "nan" else f"+{text}"


def short(x: Any) -> str:
    """Write a number alone with about four digits, for constants and norms.

    >>> short(0.123456), short(1234567.0), short(2.0)
    ('0.1235', '1.235e+06', '2')
    """
    if np.iscomplexobj(x):
        return _parts(short(np.real(x)), short(np.imag(x)))
    return f"{float(x) + 0.0:.4g}"


def literal(x: Any) -> str:
    """Write a number that stands in the code: as it stands there, unless that is long.

    >>> literal(1.0001), literal(2.0), literal(1 / 3)
    ('1.0001', '2', '0.3333')
    """
    if np.iscomplexobj(x):
        return _parts(literal(np.real(x)), literal(np.imag(x)))
    exact = f"{float(x) + 0.0:.9g}"
    return exact if len(exact) <= 8 else short(x)


def _decimals(size: float, wanted: int) -> int | None:
    """Count the decimals (4 at most) that show ``wanted`` digits of a size; None asks for the scientific form."""
    if size == 0:
        return 0
    return min(4, max(0, wanted - 1 - math.floor(math.log10(size)))) if 1e-3 <= size < 1e6 else None


def _fixed(values: list[float], decimals: int) -> list[str]:
    """Write numbers with equally many decimals, no more than ``decimals`` and no more than say something."""
    known = [x for x in values if math.isfinite(x)]
    while decimals and all(round(x, decimals - 1) == round(x, decimals) for x in known):
        decimals -= 1
    return [f"{round(x, decimals) + 0.0:.{decimals}f}" if math.isfinite(x) else str(x) for x in values]


def alike(array: Any) -> list[str]:
    """Write the elements of a small array with the same number of decimals; only zero itself is written as 0.

    >>> alike([0.5, -0.00944312, 0.0]), alike([2.0, 3.0]), alike([1.0, 3e-9])
    (['0.5000', '-0.0094', '0'], ['2', '3'], ['1', '3e-09'])
    """
    if np.iscomplexobj(array):
        texts = alike(np.stack([np.real(array), np.imag(array)]))
        half = len(texts) // 2
        return [_parts(*pair) for pair in zip(texts[:half], texts[half:], strict=True)]
    values = [float(x) + 0.0 for x in np.asarray(array).ravel()]
    decimals = _decimals(max((abs(x) for x in values if math.isfinite(x)), default=0.0), 5)
    if decimals is None:
        return [short(x) if not x or 1e-3 <= abs(x) < 1e6 or not math.isfinite(x) else _power(x, 2) for x in values]
    pairs = zip(values, _fixed(values, decimals), strict=True)
    return ["0" if not x else _power(x, 1) if not float(text) else text for x, text in pairs]


def grid(array: Any) -> list[list[str]]:
    """Write a small array as rows of texts; a column stands as one row (see :func:`is_column`)."""
    a = np.asarray(array)
    if a.ndim == 0:
        return [[number(a[()])]]
    texts = alike(a)
    wide = len(texts) if a.ndim == 1 or is_column(a) else a.shape[-1]
    return [texts[i : i + wide] for i in range(0, len(texts), wide)]


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
    """Write mean ± standard deviation to three digits of the larger; with a count of what is not finite.

    >>> spread([-1e-17, 0.5561, -0.5561]), spread([1.0, 1.0]), spread([2e-8, 3e-7])
    ('0 ± 0.454', 'all 1', '(1.6 ± 1.4)e-07')
    """
    a = np.asarray(a)
    if a.dtype.kind == "c":
        return f"{spread(a.real)} and {spread(a.imag)} · j"
    finite = a if a.dtype.kind in "biu" else a[np.isfinite(a)]
    lost = a.size - finite.size
    if not finite.size:
        return f"no finite value in {a.size}"
    text = f"all {short(finite.flat[0])}" if finite.min() == finite.max() else _mean_and_deviation(finite)
    return f"{text}, {lost} not finite" if lost else text


@np.errstate(over="ignore", invalid="ignore")
def _mean_and_deviation(finite: Any) -> str:
    parts = [float(finite.mean(dtype=np.float64)), float(finite.std(dtype=np.float64))]
    size = max(map(abs, parts))
    if not 1e-300 < size < math.inf:  # beyond what doubles can square, or scale by a power of ten
        return " ± ".join(map(short, parts))
    decimals, exponent = _decimals(size, 3), 0
    if decimals is None:
        decimals, exponent = 2, math.floor(math.log10(size))
        parts = [x / 10.0**exponent for x in parts]
    text = " ± ".join("0" if not float(part) else part for part in _fixed(parts, decimals))
    return f"({text})e{exponent:+03d}" if exponent else text


def one_line(array: Any) -> str:
    """Write an array on one line, for outlines and hover texts."""
    return "; ".join(rows(array))


def shape_text(shape: Any) -> str:
    """Write a shape as NumPy does; a scalar has none."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def norm(array: Any) -> float:
    """Return the Euclidean norm in double precision, without overflow for finite input."""
    a = np.asarray(array)
    if a.ndim == 0:
        return float(abs(a))
    if not a.size:
        return 0.0
    flat = (np.abs(a) if a.dtype.kind == "c" else a).astype(np.float64, copy=False).ravel()
    top = float(np.abs(flat).max())
    return top if top == 0 or not np.isfinite(top) else top * float(np.sqrt(np.square(flat / top).sum()))


def rms(*arrays: Any) -> float:
    """Return the root mean square of all elements: what a number in the picture has as its size, of one or of many.

    >>> rms([3.0, -3.0]), rms(0.5), rms([0.0], [0.0, 4.0, 0.0])
    (3.0, 0.5, 2.0)
    """
    if len(arrays) == 1 and np.ndim(arrays[0]) == 0:
        return norm(arrays[0])
    count = sum(np.size(a) for a in arrays)
    return norm([norm(a) for a in arrays]) / count**0.5 if count else 0.0


def spread_counts(array: Any, bins: int) -> list[int]:
    """Count how the finite elements of an array lie between the negative and the positive of the largest.

    >>> spread_counts([-2.0, 0.1, 0.0, 1.9], 3), spread_counts([0.0, 0.0], 3)
    ([1, 2, 1], [0, 2, 0])
    """
    a = np.asarray(array)
    a = (np.stack([a.real, a.imag]) if a.dtype.kind == "c" else a).astype(np.float64, copy=False).ravel()
    a = a[np.isfinite(a)]
    top = float(np.abs(a).max(initial=0.0)) or 1.0
    counts, _ = np.histogram(a / top, bins=bins, range=(-1.0, 1.0))
    return [int(count) for count in counts]
