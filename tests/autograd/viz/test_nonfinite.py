"""Where inf and nan come from: the op that made the first one is named, and marked in pictures, folded or not."""

import numpy as np
import pytest
from graphs import leaf, on

import autograd as ag
import nn

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 4, rng=0), nn.Linear(4, 1, rng=1)

    def forward(self, x):
        return self.b(np.sqrt(self.a(x)))


def net():
    x = np.random.default_rng(0).normal(size=(64, 2))
    return nn.MSELoss()(Net()(x), x[:, :1])


P, Q, LONG = [1.0, -1.0, 2.0], [4.0, 0.0], np.linspace(-1.0, 1.0, 999)
MASK = np.array([[True, False], [False, False]])
FORWARD = {
    "log of a negative number": (
        lambda: (np.log(leaf(P, "p")) * 2.0).sum(),
        "v1 = log(p) made nan of finite numbers: at element [1] p is -1",
    ),
    "a scalar": (lambda: np.sqrt(leaf(-4.0, "x")) + 1.0, "v1 = sqrt(x) made nan of finite numbers: x is -4"),
    "division": (
        lambda: (leaf([1.0, 1.0], "a") / leaf([1.0, 0.0], "b")).sum(),
        "v2 = a ÷ b made inf of finite numbers: at element [1] a is 1 and b is 0",
    ),
    "a large array that nobody holds": (
        lambda: (np.log(leaf(LONG, "b")) * 2.0).sum(),
        "v1 = log(b) made nan of finite numbers: at element [0] b is -1",
    ),
    "nan of an overflow": (
        lambda: on(np.exp(leaf([1.0, 1e3], "a")), lambda e: (e / e.sum()).sum()),
        "v1 = exp(a) made inf of finite numbers: at element [1] a is 1000",
    ),
    "the older of two": (
        lambda: on(leaf(P, "p"), lambda p: (np.log(p) + np.sqrt(p)).sum()),
        "v1 = log(p) made nan of finite numbers: at element [1] p is -1",
    ),
    "between modules": (net, "v6 = sqrt(v5) in Net made nan of finite numbers: at element [0, 3] v5 is -0.7271"),
    "an input": (
        lambda: (leaf([1.0, np.nan], "n") * 2.0).sum(),
        "n holds nan at element [1]: it is an input, no op made it",
    ),
    "rows that are masked whole": (
        lambda: ag.softmax(np.where(MASK, leaf(np.zeros((2, 2)), "s"), -np.inf), axis=1).sum(),
        "v2 = softmax(v1) made nan of infinite ones at element [1, 0], from v1 (2, 2)",
    ),
    "an inf in a mask is no fault": (
        lambda: (ag.softmax(np.where([True, False], leaf([1.0, 2.0], "s"), -np.inf)) * np.log(leaf(-1.0, "x"))).sum(),
        "v4 = log(x) made nan of finite numbers: x is -1",
    ),
    "one of several outputs": (
        lambda: np.sqrt(np.split(leaf(P, "p"), 3)[1]).sum(),
        "v3 = sqrt(v2) made nan of finite numbers: at element [0] v2 is -1",
    ),
    "no elementwise op": (
        lambda: np.linalg.inv(leaf([[1e-320, 0.0], [0.0, 1.0]], "M")).sum(),
        "v1 = inv(M) made nan of finite numbers at element [0, 1], from M (2, 2)",
    ),
}
BACKWARD = {
    "sqrt at 0": (
        lambda: np.sqrt(leaf(Q, "q")).sum(),
        "backward of v1 = sqrt(q) made inf of finite numbers: at element [1] q is 0",
    ),
    "further back": (
        lambda: np.sqrt(leaf(0.0, "x") * 3.0) * 2.0,
        "backward of v2 = sqrt(v1) made inf of finite numbers: v1 is 0",
    ),
    "a power below 1": (
        lambda: (leaf(Q, "q") ** 0.5).sum(),
        "backward of v1 = q ** 0.5 made inf of finite numbers: at element [1] q is 0",
    ),
    "0 times an overflow": (
        lambda: np.exp(-np.exp(leaf(1e3, "x"))),
        "backward of v1 = exp(x) made nan: x is 1000",
    ),
    "behind a product": (
        lambda: on(leaf(0.0, "x"), lambda x: np.sqrt(x) * x),
        "backward of v1 = sqrt(x) made nan of finite numbers: x is 0",
    ),
    "no elementwise op": (
        lambda: on(leaf(np.eye(2), "A"), lambda A: np.linalg.eigh(A)[1][0, 0]),
        "backward of v1 = eigh(A) made nan of finite numbers at element [0, 0], from A (2, 2)",
    ),
}
FINE = {
    "finite": lambda: leaf(3.0) * 2.0,
    "masked in the forward": lambda: on(leaf(P, "p"), lambda s: np.where(s > 0, np.sqrt(s), s).sum()),
    "masked in the backward": lambda: on(leaf(Q, "q"), lambda s: np.where(s > 0, s**0.5, s).sum()),
    "an inf that goes": lambda: np.minimum(np.exp(leaf(1e3)), 1.0),
    "no gradient": lambda: ag.Tensor(2.0) * 3.0,
    "integers": lambda: ag.Tensor([1, 2]) + 1,
}


@pytest.mark.parametrize("name", FORWARD)
def test_the_op_that_made_it_is_named_before_and_after_backward(name):
    make, said = FORWARD[name]
    y = make()
    found = ag.find_nonfinite(y)
    assert str(found) == found._repr_markdown_() == said
    assert found.kind == ("input" if "no op" in said else "forward")
    assert not np.isfinite(found.value)
    y.backward(retain_graph=True)
    assert str(ag.find_nonfinite(y)) == said


@pytest.mark.parametrize("name", BACKWARD)
def test_the_op_whose_backward_made_it_is_named(name):
    make, said = BACKWARD[name]
    y = make()
    found = ag.find_nonfinite(y)
    assert (found.kind, str(found)) == ("backward", said)
    y.backward()
    assert str(ag.find_nonfinite(y)) == said


@pytest.mark.parametrize("name", FINE)
def test_none_where_nothing_that_reaches_the_result_is_wrong(name):
    y = FINE[name]()
    assert ag.find_nonfinite(y) is None
    assert "made nan" not in ag.draw(y).source
    assert "made inf" not in ag.draw(y).source


@pytest.mark.parametrize("name", [n for n, (_, said) in FORWARD.items() if "in Net" not in said] + [*BACKWARD])
@pytest.mark.parametrize("ran", [False, True])
def test_pictures_mark_the_place(name, ran):
    make, said = (FORWARD | BACKWARD)[name]
    y = make()
    if ran:
        y.backward(retain_graph=True)
    picture = ag.draw(y)
    marked = [item.alarm for item in picture.view.items if item.alarm]
    if name in BACKWARD and not ran:
        assert marked == []
        return
    assert len(marked) == 1
    assert marked[0].startswith("first ")
    assert marked[0].endswith(" in backward") == (name in BACKWARD)
    assert f"note: {said}" in str(picture)
    assert marked[0] in picture.source


@pytest.mark.parametrize("depth", [0, 1, None])
@pytest.mark.parametrize("ran", [False, True])
def test_a_folded_module_says_it_too(depth, ran):
    y = net()
    if ran:
        y.backward(retain_graph=True)
    (box,) = [item for item in ag.draw(y, depth=depth).view.items if item.alarm]
    assert (box.name, box.alarm) == ("Net" if depth == 0 else "", "first nan")
    assert ("first nan" in dict(box.facts)) == (depth == 0)


def test_what_cannot_be_told_any_more_is_not_claimed():
    y = net()
    y.backward()
    said = str(ag.find_nonfinite(y))
    assert said.startswith("v7 = linear(v6, b.weight, b.bias) in b made nan at element [0, 0], from v6 (64, 4)")
    assert said.endswith("or was given it: backward let go of its inputs (retain_graph=True keeps them)")


@pytest.mark.parametrize("name", [*FORWARD, *BACKWARD])
def test_why_none_names_the_op(name):
    make, said = (FORWARD | BACKWARD)[name]
    y = make()
    y.backward(retain_graph=True)
    leaves = [item for item in ag.draw(y).view.items if item.leaf and item.state == "bad"]
    snap = ag.viz.snapshot.Snapshot([y])
    for item in leaves:
        node = snap.nodes[int(item.id[1:])]
        reason = ag.why_none(ag.box.wrap(None, node), y)
        assert reason.kind == "not_finite"
        assert reason.text.endswith(f"is computed but not finite: {said}.")
    without = ag.why_none(ag.box.wrap(None, snap.nodes[int(leaves[0].id[1:])])) if leaves else None
    if without is not None:
        assert "find_nonfinite(result) says which op made the first inf or nan, and draw(result) marks it." in str(
            without
        )


def test_it_needs_a_tensor():
    with pytest.raises(ag.errors.ArgumentError, match="find_nonfinite needs a Tensor"):
        ag.find_nonfinite(3.0)
