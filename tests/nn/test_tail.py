"""The long tail in one table: gradients to order 2, float32 stays float32, an empty batch; then the messages."""

import numpy as np
import pytest

import autograd as ag
import nn
from tests.nn.tail import LAYERS, ROWS, apply, draw, leaves, make

F = nn.functional
rows = pytest.mark.parametrize("label", ROWS)
BATCHED = [label for label, row in LAYERS.items() if row.batch is not None]


@rows
def test_gradients_to_order_two(label):
    """With respect to the inputs and to all weights."""
    row = ROWS[label]
    model, inputs = make(row), draw(row)
    floats = [i for i, x in enumerate(inputs) if x.dtype.kind == "f"]
    parameters = list(model.parameters())
    if label.startswith(("kl div", "categorical")):  # a step along one probability leaves the simplex
        model.check = False

    def function(*given):
        for i, x in zip(floats, given, strict=False):
            inputs[i] = x
        parts = apply(row, model, inputs)
        return parts[0] if len(parts) == 1 else np.concatenate([part.ravel() for part in parts])

    ag.check_grads(function, *[inputs[i] for i in floats], order=2)
    names = [name for name, _ in model.named_parameters()]
    x = [np.asarray(value) for value in draw(row)]
    for name, p in zip(names, parameters, strict=True):
        owner = model
        *above, last = name.split(".")
        for part in above:
            owner = owner[int(part)] if isinstance(owner, list) else getattr(owner, part)

        def along(value, owner=owner, last=last):
            vars(owner)[last] = value
            parts = apply(row, model, x)
            return parts[0] if len(parts) == 1 else np.concatenate([part.ravel() for part in parts])

        ag.check_grads(along, p.data.copy(), order=1 if above else 2)
        vars(owner)[last] = p


@rows
def test_float32_stays_float32(label):
    row = ROWS[label]
    exact, rough = make(row), make(row, np.float32)
    xs, zs = leaves(draw(row)), leaves(draw(row), np.float32)
    for y, z in zip(apply(row, exact, xs), apply(row, rough, zs), strict=True):
        assert z.dtype == np.float32
        np.testing.assert_allclose(z.data, y.data, rtol=2e-4, atol=2e-5)
        y.sum().backward(retain_graph=True)
        z.sum().backward(retain_graph=True)
    for x, z in zip([*xs, *exact.parameters()], [*zs, *rough.parameters()], strict=True):
        if isinstance(x, ag.Tensor):
            assert z.grad.dtype == np.float32
            np.testing.assert_allclose(z.grad.data, x.grad.data, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("label", BATCHED)
def test_an_empty_batch_gives_an_empty_result_and_zero_gradients(label):
    row, model = LAYERS[label], make(LAYERS[label])
    xs = leaves(draw(row, batch=0))
    for y, full in zip(apply(row, model, xs), apply(row, model, draw(row)), strict=True):
        shape = list(full.shape)
        shape[row.batch] = 0
        assert y.shape == tuple(shape)
        y.sum().backward(retain_graph=True)
    assert all(x.grad.shape == x.shape for x in xs)
    assert not any(p.grad.data.any() for p in model.parameters())


@pytest.mark.parametrize("label", LAYERS)
def test_lists_and_arrays_give_what_tensors_give(label):
    row, model = LAYERS[label], make(LAYERS[label])
    inputs = draw(row)
    for y, z in zip(apply(row, model, leaves(inputs)), apply(row, model, [x.tolist() for x in inputs]), strict=True):
        np.testing.assert_allclose(np.asarray(z.data if isinstance(z, ag.Tensor) else z), y.data, rtol=1e-5, atol=1e-5)
