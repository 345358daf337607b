"""Programs that write by out=, by functions and methods, into numbers and arguments."""

import numpy as np

from autograd.errors import AutogradError, InPlaceError
from tests.autograd.laws.in_place.points import A, S, V
from tests.autograd.laws.oracle import Table

FUNCTIONS = Table(accept=("refused late",), error=InPlaceError)


by_name = {"error": AutogradError}  # a function that is refused says so by its name


@FUNCTIONS.row(A, **by_name)
def out_of_a_function(x):
    y = x * 1
    np.multiply(y, 2, out=y)
    return y


@FUNCTIONS.row(A, **by_name)
def out_in_a_view(x):
    y = x * 1
    np.add(y[0], y[1], out=y[0])
    return y


@FUNCTIONS.row(A, **by_name)
def out_returned_is_the_array(x):
    y = x * 1
    z = np.negative(y, out=y)
    z[0] = 1
    return y


@FUNCTIONS.row(A, **by_name)
def out_with_where(x):
    y = x * 1
    np.square(x, out=y, where=np.array([True, False, True]))
    return y


@FUNCTIONS.row(A, **by_name)
def copyto(x):
    y = x * 1
    np.copyto(y, x * x)
    return y


@FUNCTIONS.row(A, **by_name)
def copyto_where(x):
    y = x * 1
    np.copyto(y, x * x, where=np.array([True, False, True]))
    return y


@FUNCTIONS.row(A, **by_name)
def putmask(x):
    y = x * 1
    np.putmask(y, np.asarray([[True, False, True], [False, False, True]]), x * 10)
    return y


@FUNCTIONS.row(V, **by_name)
def put(x):
    y = x * 1
    np.put(y, [0, 2], x[:2] * 5)
    return y


@FUNCTIONS.row(S, **by_name)
def fill_diagonal(x):
    y = x * 1
    np.fill_diagonal(y, 0)
    return y


@FUNCTIONS.row(V, **by_name)
def add_at(x):
    y = x * 1
    np.add.at(y, [0, 0, 1], x)
    return y


@FUNCTIONS.row(V, **by_name)
def fill(x):
    y = x * 1
    y.fill(3.0)
    return y, x


@FUNCTIONS.row([3.0, 1.0, 2.0])
def sort(x):
    y = x * 1
    y.sort()
    return y


@FUNCTIONS.row([3.0, 1.0, 2.0])
def sort_seen_by_another_name(x):
    y = x * 1
    z = y[:2]
    y.sort()
    return z


@FUNCTIONS.row([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
def sort_a_row(x):
    y = x * 1
    y[0].sort()
    return y


@FUNCTIONS.row([3.0, 1.0, 2.0])
def sorted_is_a_copy(x):
    y = x * 1
    z = np.sort(y)
    z[0] = 0
    return y, z


@FUNCTIONS.row([3.0, 1.0, 2.0, 5.0], **by_name)
def partition(x):
    y = x * 1
    y.partition(1)
    return y[1]


@FUNCTIONS.row(A, **by_name)
def shape_set(x):
    y = x * 1
    y.shape = (3, 2)
    return y


@FUNCTIONS.row(V)
def number_by_plus_equals(x):
    s = 0.0
    for i in range(3):
        s += x[i] * x[i]
    return s


@FUNCTIONS.row(V)
def number_with_two_names(x):
    s = x.sum()
    t = s
    t *= 2
    return s + 3 * t


@FUNCTIONS.row(V)
def element_bumped_by_a_function(x):
    y = x * 1

    def bump(e):
        e += 1
        return e

    z = bump(y[0])
    return y[0] * z, y


@FUNCTIONS.row(2.0)
def array_of_no_axes(x):
    y = np.stack([x, x]).reshape(2, 1)[0].reshape(())
    z = y
    y += 1
    return z * y


@FUNCTIONS.row(2.0)
def number_power_in_place(x):
    y = x * 1
    y **= 3
    y /= x
    return y


@FUNCTIONS.row(A)
def matmul_in_place(x):
    y = x * 1
    y @= np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 0.0], [3.0, 0.0, 1.0]])
    return y


@FUNCTIONS.row(A)
def all_operators(x):
    y = x + 2
    y += x
    y -= 0.5
    y *= x
    y /= 3.0
    y **= 2
    y %= 50.0
    return y


@FUNCTIONS.row(A)
def floor_divide_in_place(x):
    y = x * 1.3
    z = y * y
    y //= 2
    return y, z


@FUNCTIONS.row(A)
def constant_that_became_a_result(x):
    c = x * 0 + np.ones((2, 3))
    d = c
    c[0] = x[0]
    return c, d


@FUNCTIONS.row(V)
def argument_itself(x):
    x += 1
    return x * x


@FUNCTIONS.row(A)
def argument_through_a_view(x):
    row = x[0]
    row *= 2
    return x * x


@FUNCTIONS.row(A)
def empty_slice(x):
    y = x * 1
    y[:0] += 5
    y[np.zeros((2, 3), bool)] = 9
    return y


@FUNCTIONS.row(A)
def view_of_what_a_function_gave(x):
    y = np.stack([x, 2 * x])
    first = y[0]
    y[1] *= first
    first[0] = 0
    return y


@FUNCTIONS.row(A)
def written_in_a_nested_function_of_a_transform(x):
    y = x * 1

    def inner(z):
        z = z * 1
        z[0] = 0
        return z

    w = inner(y)
    w += y
    return y, w
