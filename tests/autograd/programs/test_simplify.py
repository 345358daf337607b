"""Passes that shorten arithmetic: what each takes out of the source, and that the numbers stay the same."""

import numpy as np
import pytest

import autograd as ag

X = np.array([1.0, 2.0, 3.0, 4.0])


def parts(x):
    return (x[:2] * 2).sum() + (x[1:3] * 3).sum()


ROWS = {  # pass: function, what its source holds without the pass alone, and what with it
    "constants": (ag.grad(lambda x: (np.sin(x) * 2 * 3).mean()), "/ 4", "np.cos(x)"),
    "spreads": (ag.grad(lambda x: (np.sin(x) * 2 * 3).mean()), "broadcast_to(", "np.cos(x)"),
    "squares": (lambda x: (x**2).sum(), "np.power(x, 2)", "np.square(x)"),
    "signs": (lambda x: -np.negative(x) + (-x), "-minus", "x - x"),
    "factors": (ag.grad(lambda x: (np.exp(-x) / x).sum()), "dx -= q", "-(q / x + q)"),
    "quotients": (ag.grad(lambda x: (np.exp(-x) / x).sum()), "one / x", "np.exp(-x) / x"),
    "scatters": (ag.grad(parts), "[:2] = ", "[:2] +="),
}


def code(compiled):
    """Return the source without the comments, which are the user's lines."""
    return "\n".join(line for line in compiled.program(X).source.splitlines() if not line.strip().startswith("#"))


@pytest.mark.parametrize("name", ROWS)
def test_what_a_pass_takes_out(name):
    function, before, after = ROWS[name]
    on, off = ag.compile(function), ag.compile(function, off=[name])
    assert before not in code(on)
    assert after in code(on)
    assert before in code(off)
    for compiled in (on, off):
        np.testing.assert_allclose(compiled(X), function(X), rtol=1e-15)


def test_sums_of_parts_are_added_up():
    """What was added into is not put anew elsewhere: NameError, where only its first part was looked at."""

    def squares(x):
        return (x[:2] ** 2).sum() + (x[2:] ** 3).sum()

    def sums(x):
        return ag.grad(squares)(x) + ag.grad(squares)(2 * x)

    compiled = ag.compile(sums)
    compiled(X)  # the call that is traced
    np.testing.assert_allclose(compiled(X), sums(X), rtol=1e-15)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x[:3] ** 2 * np.sin(x[:3])).sum(),
        lambda x: (x[:3] ** 2 * np.sin(x[:3]) + x[:3] ** 3).sum() + x[2:].sum(),
        lambda x: (x[1:] * np.exp(x[1:]) - x[:-1] ** 2 * x[:-1]).sum(),
        lambda x: (x[0] * np.exp(x[0]) + x[0] ** 3) * x[1],
        lambda x: (x[:3] * np.float32(2) + x[:3].astype("f4")).sum(),
    ],
)
def test_what_belongs_at_one_place_is_added_before_it_is_put_there(f):
    g = ag.grad(f)
    on, off = ag.compile(g), ag.compile(g, off=["scatters"])
    for compiled in (on, off):
        for x in (X, X * 2):
            np.testing.assert_array_equal(compiled(x), g(x))
    assert len(on.program(X).forward) < len(off.program(X).forward)


def test_a_square_in_another_dtype_stays_a_power():
    whole = np.array([1, 2, 3])
    assert "np.power" in ag.compile(lambda x: x**2.0).program(whole).source  # int64 to float64


def test_a_zero_is_not_folded_into_a_nan():
    """0 · ∞ is nan in a program, too: no pass takes a factor 0 for the result 0."""
    with np.errstate(all="ignore"):
        found = ag.compile(lambda x: x * 0.0)(np.array([np.inf, 1.0]))
    np.testing.assert_array_equal(found, [np.nan, 0.0])


FACTORS = {  # name: (function, the lines of its program)
    "two numbers": (lambda x: (x * 2.0) * 3.0, ["y = x * c6"]),
    "a sign": (lambda x: -(x * 2.0), ["y = x * minus2"]),
    "two signs": (lambda x: (x * -1.0) * -1.0, []),
    "before a product": (
        lambda x: ((x * 5.0) * (x + 1)) * 3.0,
        ["y = x * (x + one) * c15"],
    ),
    "on both sides": (
        lambda x: (x * 5.0) * ((x + 1) * 3.0),
        ["y = x * (x + one) * c15"],
    ),
    "a sign of a product, taken back": (lambda x: -((-x) * (x + 1)), ["y = x * (x + one)"]),
    "two signs in a product": (lambda x: (-x) * (-(x + 1)), ["y = x * (x + one)"]),
}


@pytest.mark.parametrize("name", FACTORS)
def test_numbers_are_multiplied_once(name):
    function, lines = FACTORS[name]
    x = np.array([0.5, -2.0, 3.0])
    compiled = ag.compile(function)
    body = compiled.program(x).source.partition("def forward(x):\n")[2].splitlines()[:-1]
    assert [line.strip() for line in body if "#" not in line] == lines
    for made in (ag.compile(function), compiled):  # the traced call, and one of the program
        np.testing.assert_allclose(made(x), function(x), rtol=1e-14)


def _twice(y):
    return y * y + y * 2.0


LARGE_OR_SMALL = {
    "a large number": lambda x: (x * 1e200) * 1e-200,
    "a small number before a product": lambda x: ((x * 1e-3) * x) * 2.0,
    "a number that is used twice": lambda x: _twice(x * 3.0),
    "zero": lambda x: (x * 0.0) * 5.0,
    "nothing is lost of inf": lambda x: (x * np.inf) * 0.5,
}


@pytest.mark.parametrize("name", LARGE_OR_SMALL)
def test_numbers_are_joined_only_where_nothing_overflows(name):
    x = np.array([1e160, -1.0, 1e-160, 0.0])
    function = LARGE_OR_SMALL[name]
    with np.errstate(all="ignore"):
        found = ag.compile(function).program(x)
        np.testing.assert_allclose(found([x]), function(x), rtol=1e-14)


def chosen(w, labels):
    p = np.exp(w) / np.exp(w).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(3), labels]).sum()


def test_an_index_is_read_as_it_is_and_rows_are_added_at_once():
    w, labels = np.random.default_rng(0).normal(size=(3, 4)), np.array([1, 3, 1])
    compiled = ag.compile(ag.value_and_grad(chosen))
    source = compiled.program(w, labels).source
    assert "[rows, labels]" in source
    assert "dp[rows, labels] += " in source
    assert "as_index" not in source
    for each in (labels, labels[::-1], np.array([-1, 0, -4])):
        for found, right in zip(compiled(w, each), ag.value_and_grad(chosen)(w, each), strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-14)


def test_an_index_that_names_rows_twice_is_added_up():
    w, rows = np.ones((3, 2)), np.array([0, 2, 0])
    compiled = ag.compile(ag.grad(lambda w, rows: (w[rows] * np.arange(6.0).reshape(3, 2)).sum()))
    np.testing.assert_array_equal(compiled(w, rows), [[4, 6], [0, 0], [2, 3]])
    np.testing.assert_array_equal(compiled(w, np.array([1, 1, 1])), [[0, 0], [6, 9], [0, 0]])


def test_an_index_that_is_changed_before_backward_is_the_one_that_was_read():
    w, labels = ag.Tensor(np.eye(3) + 1.0, requires_grad=True), np.array([0, 1, 2])
    compiled = ag.compile(lambda labels: (w[np.arange(3), labels] ** 2).sum())
    compiled(labels)
    loss = compiled(labels)
    labels[:] = 0
    loss.backward()
    np.testing.assert_array_equal(w.grad.numpy(), 4 * np.eye(3))


@pytest.mark.filterwarnings("ignore:.*runs uncompiled. an opaque function writes into an argument:RuntimeWarning")
def test_an_index_that_the_function_writes_into_is_the_one_that_was_read():
    @ag.opaque
    def cleared(labels):
        labels[:] = 0

    def f(w, labels):
        y = (w[np.arange(3), labels] ** 2).sum()
        cleared(labels)
        return y

    w = np.eye(3) + 1.0
    compiled = ag.compile(ag.grad(f))
    for _ in range(3):
        np.testing.assert_array_equal(compiled(w, np.array([0, 1, 2])), 4 * np.eye(3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("c", [0.1, -0.0, 1e-30, 16777217.0, 3])
@pytest.mark.parametrize(
    "f", [np.add, np.multiply, np.divide, np.maximum, lambda a, b: b / a], ids=["+", "*", "/", "max", "number / x"]
)
def test_beside_a_result_without_axes_a_number_is_one_of_pythons(f, c, dtype):
    c = dtype(c)
    compiled = ag.compile(lambda x: f(np.sin(x), c))
    for x in (dtype(0.5), dtype(0.0), dtype(np.nan)):
        with np.errstate(all="ignore"):
            compiled(x)
            found, right = compiled(x), f(np.sin(x), c)
        assert (found.dtype, found.tobytes()) == (right.dtype, right.tobytes())
    assert ".float" not in compiled.program(x).source
