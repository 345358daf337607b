"""What comes into a program has the name that the function has for it."""

import numpy as np
import pytest

import autograd as ag
import nn

NAMES = {  # what is closed over or passed: (function, arguments, the head of forward)
    "a dict": (lambda params, x: x @ params["W"] + params["b"], ({"W": np.ones((2, 2)), "b": np.ones(2)}, np.ones(2))),
    "a list": (lambda ws, x: x * ws[0] * ws[1], ([np.ones(2), np.ones(2)], np.ones(2))),
    "star": (lambda *xs: xs[0] * xs[1], (np.ones(2), np.ones(2))),
    "a direction": (ag.hvp(lambda x: (x**3).sum()), (np.ones(2), np.ones(2))),
}
HEADS = {"a dict": "W, b, x", "a list": "ws_0, ws_1, x", "star": "xs_0, xs_1", "a direction": "x, v"}


@pytest.mark.parametrize("name", NAMES)
def test_arguments_have_the_names_of_the_function(name):
    f, args = NAMES[name]
    assert f"def forward({HEADS[name]}):" in ag.compile(f).program(*args).source


def test_what_is_closed_over_is_called_by_the_way_there():
    G, D = (nn.Sequential(nn.Linear(2, 2, rng=k)) for k in range(2))
    layers, scale = [{"w": ag.Tensor(2.0, requires_grad=True)}], np.ones(2)
    source = ag.compile(lambda x: (D(G(x)) * layers[0]["w"] * scale).sum()).program(np.ones((3, 2), "f4")).source
    head = source.partition("def forward(")[2].partition(")")[0]
    assert head == "x, G_weight_0, G_bias_0, D_weight_0, D_bias_0, w_0, scale"
