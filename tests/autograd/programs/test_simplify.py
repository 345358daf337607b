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
    "signs": (lambda x: -np.negative(x) + (-x), "-negative", "x - x"),
    "scatters": (ag.grad(parts), "shape=(4,), index=slice(None, 2, None)", "[:2] +="),
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


def test_a_square_in_another_dtype_stays_a_power():
    whole = np.array([1, 2, 3])
    assert "np.power" in ag.compile(lambda x: x**2.0).program(whole).source  # int64 to float64


def test_a_zero_is_not_folded_into_a_nan():
    """0 · ∞ is nan in a program, too: no pass takes a factor 0 for the result 0."""
    with np.errstate(all="ignore"):
        found = ag.compile(lambda x: x * 0.0)(np.array([np.inf, 1.0]))
    np.testing.assert_array_equal(found, [np.nan, 0.0])
