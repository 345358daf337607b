"""Residual nets: the edge past a block is told apart, and how much of the gradient comes along it."""

import numpy as np
import pytest
from graphs import leaf, on
from nets import NETS, Block, numbers

import autograd as ag
import nn


class Around(nn.Module):
    """Run a function in a module of its own."""

    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return self.f(x)


CASES = {
    "past a function": (lambda x: x + np.tanh(x), 1),
    "on the right": (lambda x: np.tanh(x) + x, 1),
    "past several ops": (lambda x: x + np.exp(np.sin(x) * 0.5), 1),
    "two branches in the block": (lambda x: x + np.sin(x) * np.cos(x), 1),
    "two blocks": (lambda x: on(x + np.tanh(x), lambda h: h + np.sin(h)), 2),
    "twice the same": (lambda x: x + x, 0),
    "two functions": (lambda x: np.sin(x) + np.cos(x), 0),
    "a product is no skip": (lambda x: x * np.tanh(x), 0),
    "a constant": (lambda x: x + np.ones((2, 3)), 0),
    "of a number": (lambda x: x.sum() + np.tanh(x.sum()), 0),
}


@pytest.mark.parametrize("name", CASES)
def test_an_edge_past_a_block_says_so(name):
    f, count = CASES[name]
    view = ag.draw(Around(f)(leaf(np.ones((2, 3)), "x"))).view
    assert sum(arrow.skip for arrow in view.arrows) == count


def test_outside_of_modules_there_are_no_blocks():
    x = leaf(np.ones(3), "x")
    assert not any(arrow.skip for arrow in ag.draw(x + np.tanh(x)).view.arrows)


def test_the_label_says_what_came_past():
    x = leaf(np.full((2, 3), 0.5), "x")
    y = Around(lambda x: x + np.tanh(x))(x).sum()
    y.backward()
    assert "skip +" in ag.draw(y).source


def facts(picture):
    return [dict(item.facts) for item in picture.view.items if item.kind == "fold"]


def test_a_folded_block_tells_past_from_through():
    """d(x + c x) / dx: 1 comes past, c comes through."""
    x = leaf(np.ones((2, 3)), "x")
    y = Around(lambda x: x + x * 3.0)(x).sum()
    y.backward()
    assert facts(ag.draw(y, depth=0))[0]["skip : main path"] == "25 : 75 %"
    assert "skip : main path" not in facts(ag.draw(Around(lambda x: x + x * 3.0)(x).sum(), depth=0))[0]  # not yet


def test_a_stack_tells_the_oldest_and_the_newest_block():
    loss, names = NETS["residual"]()
    loss.backward()
    (found,) = facts(ag.draw(loss, names=names))
    oldest, newest = (part.split(" : ") for part in found["skip : main path"].replace(" %", "").split(" … "))
    for past, through in (oldest, newest):
        assert int(past) + int(through) == 100
    block, x = Block(8, 0), ag.Tensor(numbers(16, 8), requires_grad=True)
    block(x).sum().backward()
    through = x.grad.numpy() - 1.0
    share = 100 / (1 + np.sqrt(np.mean(through**2)))
    y = block(x).sum()
    y.backward()
    assert facts(ag.draw(y, depth=0))[0]["skip : main path"].startswith(f"{share:.0f} : ")


def test_charts_of_large_weights_stand_in_their_card():
    y = nn.Linear(5, 4, rng=0)(np.ones((3, 5), "f")).sum()
    before = ag.draw(y)
    y.backward()
    after = ag.draw(y)
    assert "charts: how many elements lie where" in before.source
    bar = 'FIXEDSIZE="TRUE" WIDTH="60" HEIGHT="11"'
    assert (before.source.count(bar), after.source.count(bar)) == (1, 2)  # of the weight, then of its gradient too
    small = nn.Linear(2, 2, rng=0)(np.ones((3, 2), "f")).sum()
    assert bar not in ag.draw(small).source


def test_a_chart_of_what_is_not_finite_or_zero_is_drawn():
    for value in (np.zeros((4, 5)), np.full((4, 5), np.nan), np.full((4, 5), np.inf), np.full((4, 5), 1e300)):
        layer = nn.Linear(5, 4, rng=0, dtype=np.float64)
        with ag.no_grad():
            layer.weight[...] = value
        with np.errstate(all="ignore"):
            y = layer(np.ones((3, 5))).sum()
            y.backward()
            assert "<svg" in ag.draw(y).svg
