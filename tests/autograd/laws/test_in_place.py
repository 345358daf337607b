"""In-place code means what it means in NumPy, or InPlaceError: NumPy gives the value, differences the gradient."""

import numpy as np
import pytest

import autograd as ag
from tests.autograd.laws.in_place.copies import COPIES
from tests.autograd.laws.in_place.functions import FUNCTIONS
from tests.autograd.laws.in_place.indices import INDICES
from tests.autograd.laws.in_place.names import NAMES
from tests.autograd.laws.in_place.own_ops import OWN_OPS
from tests.autograd.laws.in_place.uses import USES
from tests.autograd.laws.in_place.views import VIEWS
from tests.autograd.laws.oracle import (
    THREE_WAYS,
    close,
    fresh,
    hold,
    hold_all,
    is_refusal,
    plain,
    second_order,
    value,
    weigh,
)

TABLES = (VIEWS, COPIES, NAMES, INDICES, USES, FUNCTIONS, OWN_OPS)
PROGRAMS = {name: row for table in TABLES for name, row in table.items()}
every = pytest.mark.parametrize("row", PROGRAMS.values(), ids=PROGRAMS)


def test_the_table_is_long_and_no_name_stands_twice():
    assert len(PROGRAMS) == sum(map(len, TABLES)) >= 140


def recording(f, x):
    return f(ag.Tensor(x, requires_grad=True))


def not_recording(f, x):
    with ag.no_grad():
        return f(ag.Tensor(x))


def on_a_constant(f, x):
    return f(ag.Tensor(x))


@pytest.mark.parametrize("way", [recording, not_recording, on_a_constant], ids=lambda way: way.__name__)
@every
def test_value(row, way):
    try:
        found = float(plain(weigh(way(row.program, fresh(row.at)))))
    except Exception as error:
        if not is_refusal(error, row):
            raise
    else:
        assert close(found, value(row.program, row.at))


@every
def test_gradient(row):
    hold_all(row, THREE_WAYS, row.gradient())


@every
def test_second_order(row):
    hold(row, second_order, row.second(), rtol=1e-4)


@every
def test_checkpointed(row):
    """Running the program a second time in backward changes nothing."""
    try:
        found = ag.grad(lambda x: weigh(ag.checkpoint(row.program)(x)))(fresh(row.at))
    except Exception as error:
        if not is_refusal(error, row):
            raise
    else:
        assert np.all(close(plain(found), row.gradient()))


def test_the_message_shows_the_form_that_works():
    refused = []
    for name, row in PROGRAMS.items():
        try:
            ag.grad(lambda x, row=row: weigh(row.program(x)))(fresh(row.at))
        except ag.AutogradError as error:
            refused.append((name, str(error)))
        except Exception:
            continue  # test_gradient says so
    for name, message in refused:
        assert any(word in message for word in ("np.", "copy", "=", "no_grad")), (name, message)
        assert len(message) > 30, (name, message)


def test_most_programs_are_followed():
    """A refusal is honest, but it is not what people come for."""
    followed = 0
    for row in PROGRAMS.values():
        try:
            found = plain(ag.grad(lambda x, row=row: weigh(row.program(x)))(fresh(row.at)))
            followed += bool(np.all(close(found, row.gradient())))
        except Exception:
            continue
    assert followed >= 0.75 * len(PROGRAMS)


def test_a_constant_that_a_checkpoint_gives_is_the_constant():
    x, c = ag.Tensor(np.array([1.0, 2.0]), requires_grad=True), ag.Tensor([3.0, 4.0]) * 1
    _, seen = ag.checkpoint(lambda z: (z * 2, c))(x)
    seen += x
    np.testing.assert_array_equal(plain(c), [4, 6])
    with pytest.raises(ag.errors.GraphError, match="the second run gave other values"):  # c is another one by then
        c.sum().backward()
