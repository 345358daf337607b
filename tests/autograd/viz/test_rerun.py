"""After a plain backward a picture shows what can be computed again, and only that."""

from contextlib import suppress

import numpy as np
import pytest
from graphs import leaf
from nets import NETS, numbers

import autograd as ag
import nn
from autograd.errors import GraphError, InPlaceError


def shown(roots, names=None):
    """Give values and gradients by the id of what shows them."""
    view = ag.draw(roots, names=names, max_nodes=10_000).view
    return {item.id: (item.value, item.grad, item.state) for item in view.items if item.kind == "value"}, view


def small_net(x, target):
    model = nn.Sequential(nn.Linear(4, 30, rng=0), nn.ReLU(), nn.Linear(30, 1, rng=1))
    return model, nn.MSELoss()(model(x), target)


@pytest.mark.parametrize("name", [name for name in NETS if name != "transformer"])  # its target is held by nobody
def test_the_picture_is_that_of_a_graph_that_was_kept(name):
    roots, names = NETS[name]()
    kept, kept_names = NETS[name]()
    for root in roots if isinstance(roots, list) else [roots]:
        root.backward()
    for root in kept if isinstance(kept, list) else [kept]:
        root.backward(retain_graph=True)
    (again, view), (whole, _) = shown(roots, names), shown(kept, kept_names)
    assert again.keys() == whole.keys()
    for key, (value, grad, state) in whole.items():
        assert state == again[key][2], key
        for a, b in ((value, again[key][0]), (grad, again[key][1])):
            assert (a is None) == (b is None), key
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    assert all("not kept" not in str(item.facts) for item in view.items)


def test_it_says_so_and_changes_nothing():
    x, target = numbers(40, 4), numbers(40, 1, seed=1)
    model, loss = small_net(x, target)
    loss.backward()
    before = {name: p.grad.numpy().copy() for name, p in model.named_parameters()}
    picture = ag.draw(loss, names={"loss": loss})
    assert "note: arrays that the graph does not keep were computed again, and agree with what it keeps" in str(picture)
    with pytest.raises(GraphError, match="released"):
        loss.backward()
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(p.grad, before[name])


def test_what_looks_at_the_memory_of_a_leaf_is_noted_as_before():
    """Writes through views find all who look at the memory: a picture adds nobody, and leaves nobody out."""
    x = leaf(np.ones((20, 20)), "x")
    y = (x.T * 2.0).sum()
    y.backward()
    view, z = x.T, (x * x).sum()
    ag.draw(y)
    ag.explain(y, x, index=(0, 0))
    ag.replay(y)
    z.backward(retain_graph=True)  # nothing was changed
    with ag.no_grad():
        x += 1
    np.testing.assert_array_equal(view.data, np.full((20, 20), 2.0))
    with pytest.raises(InPlaceError):
        z.backward()


def test_labels_stay_those_of_explain_and_of_the_picture_before():
    x = leaf(np.linspace(0.1, 1.0, 100), "x")
    h = np.sin(x)
    y = (h * leaf(2.0, "late")).sum()
    before = [(item.id, item.op) for item in ag.draw(y).view.items]
    y.backward()
    assert [(item.id, item.op) for item in ag.draw(y).view.items] == before


def dropped(x, t):
    return small_net(x, t.copy())[1]


def changed_weight(x, t):
    model, loss = small_net(x, t)
    loss.backward()
    with ag.no_grad():
        model[0].weight -= 0.1
    return loss


def stepped(x, t):
    model, loss = small_net(x, t)
    loss.backward()
    nn.optim.SGD(model.parameters(), lr=0.1).step()
    return loss


def overwritten_input(x, t):
    loss = small_net(x, t)[1]
    loss.backward()
    x[:] = 0.0  # the caller's own array, which nothing watches
    return loss


def large_mask(x, t):
    h = leaf(np.linspace(-1.0, 1.0, 160), "h")
    return np.where(np.linspace(-1.0, 1.0, 160) > 0, h * 2.0, 0.0).sum()


def mask_of_dropout(x, t):
    return (nn.Dropout(0.5, rng=0)(leaf(np.ones(160), "h") * 1.5) ** 2).sum()


def runs_once(x, t):
    calls = []

    def once(x):
        if calls:
            raise OSError("the file is gone")
        calls.append(1)
        return x * 2.0

    return (ag.op(once, vjp=lambda g: g * 2.0, name="once")(leaf(np.ones(160), "h") * 1.0) ** 2).sum()


def never_the_same(x, t):
    rng = np.random.default_rng(0)
    noisy = ag.op(lambda x: x + rng.normal(size=x.shape), vjp=lambda g: g, name="noisy")
    return (noisy(leaf(np.ones(160), "h") * 1.0) ** 2).sum()


GONE = {
    f.__name__: f
    for f in (
        dropped,
        changed_weight,
        stepped,
        overwritten_input,
        large_mask,
        mask_of_dropout,
        runs_once,
        never_the_same,
    )
}


@pytest.mark.parametrize("case", GONE)
def test_what_cannot_be_known_again_is_not_shown(case):
    """Something that the ops were given is gone or changed: the large arrays in between are "not kept", as they are."""
    x, t = numbers(40, 4), numbers(40, 1, seed=1)
    root = GONE[case](x, t)
    with suppress(GraphError):  # it may have run
        root.backward()
    found, view = shown(root)
    states = {state for _, _, state in found.values()}
    assert "lost" in states
    assert not any("computed again" in note for note in view.problems)


def test_a_second_backward_since_is_not_hidden():
    """Gradients that are not the sum of their edges are marked, and not replaced by others."""
    x = leaf(np.linspace(0.1, 1.0, 100), "x")
    h = x.sum()
    a, b = h * 2.0, h * 3.0
    a.backward(retain_graph=True)
    b.backward()
    view = ag.draw([a, b]).view
    assert not view.problems


def test_a_compiled_function_is_drawn_as_before():
    w = leaf(np.full((20, 20), 0.1), "w")
    f = ag.compile(lambda x: np.tanh(x @ w).sum())
    y = f(np.ones((20, 20))) * 2.0
    y.backward()
    assert "<svg" in ag.draw(y).svg


def test_small_results_of_large_weights_are_looked_at_after_backward():
    """Of a lesson: backward first, then replay. All results have at most 64 elements, and a weight has more."""
    model = nn.Sequential(nn.Linear(2, 16, rng=0), nn.Tanh(), nn.Linear(16, 16, rng=1), nn.Linear(16, 1, rng=2))
    loss = model(np.ones((4, 2), np.float32)).sum()
    loss.backward()
    weight = model[0].weight
    before = weight.grad.numpy().copy()
    assert "replay" not in str(ag.replay(loss).steps[-1])
    np.testing.assert_allclose(ag.explain(loss, weight, index=(3, 1)).total, before[3, 1], rtol=1e-5)
    np.testing.assert_array_equal(weight.grad.numpy(), before)
