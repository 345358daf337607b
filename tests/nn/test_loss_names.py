"""Losses by name: Keras' names mean here what they mean there, and a name is the loss that it stands for."""

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError
from nn import loss_names

RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(23, 4)), RNG.integers(0, 3, 23)
HOT = np.eye(3)[LABELS]


@pytest.mark.parametrize("name", loss_names.NAMES)
def test_each_name_makes_a_loss(name):
    loss = loss_names.get(name.upper())
    assert isinstance(loss, nn.Module)
    assert loss.outputs in ("classes", "logits", "probabilities", "numbers")


def test_cross_entropies_of_probabilities_are_those_of_logits():
    """The articles end their models with a Softmax; the loss, its metrics and its gradient are the same without."""
    names = {"categorical_crossentropy": HOT, "sparse_categorical_crossentropy": LABELS, "cross_entropy": LABELS}
    found = {}
    for name, y in names.items():
        parts = [nn.Linear(4, 3, rng=0)] + [nn.Softmax(-1)] * (name != "cross_entropy")
        t = nn.Trainer(nn.Sequential(*parts), name, "sgd", metrics=["accuracy", "roc_auc"])
        h = t.fit(X, y, epochs=3, batch_size=5, rng=0, progress=False)
        found[name] = [*h["loss"], *h["accuracy"], *h["roc_auc"], *t.model[0].weight.numpy().ravel()]
    for name in names:
        np.testing.assert_allclose(found[name], found["cross_entropy"], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("function", loss_names.FUNCTIONS, ids=lambda f: f.__name__)
def test_a_function_is_its_class(function):
    """Also in the mean at any batch size: the Trainer knows of a function what it knows of the class."""
    p = np.exp(X[:, :3]) / np.exp(X[:, :3]).sum(1, keepdims=True)
    kind = loss_names.FUNCTIONS[function]
    numbers = kind.outputs in ("numbers", "probabilities") or kind is nn.KLDivLoss
    y = 2 * HOT - 1 if kind is nn.HingeLoss else p[::-1] if numbers else HOT if kind is nn.BCEWithLogitsLoss else LABELS
    x = np.log(p) if kind in (nn.NLLLoss, nn.KLDivLoss) else p
    for loss in (function, kind()):
        model = nn.Linear(3, 3, bias=False, rng=0)
        model.load_state_dict({"weight": np.eye(3)})
        t = nn.Trainer(model, loss, nn.optim.SGD(model.parameters(), lr=0.0))
        for size in (1, 2, 3, 7, 23):
            assert t.evaluate(x, y, batch_size=size)["loss"] == pytest.approx(kind()(x, y).item(), rel=1e-5)
            ones = t.evaluate(x, y, batch_size=size, sample_weight=np.ones(23))["loss"]
            assert ones == pytest.approx(kind()(x, y).item(), rel=1e-5)


def test_unknown_names():
    with pytest.raises(ArgumentError, match=r"unknown loss 'crossentropy'. Did you mean 'cross_entropy'"):
        loss_names.get("crossentropy")
    with pytest.raises(ArgumentError, match=r"a row of probabilities sums to .*For logits use CrossEntropyLoss"):
        nn.Trainer(nn.Linear(4, 3, rng=0), "categorical_crossentropy", "sgd").fit(X, HOT, progress=False)
