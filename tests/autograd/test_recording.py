"""``autograd.record``: a run as a list of steps, with all constants at hand."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import TraceError

X = np.arange(6.0).reshape(2, 3)


def record(function, *arrays, **options):
    return ag.record(function, *map(ag.Tensor, arrays), **options)


def labels(run):
    return [step.label for step in run.steps]


def test_steps_in_order_with_inputs_and_outputs():
    run = record(lambda x: np.sin(x) * 2 + x, X)
    sine, product, total = run.steps
    assert labels(run) == ["sin", "multiply", "add"]
    assert sine.inputs == run.inputs
    assert product.inputs == (sine.outputs[0], 2)
    assert total.inputs == (product.outputs[0], run.inputs[0])
    assert run.outputs == total.outputs
    np.testing.assert_array_equal(run.result.data, np.sin(X) * 2 + X)


def test_constants_are_at_hand_as_they_were():
    large = np.arange(300.0)

    def function(x):
        y = x[0, 0] + large
        large[:] = 0
        return y * large

    steps = record(function, X).steps
    np.testing.assert_array_equal(steps[-2].inputs[1], np.arange(300.0))
    np.testing.assert_array_equal(steps[-1].inputs[1], np.zeros(300))


def test_known_tensors_have_their_name_and_value():
    weight = ag.Tensor(np.ones((100, 3)), requires_grad=True)
    constant = ag.Tensor(np.full((2, 100), 2.0))
    run = record(lambda x: x @ weight.T + constant, X, known={"w": weight})
    named = {value.name: value for step in run.steps for value in step.inputs if value.name}
    assert named["w"].array is weight.data
    np.testing.assert_array_equal(run.steps[-1].inputs[1].array, constant.data)


def test_only_what_depends_on_the_inputs_has_no_array():
    weight = ag.Tensor(np.ones(3), requires_grad=True)
    run = record(lambda x: x * np.exp(weight), X)
    assert labels(run) == ["exp", "multiply"]
    assert [step.outputs[0].array is None for step in run.steps] == [False, True]


def test_several_outputs_and_nested_results():
    def function(x):
        values, vectors = np.linalg.eigh(x[:, :2] @ x[:, :2].T)
        return {"values": values, "rest": [vectors.sum(), 3.0, values.argmax()]}

    run = record(function, X)
    eigh = next(step for step in run.steps if step.label == "eigh")
    assert len(eigh.outputs) == 2
    assert run.outputs[0] is eigh.outputs[0]
    assert run.outputs[2] is None  # a number
    assert run.outputs[3] is run.steps[-1].outputs[0]  # of argmax
    assert (run.result["rest"][1], run.result["rest"][2]) == (3.0, 1)


CUT = {  # what no gradient flows through is listed as well
    "sign": (lambda x: x * np.sign(x), ["sign", "multiply"]),
    "comparison": (lambda x: x * (x > 0), ["gt", "multiply"]),
    "detach": (lambda x: x * x.detach(), ["detach", "multiply"]),
    "integers": (lambda x: x.astype(int) % 2, ["astype", "remainder"]),
    "not needed": (lambda x: (np.exp(x), np.sin(x))[1], ["sin"]),
    "gradient": (lambda x: ag.grad(lambda x: (x @ x).sum())(x[0]), None),
}  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_what_is_listed(name):
    function, expected = CUT[name]
    found = labels(record(function, X))
    assert found == expected if expected is not None else found[-1] == "result"


def test_integers_are_followed_to_the_op_that_reads_them():
    table = ag.Tensor(np.ones((5, 2)), requires_grad=True)
    check, lookup = record(lambda i: nn.functional.embedding(i, table), np.array([[1, 2]])).steps
    assert check.inputs[0].kind == "input"
    assert lookup.inputs[0] is check.outputs[0]


def test_ops_can_be_opened_into_their_definition():
    weight = np.ones((2, 3))
    assert labels(record(lambda x: nn.functional.linear(x, weight), X)) == ["linear_no_bias"]
    opened = labels(record(lambda x: nn.functional.linear(x, weight), X, closed=("matmul",)))
    assert opened[-1] == "matmul"


def test_steps_know_their_place():
    def function(x):
        with ag.scope("outer", "Outer"), ag.scope("inner", "Inner"):
            return np.sin(x)

    (step,) = record(function, X).steps
    assert (step.scope.path, step.scope.kind) == ("inner", "Inner")


def test_a_long_chain():
    def function(x):
        for _ in range(20_000):
            x = -x
        return x

    assert len(record(function, X).steps) == 20_000


def test_what_the_function_keeps_is_an_ordinary_tensor_afterwards():
    kept = []
    record(lambda x: kept.append(np.sin(x)) or x, X)
    assert type(kept[0]) is ag.Tensor
    np.testing.assert_array_equal((kept[0] * 2).data, 2 * np.sin(X))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: np.sin(x).sum().backward(), r"backward\(\) inside a function that is recorded \(line \d+ of"),
        (lambda x: x if x.sum() > 0 else -x, r"a function that is recorded .* Use np.where in place of an if"),
        (lambda x: x * x.data, "reading the numbers of a Tensor in a function that is recorded"),
        (
            lambda x: x * ag.Tensor(1.0, requires_grad=True),
            r"is made inside a function that is recorded .* Make it outside",
        ),
    ],
)
def test_what_cannot_be_recorded(function, message):
    with pytest.raises(TraceError, match=message):
        record(function, X)
