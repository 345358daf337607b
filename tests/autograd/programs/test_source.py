"""A program is written as a person would write it."""

import re
import traceback
from pathlib import Path

import numpy as np
import pytest

import autograd as ag


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
        "z1 = np.dot(x, W1) + b1", "a1 = np.tanh(z1)", "z2 = np.dot(a1, W2) + b2", "diff = z2 - y",
        "loss = np.square(diff).sum() / 4", "ddiff = dloss / 4 * diff * c2", "np.dot(ones, ddiff, out=db2)",
        "da1 = np.dot(ddiff, W2.T)", "dz1 = da1 * (one - a1 * a1)",
        "np.dot(a1.T, ddiff, out=dW2)", "np.dot(x.T, dz1, out=dW1)", "return [dW1, db1, dW2, db2]",
    ):  # fmt: skip
        assert line in lines


def test_temporaries_are_counted_in_each_function():
    w = ag.Tensor(np.ones(3), requires_grad=True)
    source = ag.compile(lambda x: ((w + x) * (x + 2) + (w - x)).sum()).program(np.ones(3)).source
    forward, backward = source.split("def backward")
    assert "s_2 = " in forward
    assert not re.search(r"\b[a-z]+_2 = ", backward)


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


def comments(f, *args):
    return [line.strip() for line in ag.compile(f).program(*args).source.splitlines() if line.startswith("    #")]


@np.errstate(all="ignore")  # NumPy's own decorator has no line of the user's
def decorated(x):
    y = np.exp(x) * x
    return (y + x * 3.0).sum()


@pytest.mark.parametrize("transform", [lambda f: f, ag.grad, ag.value_and_grad, lambda f: lambda x: ag.hvp(f)(x, x)])
def test_each_comment_is_a_line_of_the_users(transform):
    here = {line.strip() for line in Path(__file__).read_text(encoding="utf-8").splitlines()}
    found = comments(transform(decorated), np.ones(2))
    assert found
    assert {line.removeprefix("# ") for line in found} <= here


def test_what_is_added_up_belongs_to_the_line_that_it_goes_back_through():
    def f(x):
        y = np.sin(x)
        return (y * x + y).sum()

    assert comments(ag.grad(f), np.ones(2)) == ["# y = np.sin(x)", "# return (y * x + y).sum()", "# y = np.sin(x)"]


def test_each_turn_of_a_loop_has_the_users_names():
    def f(state):
        angle, speed = state
        for _ in range(2):
            speed = speed - 0.5 * np.sin(angle)
            angle = angle + 0.1 * speed
        return angle * 2.0

    lines = body(ag.compile(ag.value_and_grad(f)), np.array([1.0, 0.0]))
    for line in (
        "angle = state[0]",
        "speed = state[1]",
        "speed_2 = speed - 0.5 * sin",
        "angle_2 = angle + 0.1 * speed_2",
    ):
        assert line in lines
    assert any(line.startswith("dangle_2 = ") for line in lines)


def test_the_outermost_name_of_a_value_stays():
    def relu(z):
        return np.maximum(z, 0.0)

    def f(x):
        hidden = x * 2.0
        return relu(hidden)

    assert body(ag.compile(f), np.ones(2))[0].startswith("hidden = ")
