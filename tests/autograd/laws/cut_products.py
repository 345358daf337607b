"""Every op that has a point where it is not finite, and every mask that cuts this point off: a table of their products.

The first element of the argument is the bad one. Behind the mask its gradient is 0, in front of it the mask has the
last word too; all others have the gradient of the same program on arrays.
"""

import numpy as np

import autograd as ag
from tests.autograd.laws.oracle import Table

KEEP = np.array([False, True, True, True])
GOOD = [0.3, 0.5, 0.7]

# name: (op, where it breaks down, how: its value is nan, or infinite, or only its slope is)
OPS = {
    "sqrt of a negative": (np.sqrt, [-1.0, *GOOD], "nan"),
    "log of a negative": (np.log, [-1.0, *GOOD], "nan"),
    "log2 of a negative": (np.log2, [-1.0, *GOOD], "nan"),
    "log10 of a negative": (np.log10, [-1.0, *GOOD], "nan"),
    "log1p below -1": (np.log1p, [-2.0, *GOOD], "nan"),
    "arcsin beyond 1": (np.arcsin, [2.0, *GOOD], "nan"),
    "arccos beyond 1": (np.arccos, [-2.0, *GOOD], "nan"),
    "arctanh beyond 1": (np.arctanh, [2.0, *GOOD], "nan"),
    "arccosh below 1": (np.arccosh, [0.5, 1.3, 1.5, 1.7], "nan"),
    "power of a negative": (lambda x: x**1.5, [-1.0, *GOOD], "nan"),
    "power, float_power": (lambda x: np.float_power(x, 0.5), [-1.0, *GOOD], "nan"),
    "exponent of a negative base": (lambda x: np.array([-2.0, 2.0, 2.0, 2.0]) ** x, [0.5, *GOOD], "nan"),
    "x / x": (lambda x: x / x, [0.0, *GOOD], "nan"),
    "sin(x) / x": (lambda x: np.sin(x) / x, [0.0, *GOOD], "nan"),
    "x - x at infinity": (lambda x: x * x - x, [np.inf, *GOOD], "nan"),
    "sin of infinity": (np.sin, [np.inf, *GOOD], "nan"),
    "cos of infinity": (np.cos, [np.inf, *GOOD], "nan"),
    "tan of infinity": (np.tan, [np.inf, *GOOD], "nan"),
    "tanh of nan": (np.tanh, [np.nan, *GOOD], "nan"),
    "square of nan": (np.square, [np.nan, *GOOD], "nan"),
    "times nan": (lambda x: x * np.array([np.nan, 1.0, 2.0, 3.0]), [1.0, *GOOD], "nan"),
    "sigmoid by its formula": (lambda x: np.exp(x) / (1 + np.exp(x)), [1000.0, *GOOD], "nan"),
    "x log x": (lambda x: x * np.log(x), [0.0, *GOOD], "nan"),
    "logit beyond 1": (ag.logit, [1.5, *GOOD], "nan"),
    "remainder of zero": (lambda x: np.remainder(1.1, x), [0.0, *GOOD], "nan"),
    "exp": (np.exp, [1000.0, *GOOD], "inf"),
    "exp2": (np.exp2, [5000.0, *GOOD], "inf"),
    "expm1": (np.expm1, [1000.0, *GOOD], "inf"),
    "sinh": (np.sinh, [1000.0, *GOOD], "inf"),
    "cosh": (np.cosh, [1000.0, *GOOD], "inf"),
    "log of zero": (np.log, [0.0, *GOOD], "inf"),
    "log1p of -1": (np.log1p, [-1.0, *GOOD], "inf"),
    "log2 of zero": (np.log2, [0.0, *GOOD], "inf"),
    "1 / x": (lambda x: 1 / x, [0.0, *GOOD], "inf"),
    "reciprocal": (np.reciprocal, [0.0, *GOOD], "inf"),
    "negative power": (lambda x: x**-1.5, [0.0, *GOOD], "inf"),
    "square": (np.square, [1e200, *GOOD], "inf"),
    "cube": (lambda x: x**3, [1e150, *GOOD], "inf"),
    "arctanh of 1": (np.arctanh, [1.0, *GOOD], "inf"),
    "softplus by its formula": (lambda x: np.log1p(np.exp(x)), [1000.0, *GOOD], "inf"),
    "x exp x": (lambda x: x * np.exp(x), [1000.0, *GOOD], "inf"),
    "logit of 1": (ag.logit, [1.0, *GOOD], "inf"),
    "product of exponentials": (lambda x: np.exp(x) * np.exp(2 * x), [1000.0, *GOOD], "inf"),
    "sqrt of zero": (np.sqrt, [0.0, *GOOD], "slope"),
    "cbrt of zero": (np.cbrt, [0.0, *GOOD], "slope"),
    "root by power": (lambda x: x**0.5, [0.0, *GOOD], "slope"),
    "arcsin of 1": (np.arcsin, [1.0, *GOOD], "slope"),
    "arccos of 1": (np.arccos, [1.0, *GOOD], "slope"),
    "arccosh of 1": (np.arccosh, [1.0, 1.3, 1.5, 1.7], "slope"),
    "sqrt of log": (lambda x: np.sqrt(np.log(x)), [1.0, 1.3, 1.5, 1.7], "slope"),
    "hypot with zero": (lambda x: np.hypot(x, np.zeros(4)), [0.0, *GOOD], "slope"),
    "arctan2 at zero": (lambda x: np.arctan2(x, np.array([0.0, 1.0, 1.0, 1.0])), [0.0, *GOOD], "slope"),
    "sqrt of a sum of squares": (lambda x: np.sqrt(x * x + 0.0), [0.0, *GOOD], "slope"),
}


def written(y):
    y = y * 1
    y[~KEEP] = 0
    return y


def element_written(y):
    y = y * 1
    y[0] = 2.0
    return y


def unpacked(y):
    _, *rest = y
    return np.stack(rest)


SELECTIONS = {  # whatever the value is
    "where": lambda y: np.where(KEEP, y, 0.0),
    "where, the other way round": lambda y: np.where(~KEEP, 1.0, y),
    "where of where": lambda y: np.where(KEEP, np.where(KEEP, y, 2.0), 0.0),
    "boolean index": lambda y: y[KEEP],
    "integer index": lambda y: y[[1, 2, 3]],
    "one by one": lambda y: y[1] + y[2] * y[3],
    "slice": lambda y: y[1:],
    "slice with steps": lambda y: y[1::2],
    "reversed slice": lambda y: y[:0:-1],
    "take": lambda y: np.take(y, [1, 3]),
    "compress": lambda y: np.compress(KEEP, y),
    "extract": lambda y: np.extract(KEEP, y),
    "delete": lambda y: np.delete(y, 0),
    "select": lambda y: np.select([KEEP], [y], 0.0),
    "choose": lambda y: np.choose(KEEP.astype(int), [np.zeros(4), y]),
    "split": lambda y: np.split(y, [1])[1],
    "unpacking": unpacked,
    "boolean write": written,
    "element written": element_written,
    "tril": lambda y: np.tril(np.roll(y, 1).reshape(2, 2)),
    "diagonal": lambda y: np.diagonal(y.reshape(2, 2)[::-1]),
    "sum(where=)": lambda y: np.sum(y, where=KEEP),
    "mean(where=)": lambda y: np.mean(y, where=KEEP),
    "prod(where=)": lambda y: np.prod(y, where=KEEP),
    "var(where=)": lambda y: np.var(y, where=KEEP),
    "std(where=)": lambda y: np.std(y, where=KEEP),
    "max(where=)": lambda y: np.max(y, where=KEEP, initial=-9.0),
    "min(where=)": lambda y: np.min(y, where=KEEP, initial=9.0),
}
OF_NAN = {  # which step over a nan, or put something in its place
    "nansum": np.nansum,
    "nanmean": np.nanmean,
    "nanmax": np.nanmax,
    "nanmin": np.nanmin,
    "nanprod": np.nanprod,
    "nanvar": np.nanvar,
    "nanstd": np.nanstd,
    "nancumsum": lambda y: np.nancumsum(y)[1:],
    "nancumprod": lambda y: np.nancumprod(y)[1:],
    "nanmedian": np.nanmedian,
    "nanquantile": lambda y: np.nanquantile(y, 0.3),
    "fmax": lambda y: np.fmax(y, 0.01),
    "fmin": lambda y: np.fmin(y, 9.0),
    "nan_to_num": lambda y: np.nan_to_num(y, nan=0.5),
    "where(isnan)": lambda y: np.where(np.isnan(y), 0.0, y),
    "y[~isnan]": lambda y: y[~np.isnan(y)],
}
OF_INFINITY = {  # which cut off what is too large; -5 and 5 are beyond all good values
    "clip": lambda y: np.clip(y, -5.0, 5.0),
    "clip method": lambda y: y.clip(-5.0, 5.0) if hasattr(y, "clip") else np.clip(y, -5.0, 5.0),
    "minimum and maximum": lambda y: np.maximum(np.minimum(y, 5.0), -5.0),
    "maximum and minimum": lambda y: np.minimum(5.0, np.maximum(-5.0, y)),
    "fmin and fmax": lambda y: np.fmax(np.fmin(y, 5.0), -5.0),
    "relu": lambda y: ag.relu(5.0 - ag.relu(y + 5.0)),
    "where(isfinite)": lambda y: np.where(np.isfinite(y), y, 0.0),
    "where(y < 5)": lambda y: np.where(np.abs(y) < 5, y, 0.0),
    "nan_to_num": lambda y: np.nan_to_num(y, posinf=1.0, neginf=-1.0),
}
KINDS = {"nan": {**SELECTIONS, **OF_NAN}, "inf": {**SELECTIONS, **OF_INFINITY}, "slope": SELECTIONS}
BOTH = ("where", "boolean index", "nansum", "clip")  # each op stands before these, and some before all
WHOLE = ("sqrt of a negative", "square of nan", "times nan", "exp", "log of zero", "1 / x", "square", "sqrt of zero")

PRODUCTS = Table(accept=())
for op, (f, x, kind) in OPS.items():
    for mask, cut in KINDS[kind].items():
        if mask in BOTH or op in WHOLE:
            PRODUCTS.add(f"{mask} behind {op}", lambda x, f=f, cut=cut: cut(f(x)), x, off=~KEEP)

# the mask stands in front, and the slope behind it is infinite: 0 is cut off, too
FRONT = {
    "sqrt": (np.sqrt, 0.0),
    "root by power": (lambda y: y**0.5, 0.0),
    "cbrt": (np.cbrt, 0.0),
    "arcsin": (np.arcsin, 1.0),
    "arccos": (np.arccos, 1.0),
    "x log x, finished": (lambda y: np.where(y > 0, y * np.log(y), 0.0), 0.0),
}
LIMITS = {
    "where": lambda x, c: np.where(KEEP, x, c),
    "clip": lambda x, c: np.clip(x, 0.0, 1.0),
    "maximum and minimum": lambda x, c: np.minimum(np.maximum(x, 0.0), 1.0),
    "relu": lambda x, c: ag.relu(x) if c == 0 else 1.0 - ag.relu(1.0 - x),
    "boolean write": lambda x, c: _put(x, c),
}


def _put(x, c):
    y = x * 1
    y[~KEEP] = c
    return y


for name, (f, c) in FRONT.items():
    for mask, limit in LIMITS.items():
        x = [-0.5 if c == 0 else 1.5, *GOOD]
        PRODUCTS.add(f"{name} behind {mask}", lambda x, f=f, c=c, limit=limit: f(limit(x, c)), x, off=~KEEP)
