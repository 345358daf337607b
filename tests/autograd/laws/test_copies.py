"""A copy inside a differentiated function keeps the connection or is refused; results say how they can be copied."""

import collections
import contextlib
import copy
import dataclasses
import json
import multiprocessing.reduction
import pickle
import types
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd as ag
import nn
from tests.autograd.laws.oracle import FIRST_ORDER, Table, hold, plain

X = [1.0, 2.0]
COPIES, OF_RESULTS = Table(), Table()


@dataclasses.dataclass
class Pair:
    a: Any
    b: Any = 2.0


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: Any


class Point(NamedTuple):
    a: Any
    b: Any = 1.0


class Slots:
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a


class Reduced:
    def __init__(self, a):
        self.a = a

    def __reduce__(self):
        return Reduced, (self.a,)


def through_pickle(x, protocol=pickle.HIGHEST_PROTOCOL):
    return pickle.loads(pickle.dumps(x, protocol))


# name: what makes a copy of x
WAYS = {
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "deepcopy with a memo": lambda x: copy.deepcopy(x, {}),
    "pickle": through_pickle,
    **{f"pickle, protocol {k}": (lambda x, k=k: through_pickle(x, k)) for k in range(5)},
    "pickle of a list": lambda x: through_pickle([x, 1.0])[0],
    "pickle of a dict": lambda x: through_pickle({"a": {"b": x}})["a"]["b"],
    "pickle of a dataclass": lambda x: through_pickle(Pair(x)).a,
    "ForkingPickler": lambda x: pickle.loads(multiprocessing.reduction.ForkingPickler.dumps(x)),
    "copy of a list": lambda x: copy.copy([x])[0],
    "deepcopy of a list": lambda x: copy.deepcopy([x, [x]])[1][0],
    "deepcopy of a tuple": lambda x: copy.deepcopy((x,))[0],
    "deepcopy of a dict": lambda x: copy.deepcopy({"a": [x]})["a"][0],
    "deepcopy of a set's member": lambda x: next(iter(copy.deepcopy({x}))),
    "deepcopy of a dataclass": lambda x: copy.deepcopy(Pair(x)).a,
    "deepcopy of a frozen dataclass": lambda x: copy.deepcopy(Frozen(x)).a,
    "deepcopy of a named tuple": lambda x: copy.deepcopy(Point(x)).a,
    "deepcopy of slots": lambda x: copy.deepcopy(Slots(x)).a,
    "deepcopy by reduce": lambda x: copy.deepcopy(Reduced(x)).a,
    "deepcopy of a namespace": lambda x: copy.deepcopy(types.SimpleNamespace(a=x)).a,
    "deepcopy of a deque": lambda x: copy.deepcopy(collections.deque([x]))[0],
    "deepcopy of a defaultdict": lambda x: copy.deepcopy(collections.defaultdict(list, a=x))["a"],
    "deepcopy of an OrderedDict": lambda x: copy.deepcopy(collections.OrderedDict(a=x))["a"],
    "deepcopy of a ChainMap": lambda x: copy.deepcopy(collections.ChainMap({"a": x}))["a"],
    "deepcopy of an object array": lambda x: copy.deepcopy(boxed(x))[0],
    "copy of an object array": lambda x: boxed(x).copy()[0],
    "copy of a dict": lambda x: copy.copy({"a": x})["a"],
    "copy of a dataclass": lambda x: copy.copy(Pair(x)).a,
    "copy of slots": lambda x: copy.copy(Slots(x)).a,
    "dataclasses.asdict": lambda x: dataclasses.asdict(Pair(x))["a"],
    "dataclasses.asdict, nested": lambda x: dataclasses.asdict(Pair([Pair(x)]))["a"][0]["a"],
    "dataclasses.astuple": lambda x: dataclasses.astuple(Pair(x))[0],
    "dataclasses.asdict of a frozen one": lambda x: dataclasses.asdict(Frozen(x))["a"],
    "dataclasses.replace": lambda x: dataclasses.replace(Pair(x), b=3.0).a,
    "dataclasses.replace of the field": lambda x: dataclasses.replace(Pair(1.0), a=x).a,
    "_asdict of a named tuple": lambda x: Point(x)._asdict()["a"],
    "_replace of a named tuple": lambda x: Point(1.0)._replace(a=x).a,
    "list slice": lambda x: [x, 1.0][:1][0],
    "list.copy": lambda x: [x].copy()[0],
    "dict union": lambda x: ({"a": 1} | {"a": x})["a"],
    "dict comprehension": lambda x: {k: v for k, v in [("a", x)]}["a"],  # noqa: C416
    "np.copy": np.copy,
    "x.copy()": lambda x: x.copy(),
    "np.array": lambda x: np.array(x),
    "np.array(copy=False)": lambda x: np.asarray(x),
    "astype": lambda x: x.astype(float),
    "np.copyto": lambda x: filled(x),
    "np.empty_like and a write": lambda x: written(x),
    "+x": lambda x: +x,
    "x[...]": lambda x: x[...],
    "np.positive": np.positive,
    "ag.Tensor of it": lambda x: ag.Tensor(x) if isinstance(x, ag.Tensor) else x.copy(),
    "ag.Tensor that needs a gradient": lambda x: (
        ag.Tensor(x, requires_grad=True) if isinstance(x, ag.Tensor) else x.copy()
    ),
    "nn.Parameter of it": lambda x: nn.Parameter(x) if isinstance(x, ag.Tensor) else x.copy(),
}
WRAPPED = {"np.copyto": (ValueError,), "np.empty_like and a write": (ValueError,)}


def boxed(x):
    """Put one thing into an array of objects."""
    box = np.empty(1, object)
    box[0] = x
    return box


def filled(x):
    y = np.empty(2)
    np.copyto(y, x)
    return y


def written(x):
    y = np.zeros(2)
    y[:] = x
    return y


for name, made in WAYS.items():
    COPIES.add(name, lambda x, made=made: (made(x) ** 2).sum(), X, right=[2, 4], wrapped=WRAPPED.get(name, ()))
    OF_RESULTS.add(name, lambda x, made=made: (made(x * 3) ** 2).sum(), X, right=[18, 36])


@pytest.mark.parametrize("way", ["grad", "jvp"])
@COPIES.every
def test_a_copied_argument_is_connected_or_refused(row, way):
    hold(row, FIRST_ORDER[way], row.right)


@COPIES.every
def test_an_argument_copied_in_a_checkpoint_is_connected_or_refused(row):
    late = dataclasses.replace(row, accept=("refused late",))
    hold(late, lambda f, x: ag.grad(lambda x: ag.checkpoint(f)(x))(np.array(x)), row.right)


@pytest.mark.parametrize("way", ["grad", "backward", "jvp"])
@OF_RESULTS.every
def test_a_copied_result_is_connected_or_refused(row, way):
    hold(row, FIRST_ORDER[way], row.right)


def test_both_of_a_copied_pair_are_one():
    """deepcopy keeps that two places hold one thing; where it is allowed, the gradient has both shares."""

    def f(x):
        a, b = copy.deepcopy((x, x))
        return (a * b).sum()

    with contextlib.suppress(ag.AutogradError):
        np.testing.assert_allclose(ag.grad(f)(np.array(X)), [2, 4])


@pytest.mark.parametrize("copied", [copy.deepcopy, through_pickle], ids=["deepcopy", "pickle"])
def test_a_module_copied_inside_a_transform(copied):
    """A model that is made and copied in the function passes the gradient on to its input."""

    def f(w):
        m = nn.Linear(2, 1, bias=False, rng=0).astype(float)
        m.weight.data = np.array([[1.0, 1.0]])
        m = copied(m)
        return (m(w.reshape(1, 2)) ** 2).sum()

    np.testing.assert_allclose(plain(ag.grad(f)(np.array(X))), [6, 6])


# --------------------------------------------------------------------------------------------- outside a transform


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, through_pickle], ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_leaves_are_copied_as_before(copied, requires_grad):
    x = ag.Tensor(X, requires_grad=requires_grad, name="x")
    y = copied(x)
    assert y is not x
    assert (y.requires_grad, y.name, y.is_leaf) == (requires_grad, "x", True)
    np.testing.assert_array_equal(y.numpy(), X)
    assert not np.shares_memory(y.numpy(), x.numpy()) or copied is copy.copy


RESULTS = {
    "of a leaf": lambda: ag.Tensor(X, requires_grad=True) * 2,
    "a view": lambda: ag.Tensor(X, requires_grad=True)[0],
    "a number": lambda: ag.Tensor(2.0, requires_grad=True) ** 2,
    "of a module": lambda: nn.Linear(2, 1, rng=0)(np.ones((3, 2), np.float32)),
}
TAKEN = {
    "pickle.dumps": pickle.dumps,
    "pickle in a list": lambda y: pickle.dumps([y]),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "deepcopy in a dict": lambda y: copy.deepcopy({"y": y}),
    "dataclasses.asdict": lambda y: dataclasses.asdict(Pair(y)),
    "np.asarray": np.asarray,
}


@pytest.mark.parametrize("take", TAKEN)
@pytest.mark.parametrize("kind", RESULTS)
def test_a_result_is_connected_or_the_message_says_detach(kind, take):
    """pickle.dumps(y), copy.copy(y): right, or an error that says .detach() or .numpy()."""
    message = ""
    try:
        TAKEN[take](RESULTS[kind]())
    except ag.AutogradError as error:
        message = str(error)
    if message or take not in ("copy.copy", "copy.deepcopy", "deepcopy in a dict", "dataclasses.asdict"):
        assert ".detach()" in message or ".numpy()" in message, message


@pytest.mark.parametrize("take", TAKEN)
@pytest.mark.parametrize("kind", RESULTS)
def test_a_detached_result_is_copied(kind, take):
    TAKEN[take](RESULTS[kind]().detach())


@pytest.mark.parametrize(
    "made",
    [ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian, ag.hvp, ag.checkpoint],
    ids=lambda made: made.__name__,
)
def test_the_gradient_of_a_function_is_pickled_or_says_why_not(made):
    with contextlib.suppress(ag.AutogradError):  # a PicklingError of Python's does not say why
        again = pickle.loads(pickle.dumps(made(cube)))
        args = (np.array(X), np.ones(2)) if made is ag.hvp else (np.array(X),)
        np.testing.assert_array_equal(plain_tree(again(*args)), plain_tree(made(cube)(*args)))


def cube(x):
    return (x**3).sum()


def plain_tree(y):
    return np.concatenate([np.ravel(part) for part in (y if isinstance(y, tuple) else (y,))])


def test_json_says_item_or_is_pythons_own_refusal():
    with pytest.raises(TypeError):
        json.dumps({"loss": ag.Tensor(2.0, requires_grad=True) ** 2})


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="no matplotlib (pip install 'chainrule[plot]')")
@pytest.mark.parametrize(
    "name", ["plot", "plot of a list", "scatter", "bar", "hist", "imshow", "fill_between", "errorbar"]
)
def test_plotting_a_result_says_detach_or_numpy(name):
    import matplotlib.pyplot as plt

    y = ag.Tensor([1.0, 2.0, 3.0], requires_grad=True) ** 2
    draw = {
        "plot": lambda: plt.plot(y),
        "plot of a list": lambda: plt.plot([y[0], y[1]]),
        "scatter": lambda: plt.scatter([0, 1, 2], y),
        "bar": lambda: plt.bar([0, 1, 2], y),
        "hist": lambda: plt.hist(y),
        "imshow": lambda: plt.imshow(y.reshape(1, 3)),
        "fill_between": lambda: plt.fill_between([0, 1, 2], y),
        "errorbar": lambda: plt.errorbar([0, 1, 2], y, yerr=y),
    }[name]
    try:
        with pytest.raises((ag.AutogradError, ValueError, TypeError)) as caught:
            draw()
    finally:
        plt.close("all")
    error, messages = caught.value, []
    while error is not None:
        messages.append(str(error))
        error = error.__cause__ or error.__context__
    assert any(".detach()" in message or ".numpy()" in message for message in messages), messages
