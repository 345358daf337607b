"""Ops of users and checkpoints behind a mask: the cut holds for rules that the engine has never seen."""

import numpy as np
import pytest

import autograd as ag
from tests.autograd.laws.oracle import THREE_WAYS, Table, hold_all, second_order

LEFT = np.array([False, True, True])
NAN_ROW = [[np.nan, 0.5], [0.4, 0.3], [1.2, 0.7]]
HUGE_ROW = [[1000.0, 900.0], [0.4, 0.3], [1.2, 0.7]]
ZERO_ROW = [[0.0, 0.0], [0.4, 0.9], [1.2, 0.5]]
OWN = Table(accept=())


def checked(x):
    """Refuse what is outside of a domain, as rules do that call other libraries."""
    if np.any(np.asarray(x.data if isinstance(x, ag.Tensor) else x) > 1.9):
        raise ValueError("outside of the domain")
    return x


def on(op):
    """Run an op on Tensors, and its forward on arrays: values there are NumPy's."""
    return lambda *xs: op(*xs) if any(isinstance(x, ag.Tensor) for x in xs) else op.op.forward(*xs)


def tables():
    """Declare ops as users do: elementwise or not, one rule or several, a joint one, with several outputs."""
    slope = ag.op(lambda x: np.exp(x), vjp=lambda g, y: g * y, elementwise=True, name="exp by its output")
    inputs = ag.op(lambda x: np.log(x), vjp=lambda g, x: g / x, elementwise=True, name="log by its input")
    whole = ag.op(
        lambda x: x / x.sum(axis=1, keepdims=True),
        vjp=lambda g, x, y: (g - (g * y).sum(axis=1, keepdims=True)) / x.sum(axis=1, keepdims=True),
        name="shares of rows",
    )
    joint = ag.op(lambda a, b: a * np.exp(b), vjp=lambda g, a, b: (g * np.exp(b), g * a * np.exp(b)), name="joint")
    pair = ag.op(
        lambda x: (np.exp(x), x * x),
        vjp=lambda g, x: g[0] * np.exp(x) + 2 * g[1] * x,
        name="two outputs",
    )
    careful = ag.op(
        lambda x: np.sqrt(x).sum(axis=1), vjp=lambda g, x: g[:, None] / (2 * np.sqrt(checked(x))), name="careful"
    )
    defined = ag.op(lambda x: np.exp(x).sum(axis=1), definition=lambda x: np.exp(x).sum(axis=1), name="only defined")
    both = ag.op(
        lambda x: np.log(x).sum(axis=1),
        vjp=lambda g, x: g[:, None] / x,
        definition=lambda x: np.log(x).sum(axis=1),
        name="rule and definition",
    )
    keyword = ag.op(
        lambda x, *, power=2.0: x**power,
        vjp=lambda g, x, power: g * power * x ** (power - 1),
        elementwise=True,
        name="keyword",
    )
    return slope, inputs, whole, joint, pair, careful, defined, both, keyword


EXP, LOG, SHARES, JOINT, PAIR, CAREFUL, DEFINED, BOTH, POWER = tables()
PROGRAMS = {
    "elementwise, by its output": (on(EXP), HUGE_ROW),
    "elementwise, by its input": (on(LOG), ZERO_ROW),
    "shares of rows": (on(SHARES), ZERO_ROW),
    "shares of a row of nan": (on(SHARES), NAN_ROW),
    "joint": (lambda x: on(JOINT)(x, x), HUGE_ROW),
    "joint, one constant": (lambda x: on(JOINT)(np.array([[np.nan, np.inf], [1.0, 2.0], [0.5, 1.0]]), x), ZERO_ROW),
    "two outputs, one used": (lambda x: on(PAIR)(x)[0], HUGE_ROW),
    "a rule that checks its domain": (on(CAREFUL), ZERO_ROW),
    "two outputs, both used": (lambda x: on(PAIR)(x)[0] + on(PAIR)(x)[1], HUGE_ROW),
    "only defined": (on(DEFINED), HUGE_ROW),
    "rule and definition": (on(BOTH), ZERO_ROW),
    "keyword": (lambda x: POWER(x, power=0.5) if isinstance(x, ag.Tensor) else x**0.5, ZERO_ROW),
    "log of exp": (lambda x: on(LOG)(on(EXP)(x)), HUGE_ROW),
    "exp of shares": (lambda x: on(EXP)(on(SHARES)(x)), ZERO_ROW),
    "checkpoint": (lambda x: in_checkpoint(lambda x: np.exp(x) * x, x), HUGE_ROW),
    "checkpoint of a sum": (lambda x: in_checkpoint(lambda x: np.log(x).sum(axis=1), x), ZERO_ROW),
    "checkpoint of a mask": (lambda x: in_checkpoint(lambda x: np.where(x > 0.35, np.log(x), x), x), ZERO_ROW),
    "log of a checkpoint": (lambda x: np.log(in_checkpoint(lambda x: x * x, x)), ZERO_ROW),
    "checkpoint that writes": (lambda x: in_checkpoint(squared_in_place, x), HUGE_ROW),
    "gradient of an inner function": (lambda x: inner_gradient(x), ZERO_ROW),
}


def in_checkpoint(f, x):
    return ag.checkpoint(f)(x) if isinstance(x, ag.Tensor) else f(x)


def squared_in_place(x):
    y = np.exp(x)
    y *= y
    return y


def inner_gradient(x):
    """Return 1 / (2 √x), by a transform where x is a Tensor."""
    if not isinstance(x, ag.Tensor):
        return 0.5 / np.sqrt(x)
    return ag.grad(lambda z: np.sqrt(x * z).sum())(np.ones((3, 2))) / x


CUTS = {
    "y[1:]": lambda y: y[1:],
    "where": lambda y: np.where(LEFT.reshape(3, *[1] * (y.ndim - 1)), y, 0.0),
    "boolean": lambda y: y[LEFT],
}
OFF = ~LEFT[:, None]
for name, (f, x) in PROGRAMS.items():
    for cut, take in CUTS.items():
        OWN.add(f"{cut} behind {name}", lambda x, f=f, take=take: take(f(x)), x, off=OFF)


@OWN.every
def test_first_order(row):
    hold_all(row, THREE_WAYS, row.gradient())


@pytest.mark.parametrize("name", [name for name in OWN if "checks its domain" not in name])
def test_second_order(name):
    row = OWN[name]
    hold_all(row, {"grad of grad": second_order}, row.second(), rtol=1e-4)


def test_a_rule_that_fails_by_itself_is_still_an_error():
    """What the probing of a rule swallows is its own business; a rule that fails on the user's values is the user's."""
    x = ag.Tensor([[0.5, 2.5]], requires_grad=True)
    with pytest.raises(ValueError, match="outside of the domain"):
        CAREFUL(x).sum().backward()
