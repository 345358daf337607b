"""A program is written as a person would write it."""

import re
import traceback

import numpy as np
import pytest

import autograd as ag
import nn

assert_same = np.testing.assert_array_equal
gauss = ag.op(lambda x: np.exp(-x * x), name="gauss", vjp=lambda g, x, y: -2 * g * x * y, elementwise=True)


def test_source_reads_like_numpy():
    program = ag.compile(lambda x: (np.tanh(x) * 2).sum()).program(ag.Tensor([1.0, 2.0], requires_grad=True))
    assert "np.tanh(x)" in program.source
    assert program.source.startswith("c2 = np.array(2.0, np.float64)\n")
    assert "\n\n\ndef forward(x):\n" in program.source
    assert "\n\n\ndef backward(" in program.source
    assert [step.label for step in program.forward] == ["tanh", "multiply", "sum"]


def test_names_are_the_users_and_no_keywords():
    def f(select, np_):
        forward = select * np_
        rate = np.exp(forward)
        return rate + forward

    compiled, (x, y) = ag.compile(f), (np.ones(2), np.full(2, 3.0))
    source = compiled.program(x, y).source
    assert "rate = np.exp(" in source
    assert source.startswith("def forward(select_2, np_2):")
    assert "\n    forward =" not in source
    np.testing.assert_array_equal(compiled(x, y), f(x, y))


def test_a_traceback_shows_the_line_that_was_written():
    compiled = ag.compile(lambda x: np.log(x) * 2)
    compiled(np.ones(2))
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError) as caught:
        compiled(np.zeros(2))
    lines = [frame.line for frame in traceback.extract_tb(caught.value.__traceback__) if frame.filename.startswith("<")]
    assert any("np.log(x)" in line for line in lines)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int64, bool])
@pytest.mark.parametrize("number", [2, 0.1, -0.0, True, np.float32(0.1), np.float64(0.1), np.int64(3), 2**10])
@pytest.mark.parametrize("f", [np.add, np.multiply, np.greater, np.maximum], ids=lambda f: f.__name__)
def test_a_number_beside_an_array_keeps_its_meaning(f, number, dtype):
    x = np.array([0, 1, 0], dtype)
    compiled = ag.compile(lambda x: f(x, number))
    compiled(x)
    found, right = compiled(x), f(x, number)
    assert found.dtype == right.dtype
    np.testing.assert_array_equal(found, right)
    assert found.tobytes() == right.tobytes()  # -0 is not 0


def test_constants_are_themselves():
    """The source begins with the constants that one line can make; zeros of both signs are none of these."""
    for c in (np.array([0.0, -0.0]), np.zeros(2), np.ones(2), np.full(2, 0.1), np.array([np.nan] * 2), np.float32(0.1)):
        compiled = ag.compile(lambda x, c=c: x * 0.0 + np.copysign(1.0, c) + c)
        compiled(np.ones(2))
        assert compiled(np.ones(2)).tobytes() == (np.ones(2) * 0.0 + np.copysign(1.0, c) + c).tobytes()


def body(compiled, *args):
    """Return the lines of forward and backward, without comments."""
    lines = compiled.program(*args).source.partition("def forward")[2].splitlines()[1:]
    return [line.strip() for line in lines if not line.strip().startswith("#")]


def test_a_hand_written_net_has_the_letters_of_its_formula():
    rng = np.random.default_rng(0)
    W1, W2 = (ag.Tensor(rng.normal(size=s), requires_grad=True) for s in ((2, 3), (3, 1)))
    b1, b2 = ag.Tensor(np.zeros(3), requires_grad=True), ag.Tensor(np.zeros(1), requires_grad=True)

    def loss(x, y):
        z1 = x @ W1 + b1
        a1 = np.tanh(z1)
        z2 = a1 @ W2 + b2
        return ((z2 - y) ** 2).mean()

    lines = body(ag.compile(loss), np.ones((4, 2)), np.ones((4, 1)))
    for line in (
        "z1 = np.dot(x, W1)", "z1 += b1", "a1 = np.tanh(z1, out=z1)", "z2 = np.dot(a1, W2)", "z2 += b2",
        "diff = np.subtract(z2, y, out=z2)", "square = np.square(diff)", "loss = square.sum() / 4",
        "q = dloss / 4", "ddiff = q * diff", "ddiff *= c2", "da1 = np.dot(ddiff, W2.T)", "p = a1 * a1",
        "np.dot(a1.T, ddiff, out=dW2)", "np.dot(x.T, dz1, out=dW1)", "return [dW1, db1, dW2, db2]",
    ):  # fmt: skip
        assert line in lines


NAMES = {  # what is closed over or passed: (function, arguments, the head of forward)
    "a dict": (lambda params, x: x @ params["W"] + params["b"], ({"W": np.ones((2, 2)), "b": np.ones(2)}, np.ones(2))),
    "a list": (lambda ws, x: x * ws[0] * ws[1], ([np.ones(2), np.ones(2)], np.ones(2))),
    "star": (lambda *xs: xs[0] * xs[1], (np.ones(2), np.ones(2))),
    "a direction": (ag.hvp(lambda x: (x**3).sum()), (np.ones(2), np.ones(2))),
}
HEADS = {"a dict": "W, b, x", "a list": "ws_0, ws_1, x", "star": "xs_0, xs_1", "a direction": "x, v"}


@pytest.mark.parametrize("name", NAMES)
def test_arguments_have_the_names_of_the_function(name):
    f, args = NAMES[name]
    assert f"def forward({HEADS[name]}):" in ag.compile(f).program(*args).source


def test_what_is_closed_over_is_called_by_the_way_there():
    G, D = (nn.Sequential(nn.Linear(2, 2, rng=k)) for k in range(2))
    layers, scale = [{"w": ag.Tensor(2.0, requires_grad=True)}], np.ones(2)
    source = ag.compile(lambda x: (D(G(x)) * layers[0]["w"] * scale).sum()).program(np.ones((3, 2), "f4")).source
    head = source.partition("def forward(")[2].partition(")")[0]
    assert head == "x, G_weight_0, G_bias_0, D_weight_0, D_bias_0, w_0, scale"


def test_temporaries_are_counted_in_each_function():
    w = ag.Tensor(np.ones(3), requires_grad=True)
    source = ag.compile(lambda x: ((w + x) * (x + 2) + (w - x)).sum()).program(np.ones(3)).source
    forward, backward = source.split("def backward")
    assert "s_2 = " in forward
    assert not re.search(r"\b[a-z]+_2 = ", backward)


def test_no_name_of_pythons_own_is_hidden():
    compiled = ag.compile(lambda x: np.max(x, axis=0).sum() + x.min() + np.sum(x) + abs(x).mean() + x.round().sum())
    program = compiled.program(ag.Tensor(np.ones((3, 2)), requires_grad=True))
    assert "max_and_ties(x" in program.source
    for name in ("sum", "max", "min", "abs", "round"):
        assert f"    {name} =" not in program.source


@pytest.mark.parametrize(
    ("f", "line"),
    [
        (lambda x: np.linalg.cholesky(x), "np.linalg.cholesky(x)"),
        (lambda x: np.expand_dims(x, 1), "np.expand_dims(x, 1)"),
        (lambda x: np.tril(x), "np.tril(x)"),
        (lambda x: np.tril(x, -1), "np.tril(x, -1)"),
        (lambda x: np.sum(x, axis=(0,), keepdims=True), "x.sum(axis=0, keepdims=True)"),
        (lambda x: x.mean(axis=1), "x.sum(axis=1) / 2"),
        (lambda x: np.concatenate([x, x], axis=1), "np.concatenate([x, x], axis=1)"),
        (lambda x: np.stack([x, x]), "np.stack([x, x])"),
        (lambda x: x.reshape(4, 1), "x.reshape(4, 1)"),
        (lambda x: x[np.array([0, 1])], "x[c]"),
        (lambda x: np.broadcast_to(x, (3, 2, 2)), "np.broadcast_to(x, (3, 2, 2))"),
        (gauss, "np.exp(-x * x)"),
    ],
)
def test_a_step_is_spelled_as_numpy_has_it(f, line):
    x = np.eye(2) * 2
    compiled = ag.compile(f)
    assert line in body(compiled, x)[0]
    assert_same(compiled(x), f(x))


def test_what_puts_a_part_into_an_array_takes_two_lines():
    def f(x):
        y = x * 2
        y[1:] = x[0]
        return y.sum()

    lines = body(ag.compile(ag.grad(f)), np.ones(3))
    assert any(line.startswith("dx = np.zeros((3,)") for line in lines)
    lines = body(ag.compile(f), np.ones(3))
    assert lines[2:4] == ["y = p.copy('K')", "y[1:] = part"]


def test_long_lines_are_broken_at_commas():
    names = [f"a_rather_long_argument_{k}" for k in range(9)]
    space = {}
    exec(f"def f({', '.join(names)}):\n    return {' + '.join(names)}", space)  # noqa: S102
    source = ag.compile(space["f"]).program(*[np.ones(2)] * 9).source
    assert max(map(len, source.splitlines())) <= 110
    assert "def forward(\n    a_rather_long_argument_0, " in source
    assert "\n):\n" in source


def test_equal_constants_are_one():
    source = ag.compile(lambda x: (x @ np.eye(2) + np.zeros(2)) @ np.eye(2) + np.zeros(2)).program(np.ones(2)).source
    assert source.startswith("eye = np.eye(2, dtype=np.float64)\nzeros = np.zeros((2,), np.float64)\n\n")
