"""More members of each kind of fault that pictures once had: several results, arrays of every shape, odd names."""

from unittest import mock

import numpy as np
import pytest
from graphs import leaf

import autograd as ag
import nn
from autograd.errors import GraphError


def attended(x):
    return nn.MultiheadAttention(2, 1, rng=0, dtype=np.float64)(x, x, x)[0].sum()


BACKWARDS = {
    "before": lambda y: None,
    "plain": lambda y: y.backward(),
    "kept": lambda y: y.backward(retain_graph=True),
}
SEVERAL = {
    "split": lambda x: np.split(x, 2)[1].sum(),
    "parts of uneven size": lambda x: sum((k + 1.0) * part.sum() for k, part in enumerate(np.array_split(x, 3))),
    "rows": lambda x: sum((k + 1.0) * part for k, part in enumerate(x)),
    "svd": lambda x: np.linalg.svd(x.reshape(2, 2))[1].sum(),
    "eigenvalues": lambda x: np.linalg.eigh(x.reshape(2, 2) @ x.reshape(2, 2).T)[0][1],
    "qr": lambda x: np.linalg.qr(x.reshape(2, 2))[1].sum(),
    "slogdet": lambda x: np.linalg.slogdet(x.reshape(2, 2) @ x.reshape(2, 2).T + np.eye(2))[1],
    "grids": lambda x: sum(part.sum() for part in np.meshgrid(x, x * 2.0)),
    "LSTM": lambda x: nn.LSTM(2, 3, rng=0, dtype=np.float64)(x.reshape(2, 1, 2))[0].sum(),
    "GRU": lambda x: nn.GRU(2, 3, rng=0, dtype=np.float64)(x.reshape(2, 1, 2))[1].sum(),
    "attention and its weights": lambda x: attended(x.reshape(2, 1, 2)),
}  # fmt: skip


@pytest.mark.parametrize("ran", BACKWARDS)
@pytest.mark.parametrize("name", SEVERAL)
def test_ops_with_several_results_in_every_view(name, ran):
    x = leaf(np.array([1.0, 2.0, 0.5, 3.0]), "x")
    y = SEVERAL[name](x)
    BACKWARDS[ran](y)
    for limit in (None, 60):
        assert "<svg" in ag.draw(y, max_nodes=limit).svg
    assert len(ag.replay(y).steps) > 1
    total = ag.explain(y, x, index=1).total
    if x.grad is None:
        y.backward()
    assert total == pytest.approx(x.grad[1].item())


SHAPES = {
    "a number": 1.0,
    "one element": [1.0],
    "one by one": [[1.0]],
    "a column": np.ones((3, 1)),
    "a row": np.ones((1, 3)),
    "a long row": np.linspace(-1e-5, 1e5, 9),
    "a matrix": np.eye(3),
    "three axes": np.ones((2, 2, 2)),
    "none": np.ones((0, 2)),
    "large": np.ones((20, 20)),
    "not finite": [np.inf, -np.inf, np.nan],
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_second_backward_on_arrays_of_every_shape(name):
    w = leaf(SHAPES[name], "w")
    for _ in range(2):
        y = (w * 2.0).sum()
        y.backward()
    for limit in (None, 99):
        assert "<svg" in ag.draw(y, max_nodes=limit).svg
    assert len(ag.replay(y).steps) == 3
    shown = next(item for item in ag.draw(y).view.items if item.name == "w")
    np.testing.assert_array_equal(shown.grad, np.full(np.shape(SHAPES[name]), 2.0))
    if np.size(SHAPES[name]):
        np.testing.assert_array_equal(shown.total, np.full(np.shape(SHAPES[name]), 4.0))


class Refuses:
    """Refuse every question, as a lazy object may do."""

    def __getattr__(self, name):
        raise RuntimeError("no")

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None


ODD = {
    "a mock": mock.MagicMock(),
    "an object that refuses": Refuses(),
    "a module of Python": np,
    "a class": nn.Linear,
    "an array": np.ones(3),
    "a list of anything": [None, Refuses(), [1]],
    "a dict with odd keys": {1: 2.0, (2, 3): None},
    "text": "a",
    "a function": len,
    "a generator": (k for k in range(3)),
}


@pytest.mark.parametrize("what", ODD)
def test_anything_may_stand_among_the_names(what):
    a = leaf(2.0)
    y = a * 3.0
    names = {"odd": ODD[what], "a": a, "y": y, 7: a, "_": y}
    assert str(ag.draw(y, names=names)).endswith("v1 y = multiply(a, 3) | data 6.0000 | grad –\n")
    assert ag.explain(y, a, names=names).total == 3.0
    assert len(ag.replay(y, names=names).steps) == 2


FOUL = ["\x1b[31mred", "a\x00b", "a\nb", "\u202egnp.exe", "\x7f", "\x9b2J", "a\rb", "\u2028", "\ud800", "x\x08y"]


@pytest.mark.parametrize("name", FOUL, ids=ascii)
@pytest.mark.parametrize("how", ["tensor", "names", "scope", "list", "op"])
def test_control_characters_reach_no_terminal(name, how):
    x = leaf(2.0, name if how == "tensor" else "x")
    with ag.scope(name if how == "scope" else "block", "Block"):
        h = ag.op(lambda x: x * 2.0, vjp=lambda g: g * 2.0, name=name if how == "op" else "double")(x)
    y = h * x
    names = {name: h} if how == "names" else {"h": {name: h}} if how == "list" else None
    picture = ag.draw(y, names=names)
    said = [str(picture), repr(picture), *ag.replay(y, names=names).steps, str(ag.explain(y, x, names=names))]
    assert not {c for text in said for c in text if not c.isprintable() and c != "\n"}
    assert "<svg" in picture.svg


UNTOUCHED = {
    "a literal": (lambda x: x * 1.0001, "x · 1.0001"),
    "a third": (lambda x: x * (1 / 3), "x · 0.3333"),
    "a whole number": (lambda x: x + 12345.0, "x + 12345"),
    "a small one": (lambda x: x * 1e-7, "x · 1e-07"),
    "a negative one": (lambda x: x - (-2.5), "x − -2.5"),
    "on the left": (lambda x: 0.125 / x, "0.125 / x"),
}


@pytest.mark.parametrize("name", UNTOUCHED)
def test_numbers_stand_as_they_do_in_the_code(name):
    f, said = UNTOUCHED[name]
    assert [item.says for item in ag.draw(f(leaf(1.5, "x"))).view.items if item.root] == [said]


def test_a_compiled_function_is_explained_and_replayed():
    x = leaf(np.linspace(0.1, 1.0, 100), "x")
    y = ag.compile(lambda x: (np.tanh(x) * 2.0).sum())(x) * 1.5
    explanation = ag.explain(y, x, index=0)
    assert explanation.total == pytest.approx(3.0 * (1 - np.tanh(0.1) ** 2))
    assert len(ag.replay(y).steps) > 1
    y.backward()
    assert "<svg" in ag.draw(y).svg


def test_where_over_many_elements_after_a_plain_backward_says_one_or_asks_for_the_graph():
    x = leaf(np.linspace(-1, 1, 84), "x")
    y = np.where(x > 0, x, 0.0).sum()
    y.backward()
    assert "masked" not in str(ag.draw(y))
    with pytest.raises(GraphError, match="retain_graph=True"):
        ag.explain(y, x, index=83)
    y = np.where(x > 0, x, 0.0).sum()
    y.backward(retain_graph=True)
    assert ag.explain(y, x, index=83).total == 1.0
    assert ag.explain(y, x, index=0).total == 0.0
