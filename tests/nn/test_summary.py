"""The tree with output shapes: what it shows, and that it leaves the model as it was."""

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError, ShapeError


class Odd(nn.Module):
    """Call one layer twice, another with two results, a third never."""

    def __init__(self):
        self.shared, self.lstm = nn.Linear(3, 3, rng=0), nn.LSTM(3, 2, rng=0)
        self.idle, self.drop = nn.Linear(1, 1, rng=0), nn.Dropout(0.5, rng=0)
        self.norm = nn.BatchNorm1d(3)
        self.idle.requires_grad_(False)

    def forward(self, x, scale):
        h = self.norm(self.shared(self.shared(x)))
        y, last = self.lstm(self.drop(h)[None])
        return {"y": y * scale, "last": [last, None]}


def test_what_it_shows():
    text = str(nn.summary(Odd(), (np.ones((4, 3)), 2.0)))
    assert text == repr(nn.summary(Odd(), (np.ones((4, 3)), 2.0)))
    assert text.splitlines() == [
        "module                    output                                    parameters",
        "Odd                       y: (1, 4, 2), last: (1, 4, 2), (1, 4, 2)          76",
        "  shared: Linear(3 -> 3)  (4, 3) ×2                                         12",
        "  lstm: LSTM(3 -> 2)      (1, 4, 2), (1, 4, 2), (1, 4, 2)                   56",
        "  idle: Linear(1 -> 1)                                                       2",
        "  drop: Dropout(p=0.5)    (4, 3)",
        "  norm: BatchNorm1d(3)    (4, 3)                                             6",
        "76 parameters, 74 of them learnt (0.3 kB)",
    ]


def test_the_model_is_left_as_it_was():
    model = Odd()
    model.drop.eval()
    before, state = model.drop.rng.bit_generator.state, model.state_dict()
    nn.summary(model, (np.ones((4, 3)), 2.0))
    assert model.drop.rng.bit_generator.state == before
    assert [m.training for m in (model, model.drop, model.norm)] == [True, False, True]
    assert not any(m._hooks for m in model.modules())
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, state[name])


def test_a_chain_shows_what_stands_in_it():
    """Also after it was joined to one op by an earlier call."""
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.ReLU(), nn.Linear(3, 1, rng=1))
    model(np.ones((5, 2)))
    shapes = [shape for _, _, shape, _ in nn.summary(model, np.ones((5, 2))).lines]
    assert shapes == ["(5, 1)", "(5, 3)", "(5, 3)", "(5, 1)"]
    shapes = [shape for _, _, shape, _ in nn.summary(nn.MLP(2, [8, 1], rng=0), [[0.0, 1.0]]).lines]
    assert shapes == ["(1, 1)", "", "(1, 8)", "(1, 1)"]


def test_as_a_table_in_a_notebook():
    html = nn.summary(nn.Sequential(nn.Linear(2, 3, rng=0)), np.ones((5, 2)))._repr_html_()
    assert "<table>" in html
    assert "0: Linear(2 -&gt; 3)" in html
    assert "(5, 3)" in html
    assert "9 parameters, all of them learnt (0.0 kB)" in html


def test_sizes_in_words():
    assert "10,100,000 parameters, all of them learnt (40.4 MB)" in str(
        nn.summary(nn.Linear(100, 100_000, rng=0), np.ones((1, 100)))
    )


def test_what_does_not_fit():
    with pytest.raises(ArgumentError, match=r"summary: the first argument must be a Module, got function\."):
        nn.summary(lambda x: x, 1)
    model = Odd()
    with pytest.raises(ShapeError, match="the last axis must be 3"):
        nn.summary(model, (np.ones((4, 2)), 1.0))
    assert model.training
    assert not any(m._hooks for m in model.modules())
