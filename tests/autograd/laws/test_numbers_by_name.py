"""Asked for by name a number leaves the graph, and where there is no gradient to lose; else a message helps."""

import io
import json
import math
import operator
import statistics

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ConversionError

# -------------------------------------------------------------------------------------------------------- whole numbers


@pytest.mark.parametrize(
    "use",
    [
        lambda t: list(range(t)),
        lambda t: [1, 2, 3, 4][t],
        lambda t: "abcd"[:t],
        lambda t: np.zeros(4)[t],
        lambda t: np.zeros(4)[:t],
        lambda t: np.zeros(t),
        lambda t: operator.index(t),
        lambda t: bytes(t),
        lambda t: hex(t),
    ],
    ids=["range", "list", "slice of a text", "array", "slice", "zeros", "index", "bytes", "hex"],
)
def test_a_tensor_of_a_live_graph_is_no_whole_number(use):
    """Floating-point Tensors are no index in NumPy and Python either: TypeError, and ours."""
    t = ag.Tensor(2.0, requires_grad=True) * 1.0
    with pytest.raises((TypeError, IndexError)):
        use(t)


# ------------------------------------------------------------------------------------------------------------- messages

MESSAGES = {
    "float": (lambda t: float(t), "item()"),
    "int": (lambda t: int(t), "item()"),
    "complex": (lambda t: complex(t), "item()"),
    "math.exp": (lambda t: math.exp(t), "np.exp"),
    "np.array of a list": (lambda t: np.array([t, t]), "np.stack"),
    "np.asarray": (lambda t: np.asarray(t), ".numpy()"),
    "np.float64": (lambda t: np.float64(t), ".numpy()"),
    "math.sqrt": (lambda t: math.sqrt(t), "np.sqrt"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_the_message_names_the_form_that_works(name):
    use, word = MESSAGES[name]
    t = ag.Tensor(2.0, requires_grad=True) ** 2
    with pytest.raises(ConversionError) as caught:
        use(t)
    message = str(caught.value)
    assert word in message or ("np." in message and ".item()" in message), message


# ------------------------------------------------------------------------------------------------- what goes on working


def written(t):
    a = np.zeros(2)
    a[0] = t
    return a.tolist()


def live():
    """Return a result whose gradient is still to be computed: 4.0."""
    return ag.Tensor(2.0, requires_grad=True) ** 2


def released():
    y = live()
    y.backward()
    return y


BY_NAME = {
    "item": (lambda t: t.item(), 4.0),
    "numpy": (lambda t: t.numpy(), np.array(4.0)),
    "data": (lambda t: t.data, np.array(4.0)),
    "detach": (lambda t: float(t.detach()), 4.0),
    "float of item": (lambda t: float(t.item()), 4.0),
    "f-string": (lambda t: f"{t:.3f}", "4.000"),
    "f-string with width": (lambda t: f"{t:8.2f}|", "    4.00|"),
    "f-string with exponent": (lambda t: f"{t:.1e}", "4.0e+00"),
    "format": (lambda t: format(t, ".1f"), "4.0"),
    "str.format": (lambda t: "{:.2f}".format(t), "4.00"),  # noqa: UP032 (this is what is tried)
    "bool": (lambda t: bool(t), True),
    "comparison": (lambda t: bool(t > 3), True),
    "len of repr": (lambda t: "4" in repr(t), True),
    "str": (lambda t: "4" in str(t), True),
    "print": (lambda t: _printed(t), True),
    "sorting by a key": (lambda t: sorted([t, t], key=lambda v: v.item())[1] is t, True),
    "hash": (lambda t: len({t, t}), 1),
    "no_grad": (lambda t: ag.no_grad()(lambda: float(t))(), 4.0),
    "no_grad, math": (lambda t: ag.no_grad()(lambda: math.sqrt(t))(), 2.0),
    "no_grad, array": (lambda t: ag.no_grad()(lambda: np.array([t, t]))().tolist(), [4.0, 4.0]),
    "no_grad, int": (lambda t: ag.no_grad()(lambda: int(t))(), 4),
    "no_grad, complex": (lambda t: ag.no_grad()(lambda: complex(t))(), 4 + 0j),
    "json of item": (lambda t: json.dumps({"loss": t.item()}), '{"loss": 4.0}'),
}


def _printed(t):
    out = io.StringIO()
    print(t, file=out)
    return "4" in out.getvalue()


@pytest.mark.parametrize("name", BY_NAME)
def test_asked_by_name_it_leaves(name):
    use, right = BY_NAME[name]
    t = live()
    assert use(t) == right
    t.backward()  # the graph is as it was


WITHOUT_GRADIENT = {
    "a constant": lambda: ag.Tensor(4.0),
    "a result of constants": lambda: ag.Tensor(2.0) ** 2,
    "detached": lambda: live().detach(),
    "released": released,
    "a piecewise-constant function": lambda: np.floor(live() + 0.5),
    "made under no_grad": lambda: ag.no_grad()(live)(),
}
CONVERSIONS = {
    "float": (float, 4.0),
    "int": (int, 4),
    "complex": (complex, 4 + 0j),
    "math": (math.sqrt, 2.0),
    "np.float64": (np.float64, 4.0),
    "element": (lambda t: written(t), [4.0, 0.0]),
    "fmean": (lambda t: statistics.fmean([t, t]), 4.0),
    "round": (lambda t: round(float(t), 2), 4.0),
    "f-string": (lambda t: f"{t:.1f}", "4.0"),
}


@pytest.mark.parametrize("conversion", CONVERSIONS)
@pytest.mark.parametrize("kind", WITHOUT_GRADIENT)
def test_without_a_gradient_to_lose_it_is_a_number(kind, conversion):
    convert, right = CONVERSIONS[conversion]
    assert convert(WITHOUT_GRADIENT[kind]()) == right


def test_a_loop_that_logs_float_of_the_loss_after_backward():
    w, log = ag.Tensor(3.0, requires_grad=True), []
    for _ in range(5):
        loss = (w - 1) ** 2
        loss.backward()
        log.append(float(loss))
        with ag.no_grad():
            w -= 0.25 * w.grad
        w.grad = None
    assert log == [4.0, 1.0, 0.25, 0.0625, 0.015625]


def test_a_leaf_is_asked_by_name_too():
    """float(w) of a parameter between two steps, where nothing is recorded."""
    w = ag.Tensor(3.0, requires_grad=True)
    with ag.no_grad():
        assert float(w) == 3.0
    assert w.item() == 3.0


def test_an_argument_of_a_transform_does_not_leave():
    with pytest.raises(ConversionError):
        ag.grad(lambda x: x * float(x))(1.0)


def test_after_retain_graph_the_gradient_is_still_to_be_computed():
    y = live()
    y.backward(retain_graph=True)
    with pytest.raises(ConversionError):
        float(y)
    y.backward()
    assert float(y) == 4.0
