"""Programs where memory order tells a view from a copy, and where nothing is shared."""

import numpy as np

from autograd.errors import InPlaceError
from tests.autograd.laws.in_place.points import A
from tests.autograd.laws.oracle import Table

COPIES = Table(accept=("refused late",), error=InPlaceError)


@COPIES.row(A)
def reshape_is_a_view(x):
    y = x * 1
    z = y.reshape(-1)
    z[0] = 9
    return y, z


@COPIES.row(A)
def base_written_after_reshape(x):
    y = x * 1
    z = y.reshape(3, 2)
    y[0] *= 2
    return z


@COPIES.row(A)
def reshape_of_a_transpose_is_a_copy(x):
    y = x * 1
    z = y.T.reshape(-1)
    z[0] = 9
    y[1] = 0
    return y, z


@COPIES.row(A)
def ravel_is_a_view(x):
    y = x * 1
    z = y.ravel()
    z *= z
    return y


@COPIES.row(A)
def ravel_of_a_transpose_is_a_copy(x):
    y = x * 1
    z = y.T.ravel()
    z *= 2
    return y, z


@COPIES.row(A)
def np_ravel_in_order_f_is_a_copy(x):
    y = x * 1
    z = np.ravel(y, order="F")
    z += 1
    return y, z


@COPIES.row(A)
def ravel_of_a_transpose_in_order_f_is_a_view(x):
    y = x * 1
    z = y.T.ravel(order="F")
    z += 1
    return y, z


@COPIES.row(A)
def flatten_is_a_copy(x):
    y = x * 1
    z = y.flatten()
    z *= 2
    y[0] = 0
    return y, z


@COPIES.row(A)
def reshape_of_columns_is_a_copy(x):
    y = x * 1
    z = y[:, :2].reshape(-1)
    z += 1
    return y, z


@COPIES.row(A)
def reshape_of_rows_is_a_view(x):
    y = x * 1
    z = y[1:].reshape(3, 1)
    z += 1
    return y, z


@COPIES.row(A)
def product_keeps_the_order_of_its_operand(x):
    y = x.T * 2  # in Fortran's order, as x.T is: its ravel("F") is a view
    z = y.ravel(order="F")
    z[0] = 0
    return y, z


@COPIES.row(A)
def copy_in_order_k(x):
    y = x.T.copy(order="K")
    z = y.T.reshape(-1)
    z *= 3
    return y, z


@COPIES.row(A)
def copy_in_order_c(x):
    y = x.T.copy()
    z = y.T.reshape(-1)
    z *= 3
    return y, z


@COPIES.row(A)
def copy_is_a_copy(x):
    y = x * 1
    z = y.copy()
    z += 1
    return y, z


@COPIES.row(A)
def np_copy_of_a_row(x):
    y = x * 1
    z = np.copy(y[0])
    y[0] = 0
    return y, z


@COPIES.row(A)
def fancy_index_is_a_copy(x):
    y = x * 1
    z = y[[0, 1]]
    z *= 2
    return y, z


@COPIES.row(A)
def boolean_index_is_a_copy(x):
    y = x * 1
    z = y[np.array([True, False])]
    z *= 2
    y += 1
    return y, z


@COPIES.row(A)
def take_is_a_copy(x):
    y = x * 1
    z = np.take(y, [0], axis=0)
    z += 5
    return y, z


@COPIES.row(A)
def element_is_a_number(x):
    y = x * 1
    e = y[0, 0]
    e += 1
    y[0, 0] = 5
    return y, e


@COPIES.row(A)
def sum_is_a_number(x):
    s = x.sum()
    t = s
    s += 1
    return s * t


@COPIES.row(A)
def astype_is_a_copy(x):
    y = x * 1
    z = y.astype(float)
    z *= 2
    return y, z


@COPIES.row(A)
def astype_without_copy_is_the_array(x):
    y = x * 1
    z = y.astype(float, copy=False)
    z *= 2
    return y, z


@COPIES.row(A)
def plus_sign_is_a_copy(x):
    y = x * 1
    z = +y
    z[0] = 0
    return y, z


@COPIES.row(A)
def repeat_and_concatenate_are_copies(x):
    y = x * 1
    z, u = np.repeat(y, 2, axis=0), np.concatenate([y, y])
    y *= 3
    z += 1
    u[0] = 0
    return y, z, u
