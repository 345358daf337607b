"""No function of NumPy's public namespace forgets a Tensor in silence.

Each is called in a few ways. Where its result, on arrays, changes with the argument, its result on a Tensor is a Tensor
whose gradient is that of differences, or there is an error; a plain result is a silent zero.
"""

import warnings

import numpy as np
import pytest

import autograd as ag
from tests.autograd.laws.oracle import close, plain

SPACES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft, "np.emath": np.emath}
NOT_FUNCTIONS = {  # files, settings, texts, and what has no array in it
    *("save", "savez", "savez_compressed", "savetxt", "load", "loadtxt", "genfromtxt", "fromfile", "fromregex"),
    *("memmap", "test", "info", "show_config", "show_runtime", "get_include", "setbufsize", "getbufsize", "seterr"),
    *("geterr", "seterrcall", "geterrcall", "set_printoptions", "get_printoptions", "printoptions", "errstate"),
    *("einsum_path", "open_memmap", "DataSource", "nested_iters", "save_npz", "__array_namespace_info__"),
    *("empty", "empty_like", "asmatrix", "matrix", "bmat", "chararray", "recarray", "record"),
}
V, U = np.array([0.5, 1.3, 0.9]), np.array([0.4, 0.75, 0.2])
A = np.array([[0.9, 0.3, 0.5], [0.2, 0.8, 0.1], [0.4, 0.6, 1.1]])
S = A + A.T
NUMBER = np.float64(0.7)


def u():
    """Return a fresh constant: what stands second may be taken for ``out=``."""
    return U.copy()


# name: (how a function is called, the array that is the argument)
FORMS = {
    "f(v)": (lambda f, x: f(x), V),
    "f(number)": (lambda f, x: f(x), NUMBER),
    "f(A)": (lambda f, x: f(x), A),
    "f(S)": (lambda f, x: f(x), S),
    "f(v, u)": (lambda f, x: f(x, u()), V),
    "f(u, v)": (lambda f, x: f(u(), x), V),
    "f(v, v)": (lambda f, x: f(x, x), V),
    "f(A, v)": (lambda f, x: f(A.copy(), x), V),
    "f(A, 1)": (lambda f, x: f(x, 1), A),
    "f(A, 2, 0)": (lambda f, x: f(x, 2, 0), A),
    "f(A, axis=0)": (lambda f, x: f(x, axis=0), A),
    "f(A, axis=-1)": (lambda f, x: f(x, axis=-1), A),
    "f(A, A)": (lambda f, x: f(x, A + 0.05), A),
    "f([v, u])": (lambda f, x: f([x, u()]), V),
    "f(v, mask)": (lambda f, x: f(x, np.array([True, False, True])), V),
    "f(mask, v)": (lambda f, x: f(np.array([True, False, True]), x), V),
    "f(mask, v, u)": (lambda f, x: f(np.array([True, False, True]), x, u()), V),
    "f(v, indices)": (lambda f, x: f(x, np.array([0, 2])), V),
    "f(v, u, w)": (lambda f, x: f(x, u(), 2 * u()), V),
    "f(number, u, v)": (lambda f, x: f(0.45, np.sort(u()), x), V),
    "f(u, number)": (lambda f, x: f(u(), x), NUMBER),
    "f(number, u)": (lambda f, x: f(x, u()), NUMBER),
    "f(3, number)": (lambda f, x: f(3, x), NUMBER),
    "f(shape, number)": (lambda f, x: f((2,), x), NUMBER),
    "f(number, 2.0, 4)": (lambda f, x: f(x, 2.0, 4), NUMBER),
    "f(A, (0, 1))": (lambda f, x: f(x, (0, 1)), A),
    "f(v, weights=)": (lambda f, x: f(u(), weights=x), V),
    "f(initial=)": (lambda f, x: f(u(), initial=x), NUMBER),
    "f(text, v, u)": (lambda f, x: f("i,i->i", x, u()), V),
    "f(function, 0, A)": (lambda f, x: f(lambda row: row.sum() * 2, 0, x), A),
}


def functions():
    found = {}
    for space, module in SPACES.items():
        for name in sorted(set(dir(module)) - NOT_FUNCTIONS):
            f = getattr(module, name)
            if (
                callable(f)
                and not name.startswith("_")
                and not isinstance(f, type)
                and id(f) not in map(id, found.values())
            ):
                found[f"{space}.{name}"] = f
    return found


ASKED = {"item", "tolist", "tobytes", "tofile", "dump", "dumps", "setflags", "view", "getfield", "setfield", "byteswap"}


def methods():
    """List the methods of arrays, and those of ufuncs of two arguments."""
    found = {}
    for name in sorted(set(dir(np.ndarray)) - ASKED):
        if callable(getattr(np.ndarray, name)) and not name.startswith("_"):
            found[f"ndarray.{name}"] = lambda x, *args, name=name, **kwargs: getattr(x, name)(*args, **kwargs)
    for name, f in list(FUNCTIONS.items()):
        if isinstance(f, np.ufunc) and f.nin == 2 and f.nout == 1 and f.signature is None:
            for method in ("reduce", "accumulate", "outer", "reduceat", "at"):
                found[f"{name}.{method}"] = getattr(f, method)
    return found


FUNCTIONS = functions()
FUNCTIONS |= methods()


def parts(y):
    """List the floating-point results."""
    if isinstance(y, tuple | list):
        return [part for each in y for part in parts(each)]
    if isinstance(y, ag.Tensor):
        return [y] if y.dtype.kind == "f" else []
    return [np.asarray(y)] if isinstance(y, np.ndarray | np.generic | float) and np.asarray(y).dtype.kind == "f" else []


def total(y):
    result = 0.0
    for k, part in enumerate(parts(y)):
        w = np.cos(np.arange(1.0, 1 + np.size(part)) + k).reshape(np.shape(part))
        result = result + (w * part).sum()
    return result


def slopes(call, f, x, h):
    """Return the gradient of the weighed result on arrays, by differences; None where there is none to speak of."""
    gradient = np.zeros(np.shape(x))
    for i in np.ndindex(gradient.shape):
        step = np.zeros(gradient.shape)
        step[i] = h
        gradient[i] = (total(call(f, x + step)) - total(call(f, x - step))) / (2 * h)
    return gradient


def outcome(call, f, x):
    """Return "refused" (by any error: what counts here is silence), "right", or what is wrong."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            base = call(f, x.copy())
            again, right, other = call(f, x.copy()), slopes(call, f, x, 1e-5), slopes(call, f, x, 3e-5)
        except Exception:
            return "not called so"
        value = float(total(base))
        if not parts(base) or not np.array_equal(value, float(total(again)), equal_nan=True):
            return "no numbers"
        leaf = ag.Tensor(x, requires_grad=True)
        try:
            y = call(f, leaf)
            found = total(y)
            if isinstance(found, ag.Tensor) and found.requires_grad:
                found.backward()
        except Exception:
            return "refused"
    if np.isfinite(value) and not close(plain(found), value):
        return f"value {plain(found)}, right is {value}"
    if not np.all(np.isfinite(right)) or not np.all(close(right, other, 1e-4, 1e-6)):
        return "not smooth"
    gradient = np.zeros(np.shape(x)) if leaf.grad is None else plain(leaf.grad)
    return (
        "right"
        if np.all(close(gradient, right, 1e-4, 1e-6))
        else f"gradient {gradient.tolist()}, right is {right.tolist()}"
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_forgets_a_tensor(name):
    wrong = {}
    for form, (call, x) in FORMS.items():
        found = outcome(call, FUNCTIONS[name], x)
        if found.startswith(("gradient", "value")):
            wrong[form] = found
    assert not wrong, "\n".join(f"{name}, {form}: {what}" for form, what in wrong.items())


def test_the_sweep_reaches_most_functions():
    reached = sum(
        any(outcome(call, f, x) in ("right", "refused") for call, x in FORMS.values()) for f in FUNCTIONS.values()
    )
    assert reached > 200
