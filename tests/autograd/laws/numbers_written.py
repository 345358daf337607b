"""Programs that write a number into a plain array, and programs that take one in the middle of other transforms."""

import array
import math

import numpy as np

import autograd as ag
from tests.autograd.laws.oracle import Table

P = [2.0, 3.0, 4.0]
WRITTEN = Table()

# ------------------------------------------------------------- a number written into a plain array
# DOUBLE_setitem of NumPy puts a ValueError of its own before any error of __float__: it is wrapped, never silent.


@WRITTEN.row(P, right=[12, 4, 0], wrapped=(ValueError,))
def element_of_a_plain_array(p):
    a = np.zeros(3)
    a[1] = p[0] ** 2
    return (a * p).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def element_of_a_plain_matrix(p):
    a = np.zeros((2, 2))
    for i, j in np.ndindex(2, 2):
        a[i, j] = p[i] * p[j]
    return (a**2).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def added_to_an_element(p):
    a = np.ones((2, 2))
    a[0, 1] += p[0] ** 2
    return (a**2).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def element_times_a_number(p):
    a = np.ones(3)
    a[2] *= p[2]
    return (a**3).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def slice_of_a_plain_array(p):
    a = np.zeros(3)
    a[:2] = p[:2] ** 2
    return (a**2).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def one_number_for_a_slice(p):
    a = np.zeros(3)
    a[1:] = p[0]
    return (a**2).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def written_by_a_mask(p):
    a = np.zeros(3)
    a[np.array([True, False, True])] = p[1]
    return (a**2).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def row_of_a_plain_matrix(p):
    a = np.zeros((2, 3))
    a[1] = p
    return (a**2).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def whole_of_a_plain_array(p):
    a = np.zeros(3)
    a[...] = p * p
    return (a**2).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def list_of_numbers_into_a_slice(p):
    a = np.zeros(3)
    a[:] = [p[0], p[1], 1.0]
    return (a**2).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def element_by_flat(p):
    a = np.zeros((2, 2))
    a.flat[3] = p[0]
    return (a**2).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def filled_with_a_number(p):
    a = np.empty(3)
    a.fill(p[1])
    return (a**2).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def element_of_a_float32_array(p):
    a = np.zeros(3, np.float32)
    a[0] = p[0]
    return (a * p).sum()


@WRITTEN.row([2.3, 3.1, 4.2], right=[0, 0, 0], wrapped=(ValueError,))
def element_of_an_integer_array(p):
    a = np.zeros(3, int)
    a[0] = p[0]  # a step function of p: 0 is right
    return (a * 1.5).sum()


@WRITTEN.row(P, wrapped=(ValueError, TypeError))
def element_of_a_complex_array(p):
    a = np.zeros(2, complex)
    a[0] = p[0]
    return (np.abs(a) ** 2).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def element_through_a_view(p):
    a = np.zeros((2, 2))
    row = a[0]
    row[1] = p[0]
    return (a**2).sum()


@WRITTEN.row(P, wrapped=(ValueError, TypeError))
def field_of_a_structured_array(p):
    a = np.zeros(2, [("w", float)])
    a["w"][0] = p[0]
    return (a["w"] ** 2).sum()


@WRITTEN.row(P, wrapped=(ValueError,))
def put_by_itemset_of_an_iterator(p):
    a = np.zeros(3)
    for k, element in enumerate(np.nditer(a, op_flags=["readwrite"])):
        element[...] = p[k]
    return (a**2).sum()


@WRITTEN.row(P, wrapped=(ValueError, TypeError))
def written_into_an_array_of_python(p):
    a = array.array("d", [0.0, 0.0])
    a[0] = p[0]
    return (np.array(a) ** 2).sum()


# in the middle of other transforms a number is of the graph to which it belongs


@WRITTEN.row(0.7)
def number_of_an_outer_variable(x):
    return ag.grad(lambda z: z * z * float(x))(1.0)


@WRITTEN.row(0.7)
def math_of_an_outer_variable(x):
    return ag.jvp(lambda z: z * math.exp(x), (1.0,), (1.0,))[1]


@WRITTEN.row(0.7)
def number_of_an_inner_gradient(x):
    return math.sqrt(ag.grad(lambda z: x * z**3)(1.0))


@WRITTEN.row(0.7)
def number_of_an_inner_value(x):
    value, gradient = ag.value_and_grad(lambda z: x * z**3)(1.0)
    return float(value) * gradient


@WRITTEN.row(0.7)
def number_in_a_checkpoint(x):
    return ag.checkpoint(lambda x: x * math.exp(x))(x) if isinstance(x, ag.Tensor) else x * math.exp(x)


@WRITTEN.row(P)
def number_as_a_key_of_a_sort(p):
    return sorted(p, key=float)[1] ** 2


@WRITTEN.row(P, wrapped=(ValueError,))
def numbers_kept_in_a_plain_history(p):
    history = np.zeros(3)
    for i in range(3):
        history[i] = (p[i] ** 2 + history[i - 1]) if i else p[0]
    return history[-1] * 2
