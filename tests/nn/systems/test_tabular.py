"""System 4: a table of measurements, and a training loop that says how it goes."""

import re

import numpy as np
import pytest

import nn

pytest.importorskip("sklearn", reason="no scikit-learn (pip install 'chainrule[sklearn]')")


def tumours(columns, split=0):
    """Load the breast-cancer table: standardised by the training part, one fifth held out."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    x, x_held, y, y_held = nn.datasets.train_test_split(x[:, columns], y[:, None], test_size=0.2, rng=split)
    mean, std = x.mean(axis=0), x.std(axis=0)
    return (x - mean) / std, (x_held - mean) / std, y, y_held


def model(features):
    rng = np.random.default_rng(0)
    return nn.Sequential(
        nn.Layer(features, 10, "relu", rng=rng), nn.Layer(10, 8, "relu", rng=rng), nn.Layer(8, 1, "sigmoid", rng=rng)
    )


# eight of the thirty measurements: the means, and the worst, of size, outline and concavity
EIGHT = [0, 1, 4, 7, 20, 21, 24, 27]


@pytest.mark.parametrize("columns", [EIGHT, list(range(30))], ids=["8 features", "30 features"])
def test_held_out_accuracy(columns):
    """The mean over five splits, as 114 held-out samples alone are few."""
    accuracy, area = [], []
    for split in range(5):
        x, x_held, y, y_held = tumours(columns, split)
        net = model(len(columns))
        trainer = nn.Trainer(net, nn.BCELoss(), nn.optim.Adam(net.parameters(), lr=0.01), metrics=["accuracy"])
        trainer.fit(x, y, epochs=10, batch_size=32, validation_split=0.2, rng=0, progress=False)
        accuracy.append(trainer.evaluate(x_held, y_held)["accuracy"])
        area.append(nn.metrics.roc_auc(y_held, trainer.predict(x_held)))
    assert np.mean(accuracy) >= 0.95
    assert np.mean(area) >= 0.98


def test_every_epoch_is_shown(capsys):
    x, _, y, _ = tumours(EIGHT)
    net = model(8)
    trainer = nn.Trainer(net, nn.BCELoss(), nn.optim.Adam(net.parameters(), lr=0.01), metrics=["accuracy"])
    history = trainer.fit(x, y, epochs=10, batch_size=32, validation_split=0.2, rng=0, progress="lines")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    number = r"(\d\.\d{4})"
    pattern = rf"epoch (\d+)/10  loss {number}  accuracy {number}  val_loss {number}  val_accuracy {number}  \d+\.\d s"
    for i, line in enumerate(lines):
        shown = re.fullmatch(pattern, line)
        assert shown, line
        assert shown.groups() == (str(i + 1), *(f"{values[i]:.4f}" for values in history.values()))
