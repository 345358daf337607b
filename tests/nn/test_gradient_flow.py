"""Dead units are found wherever there is a ReLU: as a module, inside a Layer, and by channel in images."""

import numpy as np
import pytest

import nn


def dead(model, x, y, loss):
    flow = nn.GradientFlow()
    nn.Trainer(model, loss, nn.optim.SGD(model.parameters(), lr=0.0), callbacks=[flow]).fit(x, y, progress=False)
    return {record["name"]: record["share"] for record in flow.dead}


def test_layers_of_an_mlp():
    model = nn.MLP(3, [4, 5, 2], "relu", rng=0)
    model.layers[0].weight.data[:3] = 0
    model.layers[0].bias.data[:] = [-1, -1, -1, 1]
    shares = dead(model, np.ones((6, 3)), np.zeros((6, 2)), nn.MSELoss())
    assert list(shares) == ["layers.0", "layers.1"]  # the last layer has no ReLU
    assert shares["layers.0"] == 0.75


def test_other_activations_have_no_dead_units():
    assert dead(nn.MLP(3, [4, 2], "tanh", rng=0), np.ones((6, 3)), np.zeros((6, 2)), nn.MSELoss()) == {}


def test_channels_of_images():
    """A channel is dead when it is 0 at every place of every image; a column of pixels is no unit."""
    conv = nn.Conv2d(1, 4, 3, rng=0)
    conv.weight.data[:] = 0
    conv.bias.data[:] = [1, -1, 1, 1]
    model = nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.Linear(4 * 3 * 6, 2, rng=1))
    assert dead(model, np.ones((2, 1, 5, 8)), np.array([0, 1]), nn.CrossEntropyLoss()) == {"1": 0.25}


def watched(sizes, change=lambda model: None, **options):
    flow, model = nn.GradientFlow(), nn.MLP(2, sizes, "relu", rng=0)
    change(model)
    x = np.random.default_rng(0).normal(size=(32, 2))
    trainer = nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.01), callbacks=[flow])
    trainer.fit(x, x[:, :1], epochs=3, progress=False, rng=0)
    return flow.plot(), model


def kill(model):
    model.layers[1].bias.data[:] = -100.0


def points(panel):
    return [(line.get_label(), y) for line in panel.lines for y in line.get_ydata()]


@pytest.mark.parametrize("sizes", [[16, 1], [4, 4, 1], [4] * 9 + [1]])
@pytest.mark.parametrize("change", [lambda model: None, kill])
def test_the_plot_has_no_ratio_without_a_weight_and_names_every_line(sizes, change):
    figure, model = watched(sizes, change)
    gradient, ratio, _ = figure.axes
    assert max(y for _, y in points(ratio)) < 100  # a bias that starts at 0 had 1.5e9
    named = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {name for name, _ in model.named_parameters()} <= named
    assert all(np.isfinite(y) and y > 0 for _, y in points(gradient))


def test_a_layer_whose_gradient_is_zero_is_seen():
    figure, _ = watched([4, 4, 1], kill)
    for panel in figure.axes[:2]:
        crosses = [line for line in panel.lines if line.get_marker() == "x"]
        assert len(crosses) >= 4
        lines = [y for line in panel.lines if line.get_marker() != "x" for y in line.get_ydata()]
        assert max(y for line in crosses for y in line.get_ydata()) < min(lines)
        assert len({line.get_ydata()[0] for line in crosses}) == len(crosses)


def test_a_plot_of_nothing_is_empty():
    assert nn.GradientFlow().plot().legends == []
