"""The chain rule with its numbers: paths add up to the gradient, and the listed ones are the strongest."""

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from graphs import chain, expression, leaf, neuron
from hypothesis import given, settings

import autograd as ag
from autograd.box import leaf_of, wrap
from autograd.errors import ArgumentError, GraphError
from autograd.viz.snapshot import Snapshot


def test_expression_paths_sum_to_the_gradient():
    g, names = expression()
    for name, expected in (("a", 12.0), ("b", 66.0)):
        found = ag.explain(g, names[name], names=names)
        assert found.total == pytest.approx(expected, rel=1e-12)
        assert sum(path.value for path in found.paths) == pytest.approx(expected, rel=1e-12)
        assert found.rest == 0.0
        assert found.count == len(found.paths)
        assert found.exact
        for path in found.paths:
            assert np.prod(path.factors) == pytest.approx(path.value, rel=1e-12)
            assert path.share == pytest.approx(path.value / found.total)
            assert path.nodes[0] == "g"
            assert path.nodes[-1] == name


def test_shares_of_a_negative_gradient_are_of_the_gradient():
    x = ag.Tensor(1.0, requires_grad=True)
    found = ag.explain(x * 2 - x * x * 3, x)
    assert found.total == -4.0
    assert sorted(path.share for path in found.paths) == pytest.approx([-0.5, 0.75, 0.75])


def test_text():
    o, names = neuron()
    text = str(ag.explain(o, names["w1"], names=names))
    assert text.splitlines()[0] == "∂o/∂w1 = 1.0000, the sum of 1 path"
    assert "o → n → v7 → v5 → w1" in text
    assert "0.5000 × 1.0000 × 1.0000 × 2.0000 = +1.0000" in text
    assert "∂o/∂n = 1 − o² = 1 − 0.7071² = 0.5000" in text
    assert "v5 = x1 × w1" in text
    assert "∂v5/∂w1 = x1 = 2.0000" in text


def test_latex():
    o, names = neuron()
    found = ag.explain(o, names["w1"], names=names)
    tex = found._repr_latex_()
    assert tex.startswith("$$\\begin{aligned}")
    assert tex.count("{") == tex.count("}")
    assert r"\frac{\partial o}{\partial n} &= 1 - o^{2} = 0.5000" in tex
    assert r"w_{1}" in tex
    assert r"\frac{\partial n}{\partial v_{7}} &= 1 \\" in tex
    assert "1 = 1.0000" not in tex
    assert found._repr_markdown_() == tex
    assert repr(found) == "<Explanation ∂o/∂w1 = 1.0000, 1 path>"


def test_accumulation_gives_one_path_per_use():
    a = leaf(3.0, "a")
    assert sorted(path.value for path in ag.explain((a + a) * a, a).paths) == [3.0, 3.0, 6.0]


def brute_force(root, target):
    """Enumerate every path of a small scalar graph and multiply."""
    values, stack = [], [(leaf_of(root), 1.0)]
    while stack:
        node, product = stack.pop()
        if node is leaf_of(target):
            values.append(product)
            continue
        if node.op is None:
            continue
        for parent, share in node.op.vjp(node, node.residuals, np.float64(1.0)):
            stack.append((parent, product * float(share)))
    return values


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 99), st.integers(0, 99)), min_size=2, max_size=9))
@settings(max_examples=60)
def test_top_k_is_exact_on_random_graphs(plan):
    x = leaf(0.7, "x")
    nodes = [x, leaf(-1.3)]
    ops = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: np.tanh(a - 2.0 * b), lambda a, b: a * 0.5 + b * b]
    for op, i, j in plan:
        nodes.append(ops[op](nodes[-1 - i % min(len(nodes), 3)], nodes[-1 - j % min(len(nodes), 3)]))
    root = nodes[-1]
    every = brute_force(root, x)
    if not every:
        with pytest.raises(GraphError):
            ag.explain(root, x)
        return
    found = ag.explain(root, x, top=5)
    strongest = sorted((abs(v) for v in every), reverse=True)[:5]
    np.testing.assert_allclose([abs(path.value) for path in found.paths], strongest, rtol=1e-9, atol=1e-300)
    assert found.count == len(every)
    assert found.total == pytest.approx(sum(every), rel=1e-9, abs=1e-12)
    assert found.rest + sum(path.value for path in found.paths) == pytest.approx(found.total, rel=1e-9, abs=1e-12)


def test_exponentially_many_paths():
    """2¹⁰⁰ paths: the strongest are found at once, their number is exact, the rest is one number."""
    x = y = leaf(1.0, "x")
    for _ in range(100):
        y = y * 0.6 + y * 0.3
    found = ag.explain(y, x, top=3)
    assert found.count == 2**100
    assert found.paths[0].value == pytest.approx(0.6**100)
    assert found.total == pytest.approx(0.9**100)
    assert f"all {2**100 - 3:,} other paths together" in str(found)


def test_recurrence_of_many_steps():
    h = chain(3_000)
    (w,) = [node for node in Snapshot([h]).nodes if node.name == "w"]
    found = ag.explain(h, wrap(w.residuals[0], w), top=4)
    assert found.count == 1_000
    assert abs(found.paths[0].value) >= abs(found.paths[1].value)


def test_one_element_of_an_array():
    rng = np.random.default_rng(0)
    w, x = leaf(rng.normal(size=(3, 2)), "w"), ag.Tensor(rng.normal(size=(4, 3)))
    y = np.tanh(x @ w).sum()
    found = ag.explain(y, w, index=(1, 0))
    y.backward()
    assert found.total == pytest.approx(float(w.grad[1, 0]), rel=1e-12)
    assert str(found).startswith("∂v4/∂w[1, 0] = ")
    assert sum(path.value for path in found.paths) == pytest.approx(found.total)


def test_direction_is_said():
    x = leaf([1.0, 2.0, 3.0], "x")
    y = (x * x + x).sum()
    direction = np.array([1.0, 0.0, -1.0])
    found = ag.explain(y, x, direction=direction)
    assert found.total == pytest.approx(3.0 - 7.0)
    assert "along the given direction" in str(found)
    assert len(found.paths) == 3
    random = ag.explain(y, x, rng=7)
    assert "along a random unit direction (rng=7)" in str(random)
    unit = np.random.default_rng(7).standard_normal(3)
    assert random.total == pytest.approx(float(np.array([3.0, 5.0, 7.0]) @ unit / np.linalg.norm(unit)))


def two_ways(depth, seed, n=3):
    """A chain of ``depth`` steps, each of which goes two ways between arrays; and what each of its paths adds."""
    rng = np.random.default_rng(seed)
    x = y = leaf(rng.normal(size=n), "x")
    steps = rng.normal(size=(depth, 2, n, n))
    for one, other in steps:
        y = y @ one + y @ other
    direction, weight = rng.normal(size=(2, n))
    moved = np.array([direction])
    for pair in steps:
        moved = np.concatenate([moved @ matrix for matrix in pair])
    return (y * weight).sum(), x, direction, moved @ weight


@pytest.mark.parametrize("seed", range(3))
def test_top_k_is_exact_between_arrays(seed):
    """1,024 paths, more than a first sweep keeps: a short product may end as the strongest path."""
    root, x, direction, every = two_ways(10, seed)
    found = ag.explain(root, x, direction=direction, top=5)
    assert found.exact
    assert found.count == len(every) == 1_024
    strongest = sorted(every, key=abs, reverse=True)[:5]
    np.testing.assert_allclose([path.value for path in found.paths], strongest, rtol=1e-9)
    assert found.total == pytest.approx(every.sum(), rel=1e-9)


def test_top_k_is_exact_between_arrays_of_sixteen_million_paths():
    x = y = leaf(np.array([1.0, 2.0]), "x")
    for _ in range(24):
        y = np.sin(y) + y * np.array([0.5, 0.25])
    found = ag.explain(y.sum(), x, direction=np.ones(2), top=3)
    assert (found.count, found.exact) == (2**24, True)


def test_a_search_that_was_cut_says_so(monkeypatch):
    """Where bounds are too wide, or too dear, the paths listed may not be the strongest."""
    root, x, direction, every = two_ways(10, 0)
    for limit in ("KEPT", "ROWS"):
        with monkeypatch.context() as patch:
            patch.setattr(f"autograd.viz.paths.{limit}", 10)
            found = ag.explain(root, x, direction=direction)
        assert not found.exact
        assert "a stronger path may be among the others" in str(found)
        assert "stronger path" in found._repr_markdown_()
        assert found.total == pytest.approx(every.sum(), rel=1e-9)
        assert found.total == pytest.approx(found.rest + sum(path.value for path in found.paths))


def test_outputs_of_one_op():
    a = leaf([[2.0, 0.0], [0.0, 3.0]], "a")
    values, vectors = np.linalg.eigh(a)
    y = values[0] + vectors[1, 1]
    found = ag.explain(y, a, index=(0, 0))
    y.backward()
    assert found.total == pytest.approx(float(a.grad[0, 0]))


def test_it_changes_nothing_and_needs_no_backward():
    g, names = expression()
    before = ag.draw(g).source
    ag.explain(g, names["a"])
    assert names["a"].grad is None
    assert ag.draw(g).source == before
    g.backward()
    assert ag.explain(g, names["a"]).total == 12.0
    assert float(names["a"].grad) == 12.0


def test_zero_times_infinity_is_no_zero():
    """The 0 is a number like any other: nothing was masked."""
    x = leaf(0.0, "x")
    assert np.isnan(ag.explain(np.sqrt(x) * 0.0, x).total)


def test_errors():
    g, names = expression()
    x = leaf(np.ones(3), "x")
    y = (x * 2.0).sum()
    with pytest.raises(ArgumentError, match=r"explain needs a result with one element, got shape \(3,\)"):
        ag.explain(x * 2.0, x)
    with pytest.raises(
        GraphError, match=r"does not depend on wrt through the graph; autograd\.why_none\(wrt, root\) says why"
    ):
        ag.explain(g, x)
    with pytest.raises(ArgumentError, match="index= or direction=, not both"):
        ag.explain(y, x, index=0, direction=np.ones(3))
    with pytest.raises(ArgumentError, match=r"index 5 does not fit shape \(3,\)"):
        ag.explain(y, x, index=5)
    with pytest.raises(
        ArgumentError, match=r"index must name one element of shape \(3,\), slice\(None, None, None\) names 3"
    ):
        ag.explain(y, x, index=slice(None))
    with pytest.raises(ArgumentError, match=r"direction must have the shape of wrt, \(3,\), got \(2,\)"):
        ag.explain(y, x, direction=np.ones(2))
    with pytest.raises(ArgumentError, match="top must be at least 1, got 0"):
        ag.explain(g, names["a"], top=0)
    with pytest.raises(ArgumentError, match=r"explain needs a Tensor .*, got int"):
        ag.explain(g, 3)


def test_names_in_latex_are_escaped():
    x = leaf(2.0, "my_$name{")
    tex = ag.explain(x * x, x)._repr_latex_()
    assert r"\mathrm{my\_\$name\{}" in tex


def test_paths_are_sorted():
    g, names = expression()
    values = [abs(path.value) for path in ag.explain(g, names["b"]).paths]
    assert all(a >= b for a, b in itertools.pairwise(values))


VIEWS = (str, repr, lambda e: e._repr_latex_(), lambda e: e._repr_markdown_())


@pytest.mark.parametrize("view", VIEWS, ids=["text", "repr", "latex", "markdown"])
@pytest.mark.parametrize(
    ("shape", "options", "said"),
    [
        ((2, 2), dict(index=(1, 1)), "W[1, 1]"),
        ((2, 2), dict(index=(-1, 0)), "W[1, 0]"),
        ((3,), dict(index=2), "W[2]"),
        ((3,), dict(index=[True, False, False]), "W[0]"),
        ((2, 2), dict(direction=np.ones((2, 2))), "along the given direction (all 1)"),
        ((2, 2), dict(rng=7), "along a random unit direction (rng=7)"),
        ((), {}, "W"),
    ],
)
def test_every_form_says_which_derivative_it_is(view, shape, options, said):
    x = leaf(np.ones(shape), "W")
    shown = view(ag.explain((x * x).sum(), x, **options))
    assert said in shown
    assert ("W[" in shown, "along" in shown) == ("W[" in said, "along" in said)


ROUNDING = {  # more than 20 paths, of which the unlisted add nothing
    "masked": lambda x: sum(x * (1 / 3 + k) for k in range(20)) + sum(np.clip(x, -0.5, 0.5) * k for k in range(4)),
    "relu": lambda x: sum(x * (0.1 + k) for k in range(20)) + sum(ag.relu(-x) for _ in range(9)),
    "times zero": lambda x: sum(x * (0.7 + k) for k in range(20)) + sum(x * 0.0 for _ in range(9)),
    "cancelling": lambda x: sum(x * (0.3 + k) for k in range(20)) + x * 0.1 + x * 0.2 - x * 0.1 - x * 0.2,
}


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", ROUNDING)
def test_rounding_is_no_contribution(name, dtype):
    x = leaf(np.asarray(1.5, dtype), "x")
    found = ag.explain(ROUNDING[name](x), x)
    assert (found.rest, found.count > 20) == (0.0, True)
    assert f"+0.0000     0.0 %   all {found.count - 20} other paths together" in str(found)


def test_what_the_others_add_is_said():
    x = leaf(1.5, "x")
    found = ag.explain(sum(x * (k + 1.0) for k in range(24)), x)
    assert found.rest == pytest.approx(1 + 2 + 3 + 4)


def test_a_list_of_one_is_taken_and_of_several_refused():
    a = leaf(1.0, "a")
    p, q = a * 2.0, a * 3.0
    assert ag.explain([q], [a]).total == 3.0
    with pytest.raises(ArgumentError, match=r"explain takes one Tensor as the result, got 2\. Explain them one by one"):
        ag.explain([p, q], a)
    with pytest.raises(ArgumentError, match="explain takes one Tensor as wrt, got 2"):
        ag.explain(q, (a, a))


USED = {  # what explain says of a derivative at a tie, where a naive form would overflow, and where one has no value
    "maximum at a tie": (lambda x: np.maximum(x, 0.0), 0.0, "[x > 0] + [x = 0]/2 = [0 > 0] + [0 = 0]/2 = 0.5000"),
    "minimum at a tie": (lambda x: np.minimum(x, 1.0), 1.0, "[x < 1] + [x = 1]/2 = [1 < 1] + [1 = 1]/2 = 0.5000"),
    "relu at 0": (ag.relu, 0.0, "[x > 0] = [0 > 0] = 0.0000"),
    "abs at 0": (np.abs, 0.0, "sign(x) = sign(0) = 0.0000"),
    "sigmoid far out": (ag.sigmoid, -800.0, "= 0.0000"),
    "tanh far out": (np.tanh, 800.0, "1 − v1² = 1 − 1² = 0.0000"),
    "softplus far out": (ag.softplus, 800.0, "= 1.0000"),
    "logaddexp far out": (lambda x: np.logaddexp(x, 0.0), 800.0, "= 1.0000"),
    "power at 0": (lambda x: x**1.0, 0.0, "= 1.0000"),
    "power 0 at 0": (lambda x: x**0.0, 0.0, "= 0.0000 by convention (0·x^(0 − 1) has no value here)"),
    "hypot at 0": (lambda x: np.hypot(x, 0.0), 0.0, "= 0.0000 by convention (x/v1 has no value here)"),
    "sqrt at 0": (np.sqrt, 0.0, "1/(2·v1) = 1/(2·0) = inf"),
}


@pytest.mark.parametrize("name", USED)
def test_what_was_used_is_printed(name):
    f, value, said = USED[name]
    x = leaf(value, "x")
    found = ag.explain(f(x), x)
    (local,) = found.paths[0].locals
    assert local.text().endswith(said)
    assert ("by convention" in found._repr_latex_()) == ("by convention" in said)
