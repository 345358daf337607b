"""The replay page as data: what each step says, that the sums are the gradients, that the page is one small file."""

import json
import re

import numpy as np
import pytest
from graphs import dense, double, expression, layers, leaf, neuron, on

import autograd as ag
import nn
from autograd.errors import ArgumentError, GraphError


def data(page):
    return json.loads(re.search(r"document\.querySelector\('main svg'\),(\[.*\])\);</script>", page).group(1))


def test_steps_of_the_neuron():
    o, names = neuron()
    r = ag.replay(o, names=names)
    assert r.steps[0] == "grad o = 1.0000 Seed: the gradient of o with respect to itself."
    assert r.steps[1].startswith("∂o/∂n = 1 − o² = 1 − 0.7071² = 0.5000, adds 1.0000 × 0.5000 = +0.5000 to grad n")
    assert len(r.steps) == 1 + 9
    assert repr(r) == "<Replay of backward from o: 9 steps>"


@pytest.mark.parametrize("graph", [expression, neuron, double])
def test_last_sums_are_the_gradients(graph):
    root, names = graph()
    page = ag.replay(root, names=names).html
    last = {value: gradient for _, _, value, gradient, _ in data(page)}
    assert all(t.grad is None for t in names.values())
    root.backward()
    ids = {item.name: item.id for item in ag.draw(root, names=names).view.items}
    for name, tensor in names.items():
        if tensor.is_leaf:
            assert float(last[ids[name]]) == pytest.approx(float(tensor.grad), abs=1e-4)


def test_accumulation_is_told():
    y, names = double()
    steps = ag.replay(y, names=names).steps
    assert any("grad a = 6.0000 + 3.0000 = 9.0000 (1 more to come)" in step for step in steps)
    assert any("grad a = 9.0000 + 3.0000 = 12.0000." in step for step in steps)


def test_masked_step_says_so():
    x = leaf(-1.0, "x")
    assert "relu cut the gradient off here." in ag.replay(ag.relu(x)).steps[1]


def test_page_is_self_contained():
    page = ag.replay(expression()[0]).html
    for link in ("src=", 'href="http', "@import", "url(", "fetch(", "XMLHttpRequest"):
        assert link not in page.replace("xlink:href", "")
    assert page.count("<script") == 1
    assert "<noscript" not in page
    assert "All steps as text" in page


@pytest.mark.graphviz
def test_two_hundred_nodes_stay_under_300_kilobytes():
    """A perceptron of scalars, written out: 2 inputs, layers of 8, 5 and 1 neurons."""
    rng = np.random.default_rng(0)
    values = [ag.Tensor(0.3), ag.Tensor(-0.7)]
    for n in (8, 5, 1):
        neurons = [sum((leaf(rng.uniform(-1, 1)) * v for v in values), leaf(0.0)) for _ in range(n)]
        values = [np.tanh(neuron) for neuron in neurons]
    page = ag.replay(values[0], max_nodes=500)
    assert page.picture.view.total >= 200
    assert page.picture.folded == []
    assert len(page.html.encode()) < 300_000


@pytest.mark.graphviz
@pytest.mark.slow
def test_a_dense_graph_of_two_hundred_nodes_stays_under_300_kilobytes():
    page = ag.replay(dense(166), max_nodes=500)
    assert page.picture.view.total >= 200
    assert len(page.steps) > 340
    assert page.picture.folded == []
    assert len(page.html.encode()) < 300_000


def test_arrays_and_modules():
    root, names = layers()
    r = ag.replay(root, names=names)
    assert "layers.0.weight" in r.html
    assert data(r.html)[-1][-1] == 1


def test_big_graphs_fold_their_steps():
    h = leaf(0.1, "h")
    for _ in range(300):
        h = np.tanh(h * 0.5 + 0.1)
    r = ag.replay(h, max_nodes=100)
    assert len(r.steps) < 100
    assert "steps inside folded parts are not shown" in r.steps[-1]


def test_errors(tmp_path):
    with pytest.raises(GraphError, match=r"replay: this result needs no gradient.*requires_grad=True"):
        ag.replay(ag.Tensor(1.0))
    x = leaf(np.ones(100))
    y = (x * np.arange(100.0)).sum()  # of which nobody holds the second
    y.backward()
    with pytest.raises(GraphError, match=r"replay needs arrays that are gone.*retain_graph=True"):
        ag.replay(y)
    with pytest.raises(ArgumentError, match="theme must be one of"):
        ag.replay(neuron()[0], theme="pink")


def test_works_after_backward_on_small_values():
    g, names = expression()
    g.backward()
    before = float(names["a"].grad)
    r = ag.replay(g, names=names)
    assert len(r.steps) > 10
    assert float(names["a"].grad) == before


def test_save(tmp_path):
    ag.replay(neuron()[0]).save(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_notebook_output_is_an_image_and_a_script():
    shown = ag.replay(neuron()[0])._repr_mimebundle_()
    assert shown["text/html"].startswith('<img src="data:image/svg+xml;base64,')
    assert "attachShadow" in shown["text/html"]
    assert shown["text/plain"].startswith("grad v9 = 1.0000")


SHAPES = {
    "one element": lambda: nn.MLP(2, [3, 1], rng=0)([[1.0, 2.0]]),
    "one element of three axes": lambda: leaf([[[2.0]]], "x") * 3.0,
    "one element used twice": lambda: on(leaf([2.0], "x"), lambda x: x * x + x),
    "split": lambda: np.split(leaf(np.ones(4)), 2)[0].sum(),
    "both parts": lambda: on(np.split(leaf(np.ones(4)), 2), lambda parts: parts[0] * parts[1].sum()).sum(),
    "eigh": lambda: np.linalg.eigh(leaf(np.diag([1.0, 2.0])))[1].sum(),
    "lstm": lambda: nn.LSTM(2, 3, rng=0)(np.ones((4, 1, 2), "f"))[1][0].sum(),
    "a vector": lambda: leaf([1.0, 2.0]) * 2.0,
    "nothing": lambda: (leaf(np.ones((0, 3))) * 2.0).sum(),
    "no op": lambda: leaf(1.0),
}


@pytest.mark.parametrize("name", SHAPES)
def test_any_shape_and_any_number_of_outputs(name):
    y = SHAPES[name]()
    page = ag.replay(y)
    assert page.html.startswith("<!DOCTYPE html>")
    assert page.steps[0].startswith("grad ")
    assert ag.replay([y]).steps == page.steps


def test_the_gradient_of_several_outputs_is_said_part_by_part():
    first, second = np.split(leaf(np.ones(4), "x"), 2)
    (step,) = [text for text in ag.replay((first + second * 2.0).sum()).steps if "the rule of split" in text]
    assert "= [0] [1  1], [1] [2  2]; grad x = [1  1  2  2]." in step


def test_several_results_are_replayed_together():
    a = leaf(1.0, "a")
    p, q = a * 2.0, a * 3.0
    page = ag.replay([p, q * p], names=dict(p=p, q=q))
    assert page.steps[0] == "grad p = 1.0000 Seed: the gradient of p with respect to itself."
    assert page.steps[1] == "grad v3 = 1.0000 Seed: the gradient of v3 with respect to itself."
    assert page.steps[-1].endswith("grad a = 6.0000 + 8.0000 = 14.0000.")
    assert "(2 more to come)" not in page.steps[-1]
    assert repr(page) == "<Replay of backward from p, v3: 5 steps>"
    with pytest.raises(GraphError, match="v2 of the results needs no gradient"):
        ag.replay([ag.Tensor(1.0), p])
