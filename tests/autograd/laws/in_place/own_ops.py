"""Programs in which an op of one's own, or a function under checkpoint, gives a view of what went in."""

import numpy as np

import autograd as ag
from autograd.errors import InPlaceError
from tests.autograd.laws.in_place.points import A, S, V, must
from tests.autograd.laws.oracle import Table

OWN_OPS = Table(accept=("refused late",), error=InPlaceError)

turned = ag.op(lambda a: a[::-1], vjp=lambda g: g[::-1], name="turned")
given = ag.op(lambda a: a, vjp=lambda g: g, name="given", elementwise=True)
second = ag.op(lambda a, b: b.T, vjp=lambda g, a: (np.zeros_like(a), g.T), name="second")
last = ag.op(lambda *a: a[-1][1:], vjp=lambda g, a: (*map(np.zeros_like, a[:-1]), np.pad(g, (1, 0))), name="last")
ends = ag.op(lambda a: (a[:1], a[1:]), definition=lambda a: (a[:1], a[1:]), name="ends")
doubled_and_seen = ag.op(lambda a: (2 * a, a[::2]), definition=lambda a: (2 * a, a[::2]), name="doubled_and_seen")


@OWN_OPS.row(V, **must)
def written_through_the_view(x):
    y = x * 1
    r = turned(y)
    r[0] = 0
    return y


@OWN_OPS.row(V, **must)
def written_under_the_view(x):
    y = x * 1
    r = turned(y)
    y += 1
    return r * y


@OWN_OPS.row(V, **must)
def a_turned_slice_of_a_turned_one(x):
    y = x * 1
    r = turned(turned(y)[1:])
    r *= 3
    return y


@OWN_OPS.row(V, **must)
def an_input_given_back(x):
    y = x * 1
    r = given(y)
    r += 1
    return r * y


@OWN_OPS.row(S, **must)
def the_second_input(x):
    y, z = x * 1, x * 2
    r = second(y, z)
    r[0] = 5
    y += 1
    return z * r * y


@OWN_OPS.row(S, **must)
def the_second_input_a_plain_array(x):
    a = np.array(S)
    y = second(x, a) * x
    a += 1
    return y


@OWN_OPS.row(V, **must)
def the_last_of_many(x):
    y, z = x * 1, x * 2
    r = last(y, z)
    z += y
    return r * r


@OWN_OPS.row(V, **must)
def several_outputs(x):
    y = x * 1
    first, rest = ends(y)
    rest += first
    y[0] = 0
    return y, rest * first


@OWN_OPS.row(V, **must)
def one_view_of_two_outputs(x):
    y = x * 1
    doubled, seen = doubled_and_seen(y)
    y *= 2
    doubled += 1
    return y, doubled, seen


@OWN_OPS.row(V, **must)
def an_element_of_no_axes(x):
    corner = ag.op(lambda a: a[1, ...], vjp=lambda g: np.array([0, 1, 0]) * g, name="corner")
    y = x[:3] * 1
    c = corner(y)
    y += 1
    return c * y


@OWN_OPS.row(V, **must)
def checkpoint_that_turns(x):
    y = x * 1
    v = ag.checkpoint(lambda z: z[::-1])(y)
    y += 1
    return v * y


@OWN_OPS.row(V, **must)
def checkpoint_that_gives_its_argument(x):
    y = x * 1
    v = ag.checkpoint(lambda z: z)(y)
    v += 1
    return v * y


@OWN_OPS.row(A, **must)
def checkpoint_with_two_results(x):
    y = x * 1
    a, v = ag.checkpoint(lambda z: (z * z, z[0]))(y)
    v += 1
    y[1] = a[0]
    return a, v, y


@OWN_OPS.row(V, **must)
def checkpoint_that_looks_outside(x):
    y = x * 1
    v = ag.checkpoint(lambda z: y[::-1])(x)
    y += 1
    return v * y


@OWN_OPS.row(V, **must)
def checkpoint_that_gives_what_stands_outside(x):
    y = x * 1
    v = ag.checkpoint(lambda z: y)(x)
    y *= 2
    return v * y
