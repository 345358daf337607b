"""A compiled function has one node in the graph; whoever looks sees the ordinary ops."""

import numpy as np

import autograd as ag


def test_pictures_and_explanations_show_the_ordinary_ops():
    w = ag.Tensor([1.0, 2.0], requires_grad=True, name="w")

    def f(x):
        return np.tanh(w * x).sum()

    compiled, x = ag.compile(f), np.array([0.5, 1.0])
    for _ in range(2):
        y = compiled(x)
        assert "tanh" in ag.draw(y).source
        found, right = ag.explain(y, w), ag.explain(f(x), w)
        assert [path.nodes for path in found.paths] == [path.nodes for path in right.paths]
        assert found.total == right.total
        y.backward()
        assert "tanh" in ag.draw(y).source  # small arrays stay


def test_a_program_whose_inputs_are_gone_stays_closed():
    w = ag.Tensor(np.ones(1000), requires_grad=True, name="w")
    y = ag.compile(lambda x: np.tanh(w * x).sum())(np.ones(1000))
    y.backward()
    assert "compiled lambda stays closed: backward released its inputs" in str(ag.draw(y, max_nodes=500).source)
