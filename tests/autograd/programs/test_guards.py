"""Freshness: whatever changes between two calls is seen, read afresh, or refused; a program is never stale."""

import array
import collections
import concurrent.futures
import contextlib
import contextvars
import copy
import functools
import operator
import struct
import sys
import threading
import types
import warnings
import weakref

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import TraceError

X = np.array([1.0, 2.0, 3.0])
SCALE = 2.0


def closed_array():
    a = np.ones(3)
    return lambda x: (x * a).sum(), lambda: a.__setitem__(0, 5.0), X


def view_of_closed_array():
    a = np.arange(12.0).reshape(4, 3)
    return lambda x: x * a[1], lambda: a.__setitem__(1, 9.0), X


def array_made_of_a_closed_one():
    a = np.ones(3)
    return lambda x: (x * (a * 2)).sum(), lambda: a.__setitem__(0, 5.0), X


def number_of_a_closed_array():
    a = np.array(2.0)
    return lambda x: x * float(a), lambda: a.__setitem__((), 9.0), X


def number_of_a_large_closed_array():
    a = np.ones(100_000)
    return lambda x: x * float(a[0]), lambda: a.__setitem__(0, 9.0), X


def item_of_a_closed_tensor():
    a = ag.Tensor(2.0)
    return lambda x: x * a.item(), lambda: setattr(a, "data", np.array(5.0)), X


def closed_tensor():
    a = ag.Tensor([1.0, 2.0, 3.0])
    return lambda x: x * a, lambda: a.__setitem__(0, 9.0), X


def closed_result():
    w = ag.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = [w * 2]
    return lambda x: x * y[0], lambda: y.__setitem__(0, w * 3), X


def weight():
    w = ag.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    return lambda x: x * w, lambda: setattr(w, "data", w.data * 2), X


def dtype_of_a_weight():
    w = ag.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    return lambda x: x * w, lambda: setattr(w, "data", np.array([1, 2, 3], "f4")), X


def wider_weight():
    w = ag.Tensor(np.ones(3, "f4"))
    return lambda x: np.exp(x * w) * w, lambda: setattr(w, "data", np.ones(3) / 3), X.astype("f4")


def shape_of_a_weight():
    w = ag.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    return lambda x: x * w, lambda: setattr(w, "data", np.array([2.0])), X


def dictionary():
    k = {"s": 2.0}
    return lambda x: x * k["s"], lambda: k.update(s=3.0), X


def entry_of_a_list():
    k = [1.0, 2.0]
    return lambda x: x * k[0], lambda: k.__setitem__(0, 9.0), X


def number_that_is_bound_anew():
    k = 2.0

    def change():
        nonlocal k
        k = 5.0

    return lambda x: x * k, change, X


def function_that_is_bound_anew():
    def h(x):
        return x * 2

    def change():
        nonlocal h
        h = np.sqrt

    return lambda x: h(x), change, X


def base_class_method():
    class Base:
        def __call__(self, x):
            return x * 2

    class Derived(Base):
        pass

    return Derived(), lambda: setattr(Base, "__call__", lambda self, x: x * 3), X


def property_of_the_class():
    class Held:
        s = property(lambda self: 2.0)

        def __call__(self, x):
            return x * self.s

    return Held(), lambda: setattr(Held, "s", property(lambda self: 3.0)), X


def set_of_names():
    names = {"a"}
    return lambda x: x * len(names), lambda: names.add("b"), X


def order_of_a_dictionary():
    k = {"a": 2.0, "b": 3.0}
    return lambda x: x * next(iter(k.values())), lambda: k.update(a=k.pop("a")), X


def bound_method():
    k = Scaled()
    return k.__call__, lambda: setattr(k, "s", 4.0), X


def partial():
    k = [2.0]
    return functools.partial(lambda s, x: x * s[0], k), lambda: k.__setitem__(0, 3.0), X


def helper():
    k = {"h": lambda x: x * 2}
    return lambda x: k["h"](x), lambda: k.update(h=lambda x: x * 5), X


def global_number():
    return lambda x: x * SCALE, lambda: globals().update(SCALE=globals()["SCALE"] + 1), X


def default():
    def f(x, s=2.0):
        return x * s

    return f, lambda: setattr(f, "__defaults__", (5.0,)), X


def keyword_default():
    def f(x, *, s=2.0):
        return x * s

    return f, lambda: f.__kwdefaults__.update(s=4.0), X


def code():
    def f(x):
        return x * 2

    return f, lambda: setattr(f, "__code__", (lambda x: x * 3).__code__), X


def namespace():
    k = types.SimpleNamespace(s=1.0)
    return lambda x: x * k.s, lambda: setattr(k, "s", 3.0), X


class Scaled:
    factor = 1.0

    def __init__(self):
        self.s = 1.0

    def __call__(self, x):
        return x * self.s * self.factor


class Slotted:
    __slots__ = ("s",)

    def __init__(self):
        self.s = 1.0

    def __call__(self, x):
        return x * self.s


def attribute():
    k = Scaled()
    return k, lambda: setattr(k, "s", 4.0), X


def attribute_of_the_class():
    k = Scaled()
    return k, lambda: setattr(Scaled, "factor", Scaled.factor + 1), X


def slot():
    k = Slotted()
    return k, lambda: setattr(k, "s", 4.0), X


def mode():
    m = nn.Sequential(nn.Linear(3, 2, rng=0), nn.Dropout(0.5, rng=0)).train()
    m.eval()
    return m, lambda: m.train().eval(), np.ones((2, 3), "f4")


def running_statistics():
    m = nn.Sequential(nn.Linear(3, 3, rng=0), nn.BatchNorm1d(3)).eval()
    other = np.random.default_rng(0).normal(size=(4, 3)).astype("f4")
    return m, lambda: (m.train(), m(other), m.eval()), np.ones((2, 3), "f4")


def parameter_replaced():
    m = nn.Sequential(nn.Linear(3, 3, rng=0))
    return m, lambda: setattr(m[0], "weight", nn.Parameter(np.ones((3, 3), "f4"))), np.ones((2, 3), "f4")


def module_replaced():
    m = nn.Sequential(nn.Linear(3, 3, rng=0), nn.ReLU())
    return m, lambda: m.__setitem__(1, nn.Tanh()), np.ones((2, 3), "f4")


def module_in_a_plain_list():
    layers = [nn.Linear(3, 3, rng=0)]

    def f(x):
        for layer in layers:
            x = layer(x)
        return x

    return f, lambda: layers.append(nn.Tanh()), np.ones((2, 3), "f4")


def hyper_parameter():
    m = nn.LeakyReLU(0.1)
    return m, lambda: setattr(m, "negative_slope", 0.5), -np.ones((2, 3))


def loss_weight():
    loss = nn.BCEWithLogitsLoss(pos_weight=np.array([2.0]))
    return lambda x: loss(x, x * 0 + 1), lambda: setattr(loss, "pos_weight", np.array([5.0])), X[:, None]


def hook():
    m = nn.Linear(3, 3, rng=0)
    return m, lambda: m.register_forward_hook(lambda module, args, y: y * 2), np.ones((2, 3), "f4")


def generator_made_inside():
    return lambda x: x + np.random.default_rng(0).normal(size=3), lambda: None, X


class Words(dict):
    """A dictionary with an attribute."""


class Numbers(list):
    """A list with an attribute."""


def held(make, change, read=lambda box: box[0]):
    """Make a row of a container: what a function reads from it, and a change of that."""

    def row():
        box = make()
        return lambda x: x * read(box), lambda: change(box), X

    return row


def put(box):
    box[0] = 9


CONTAINERS = {
    "deque": held(lambda: collections.deque([2.0]), put),
    "bytearray": held(lambda: bytearray(b"\x02"), put),
    "memoryview": held(lambda: memoryview(bytearray(b"\x02")), put),
    "array.array": held(lambda: array.array("d", [2.0]), put),
    "UserList": held(lambda: collections.UserList([2.0]), put),
    "object array": held(lambda: np.array([2.0], object), put),
    "object array of dictionaries": held(lambda: np.array([{0: 2.0}], object), lambda b: put(b[0]), lambda b: b[0][0]),
    "record array": held(lambda: np.zeros(1, [("a", float)]), lambda b: b.__setitem__("a", 5), lambda b: b["a"][0]),
    "ChainMap": held(lambda: collections.ChainMap({0: 2.0}), put),
    "Counter": held(lambda: collections.Counter({0: 2}), put),
    "defaultdict": held(lambda: collections.defaultdict(float, {0: 2.0}), put),
    "attribute of a dictionary": held(
        lambda: Words(k=1), lambda b: setattr(b, "k", 5.0), lambda b: getattr(b, "k", 2.0)
    ),
    "attribute of a list": held(lambda: Numbers([1]), lambda b: setattr(b, "k", 5.0), lambda b: getattr(b, "k", 2.0)),
    "set": held(lambda: {1, 2}, lambda b: b.add(3), len),
    "keywords of a partial": held(
        lambda: functools.partial(dict, k=2.0), lambda b: b.keywords.update(k=5.0), lambda b: b()["k"]
    ),
}


def a_view_of_a_dictionary():
    inner = {"k": 2.0}
    proxy = types.MappingProxyType(inner)
    return lambda x: x * proxy["k"], lambda: inner.__setitem__("k", 5.0), X


class Settings:
    factor = 2.0
    table = {"k": 2.0}  # noqa: RUF012

    def __init__(self):
        self.s = self.factor

    @classmethod
    def times(cls, x):
        return x * cls.factor

    def __call__(self, x):
        return x * self.s


class Derived(Settings):
    pass


def set_factor():
    Settings.factor += 1.0


SWITCH = contextvars.ContextVar("switch", default=2.0)
PACKAGE = types.ModuleType("package")
PACKAGE.part = types.ModuleType("package.part")
PACKAGE.part.scale = 2.0


def scale_imported_inside(x):
    import package.part

    return x * package.part.scale


def change_package():
    PACKAGE.part.scale += 1.0


def counted(x):
    return x * getattr(counted, "k", 2.0)


class Meta(type):
    k = 2.0
    scale = property(lambda cls: cls.k)


class WithMeta(metaclass=Meta):
    pass


def shape_of_a_closed_array():
    a = np.ones((3, 1))
    return lambda x: x * a.shape[0], lambda: setattr(a, "shape", (1, 3)), X


def weakly_held():
    k = Scaled()
    seen = weakref.ref(k)
    return lambda x, k=k: x * seen().s, lambda: setattr(k, "s", 5.0), X


def shape_of_a_closed_tensor():
    t = ag.Tensor([1.0, 2.0])
    return lambda x: x * t.shape[0], lambda: setattr(t, "data", np.ones(5)), X


def method_of_a_builtin():
    k = {"s": 2.0}
    get = k.get
    return lambda x: x * get("s"), lambda: k.update(s=5.0), X


def method_wrapper():
    k = [2.0]
    get = k.__getitem__
    return lambda x: x * get(0), lambda: k.__setitem__(0, 5.0), X


def array_in_a_cache():
    table = functools.cache(lambda n: np.arange(1.0, n))
    return lambda x: x * table(4), lambda: table(4).__setitem__(0, 9.0), X


def part_of_an_array_in_a_cache():
    table = functools.cache(lambda n: np.arange(1.0, n))
    return lambda x: x * table(8)[::2][:3], lambda: table(8).__setitem__(0, 9.0), X


def base_of_a_class():
    return lambda x: Derived().s * x, set_factor, X


def array_that_it_computes_with(read):
    """Return a function that both computes with an array and asks it for a number."""

    def row():
        a = np.ones(3)
        return lambda x: read(x * a, a), lambda: a.fill(3.0), X

    return row


READS = {
    "a float of an array that it computes with": lambda y, a: y + float(a[0]),
    "the maximum of an array that it computes with": lambda y, a: y + a.max(),
    "an if on an array that it computes with": lambda y, a: y if a[0] < 2 else -y,
    "a list of an array that it computes with": lambda y, a: y * a.tolist()[1],
    "the length of a part of an array that it computes with": lambda y, a: y * len(a[a > 2]),
}


def statistics_that_it_reads_and_computes_with():
    norm = nn.BatchNorm1d(3).eval()
    change = lambda: norm.running_mean.fill(3.0)  # noqa: E731
    return lambda x: norm(x[None]) * float(norm.running_mean.sum() + 1), change, X.astype("f4")


class Number(float):
    pass


class Word(str):  # noqa: SLOT000  # it has attributes
    pass


def attribute_of_a(kind):
    """Return a function that reads an attribute of a number or a text whose class lets it have some."""

    def row():
        a = kind(2.0)
        a.k = 3.0
        return lambda x: x * a.k, lambda: setattr(a, "k", 5.0), X

    return row


def cleared_cache(clear):
    def row():
        factors = [2.0, 3.0]
        take = functools.lru_cache(lambda: factors[0])
        return lambda x: x * take(), lambda: clear(factors, take), X

    return row


def clear(factors, take):
    factors.reverse()
    take.cache_clear()


def refill(factors, take):
    """Leave it as full as it was, and what the function reads otherwise as it was."""
    clear(factors, take)
    take()
    factors.reverse()


def item_of_a_list_in_a_cache():
    table = functools.cache(lambda n: [1.0] * n)
    return lambda x: x * table(3)[0], lambda: table(3).__setitem__(0, 5.0), X


def lock():
    held = threading.Lock()
    return lambda x: x * (2.0 if held.locked() else 1.0), held.acquire, X


def array_that_is_looked_up(look):
    def row():
        held = types.SimpleNamespace(table=np.ones(3))
        return lambda x: x * look(held) + float(look(held)[0]), lambda: held.table.fill(3.0), X

    return row


CHANGES = {
    "an array by a name that is computed": array_that_is_looked_up(lambda held: getattr(held, "elbat"[::-1])),
    "an array by attrgetter": array_that_is_looked_up(operator.attrgetter("table")),
    "an attribute of a number": attribute_of_a(Number),
    "an attribute of a text": attribute_of_a(Word),
    "a cache that is cleared": cleared_cache(clear),
    "a cache that is filled anew": cleared_cache(refill),
    "a list in a cache": item_of_a_list_in_a_cache,
    "a lock": lock,
    **{name: array_that_it_computes_with(read) for name, read in READS.items()},
    "statistics that it reads and computes with": statistics_that_it_reads_and_computes_with,
    "a class": lambda: (lambda x: x * Settings.factor, set_factor, X),
    "a class method": lambda: (Settings.times, set_factor, X),
    "a table of a class": lambda: (
        lambda x: x * Settings.table["k"], lambda: Settings.table.update(k=Settings.table["k"] + 1), X
    ),
    "an object that is made inside": lambda: (lambda x: Settings()(x), set_factor, X),
    "an attribute that a class gets": lambda: (
        lambda x: x * Derived.factor, lambda: setattr(Derived, "factor", Derived.factor + 1), X
    ),
    "a property of a metaclass": lambda: (lambda x: x * WithMeta.scale, lambda: setattr(Meta, "k", Meta.k + 1), X),
    "a context variable": lambda: (lambda x: x * SWITCH.get(), lambda: SWITCH.set(SWITCH.get() + 1), X),
    "a module in a module": lambda: (lambda x: x * PACKAGE.part.scale, change_package, X),
    "a module that is imported inside": lambda: (scale_imported_inside, change_package, X),
    "an attribute of a function": lambda: (counted, lambda: setattr(counted, "k", 7.0), X),
}  # fmt: skip


ROWS = [
    *CONTAINERS.values(), a_view_of_a_dictionary,
    closed_array, view_of_closed_array, array_made_of_a_closed_one, number_of_a_closed_array,
    number_of_a_large_closed_array, item_of_a_closed_tensor, closed_tensor, closed_result, weight, dtype_of_a_weight,
    shape_of_a_weight, dictionary, entry_of_a_list, helper, global_number, default, keyword_default, code, namespace,
    attribute, attribute_of_the_class, slot, mode, running_statistics, parameter_replaced, module_replaced,
    module_in_a_plain_list, hyper_parameter, loss_weight, hook, generator_made_inside,
    number_that_is_bound_anew, function_that_is_bound_anew, base_class_method, property_of_the_class, set_of_names,
    order_of_a_dictionary, bound_method, partial, wider_weight, weakly_held, shape_of_a_closed_tensor,
    shape_of_a_closed_array,
    method_of_a_builtin, method_wrapper, array_in_a_cache, part_of_an_array_in_a_cache, base_of_a_class,
    *CHANGES.values(),
]  # fmt: skip


def numbers(y):
    return np.asarray(y.detach().numpy() if isinstance(y, ag.Tensor) else y)


NAMES = [*CONTAINERS, *[row.__name__ for row in ROWS[len(CONTAINERS) : -len(CHANGES)]], *CHANGES]


@pytest.fixture(autouse=True)
def the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "package", PACKAGE)
    monkeypatch.setitem(sys.modules, "package.part", PACKAGE.part)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_a_change_is_seen_or_refused(row):
    f, change, x = row()
    compiled = ag.compile(f)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*runs uncompiled")
        try:
            for k in range(4):
                if k == 2:
                    change()
                found, right = numbers(compiled(x)), numbers(f(x))
                np.testing.assert_allclose(found, right, rtol=1e-6)
                assert found.dtype == right.dtype
        except TraceError as error:
            assert "reading the numbers of a Tensor" in str(error)  # noqa: PT017


def test_random_numbers_are_drawn_as_without():
    plain, twin = (nn.Sequential(nn.Linear(3, 40, rng=0), nn.Dropout(0.5, rng=1)) for _ in range(2))
    compiled, x = ag.compile(twin), np.ones((2, 3), "f4")
    for _ in range(4):
        np.testing.assert_array_equal(compiled(x).numpy(), plain(x).numpy())


def test_a_nan_lets_nothing_be_drawn_twice():
    """Where a gradient behind a mask is nan the function itself runs, from where the program began to draw."""

    def noisy():
        rng, draw = np.random.default_rng(0), ag.opaque(lambda rng: rng.normal(size=3))
        return ag.value_and_grad(lambda x: (ag.relu(x) * x * draw(rng)).sum()), rng

    (plain, first), (f, second) = noisy(), noisy()
    compiled = ag.compile(f)
    for _ in range(3):
        compiled(X * np.nan), plain(X * np.nan)
        assert first.bit_generator.state == second.bit_generator.state


def test_a_generator_that_the_function_draws_from_itself():
    def noisy(rng):
        return lambda x: x + rng.normal(size=3)

    compiled, plain = ag.compile(noisy(np.random.default_rng(0))), noisy(np.random.default_rng(0))
    with pytest.warns(RuntimeWarning, match="draws from a Generator itself"):
        np.testing.assert_array_equal(compiled(X), plain(X))
    for _ in range(3):
        np.testing.assert_array_equal(compiled(X), plain(X))


def test_a_function_that_counts_its_calls():
    calls = [0]

    def f(x):
        calls[0] += 1
        return x * calls[0]

    compiled = ag.compile(f)
    with pytest.warns(RuntimeWarning, match="changes calls while it runs"):
        assert compiled(X).tolist() == [1.0, 2.0, 3.0]
    assert compiled(X).tolist() == [2.0, 4.0, 6.0]
    assert calls == [2]


def test_what_keeps_changing_is_named():
    k = {"s": 0.0}
    compiled = ag.compile(lambda x: x * k["s"])

    def change():
        for i in range(10):
            k["s"] = float(i)
            assert compiled(X).tolist() == (X * i).tolist()

    with pytest.warns(RuntimeWarning, match=r"traced 8 times anew, as k\['s'\] keeps changing"):
        change()


def test_requires_grad_is_part_of_the_kind():
    w = ag.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    compiled = ag.compile(lambda x: (x * w).sum())
    assert compiled(X).requires_grad
    w.requires_grad = False
    assert not compiled(X).requires_grad
    w.requires_grad = True
    compiled(X).backward()
    assert w.grad.tolist() == X.tolist()
    with ag.no_grad():
        assert not compiled(X).requires_grad


def writes_into_what_it_reads():
    n = np.zeros(3)

    def f(x):
        n[:] += 1
        return x * n

    return f


def writes_into_what_it_does_not_read():
    n = np.array(0)

    def f(x):
        n[()] += 1
        return x * 2.0

    return f


def counts_batches():
    norm = nn.BatchNorm1d(3, momentum=None)
    return lambda x: (norm(np.stack([x, 2.0 * x])), norm.running_mean.copy(), norm.num_batches_tracked.copy())[0]


def reads_what_a_layer_moves(read):
    def make():
        norm = nn.BatchNorm1d(3, momentum=None)
        return lambda x: read(norm, np.stack([x, 2.0 * x]))

    return make


@ag.opaque
def one_more(a):
    a += 1
    return a


def reads_what_an_opaque_function_moves():
    n = np.zeros(3)
    return lambda x: x * n * one_more(n) * n


def reads_before_it_writes():
    n = np.ones(3)

    def f(x):
        y = np.sin(x * n)
        n[:] += 1
        return y

    return f


WRITES = [
    writes_into_what_it_reads, writes_into_what_it_does_not_read, counts_batches, reads_before_it_writes,
    reads_what_an_opaque_function_moves,
    *map(reads_what_a_layer_moves, [
        lambda norm, x: norm(x) * float(norm.running_mean.sum()),
        lambda norm, x: norm(x) * (1 if norm.num_batches_tracked < 3 else 2),
        lambda norm, x: norm.running_mean.copy() + norm(x),
        lambda norm, x: norm(x - norm.running_mean) * (x - norm.running_mean),
    ]),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*runs uncompiled:RuntimeWarning")
@pytest.mark.parametrize("make", WRITES)
def test_a_gradient_is_that_of_the_numbers_which_were_read(make):
    """Of all that :func:`ag.value_and_grad` and a Tensor give, though what was read is another thing by then."""
    plain, inner, outer = make(), make(), make()
    compiled, inside = ag.compile(outer), ag.compile(lambda x: ag.grad(lambda x: (inner(x) ** 2).sum())(x))
    for _ in range(4):
        x, z = ag.Tensor(X, requires_grad=True), ag.Tensor(X, requires_grad=True)
        (plain(x) ** 2).sum().backward()
        (compiled(z) ** 2).sum().backward()
        np.testing.assert_allclose(numbers(z.grad), numbers(x.grad), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(numbers(inside(X)), numbers(x.grad), rtol=1e-3, atol=1e-4)


CUBE = np.arange(27.0).reshape(3, 3, 3)
ORDERS = [(1, 0, 2), (2, 1, 0), (0, 2, 1), (2, 0, 1), (0, 1, 2), (1, 2, 0)]


@pytest.mark.parametrize("order", ["A", "K"])
@pytest.mark.parametrize("kind", [np.asarray, ag.Tensor])
def test_how_an_array_lies_in_memory_is_part_of_the_kind(kind, order):
    def f(x):
        return np.ravel(x, order=order) * np.arange(27.0)

    compiled = ag.compile(f)
    for x in [CUBE.transpose(axes) for axes in (*ORDERS, *ORDERS)] + [CUBE[::-1], CUBE[:, :, ::-1]]:
        np.testing.assert_array_equal(numbers(compiled(kind(x))), numbers(f(kind(x))))


@pytest.mark.filterwarnings("ignore:.*runs uncompiled:RuntimeWarning", "ignore::PendingDeprecationWarning")
def test_an_array_that_computes_in_its_own_way_does_so():
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]]).view(np.matrix)
    masked = np.ma.array(np.full((2, 2), 3.0), mask=[[0, 1], [0, 0]])
    square = ag.compile(lambda x: (x * x).sum())
    beside = {kind: ag.compile(lambda x, a=a: x * a) for kind, a in (("masked", masked), ("matrix", matrix))}
    for _ in range(2):
        for x in (masked, matrix, masked.data, np.asarray(matrix)):
            assert square(x) == (x * x).sum()
        x = np.ones((2, 2))
        np.testing.assert_array_equal(beside["masked"](x), x * masked)
        np.testing.assert_array_equal(beside["matrix"](x), x * matrix)


def test_a_number_that_is_looked_up_is_refused():
    with pytest.raises(TraceError, match="reading the numbers of a Tensor"):
        ag.compile(lambda x: x * {1.0: 2.0}.get(x[0], 5.0))(X)


def test_two_numbers_that_are_alike_but_for_an_attribute():
    f = ag.compile(lambda x, number: x * number.k)
    first, second = Number(2.0), Number(2.0)
    first.k, second.k = 3.0, 5.0
    assert [f(1.0, first), f(1.0, second), f(np.ones(1), first)[0], f(np.ones(1), second)[0]] == [3.0, 5.0, 3.0, 5.0]


def test_a_second_derivative_moves_no_statistics():
    plain = nn.BatchNorm1d(3)
    norm = copy.deepcopy(plain)
    compiled = ag.compile(norm)
    for _ in range(3):
        for f in (plain, compiled):
            x = ag.Tensor(np.eye(3, dtype="f4"), requires_grad=True)
            ag.gradient((f(x) ** 3).sum(), x, create_graph=True)
        np.testing.assert_array_equal(norm.running_mean, plain.running_mean)


@pytest.mark.filterwarnings("ignore:.*runs uncompiled:RuntimeWarning")
@pytest.mark.parametrize("make", WRITES)
def test_what_is_written_into_arrays_is_written_at_each_call(make):
    plain, other = make(), make()
    compiled = ag.compile(other)
    for k in range(4):
        np.testing.assert_allclose(numbers(compiled(X + k)), numbers(plain(X + k)), rtol=1e-6)

    def held(f):
        return [cell.cell_contents for cell in f.__closure__ or ()]

    for a, b in zip(held(plain), held(other), strict=True):
        if isinstance(a, nn.Module):
            np.testing.assert_equal(b.state_dict(), a.state_dict())
        else:
            np.testing.assert_array_equal(a, b)


def test_a_method_may_reach_what_it_was_compiled_to():
    class Model:
        def __init__(self):
            self.w = ag.Tensor([1.0, 2.0, 3.0], requires_grad=True)
            self.fast = ag.compile(self.slow)

        def slow(self, x):
            return (self.w * x).sum()

    model = Model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [model.fast(X).item(), model.fast(2 * X).item()] == [14.0, 28.0]
    assert model.fast.traces == 1
    assert model.fast.why == ""


def test_an_error_of_the_functions_own_is_raised_at_once():
    class Mine(Exception):
        pass

    calls = []

    @ag.compile
    def f(x):
        if not calls:
            calls.append(1)
            raise Mine
        return x

    with pytest.raises(Mine):
        f(X)
    assert calls == [1]


KINDS = {
    "array": lambda: X,
    "Tensor": lambda: ag.Tensor(X),
    "leaf": lambda: ag.Tensor(X, requires_grad=True),
    "float32": lambda: X.astype("f4"),
    "leaf of float32": lambda: ag.Tensor(X.astype("f4"), requires_grad=True),
    "other shape": lambda: X[None],
    "every other": lambda: np.repeat(X, 2)[::2],
    "transposed": lambda: np.ones((2, 3)).T,
    "matrix": lambda: np.ones((3, 2)),
    "number": lambda: np.float64(2.0),
}


@pytest.mark.parametrize("second", KINDS)
@pytest.mark.parametrize("first", KINDS)
def test_the_kind_of_the_last_call_is_not_taken_for_that_of_this_one(first, second):
    def f(x):
        return np.exp(x.T * 2.0) + x.T

    compiled = ag.compile(f)
    for name in (first, first, second, second, first):
        x = KINDS[name]()
        found, right = compiled(x), f(x)
        assert type(found) is type(right)
        assert found.dtype == right.dtype
        assert getattr(found, "requires_grad", False) == getattr(right, "requires_grad", False)
        np.testing.assert_allclose(numbers(found), numbers(right), rtol=1e-6)


def test_a_function_that_draws_from_numpys_own_generator():
    compiled = ag.compile(lambda x: x + np.random.normal(size=3))  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    with pytest.warns(RuntimeWarning, match=r"it draws from np\.random; use a Generator in ag\.opaque"):
        first = compiled(X)
    assert not np.array_equal(compiled(X), first)


def test_an_array_of_the_functions_own_that_is_written_between_two_uses():
    def f(x):
        a = np.ones(3)
        y = x * a
        a[0] = 5.0
        return y + x * a

    compiled = ag.compile(f)
    for _ in range(3):
        np.testing.assert_array_equal(compiled(X), f(X))


VIEWS = {
    "a view, then the array": lambda y: (y.T, y.__iadd__(1.0))[0],
    "a slice, written": lambda y: (y[:1].__iadd__(1.0), y)[1],
    "reshape, then an element": lambda y: (y.reshape(-1), y.__setitem__(0, 7.0))[0],
    "an op of one's own": lambda y: (TURNED(y), y.__iadd__(1.0))[0],
    "one of several": lambda y: (np.split(y, [1])[1], y.__imul__(2.0))[0],
}
TURNED = ag.op(lambda a: a[::-1], vjp=lambda g: g[::-1], name="turned")


@pytest.mark.parametrize("name", VIEWS)
def test_a_write_into_memory_that_another_value_shares(name):
    def f(x):
        return VIEWS[name](x * 1.0)

    compiled = ag.compile(f)
    for k in range(3):
        np.testing.assert_array_equal(compiled(ag.Tensor(X + k)).numpy(), f(ag.Tensor(X + k)).numpy())
    assert compiled.why == ""


def swallowed(x):
    try:
        return x * float(x[0])
    except TypeError:
        return x


def branch_that_is_swallowed(x):
    with contextlib.suppress(Exception):
        if x[0] > 1:
            return x * 3
    return x


def in_threads(x):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return sum(pool.map(lambda v: v * v, x))


def two_names_of_a_number(x):
    total = x.sum()
    before = total
    total += 1.0
    total *= 2.0
    return total - before


def solved_or_not(x):
    try:
        return np.linalg.solve(np.diag(np.maximum(x - 1.1, 0.0)), x)
    except np.linalg.LinAlgError:
        return x


def factored_or_not(x):
    matrix = np.diag(1.3 - x[:2] * 0.5)
    try:
        return np.linalg.cholesky(matrix - np.eye(2) * (x[0] - 1.0))
    except np.linalg.LinAlgError:
        return np.linalg.cholesky(matrix + np.eye(2))


def a_warning_as_an_error(x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.sqrt(x - 1.1)
        except RuntimeWarning:
            return x


def an_error_of_arithmetic(x):
    with np.errstate(divide="raise"):
        try:
            return x / (x - 1.5)
        except FloatingPointError:
            return x


KEPT = {}


def kept_in_a_dictionary(x):
    KEPT["h"] = x * x
    return KEPT["h"].sum()


SIZE = ag.opaque(lambda x: "big" if x[0] > 1 else "small")


@functools.singledispatch
def by_type(x):
    return x * 3


by_type.register(np.ndarray)(lambda x: x * 2)

# functions that a trace alone would answer otherwise than the function itself
QUESTIONS = {
    "isinstance": lambda x: x * (2 if isinstance(x, np.ndarray) else 3),
    "isinstance of a result": lambda x: x * (2 if isinstance(x * 1, np.ndarray) else 3),
    "isinstance of a number": lambda x: x * (2 if isinstance(x.sum(), float) else 3),
    "isinstance of Tensor": lambda x: x * (2 if isinstance(x, ag.Tensor) else 3),
    "isinstance of several kinds": lambda x: x * (2 if isinstance(x, (list, ag.Tensor)) else 3),
    "isinstance of a result, of Tensor": lambda x: x * (2 if isinstance(x * 1, ag.Tensor) else 3),
    "type": lambda x: x * (2 if type(x) is np.ndarray else 3),
    "by type": lambda x: by_type(x),
    "what Tensors have": lambda x: x * (2 if hasattr(x, "detach") else 3),
    "what arrays have": lambda x: x * (2 if hasattr(x, "flags") else 3),
    "a text": lambda x: x * len(f"{x[0]:.3f}"),
    "a representation": lambda x: x * len(repr(x)),
    "a text by NumPy": lambda x: x * len(np.array_str(x)),
    "a text by an opaque function": lambda x: x * (2 if SIZE(x) == "big" else 3),
    "a generator": lambda x: (v * 2 for v in x),
    "a namespace": lambda x: types.SimpleNamespace(a=x * 2),
    "an array of its own": lambda x: (x * 2, np.arange(3.0).__iadd__(1.0))[1],
    "swallowed": swallowed,
    "told as an error of C": lambda x: x * struct.unpack("d", struct.pack("d", x[0]))[0],
    "a copy": lambda x: copy.copy(x) * 2,
    "a deep copy": lambda x: copy.deepcopy([x])[0] * 2,
    "a branch that is swallowed": branch_that_is_swallowed,
    "threads": in_threads,
    "two names of a number": two_names_of_a_number,
    "an error of arithmetic": an_error_of_arithmetic,
    "a warning as an error": a_warning_as_an_error,
    "a matrix that may be singular": solved_or_not,
    "a factor that may not be there": factored_or_not,
    "kept in a dictionary": kept_in_a_dictionary,
}


def plain_form(y):
    if isinstance(y, types.SimpleNamespace):
        return [plain_form(y.a)]
    return [plain_form(part) for part in y] if isinstance(y, types.GeneratorType) else numbers(y).tolist()


@pytest.mark.parametrize("kind", ["array", "Tensor", "grad"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_about_the_values_is_answered_as_without(name, kind):
    f = QUESTIONS[name]
    if kind == "grad":
        inner, f = f, lambda x: ag.grad(lambda x: np.sum(inner(x) * 1.0))(x)
    compiled = ag.compile(f, quiet=True)
    for k in range(4):
        x = X + k * 0.25
        x = ag.Tensor(x, requires_grad=True) if kind == "Tensor" else x
        try:
            right = plain_form(f(x))
        except Exception as error:  # what the function itself cannot do its program cannot, either
            with pytest.raises(type(error)):
                compiled(x)
            return
        try:
            found = compiled(x)
        except TraceError as error:
            assert "cannot be part of the program" in str(error)  # noqa: PT017
            continue
        assert plain_form(found) == right
        if isinstance(found, ag.Tensor) and found.requires_grad:
            found.sum().backward()
            copied = "copy" in name  # a leaf of its own
            assert (x.grad is None) == copied
            x.grad = None


def test_what_a_function_keeps_is_what_it_would_be_without():
    compiled, x = ag.compile(kept_in_a_dictionary, quiet=True), ag.Tensor(X, requires_grad=True)
    for _ in range(3):
        y = compiled(x) + (KEPT["h"] * X).sum()
        y.backward()
        np.testing.assert_array_equal(x.grad.numpy(), 2 * X * (1 + X))
        x.grad = None
    assert type(KEPT["h"]) is ag.Tensor


def test_a_run_that_cannot_be_taken_back_is_not_made_twice():
    calls, norm = [], nn.BatchNorm1d(3, momentum=None)

    def f(x):
        calls.append(1)
        return norm(x) * len(f"{x}")

    with pytest.raises(TraceError, match=r"writes out the numbers.* changes calls, too, and so"):
        ag.compile(f)(np.ones((2, 3), "f4"))
    assert norm.num_batches_tracked == 0
    twin = nn.BatchNorm1d(3, momentum=None)
    with pytest.warns(RuntimeWarning, match="writes out the numbers"):
        ag.compile(lambda x: twin(x) * len(f"{x}"))(np.ones((2, 3), "f4"))
    assert twin.num_batches_tracked == 1


def test_a_value_of_a_trace_is_of_no_use_after_it():
    held = []

    def f(x):
        held.append(x * 2)
        raise KeyError

    with pytest.raises(KeyError):
        ag.compile(f)(ag.Tensor(X, requires_grad=True))
    with pytest.raises(TraceError, match="used after the trace"):
        held[0] + 1


LARGE_ONES = ag.op(lambda a: a[a > 1.7], vjp=lambda g, a: np.where(a > 1.7, 1.0, 0.0) * g.sum(), name="large_ones")


def masked_write(x):
    y = x * 1.0
    y[y > 1.7] = x[x > 1.7] ** 2
    return y.sum()


# the shape of what a mask takes follows from numbers
SHAPES = {
    "a size": lambda x: x.sum() * x[x > 1.7].size,
    "a length": lambda x: x.sum() * len(x[x > 1.7]),
    "an array of that shape": lambda x: x.sum() * np.ones(x[x > 1.7].shape).sum(),
    "weights": lambda x: (x[x > 1.7] * np.arange(1.0, 1 + x[x > 1.7].size)).sum(),
    "a mean": lambda x: np.append(x[x > 1.7], 1.0).mean(),
    "a loop": lambda x: sum([v * k for k, v in enumerate(x[x > 1.7])], x[0]),
    "joined": lambda x: np.concatenate([x[x > 1.7], x]).sum(),
    "places": lambda x: x.sum() * np.flatnonzero(x > 1.7).size,
    "places by where": lambda x: x.sum() * np.where(x > 1.7)[0].size,
    "a write": masked_write,
    "an op of one's own": lambda x: LARGE_ONES(x).sum() * LARGE_ONES(x).shape[0],
}


def of_backward(f):
    def gradient(x):
        x, w = (ag.Tensor(v, requires_grad=True) for v in (x, 2.0))
        (f(x) * w).backward()
        return x.grad.numpy(), w.grad.numpy()

    return gradient


def number_written(x):
    y = x * 1.0
    y[y > 1.7] = x.sum()
    return (y * y).sum()


SHAPES["a number that is written"] = number_written


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_that_follows_from_numbers_in_backward(name):
    compiled = ag.compile(SHAPES[name], quiet=True)
    for shift in (0.0, 0.0, 1.0, -3.0, 0.0, 1.0, 2.0):
        found, right = of_backward(compiled)(X + shift), of_backward(SHAPES[name])(X + shift)
        np.testing.assert_allclose(np.hstack(found), np.hstack(right), rtol=1e-12)


@pytest.mark.parametrize("way", [lambda f: f, ag.grad, ag.value_and_grad], ids=["f", "grad", "value_and_grad"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_that_follows_from_numbers(name, way):
    plain = way(SHAPES[name])
    compiled = ag.compile(plain, quiet=True)
    for shift in (0.0, 0.0, 1.0, -3.0, 0.0, 1.0, 2.0):
        found, right = ((y if isinstance(y, tuple) else (y,)) for y in (compiled(X + shift), plain(X + shift)))
        np.testing.assert_allclose(np.hstack(found), np.hstack(right), rtol=1e-12)
    assert compiled.traces <= 4


def test_nothing_is_drawn_or_counted_twice_where_a_shape_is_another_one():
    draw = ag.opaque(lambda rng: rng.normal())

    def make():
        rng, norm = np.random.default_rng(0), nn.BatchNorm1d(3, momentum=None)
        return norm, lambda x: draw(rng) + norm(np.stack([x, 2 * x])).sum() * draw(rng) * x[x > 1.7].size + draw(rng)

    (first, plain), (second, twin) = make(), make()
    compiled = ag.compile(twin, quiet=True)
    for shift in (0, 0, 1, -3, 0, 1, 2):
        x = (X + shift).astype("f4")
        np.testing.assert_allclose(numbers(compiled(x)), numbers(plain(x)))
        assert second.num_batches_tracked == first.num_batches_tracked


@pytest.mark.parametrize("f", [lambda x: (np.sin(x) * x).sum(), ag.grad(lambda x: (np.sin(x) * x).sum())])
def test_a_program_keeps_no_array_of_its_first_call(f):
    compiled = ag.compile(f)
    for make in (lambda: np.ones(1000), lambda: ag.Tensor(np.ones(1000)).data):
        x = make()
        seen = weakref.ref(x)
        compiled(x)
        del x
        assert seen() is None


def test_a_weight_that_was_put_past_setattr_is_seen():
    model = nn.Linear(3, 1, rng=0)
    compiled = ag.compile(model)
    x = X.astype(np.float32)
    compiled(x)
    vars(model)["weight"] = nn.Parameter(np.full((1, 3), 2, np.float32), name="weight")
    assert compiled(x).item() == model(x).item()


def test_an_equal_number_of_another_type_is_seen():
    powers = [2, 1]
    compiled = ag.compile(lambda x: x[powers])
    compiled(X)
    powers[:] = [True, False, True]  # also with another length
    assert (compiled(X) == X[[True, False, True]]).all()
    powers[:] = [2, 1, 0]
    compiled(X)
    powers[:] = [False, True, False]
    assert (compiled(X) == X[[False, True, False]]).all()


def test_an_attribute_is_no_global_of_its_name(monkeypatch):
    compiled = ag.compile(lambda x: x.mean())
    for value in (1.0, 2.0, 3.0):
        monkeypatch.setitem(globals(), "mean", value)
        compiled(np.ones(3))
    assert compiled.traces == 1


def test_a_tensor_that_the_function_makes_is_made_at_each_call():
    """It is no Tensor from outside: what was written into it in the traced call is not there in the next."""

    def diagonal(x):
        y = ag.Tensor(np.zeros((3, 3)))
        y[np.arange(3), np.arange(3)] += x
        return (y @ y).sum()

    compiled = ag.compile(ag.grad(diagonal))
    for k in (1.0, 2.0, 3.0):
        np.testing.assert_array_equal(compiled(np.arange(3) * k), 2 * k * np.arange(3))


def test_a_global_that_is_made_after_the_trace(monkeypatch):
    def f(x):
        return x * max(2, 1)  # the builtin, until this module has one of that name

    compiled = ag.compile(f)
    compiled(X)
    monkeypatch.setitem(f.__globals__, "max", lambda a, b: 5)
    np.testing.assert_array_equal(compiled(X), f(X))
    monkeypatch.delitem(f.__globals__, "max")
    np.testing.assert_array_equal(compiled(X), f(X))


@pytest.mark.parametrize("how", ["a closure", "a default", "a list", "an attribute that comes later"])
def test_a_module_that_is_held(how):
    settings = types.ModuleType("settings")
    settings.scale = 2.0
    inside = [settings]
    functions = {
        "a closure": lambda x: x * settings.scale,
        "a default": lambda x, held=settings: x * held.scale,
        "a list": lambda x: x * inside[0].scale,
        "an attribute that comes later": lambda x: x * getattr(settings, "factor", 1.0),
    }
    f = functions[how]
    compiled = ag.compile(f)
    compiled(X)
    settings.scale = 3.0
    settings.factor = 7.0
    np.testing.assert_array_equal(compiled(X), f(X))


def list_in_a_dict():
    k = {"s": [2.0]}
    return lambda x: x * k["s"][0], lambda: k.update(s=[2.0]), lambda: k["s"].__setitem__(0, 3.0)


def list_in_a_list():
    k = [[2.0]]
    return lambda x: x * k[0][0], lambda: k.__setitem__(0, [2.0]), lambda: k[0].__setitem__(0, 3.0)


def dict_of_an_object():
    k = types.SimpleNamespace(s={"a": 2.0})
    return lambda x: x * k.s["a"], lambda: setattr(k, "s", {"a": 2.0}), lambda: k.s.update(a=3.0)


def dict_of_a_default():
    def f(x, *, k={"a": 2.0}):  # noqa: B006
        return x * k["a"]

    return f, lambda: setattr(f, "__kwdefaults__", {"k": {"a": 2.0}}), lambda: f.__kwdefaults__["k"].update(a=3.0)


@pytest.mark.parametrize("setting", [list_in_a_dict, list_in_a_list, dict_of_an_object, dict_of_a_default])
def test_a_container_that_equals_the_old_one_is_looked_at_from_then_on(setting):
    f, replace, change = setting()
    compiled = ag.compile(f)
    assert compiled(X).tolist() == (2 * X).tolist()
    replace()
    assert compiled(X).tolist() == (2 * X).tolist()
    change()
    assert compiled(X).tolist() == (3 * X).tolist()


def test_a_single_slot_is_looked_at():
    class Scale:
        __slots__ = "factor"  # noqa: PLC0205

    scale = Scale()
    scale.factor = 2.0
    compiled = ag.compile(lambda x: x * scale.factor)
    assert compiled(X).tolist() == (2 * X).tolist()
    scale.factor = 3.0
    assert compiled(X).tolist() == (3 * X).tolist()


@pytest.mark.parametrize("f", [lambda w, x: x * w.detach(), lambda w, x: (x * w + w.detach().detach()).sum()])
def test_a_detached_tensor_is_read_at_each_call(f):
    w = ag.Tensor([1.0, 2.0], requires_grad=True)
    compiled, x = ag.compile(lambda x: f(w, x)), np.ones(2)
    for _ in range(3):
        np.testing.assert_array_equal(compiled(x).data, f(w, x).data)
        w.data = w.data + 1.0
