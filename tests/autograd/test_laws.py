"""The laws of the engine, held against every row of the registry on samples from its own domain."""

import copy
import gc
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd.backward import backward_pass
from autograd.box import Box, leaf_of
from autograd.errors import InPlaceError
from autograd.graph import origin
from autograd.tree import flatten
from autograd.vjp import Cotangents
from tests.autograd.rows import ROWS, backward, is_float, real, samples, tensors

table = pytest.mark.parametrize("name", ROWS)
GIVES_ITS_INPUT = {
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block",
    "matrix_power",
    "real",
}  # the same Tensor, as NumPy does
INNER = {"gather", "scatter"}  # plumbing that takes a frozen index: getitem makes it


def results(y):
    """List the results that need a gradient."""
    return [part for part in flatten(y)[0] if isinstance(part, Box) and part.requires_grad]


def spoil(x):
    """Change everything in nested arguments that their owner could change."""
    if isinstance(x, np.ndarray):
        x[...] = ~x if x.dtype.kind == "b" else 0 if x.dtype.kind in "iu" else 123.0
    elif isinstance(x, tuple | list):
        for part in x:
            spoil(part)
        if isinstance(x, list):
            x[:] = [0 if type(part) is int else part for part in x]
    elif isinstance(x, dict):
        for part in x.values():
            spoil(part)


def with_lists(x):
    """Give tuples of numbers as lists, which their owner may change."""
    return list(x) if isinstance(x, tuple) and x and all(type(part) is int for part in x) else x


def with_one_tensor(args, kwargs, k):
    """Make copies of the arguments in which the k-th value is a Tensor and all else raw."""
    kwargs = {key: value if key == "axis" else with_lists(copy.deepcopy(value)) for key, value in kwargs.items()}
    values, rebuild = flatten(copy.deepcopy(args))
    values = [x.copy() if isinstance(x, np.ndarray) else x for x in values]  # of views, too
    values[k] = x = ag.Tensor(values[k], requires_grad=True)
    return rebuild(values), kwargs, x


@table
def test_what_an_op_has_seen_may_change_later(name):
    """Arrays and lists, given as inputs or keywords, are changed by their owner between forward and backward."""
    for args, kwargs in samples(name):
        values, _ = flatten(args)
        for k in [k for k, x in enumerate(values) if is_float(x)]:
            found = []
            for change in (lambda x: None, spoil):
                given, options, x = with_one_tensor(args, kwargs, k)
                y = ROWS[name](*given, **options)
                if name not in INNER and results(y):
                    change((given, options))
                    backward(y)
                    found.append(x.grad.data)
            np.testing.assert_array_equal(*found or (0, 0))


@table
@pytest.mark.parametrize("through", ["leaf", "view"])
def test_change_in_place_is_noticed_or_harmless(name, through):
    for args, kwargs in samples(name):
        inputs, leaves = tensors(args)
        backward(ROWS[name](*inputs, **kwargs))
        for k in range(len(leaves)):
            changed, again = tensors(args)
            if through == "view":
                values, rebuild = flatten(changed)
                changed = rebuild([x[...] if x is again[k] else x for x in values])
            y = ROWS[name](*changed, **kwargs)
            with ag.no_grad():
                again[k] *= 1.5
            try:
                backward(y)
            except InPlaceError:
                continue
            for a, b in zip(leaves, again, strict=True):
                np.testing.assert_array_equal(a.grad.data, b.grad.data)


@table
@pytest.mark.parametrize("recording", [True, False])
def test_memory_is_shared_only_where_changes_are_noticed(name, recording):
    for args, kwargs in samples(name):
        inputs, leaves = tensors(args)
        with ag.enable_grad() if recording else ag.no_grad():
            y = ROWS[name](*inputs, **kwargs)
        for part in flatten(y)[0]:
            for x in leaves:
                if isinstance(part, Box) and x.ndim and np.shares_memory(part.data, x.data):
                    assert (part is x and name in GIVES_ITS_INPUT) or origin(leaf_of(part)) is leaf_of(x)


def locked(g):
    """Give a gradient that no rule can write into."""
    if isinstance(g, Cotangents):
        return Cotangents({i: locked(part) for i, part in g.parts.items()})
    if isinstance(g, np.ndarray):
        g = g.view()
        g.flags.writeable = False
    return g


@table
def test_rules_write_into_nothing_they_get(name):
    for args, kwargs in samples(name):
        inputs, leaves = tensors(args)
        for x in leaves:
            x.data.flags.writeable = False
        for y in results(ROWS[name](*inputs, **kwargs)):
            seed = np.ones(y.data.shape, y.dtype)  # asking for data locks it
            backward_pass({leaf_of(y): locked(seed)}, lambda node, g: node.op.vjp(node, node.residuals, locked(g)))


@table
def test_second_backward_gives_the_same(name):
    for args, kwargs in samples(name):
        inputs, leaves = tensors(args)
        total = sum(
            (y * np.cos(np.arange(y.size)).reshape(y.shape)).sum() for y in results(ROWS[name](*inputs, **kwargs))
        )
        total = real(total)
        found = []
        for options in ({"retain_graph": True}, {"retain_graph": True}, {"create_graph": True}, {}):
            total.backward(**options)
            found.append([x.grad.data for x in leaves])
            for x in leaves:
                x.zero_grad()
        for a, b, traced, last in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(a, last)
            np.testing.assert_allclose(a, traced, rtol=1e-9, atol=1e-12)


@table
@pytest.mark.parametrize("create_graph", [False, True])
def test_graph_is_freed_without_the_collector(name, create_graph):
    for args, kwargs in samples(name):
        inputs, leaves = tensors(args)
        gc.disable()
        try:
            ys = results(ROWS[name](*inputs, **kwargs))
            nodes = [weakref.ref(leaf_of(y)) for y in ys if not y.is_leaf]
            total = real(sum((y * 1.0).sum() for y in ys))
            total.backward(create_graph=create_graph)
            for x in leaves:
                x.zero_grad()  # under create_graph it is a part of the graph
            del ys, total
            assert not any(node() for node in nodes)
        finally:
            gc.enable()
