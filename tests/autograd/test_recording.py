"""``autograd.record``: a run as a list of steps, with all constants at hand."""

import weakref

import numpy as np
import pytest

import autograd as ag
from autograd.errors import GraphError

X = np.arange(6.0).reshape(2, 3)


def record(function, *arrays, **options):
    return ag.record(
        function, *[ag.Tensor(x, requires_grad=np.asarray(x).dtype.kind == "f") for x in arrays], **options
    )


def test_steps_in_order_with_inputs_and_outputs():
    run = record(lambda x: np.sin(x) * 2 + x, X)
    sine, product, total = run.steps
    assert [step.op for step in run.steps] == ["sin", "multiply", "add"]
    assert sine.inputs == run.inputs
    assert product.inputs == (sine.outputs[0], 2)
    assert total.inputs == (product.outputs[0], run.inputs[0])
    assert run.outputs == total.outputs
    assert run.result.shape == run.outputs[0].shape == (2, 3)


def test_large_constants_are_at_hand():
    """After the run the graph keeps only small ones."""
    large = np.arange(300.0)
    (step,) = record(lambda x: x[0, 0] + large, X).steps[-1:]
    assert step.inputs[1].array is large
    constant = ag.Tensor(large)
    held = weakref.ref(constant.data)
    y = ag.Tensor(X, requires_grad=True)[0, 0] + constant
    del constant
    assert held() is None
    assert y.shape == (300,)


def test_known_tensors_have_their_name_and_value():
    weight = ag.Tensor(np.ones((100, 3)), requires_grad=True)
    constant = ag.Tensor(np.full((2, 100), 2.0))
    run = record(lambda x: x @ weight.T + constant, X, known={"w": weight})
    named = {value.name: value for step in run.steps for value in step.inputs if value.name}
    assert named["w"].array is weight.data
    assert run.steps[-1].inputs[1].array.shape == (2, 100)


def test_several_outputs_and_nested_results():
    def function(x):
        values, vectors = np.linalg.eigh(x[:, :2] @ x[:, :2].T)
        return {"values": values, "rest": [vectors.sum(), 3.0]}

    run = record(function, X)
    eigh = next(step for step in run.steps if step.op == "eigh")
    assert len(eigh.outputs) == 2
    assert run.outputs[0] is eigh.outputs[0]
    assert run.outputs[2] is None


def test_integers_are_recognised_where_an_op_reads_them():
    import nn

    table = np.ones((5, 2))
    run = ag.record(lambda i: nn.functional.embedding(i, ag.Tensor(table, requires_grad=True)), ag.Tensor([[1, 2]]))
    assert run.steps[0].inputs[0] is run.inputs[0]


def test_ops_can_be_opened_into_their_definition():
    def function(x):
        return ag.checkpoint(lambda y: np.sin(y) * x)(x) + 1

    assert [step.op for step in record(function, X, closed=()).steps] == ["sin", "multiply", "add"]
    assert len(record(function, X).steps) == 2


def test_a_step_can_run_again_on_other_numbers():
    (step,) = record(lambda x: np.sum(x, axis=1), X).steps
    np.testing.assert_array_equal(step.run(2 * X)[0], 2 * X.sum(axis=1))


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


def test_notes_say_what_cut_a_constant_off():
    (step,) = record(lambda x: x * np.sign(x), X).steps
    assert step.inputs[1].note == "sign"
    np.testing.assert_array_equal(step.inputs[1].array, np.sign(X))


def test_backward_inside_is_refused():
    def function(x):
        y = np.sin(x).sum()
        y.backward()
        return y

    with pytest.raises(GraphError, match=r"record: the function ran backward\. Record the forward computation only."):
        record(function, X)
