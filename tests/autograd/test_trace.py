"""Trees: taken apart and put together, also objects of registered classes, and values that are no numbers."""

from collections import namedtuple
from dataclasses import dataclass, field

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError, ShapeError

Pair = namedtuple("Pair", "a b")


@ag.register_tree
@dataclass(frozen=True)
class Line:
    slope: object
    offset: object
    name: str = "line"


@ag.register_tree
@dataclass
class Plane:
    slope: object
    offset: object
    name: str = "plane"


class Ring:
    """Hold numbers, with words of its own for taking them out and putting them in."""

    def __init__(self, items):
        self.items = list(items)


ag.register_tree(Ring, lambda ring: tuple(ring.items), lambda *items: Ring(items))

TREES = {
    "number": 2.0,
    "list": [1.0, [2.0, 3.0]],
    "dict": {"b": 1.0, "a": (2.0,)},
    "named tuple": Pair(1.0, {"x": 2.0}),
    "dataclass": Line(1.0, [2.0]),
    "class": Ring([1.0, 2.0]),
    "all": {"lines": [Line(1.0, 2.0), Ring([3.0])], "none": None},
}


def leaves(tree):
    return [x for x in ag.tree.flatten(tree)[0] if x is not None and not isinstance(x, str)]


@pytest.mark.parametrize("name", TREES)
def test_gradient_has_the_form_of_the_argument(name):
    tree = TREES[name]
    gradient = ag.grad(lambda t: sum(k * x**2 for k, x in enumerate(leaves(t), 1)))(tree)
    assert ag.tree.form_of(gradient) == ag.tree.form_of(tree)
    assert leaves(gradient) == [2 * k * x for k, x in enumerate(leaves(tree), 1)]


@pytest.mark.parametrize("name", TREES)
def test_forwards_too(name):
    tree = TREES[name]
    _, pushed = ag.jvp(lambda t: [3 * x for x in leaves(t)], (tree,), (tree,))
    assert pushed == [3 * x for x in leaves(tree)]


def test_what_is_no_number_stays_and_has_no_gradient():
    tree = {"w": np.ones(2), "activation": "tanh", "bias": None, "train": True}

    def loss(p):
        assert p["activation"] == "tanh"
        assert p["bias"] is None
        assert p["train"] is True
        return np.tanh(p["w"]).sum()

    gradient = ag.grad(loss)(tree)
    assert {key: value for key, value in gradient.items() if key != "w"} == dict.fromkeys(
        ("activation", "bias", "train")
    )
    _, pushed = ag.jvp(loss, (tree,), ({**tree, "w": np.ones(2)},))
    assert pushed == pytest.approx(gradient["w"].sum())


@pytest.mark.parametrize("value", [np.arange(3), "word", None])
def test_alone_it_is_refused(value):
    with pytest.raises(DTypeError):
        ag.grad(lambda x: 1.0)(value)


def test_tangents_are_read_by_key():
    x, t = {"a": 1.0, "b": 2.0}, {"b": 10.0, "a": 1.0}
    assert ag.jvp(lambda p: p["a"] * 3 + p["b"] * 5, (x,), (t,))[1] == 53
    _, pullback = ag.vjp(lambda x: {"p": 2 * x, "q": 3 * x}, 1.0)
    assert pullback({"q": 10.0, "p": 1.0}) == 32


@pytest.mark.parametrize("other", [{"a": 1.0}, {"a": 1.0, "c": 2.0}, [1.0, 2.0], 1.0, {"a": 1.0, "b": [2.0]}])
def test_forms_that_differ_are_told(other):
    with pytest.raises(ShapeError, match=r"expected the form .*\{'a': \*, 'b': \*\}.*, got "):
        ag.jvp(lambda p: p["a"] * p["b"], ({"a": 1.0, "b": 2.0},), (other,))


def test_tree_map():
    assert ag.tree_map(lambda x, y: x + y, {"a": 1, "b": (2, None)}, {"b": (20, None), "a": 10}) == {
        "a": 11,
        "b": (22, None),
    }
    with pytest.raises(ShapeError, match=r"tree_map: expected the form \(\*, \*\), got \(\*\)\."):
        ag.tree_map(max, (1, 2), (1,))


def test_a_class_that_cannot_be_read_is_refused():
    with pytest.raises(ArgumentError, match=r"'int' is no dataclass\. Pass parts= .* build="):
        ag.register_tree(int)
    with pytest.raises(ArgumentError, match="'Line' is no dataclass"):
        ag.register_tree(Line, parts=lambda x: ())


def test_a_gradient_is_set_past_the_class():
    """A frozen class, or one that checks its values, gets its fields as they are."""

    @ag.register_tree
    @dataclass
    class Positive:
        x: float
        derived: object = field(init=False, default=None)

        def __post_init__(self):
            assert self.x > 0

    assert ag.grad(lambda p: -p.x)(Positive(2.0)).x == -1


def test_compile_tells_classes_apart():
    compiled = ag.compile(lambda p: p.slope * 2 if isinstance(p, Line) else p.slope * 3)
    x = np.ones(2)
    for _ in range(2):
        assert compiled(Line(x, 0.0)).tolist() == [2, 2]
        assert compiled(Plane(x, 0.0)).tolist() == [3, 3]


@pytest.mark.parametrize("name", TREES)
def test_ravel(name):
    vector, unravel = ag.ravel(TREES[name])
    assert vector.tolist() == leaves(TREES[name])
    assert leaves(unravel(vector * 2)) == [2 * x for x in leaves(TREES[name])]
    assert ag.tree.form_of(unravel(vector)) == ag.tree.form_of(TREES[name])


def test_ravel_keeps_shapes_and_dtypes_and_can_be_differentiated():
    tree = {"w": np.ones((2, 2), np.float32), "b": 3.0, "z": np.array([1j])}
    vector, unravel = ag.ravel(tree)
    assert vector.dtype == complex
    tree = {key: tree[key] for key in "wb"}
    vector, unravel = ag.ravel(tree)
    again = unravel(vector)
    assert (again["w"].dtype, again["w"].shape, again["b"]) == (np.float32, (2, 2), 3.0)
    gradient = ag.grad(lambda v: (unravel(v)["w"] ** 2).sum() * unravel(v)["b"])(vector)
    np.testing.assert_array_equal(gradient, [6, 6, 6, 6, 4])
    inside = ag.grad(lambda t: (ag.ravel(t)[0] ** 2).sum())(tree)
    np.testing.assert_array_equal(inside["w"], 2 * tree["w"])
    with pytest.raises(ShapeError, match=r"unravel: expected a vector of 5 numbers, got shape \(4,\)"):
        unravel(np.ones(4))


def test_tensors_in_trees_stay_connected():
    x = Tensor(2.0, requires_grad=True)
    y = ag.ravel({"x": x, "y": x * x})[0].sum()
    y.backward()
    assert x.grad.item() == 5


# ----------------------------------------------------------------------------------------------------------- has_aux

X, T = np.array([0.5, -1.0, 2.0]), np.array([1.0, -2.0, 0.5])

HAS_AUX = {  # what gives a result and aux, and what makes the gradient of the result
    "grad": (lambda f: ag.grad(f, has_aux=True)(X), lambda found: found),
    "value_and_grad": (lambda f: ag.value_and_grad(f, has_aux=True)(X)[::-1], lambda found: found),
    "vjp": (lambda f: ag.vjp(f, X, has_aux=True)[1:], lambda pullback: pullback(1.0)),
    "jvp": (lambda f: ag.jvp(f, (X,), (T,), has_aux=True)[1:], lambda pushed: 3 * X**2 * (pushed / (3 * X**2 @ T))),
    "linearize": (lambda f: ag.linearize(f, X, has_aux=True)[1:], lambda push: np.stack([push(e) for e in np.eye(3)])),
    "jacobian": (lambda f: ag.jacobian(f, has_aux=True)(X), lambda found: found),
    "jacfwd": (lambda f: ag.jacfwd(f, has_aux=True)(X), lambda found: found),
    "hessian": (lambda f: ag.hessian(f, has_aux=True)(X), lambda h: np.diag(h) * X / 2),
}


@pytest.mark.parametrize("name", HAS_AUX)
def test_has_aux(name):
    run, gradient_of = HAS_AUX[name]
    found, aux = run(lambda x: ((x**3).sum(), {"y": 2 * x, "word": "seen"}))
    aux = aux[1] if isinstance(aux, tuple) else aux
    np.testing.assert_allclose(gradient_of(found), 3 * X**2)
    assert aux["word"] == "seen"
    assert not isinstance(aux["y"], ag.Tensor)
    np.testing.assert_array_equal(aux["y"], 2 * X)
    with pytest.raises(ArgumentError, match=r"has_aux=True\): the function must return a pair \(value, aux\), got "):
        run(lambda x: (x**3).sum())
