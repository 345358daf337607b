"""Programs that write through another name: aliases, parameters, lists, loops over rows."""

from autograd.errors import InPlaceError
from tests.autograd.laws.in_place.points import A, must
from tests.autograd.laws.oracle import Table

NAMES = Table(accept=("refused late",), error=InPlaceError)


@NAMES.row(A, **must)
def another_name(x):
    a = x * 1
    b = a
    b += 1
    return a


def add_one(z):
    z += 1


def scale(z, *, by):
    z *= by
    return z


@NAMES.row(A, **must)
def parameter_of_a_function(x):
    y = x * 1
    add_one(y)
    return y


@NAMES.row(A)
def parameter_that_is_a_view(x):
    y = x * 1
    add_one(y[0])
    return y


@NAMES.row(A)
def parameter_returned(x):
    y = x * 1
    z = scale(y, by=2.0)
    z[0] = 1
    return y, z


@NAMES.row(A)
def closure_variable(x):
    y = x * 1

    def bump():
        nonlocal y
        y += 1

    z = y
    bump()
    return y, z


@NAMES.row(A)
def attribute_of_an_object(x):
    class Box:
        pass

    box = Box()
    box.y = x * 1
    y = box.y
    box.y *= 2
    return y, box.y


@NAMES.row(A)
def element_of_a_list(x):
    rows = [x[0] * 1, x[1] * 1]
    first = rows[0]
    rows[0] += rows[1]
    return first, rows[1]


@NAMES.row(A)
def rows_of_a_list(x):
    y = x * 1
    rows = list(y)
    rows[0] *= 2
    for row in rows:
        row += 1
    return y


@NAMES.row(A)
def unpacked_rows(x):
    y = x * 1
    a, b = y
    a += b
    return y


@NAMES.row(A)
def value_of_a_dict(x):
    table = {"y": x * 1}
    y = table["y"]
    table["y"] -= 1
    return y


@NAMES.row(A)
def zip_of_two(x):
    y, z = x * 1, x * 2
    for a, b in zip(y, z, strict=True):
        a += b
    return y


@NAMES.row(A)
def enumerate_rows(x):
    y = x * 1
    for i, row in enumerate(y):
        row *= i + 1
    return y


@NAMES.row(A)
def nested_loops(x):
    y = x * 1
    for i in range(2):
        for j in range(3):
            y[i, j] *= i + j
    return y


@NAMES.row(A)
def reversed_rows(x):
    y = x * 1
    for row in reversed(y):
        row += y[0]
    return y


@NAMES.row(A)
def rebound_name_leaves_the_other(x):
    a = x * 1
    b = a
    b = b + 1
    return a, b


@NAMES.row(A)
def function_that_keeps_a_view(x):
    y = x * 1
    kept = []

    def remember(z):
        kept.append(z[0])

    remember(y)
    y *= 2
    return kept[0]
