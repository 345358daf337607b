"""Programs that write through views of an array, or read views of what was written."""

import numpy as np

from autograd.errors import InPlaceError
from tests.autograd.laws.in_place.points import A, S, V, must
from tests.autograd.laws.oracle import Table

VIEWS = Table(accept=("refused late",), error=InPlaceError)


@VIEWS.row(A, **must)
def row_plus_one(x):
    y = x * 1
    row = y[0]
    row += 1
    return y


@VIEWS.row(A, **must)
def rows_in_a_loop(x):
    y = x * 1
    for row in y:
        row *= 2
    return y


@VIEWS.row(A, **must)
def transpose_written(x):
    y = x * 1
    y.T[0] = 0
    return y


@VIEWS.row(A)
def transpose_taken_before(x):
    y = x * 1
    t = y.T
    y[0] = 0
    return t


@VIEWS.row(A)
def transpose_in_place(x):
    y = x * 1
    t = y.T
    t *= np.array([[1.0], [2.0], [3.0]])
    return y, t


@VIEWS.row(A)
def column(x):
    y = x * 1
    c = y[:, 1]
    c *= c
    return y


@VIEWS.row(A)
def column_after_the_base_was_used(x):
    y = x * 1
    z = y * y
    c = y[:, 1]
    c += 10
    return y, z


@VIEWS.row(A)
def base_written_after_the_view_was_used(x):
    y = x * 1
    row = y[0]
    z = row * row
    y *= 2
    return z, row, y


@VIEWS.row(A)
def view_of_a_view(x):
    y = x * 1
    row = y[1]
    part = row[1:]
    part -= 3
    return y, row


@VIEWS.row(A)
def two_views_that_overlap(x):
    y = x * 1
    a, b = y[0, :2], y[0, 1:]
    a += 1
    b *= 2
    return y, a, b


@VIEWS.row(A)
def two_views_that_do_not_overlap(x):
    y = x * 1
    a, b = y[0], y[1]
    a *= b
    b += a
    return y


@VIEWS.row(A)
def view_written_by_index(x):
    y = x * 1
    row = y[1]
    row[0] = row[2] * 2
    return y


@VIEWS.row(A)
def whole_view(x):
    y = x * 1
    z = y[:]
    z[...] = z * z
    return y


@VIEWS.row(A)
def ellipsis_view(x):
    y = x * 1
    z = y[...]
    z += 1
    return y


@VIEWS.row(A)
def new_axis_view(x):
    y = x * 1
    z = y[None]
    z *= 3
    return y


@VIEWS.row(V)
def reversed_view(x):
    y = x * 1
    z = y[::-1]
    z[0] = z[1] * z[2]
    return y, z


@VIEWS.row([1.0, 2.0, 3.0, 4.0, 5.0])
def every_second(x):
    y = x * 1
    z = y[::2]
    z *= z
    return y


@VIEWS.row([1.0, 2.0, 3.0, 4.0, 5.0])
def backwards_with_steps(x):
    y = x * 1
    z = y[4:0:-2]
    z += y[0]
    return y


@VIEWS.row(S)
def diagonal_by_einsum_of_the_square(x):
    y = x * 1
    d = y.reshape(-1)[::4]
    d *= 2
    return y


@VIEWS.row(S)
def diagonal_read_and_base_written(x):
    y = x * 1
    d = np.diagonal(y)
    y[1, 1] = y[0, 0] * 3
    return d, y


@VIEWS.row(S)
def diagonal_that_was_copied(x):
    y = x * 1
    d = np.diagonal(y).copy()
    y *= 2
    d *= 3
    return d, y


@VIEWS.row(S)
def np_diag_is_read_after_a_write(x):
    y = x * 1
    d = np.diag(y)
    y += 1
    return d


@VIEWS.row(A)
def swapaxes(x):
    y = x * 1
    z = np.swapaxes(y, 0, 1)
    z[2] = z[0] + z[1]
    return y


@VIEWS.row(A)
def moveaxis(x):
    y = x * 1
    z = np.moveaxis(y, 0, 1)
    z[0] *= 5
    return y


@VIEWS.row(A)
def expand_dims(x):
    y = x * 1
    z = np.expand_dims(y, 1)
    z[:, 0] += 2
    return y


@VIEWS.row(A)
def squeeze(x):
    y = (x * 1)[None]
    z = np.squeeze(y)
    z[0] = 7
    return y


@VIEWS.row(A)
def flip_is_a_view(x):
    y = x * 1
    z = np.flip(y, 1)
    z[:, 0] = 0
    return y


@VIEWS.row(S)
def rot90_is_a_view(x):
    y = x * 1
    z = np.rot90(y)
    z[0] *= 2
    return y


@VIEWS.row(V)
def broadcast_read_after_a_write(x):
    y = x * 1
    z = np.broadcast_to(y, (2, 3))
    y[0] = y[1]
    return z


@VIEWS.row(A)
def split_gives_views(x):
    y = x * 1
    for part in np.split(y, 3, axis=1):
        part *= part
    return y


@VIEWS.row(A)
def hsplit_one_part(x):
    y = x * 1
    a, _, c = np.hsplit(y, 3)
    a += c
    return y


@VIEWS.row(V)
def array_split_views(x):
    y = x * 1
    first, second = np.array_split(y, 2)
    first[:] = 1
    second *= first[0]
    return y


@VIEWS.row(S)
def sliding_window_read_after_a_write(x):
    y = x[0] * 1
    w = np.lib.stride_tricks.sliding_window_view(y, 2)
    y *= 2
    return w


@VIEWS.row(V)
def atleast_2d_is_a_view(x):
    y = x * 1
    z = np.atleast_2d(y)
    z[0, 1] = 0
    return y


@VIEWS.row(A)
def real_part_is_the_array(x):
    y = x * 1
    r = y.real
    r *= 2
    return y
