"""The ledger, explain and replay show the gradient that backward gives: masks, infinite slopes, arrays let go of."""

import re

import numpy as np
import pytest
from graphs import leaf

import autograd as ag
import nn
from autograd.errors import GraphError
from autograd.viz.fitting import build

S, V, W = -1.0, np.array([-1.0, 0.0, 4.0]), np.linspace(-1.0, 1.0, 84)


def rows_of(x):
    return np.where((x > 0)[:, None], np.outer(np.sqrt(x), np.ones(2)) @ ag.Tensor(np.ones((2, 2)), True), x[:, None])


# Programs with a mask, behind it a derivative that is not finite where the mask cut it off; and where it did not.
MASKED = {
    "where": lambda x: np.where(x > 0, np.sqrt(x), x),
    "where behind a product": lambda x: np.where(x > 0, np.sqrt(x) * 2.0 * x, x) * 3.0,
    "where behind an overflow": lambda x: np.where(x < 1, np.exp(x * 1e4), x),
    "a sum of two masks": lambda x: np.where(x > 0, np.log(x), 0.0) + np.where(x > 0, np.sqrt(x), x),
    "a mask on a mask": lambda x: np.where(x > 0, np.maximum(np.sqrt(x), 1.0), x),
    "clip": lambda x: np.clip(np.sqrt(x), 0.5, None) + x,
    "relu": lambda x: ag.relu(np.log(np.abs(x)) - 50.0) + x,
    "nothing is masked": lambda x: np.sqrt(x) * 0.0,
    "nothing is nan": lambda x: ag.relu(x) * 2.0,
}
ARRAYS = MASKED | {
    "index": lambda x: (np.sqrt(x)[np.asarray(x.data > 0)]).sum() + x,
    "nansum": lambda x: np.nansum(np.log(x)) + x,
    "max": lambda x: np.max(np.where(x > 0, np.sqrt(x), -1.0)) + x,
    "matmul": rows_of,
    "softmax": lambda x: np.where(x > 0, ag.softmax(np.stack([np.sqrt(x), x], 1), axis=1)[:, 0], x),
    "split": lambda x: np.where(x > 0, np.sqrt(np.concatenate(np.split(x, 3))), x),
    "two outputs": lambda x: sum(np.where(p > 0, np.sqrt(p), p).sum() for p in np.split(np.sin(x), 3)),
}


def sum_of_edges(picture, name):
    item = next(item for item in picture.items if item.name == name)
    return sum(np.asarray(arrow.share) for arrow in picture.arrows if arrow.source == item.id)


def explained(y, x):
    if x.size > 3:
        return np.array([ag.explain(y, x, index=k).total for k in (0, x.size - 1)])
    each = [ag.explain(y, x, index=k if x.shape else None) for k in np.ndindex(x.shape)]
    for one in each:
        np.testing.assert_allclose(one.rest + sum(path.value for path in one.paths), one.total)
    return np.reshape([one.total for one in each], x.shape)


@pytest.mark.parametrize(("name", "value"), [(n, S) for n in MASKED] + [(n, v) for n in ARRAYS for v in (V, W)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_ledger_gives_what_backward_gives(name, value):
    def make():
        x = leaf(value, "x")
        return x, ARRAYS[name](x).sum()

    x, y = make()
    y.backward(retain_graph=True)
    expected = x.grad.numpy()
    np.testing.assert_allclose(sum_of_edges(build([y]), "x"), expected)
    z, fresh = make()
    at = [0, -1] if np.size(value) > 3 else ...
    np.testing.assert_allclose(explained(fresh, z), expected[at])
    assert z.grad is None
    np.testing.assert_allclose(next(i for i in ag.replay(fresh).picture.view.items if i.name == "x").grad, expected)


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_plain_backward_leaves_no_false_number(name):
    """What was let go of cannot be told: then an edge says nothing, and never what backward did not give."""
    x = leaf(W, "x")
    y = ARRAYS[name](x).sum()
    y.backward()
    picture = build([y])
    shown = next(item for item in picture.items if item.name == "x")
    np.testing.assert_allclose(shown.grad, x.grad.numpy())
    known = [arrow.share for arrow in picture.arrows if arrow.source == shown.id]
    if all(share is not None for share in known):
        np.testing.assert_allclose(sum(known), x.grad.numpy())
    for view in (lambda: ag.explain(y, x, index=83).total - x.grad.numpy()[83], lambda: len(ag.replay(y).steps) * 0):
        try:
            off = view()
        except GraphError as error:
            off, said = 0, str(error)
            assert re.search("needs arrays that are gone.*retain_graph=True", said)
        assert off == pytest.approx(0, nan_ok=True)


INDEX = np.arange(80) % 12
GONE = {
    "where": lambda x: np.where(x.data > 0, x, 0.0),
    "gather": lambda x: x[INDEX],
    "take": lambda x: np.take(x, INDEX, axis=0),
    "boolean index": lambda x: x[np.asarray(x.data > 0.1)],
    "dropout": lambda x: nn.functional.dropout(x, 0.5, rng=0),
    "embedding": lambda x: nn.functional.embedding(INDEX, x),
    "max pool": lambda x: nn.functional.max_pool2d(x.reshape(1, 1, 12, 7), 2),
    "sort": lambda x: np.sort(x, axis=0),
}


AGAIN = ("embedding", "max pool")  # what they read is not among what backward lets go of: they are computed again


@pytest.mark.parametrize("name", GONE)
def test_arrays_that_backward_let_go_of_are_not_read(name):
    x = leaf(np.linspace(-1, 1, 84).reshape(12, 7), "x")
    y = GONE[name](x).sum()
    y.backward()
    picture = ag.draw(y, expand=True)
    shown = next(item for item in picture.view.items if item.name == "x")
    np.testing.assert_allclose(shown.grad, x.grad.numpy())
    assert "object object" not in picture.source
    assert "masked" not in str(picture)
    assert ag.why_none(x, y).kind == "computed"
    if name in AGAIN:
        assert ag.explain(y, x, index=(11, 6)).total == pytest.approx(x.grad[11, 6].item())
        assert len(ag.replay(y).steps) > 2
        return
    for call in (lambda: ag.explain(y, x, index=(11, 6)), lambda: ag.replay(y)):
        with pytest.raises(GraphError, match=r"needs arrays that are gone.*retain_graph=True"):
            call()


def chain_behind(cut):
    a, b = leaf(-1.0, "a"), leaf(0.5, "b")
    return cut((a + b) * 2.0)


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("relu", ag.relu),
        ("clip", lambda x: np.clip(x, 0.0, 1.0)),
        ("maximum", lambda x: np.maximum(x, 0.0)),
        ("where", lambda x: np.where(x > 0, x, 0.0)),
        ("minimum", lambda x: np.minimum(x, -3.0)),
    ],
)
def test_only_the_mask_is_said_to_cut_off(name, cut):
    said = ag.replay(chain_behind(cut)).steps
    assert [step.split(" cut the gradient")[0].split()[-1] for step in said if " cut the gradient" in step] == [name]
    passed = [step for step in said if "passes a zero on: the gradient was cut off before it got here." in step]
    assert len(passed) == 3
    y = chain_behind(cut)
    y.backward()
    picture = build([y])
    states = {item.name or item.op: item.state for item in picture.items if item.kind == "value"}
    assert (states["a"], states["b"], states["add"], states["multiply"]) == ("masked",) * 4
    assert sorted(arrow.state for arrow in picture.arrows if arrow.state != "const") == ["masked", *["zero"] * 3]


def test_a_zero_that_no_mask_made_is_said_to_be_zero():
    x = leaf(2.0, "x")
    said = ag.replay((x * 3.0) * 0.0).steps
    assert said[1].endswith("Exactly zero.")
    assert said[2].endswith("multiply passes a zero on.")


def test_elements_that_a_mask_cut_off_are_counted_in_words():
    said = ag.replay(ag.relu(leaf([-1.0, 2.0, -3.0], "x")).sum()).steps
    assert said[-1].endswith("relu cut 2 of 3 elements off here.")


@pytest.mark.parametrize("ran", [False, True])
def test_a_compiled_result_is_drawn_as_one_op(ran):
    w = ag.Tensor([1.0, 2.0], requires_grad=True, name="w")
    f = ag.compile(lambda x: (np.tanh(w * x) ** 2).sum())
    for _ in range(2):  # the first call traces
        y = f(np.array([0.5, 0.25]))
    if ran:
        y.backward(retain_graph=True)
    assert [item.id for item in ag.draw(y).view.items if item.op] != []
