"""Why a gradient is None or zero: each reason, word by word."""

import re

import numpy as np
import pytest
from graphs import leaf

import autograd as ag


def test_not_required():
    reason = ag.why_none(ag.Tensor(1.0, name="k"))
    assert reason.kind == "not_required"
    assert str(reason).startswith("k does not require a gradient: it was made without requires_grad=True")


def test_made_by_detach_or_a_step_function():
    x = leaf(2.0, "x")
    cut = x.detach()
    assert ag.why_none(cut).kind == "detached"
    assert re.search(r"made by detach\(\) \(line \d+: cut = x\.detach\(\)\): it is a constant", str(ag.why_none(cut)))
    assert "comes from sign, which is piecewise constant" in str(ag.why_none(np.sign(x)))


def test_backward_not_called():
    x = leaf(2.0, "x")
    y = x * x
    assert str(ag.why_none(x, y)) == (
        "x.grad is None because backward() was not called on the result, which depends on x. Call backward() on it."
    )
    assert ag.why_none(x).kind == "not_backward"
    assert "on loss, which depends on x" in str(ag.why_none(x, y, names=dict(loss=y)))


def test_detached_on_the_way():
    x, w = leaf(2.0, "x"), leaf(3.0, "w")
    y = x.detach() * w
    y.backward()
    reason = ag.why_none(x, y)
    assert reason.kind == "detached"
    assert reason.at == ("detach",)
    assert "cut" in str(reason)
    assert "× w" in str(reason)


def test_detached_behind_an_op():
    x, w = leaf(2.0, "x"), leaf(3.0, "w")
    y = (x * x).detach() * w
    reason = ag.why_none(x, y)
    assert reason.kind == "detached"
    assert re.search(r"cut at: detach in .* × w \(line \d+: y = \(x \* x\)\.detach\(\) \* w\); x may", str(reason))


def test_not_used():
    x, w = leaf(2.0, "x"), leaf(3.0, "w")
    reason = ag.why_none(x, w * w)
    assert reason.kind == "not_reached"
    assert "was not used in it, or only through .detach(), .data, .numpy(), float()" in str(reason)


def test_under_no_grad():
    x = leaf(2.0, "x")
    with ag.no_grad():
        y = x * x
    assert ag.why_none(x, y).kind in ("not_reached", "detached")
    assert "no_grad" in str(ag.why_none(x, y))


def test_masked_says_where():
    x, w = leaf(-1.0, "x"), leaf(2.0, "w")
    z = x * w
    y = ag.relu(z) + 1.0
    y.backward()
    reason = ag.why_none(x, y, names=dict(z=z))
    assert reason.kind == "masked"
    assert reason.at == ("v3 = relu(z)",)
    assert str(reason) == (
        "the gradient of x is zero because it is masked at v3 = relu(z): the input is on the side that the op cuts off."
    )


def test_zero_factor_says_where():
    x, w = leaf(-1.0, "x"), leaf(0.0, "w")
    y = x * w
    y.backward()
    reason = ag.why_none(x, y)
    assert reason.kind == "zero"
    assert "the local derivative is zero at v2 = x × w" in str(reason)


def test_masked_says_where_in_arrays_that_backward_let_go_of():
    x = leaf(-np.ones(100), "x")
    y = ag.relu(x * 2.0).sum()
    y.backward()
    assert ag.why_none(x, y).at == ("v2 = relu(v1)",)


def test_where_a_gradient_was_lost_cannot_always_be_told():
    """The condition is gone after backward: then the sentence says so, and names no reason that is not known."""
    x = leaf(-np.ones(100), "x")
    y = np.where(x > 0, x * 2.0, 0.0).sum()
    y.backward()
    reason = ag.why_none(x, y)
    assert reason.kind == "zero"
    assert str(reason) == (
        "the gradient of x is exactly zero. Where it was lost cannot be told, as backward let go of the arrays: call "
        "backward(retain_graph=True), or hold the inputs."
    )


@pytest.mark.parametrize("size", [1, 100])
def test_paths_that_cancel(size):
    x = leaf(np.full(size, 2.0), "x")
    y = (x - x).sum()
    y.backward()
    assert "its paths from the result cancel" in str(ag.why_none(x, y))


def test_results_keep_no_grad():
    x = leaf(2.0, "x")
    y = x * x
    z = y * 2.0
    assert "no backward() has left a gradient here" in str(ag.why_none(y))
    z.backward()
    reason = ag.why_none(y)
    assert reason.kind == "not_kept"
    assert "retain_grad()" in str(reason)


def test_cleared():
    x = leaf(2.0, "x")
    (x * x).backward()
    x.zero_grad()
    assert ag.why_none(x).kind == "cleared"
    assert "cleared since (zero_grad(), or .grad = None)" in str(ag.why_none(x))


def test_it_is_there():
    x = leaf(2.0, "x")
    y = x * x
    y.backward()
    assert ag.why_none(x, y).kind == "computed"
    assert ag.why_none(x).kind == "computed"
    assert ag.why_none(x)._repr_markdown_() == str(ag.why_none(x))


def test_not_finite_and_zero_without_a_root():
    x = leaf(0.0, "x")
    with np.errstate(all="ignore"):
        np.sqrt(x).backward()
    assert ag.why_none(x).kind == "not_finite"
    z = leaf(1.0, "z")
    (z * 0.0).backward()
    assert "why_none(z, result) says where" in str(ag.why_none(z))


def test_arguments():
    with pytest.raises(ag.errors.ArgumentError, match=r"why_none needs a Tensor .*, got float"):
        ag.why_none(1.0)
