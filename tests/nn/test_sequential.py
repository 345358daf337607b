"""Sequential applies modules that are one op each in one go: nobody must be able to tell, but for the time."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ShapeError

X = np.linspace(-2, 2, 24, dtype=np.float32).reshape(6, 4)


def make():
    return nn.Sequential(
        nn.Linear(4, 8, rng=0), nn.ReLU(), nn.Linear(8, 8, bias=False, rng=1), nn.LeakyReLU(0.2), nn.LayerNorm(8),
        nn.Tanh(), nn.Linear(8, 2, rng=2), nn.Sigmoid(),
    )  # fmt: skip


def one_by_one(model, x):
    for module in model:
        x = module(x)
    return x


def run(model, forward, x=X):
    model.zero_grad()
    y = forward(x)
    (y * y).sum().backward()
    return [y.numpy(), *[p.grad.numpy() for p in model.parameters()]]


def test_same_values_and_gradients():
    model = make()
    for ours, theirs in zip(run(model, model), run(model, lambda x: one_by_one(model, x)), strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours, theirs)


def test_every_op_stands_in_its_module():
    y = make()(X)
    places = [(step.label, step.scope.path) for step in ag.record(make(), ag.Tensor(X, True)).steps]
    assert places[:4] == [("linear", "0"), ("relu", "1"), ("linear_no_bias", "2"), ("leaky_relu", "3")]
    assert places[-2:] == [("linear", "6"), ("sigmoid", "7")]
    assert y.shape == (6, 2)


@pytest.mark.parametrize("kind", [np.float64, np.int64, list])
def test_other_input_is_converted_as_by_the_layers(kind):
    model = make()
    x = X.tolist() if kind is list else X.astype(kind)
    np.testing.assert_array_equal(model(x).numpy(), one_by_one(model, x).numpy())


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


def replace_weight(model):
    model[0].weight = nn.Parameter(np.ones((8, 4), np.float32))


def drop_bias(model):
    model[0].bias = None


def change_slope(model):
    model[3].negative_slope = 0.7


def swap_module(model):
    model[0] = Doubled(4, 8, rng=5)


def own_forward(model):
    model[1].forward = lambda x: x * 3


def add_hook(model):
    model[1].register_forward_hook(lambda module, args, y: y + 1)


CHANGES = [replace_weight, drop_bias, change_slope, swap_module, own_forward, add_hook]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_model_is_seen(change):
    model = make()
    before = model(X).numpy()
    change(model)
    after = model(X).numpy()
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, one_by_one(model, X).numpy())


def test_a_removed_hook_is_gone():
    model = make()
    before, seen = model(X).numpy(), []
    handle = model[1].register_forward_hook(lambda module, args, y: seen.append(y.shape))
    model(X)
    handle.remove()
    np.testing.assert_array_equal(model(X).numpy(), before)
    assert seen == [(6, 8)]


def test_the_message_names_the_module():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(7, 1))
    with pytest.raises(ShapeError, match=r"Linear '2' \(7 -> 1\) got x of shape \(6, 8\); the last axis must be 7"):
        model(X)


def test_weights_lie_transposed_and_stay_so_in_the_optimizer():
    model = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 3))
    optimizer = nn.optim.Adam(model.parameters())
    run(model, model)
    for weight in (model[0].weight, model[2].weight):
        assert weight.data.T.flags.c_contiguous
        assert weight.grad.data.T.flags.c_contiguous
    before = model.state_dict()
    assert before["0.weight"].flags.c_contiguous
    optimizer.step()
    assert model[0].weight.data.T.flags.c_contiguous
    np.testing.assert_allclose(
        model[0].weight.data, before["0.weight"] - 1e-3 * np.sign(model[0].weight.grad), atol=1e-4
    )


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_layout_of_a_weight_changes_no_step(order):
    model, other = make(), make()
    for module in (other[0], other[2], other[6]):
        module.weight = nn.Parameter(np.array(module.weight.data, order=order))
    for net in (model, other):
        optimizer = nn.optim.Adam(net.parameters(), lr=0.01)
        for _ in range(5):
            run(net, net)
            nn.optim.clip_grad_norm(net.parameters(), 0.5)
            optimizer.step()
    for name, value in model.state_dict().items():
        np.testing.assert_allclose(value, other.state_dict()[name], rtol=1e-4, atol=1e-5)


def test_is_changed_like_a_list():
    a, b, c, d = (nn.Identity() for _ in range(4))
    model = nn.Sequential(a, b).append(c)
    model.insert(0, d)
    assert list(model) == [d, a, b, c]
    assert list(dict(model.named_children())) == ["0", "1", "2", "3"]
    del model[1:3]
    assert list(model.extend([a])) == [d, c, a]
    assert list(dict(model.named_children())) == ["0", "1", "2"]


def test_names_of_ones_own_stay():
    a, b, c, d = (nn.Identity() for _ in range(4))
    model = nn.Sequential({"1": a, "head": b}).append(c)
    model.insert(0, d)
    assert dict(model.named_children()) == {"3": d, "1": a, "head": b, "2": c}
    with pytest.raises(TypeError, match="holds modules; item '4' is int"):
        model.append(3)
    assert list(model) == [d, a, b, c]


@pytest.mark.parametrize("turned", [False, True])
def test_the_gradient_of_an_input_is_the_same_in_either_layout(turned):
    """After a convolution the batch is the last axis in memory; the gradient lies as its input does."""
    layer, g = nn.Linear(4, 8, rng=0), np.arange(48, dtype=np.float32).reshape(6, 8) / 48
    x = ag.Tensor(X.T.copy().T if turned else X, True, copy=False)
    layer(x).backward(g)
    np.testing.assert_allclose(x.grad, g @ layer.weight.data, rtol=1e-5)
    np.testing.assert_allclose(layer.weight.grad, g.T @ X, rtol=1e-5)
