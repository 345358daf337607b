"""Dead units are found wherever there is a ReLU: as a module, inside a Layer, and by channel in images."""

import numpy as np

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
