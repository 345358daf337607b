"""Programs that write by index, and swap what they hold."""

import numpy as np

from autograd.errors import InPlaceError
from tests.autograd.laws.in_place.points import A, V, must
from tests.autograd.laws.oracle import Table

INDICES = Table(accept=("refused late",), error=InPlaceError)


@INDICES.row(A, **must)
def item(x):
    y = x * 1
    y[0, 1] = x[1, 2] ** 2
    return y


@INDICES.row(A, **must)
def row_and_column(x):
    y = x * 1
    y[0] = y[1] * 2
    y[:, 0] = x.sum()
    return y


@INDICES.row(A, **must)
def plus_equals_on_the_whole(x):
    y = x * 1
    y += x
    y *= y
    return y


@INDICES.row(A)
def plus_equals_on_a_slice(x):
    y = x * 1
    y[:, 1:] += y[:, :-1]
    return y


@INDICES.row(V)
def overlapping_slices(x):
    y = x * 1
    y[1:] = y[:-1]
    return y


@INDICES.row(V)
def overlapping_slices_backwards(x):
    y = x * 1
    y[:-1] -= y[1:]
    return y


@INDICES.row(V)
def reversed_onto_itself(x):
    y = x * 1
    y[:] = y[::-1]
    return y


@INDICES.row(V)
def plus_its_own_reverse(x):
    y = x * 1
    y += y[::-1]
    return y


@INDICES.row(A)
def boolean_write(x):
    y = x * 1
    y[x > 2.5] = 0
    return y


@INDICES.row(A)
def boolean_write_of_an_array(x):
    y = x * 1
    y[x > 3.5] = x[0] ** 2
    return y


@INDICES.row(A)
def boolean_plus_equals(x):
    y = x * 1
    y[y > 2.5] *= 2
    return y


@INDICES.row(A)
def fancy_write(x):
    y = x * 1
    y[[1, 0]] = y.copy()  # without the copy NumPy 2.0 reads what it has written
    return y


@INDICES.row(V)
def fancy_write_twice_to_one_place(x):
    y = x * 1
    y[[0, 0, 1]] = x * x  # the last one stays
    return y


@INDICES.row(V)
def fancy_plus_equals_adds_once(x):
    y = x * 1
    y[[0, 0, 1]] += x
    return y


@INDICES.row(A)
def fancy_pairs(x):
    y = x * 1
    y[[0, 1], [1, 2]] = x[0, :2]
    return y


@INDICES.row(A)
def broadcasting_write(x):
    y = x * 1
    y[:] = x[0]
    return y


@INDICES.row(A)
def broadcasting_column(x):
    y = x * 1
    y[:] = x[:, :1] * 2
    return y


@INDICES.row(A)
def number_for_all(x):
    y = x * 1
    y[...] = x[1, 1]
    return y


@INDICES.row(A)
def constant_array(x):
    y = x * 1
    y[1] = np.array([1.0, 2.0, 3.0])
    return y


@INDICES.row(A)
def steps(x):
    y = x * 1
    y[:, ::2] = x[:, ::-2]
    return y


@INDICES.row(A)
def newaxis_in_the_index(x):
    y = x * 1
    y[0, None] = x[1]
    return y


@INDICES.row(A)
def negative_indices(x):
    y = x * 1
    y[-1, -2] += y[-2, -1]
    return y


@INDICES.row(A)
def index_arrays_changed_later(x):
    y, i = x * 1, np.array([0, 1])
    y[0, i] = x[1, i] * 2
    i[:] = 2
    return y


@INDICES.row(A)
def written_constant_changed_later(x):
    y, c = x * 1, np.array([1.0, 2.0, 3.0])
    y[0] *= c
    c[:] = 0
    return y


@INDICES.row(A)
def written_tensor_changed_later(x):
    y, z = x * 1, x[0] * 3
    y[1] = z
    z *= 0
    return y, z


@INDICES.row(A)
def swap_with_copies(x):
    a = x * 1
    a[0], a[1] = a[1].copy(), a[0].copy()
    return a


@INDICES.row(A)
def swap_without_copies(x):
    a = x * 1
    a[0], a[1] = a[1], a[0]  # NumPy's well-known surprise: both are the old a[1]
    return a


@INDICES.row(V)
def swap_of_numbers(x):
    a = x * 1
    a[0], a[2] = a[2], a[0]
    return a


@INDICES.row(A)
def swap_by_fancy_index(x):
    a = x * 1
    a[[0, 1]] = a[[1, 0]]
    return a


@INDICES.row(A)
def swap_by_reversed_slice(x):
    a = x * 1
    a[:] = a[::-1]
    return a


@INDICES.row(V)
def bubble(x):
    a = x[::-1] * 1
    for i in range(3):
        for j in range(2 - i):
            if a[j] > a[j + 1]:
                a[j], a[j + 1] = a[j + 1], a[j]
    return a
