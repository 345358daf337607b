"""Programs that write after a value was used, as numerical code does."""

import numpy as np

from autograd.errors import InPlaceError
from tests.autograd.laws.in_place.points import A, S, V
from tests.autograd.laws.oracle import Table

USES = Table(accept=("refused late",), error=InPlaceError)


@USES.row(A)
def written_after_a_product(x):
    y = x * 1
    z = y * y
    y[0] = 0
    return z, y


@USES.row(A)
def written_after_exp(x):
    y = np.exp(x / 4)
    z = y * 2
    y *= 0
    return z, y


@USES.row(A)
def output_of_exp_overwritten(x):
    y = np.exp(x / 4)  # its rule reads its own output
    y += 1
    return y


@USES.row(A)
def output_of_exp_written_through_a_view(x):
    y = np.exp(x / 4)
    row = y[0]
    row *= 0
    return y


@USES.row(A)
def output_of_sqrt_overwritten(x):
    y = np.sqrt(x)
    y[:, 0] = 0
    return y


@USES.row(A)
def operand_of_matmul_overwritten(x):
    y = x * 1
    z = y @ y.T
    y += 1
    return z, y


@USES.row(A)
def operand_of_division_overwritten(x):
    y = x * 1
    z = 1 / y
    y.T[0] = 5
    return z, y


@USES.row(A)
def used_between_two_writes(x):
    y = x * 1
    y += 1
    z = y**3
    y *= 2
    return z, y


@USES.row(A)
def mask_of_an_old_value(x):
    y = x * 1
    mask = y > 2.5
    y += 1
    return np.where(mask, y, 0)


@USES.row(A)
def sum_taken_before(x):
    y = x * 1
    s = y.sum()
    y *= s
    return y, s


@USES.row(A)
def normalised_in_place(x):
    y = x * 1
    y -= y.mean(axis=1, keepdims=True)
    y /= np.sqrt((y * y).sum(axis=1, keepdims=True) + 1)
    return y


@USES.row(A)
def softmax_in_place(x):
    y = x * 1
    y -= y.max(axis=1, keepdims=True)
    y[...] = np.exp(y)
    y /= y.sum(axis=1, keepdims=True)
    return y


@USES.row(V)
def cumulative_sum_by_hand(x):
    y = x * 1
    for i in range(1, 3):
        y[i] += y[i - 1]
    return y


@USES.row(V)
def horner(x):
    y = np.zeros(3) + 0 * x
    for c in (2.0, -1.0, 0.5):
        y *= x
        y += c
    return y


@USES.row(V)
def filled_result(x):
    out = x * 0
    for i in range(3):
        out[i] = x[i] * x[(i + 1) % 3]
    return out


@USES.row(S)
def gauss_elimination(x):
    a = x + 3 * np.eye(3)
    for i in range(2):
        for j in range(i + 1, 3):
            a[j] -= a[i] * (a[j, i] / a[i, i])
    return a


@USES.row(S)
def heat_equation(x):
    u = x * 1
    for _ in range(3):
        u[1:-1, 1:-1] += 0.1 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * u[1:-1, 1:-1])
    return u


@USES.row(V)
def momentum(x):
    w, v = x * 1, x * 0
    for _ in range(3):
        v *= 0.9
        v -= 0.1 * w
        w += v
    return w, v
