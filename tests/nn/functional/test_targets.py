"""Targets are looked at: out of range, swapped with the output, no distribution, no logarithm, one class."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError
from nn import loss_names

F = nn.functional
NAN = np.nan
Z, P = np.float32([[2.0], [-1.0]]), np.float32([[0.9], [0.2]])
Z2, LOGS = np.float32([[2.0, -1.0], [0.5, 1.0]]), np.log([[0.9, 0.1], [0.4, 0.6]])
HOT = np.eye(2)

# class, function, output, target, message; can check=False take it
REFUSED = {
    "logits, -1": (nn.BCEWithLogitsLoss, Z, [[1], [-1]], r"got -1. For labels -1 and 1 pass \(y \+ 1\) / 2, or", True),
    "logits, 255": (nn.BCEWithLogitsLoss, Z, [[255], [0]], r"got 255. For masks of 0 and 255 pass y / 255", True),
    "logits, 2": (
        nn.BCEWithLogitsLoss,
        Z,
        [[2], [0]],
        "got 2. For labels of several classes use CrossEntropyLoss",
        True,
    ),
    "logits, nan": (nn.BCEWithLogitsLoss, Z, [[NAN], [0]], "targets lie from 0 to 1, got nan", True),
    "logits, 1.001": (nn.BCEWithLogitsLoss, Z, [[1.001], [0]], "targets lie from 0 to 1, got 1.001", True),
    "probabilities, -1": (nn.BCELoss, P, [[1], [-1]], "targets lie from 0 to 1, got -1", True),
    "probabilities, 255": (nn.BCELoss, P, [[255], [0]], "targets lie from 0 to 1, got 255", True),
    "logits as probabilities": (nn.BCELoss, Z, [[1], [0]], "takes probabilities from 0 to 1, got 2", False),
    "hinge, 0": (nn.HingeLoss, Z, [[1], [0]], r"targets are -1 and 1, got 0. For labels 0 and 1 pass 2 \* y - 1", True),
    "two classes": (
        nn.CrossEntropyLoss,
        Z2,
        [[1.0, 1.0], [1, 0]],
        "a row of probabilities sums to 2; it must be 1",
        True,
    ),
    "no class": (nn.CrossEntropyLoss, Z2, [[0.0, 0.0], [1, 0]], "a row of probabilities sums to 0; it must be 1", True),
    "less than none": (nn.CrossEntropyLoss, Z2, [[1.5, -0.5], [1, 0]], "a probability is -0.5, below 0", True),
    "two ones": (nn.CrossEntropyLoss, Z2, [[1, 1], [1, 0]], "an integer target .* must be one-hot", False),
    "one column": (
        nn.CrossEntropyLoss,
        Z,
        [0, 0],
        r"shape \(2, 1\), one class, which is right whatever it says",
        False,
    ),
    "one column of logs": (nn.NLLLoss, -Z, [0, 0], "one class, which is right whatever it says", False),
    "one score": (nn.CrossEntropyLoss, Z[0], 0, "one class, which is right whatever it says", False),
    "no logarithms": (
        nn.NLLLoss,
        np.exp(LOGS),
        [0, 1],
        "logarithms of probabilities, which are at most 0, got 0.9",
        True,
    ),
    "logits as logarithms": (nn.NLLLoss, Z2, [0, 1], "logarithms of probabilities, which are at most 0, got 2", True),
}


def function_of(kind):
    return next(f for f, k in loss_names.FUNCTIONS.items() if k is kind)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_class_and_function(name):
    kind, output, target, message, switch = REFUSED[name]
    for loss in (kind(), function_of(kind)):
        for x in (output, ag.Tensor(output, requires_grad=True)):
            with pytest.raises(ArgumentError, match=message):
                loss(x, np.asarray(target))
    if switch:
        assert kind(check=False)(output, np.asarray(target)).shape == ()
        assert np.shape(function_of(kind)(output, np.asarray(target), check=False)) == ()
    else:
        with pytest.raises(ArgumentError, match=message):
            kind(check=False)(output, np.asarray(target))


OF_TARGETS = [name for name, row in REFUSED.items() if row[-1] and row[0] is not nn.NLLLoss and "nan" not in name]


@pytest.mark.parametrize("name", OF_TARGETS)
def test_refused_by_fit_before_a_weight_moves(name):
    """The wrong targets stand in the last batch, and the loss sees the first batch first."""
    kind, output, target, message, _ = REFUSED[name]
    model = nn.Linear(output.shape[1], output.shape[1], rng=0)
    t = nn.Trainer(model, kind(), nn.optim.SGD(model.parameters(), lr=1.0))
    wrong = np.asarray(target, float)
    good = np.repeat(HOT[:1] if wrong.shape[1] == 2 else np.ones((1, 1)), 8, axis=0)
    x, y = np.concatenate([np.repeat(output[1:], 8, 0), output]), np.concatenate([good, wrong])
    calls = (lambda: t.fit(x, y, batch_size=2, shuffle=False, progress=False), lambda: t.evaluate(output, wrong))
    for call in (*calls, lambda: t.train_on_batch(output, wrong)):
        with pytest.raises(ArgumentError, match=message):
            call()
    assert t.step == 0


SWAPPED = {
    "probabilities": (nn.BCELoss, F.sigmoid, [[1.0], [0.0]]),
    "logits": (nn.BCEWithLogitsLoss, lambda z: z / 4 + 0.5, [[1.0], [0.0]]),
    "classes": (nn.CrossEntropyLoss, lambda z: F.softmax(z @ np.float32([[1, -1]]), -1), HOT),
}


@pytest.mark.parametrize("name", SWAPPED)
def test_swapped_arguments_are_refused(name):
    """Keras' own ``loss(y_true, y_pred)``, where both lie in the range of the other."""
    kind, make, target = SWAPPED[name]
    for loss in (kind(), function_of(kind)):
        predicted = make(nn.Linear(1, 1, rng=0)(Z))
        with pytest.raises(
            ArgumentError, match=r"takes \(output, target\).* swapped. If that is meant, pass check=False"
        ):
            loss(np.float32(target), predicted)
        loss(predicted, np.float32(target)).backward()
    kind(check=False)(np.float32(target), make(nn.Linear(1, 1, rng=0)(Z))).backward()


ACCEPTED = {
    "a mixture": (nn.BCEWithLogitsLoss(), Z, [[0.3], [0.7]]),
    "rounded": (nn.BCEWithLogitsLoss(), Z, np.float32([[1 + 1e-5], [-1e-5]])),
    "truth values": (nn.BCEWithLogitsLoss(), Z, [[True], [False]]),
    "rounded rows": (nn.CrossEntropyLoss(), Z2, np.float16([[0.3, 0.7], [0.1, 0.9]])),
    "both learn": (nn.BCELoss(), ag.Tensor(P, requires_grad=True), ag.Tensor(P, requires_grad=True)),
    "neither learns": (nn.BCELoss(), P, ag.Tensor(P)),
    "certain": (nn.NLLLoss(), np.float32([[0.0, -np.inf], [-1, -0.5]]), [0, 1]),
    "nobody": (nn.BCEWithLogitsLoss(reduction="sum"), np.zeros((0, 1)), np.zeros((0, 1))),
    "no rows": (nn.CrossEntropyLoss(reduction="sum"), np.zeros((0, 2)), np.zeros((0, 2))),
    "no steps": (nn.CrossEntropyLoss(reduction="sum"), np.zeros((2, 2, 0)), np.zeros((2, 2, 0))),
    "steps": (nn.CrossEntropyLoss(), np.zeros((2, 2, 3)), np.full((2, 2, 3), 0.5)),
    "one sample": (nn.CrossEntropyLoss(), np.zeros(2), np.array([0.5, 0.5])),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_right_is_taken(name):
    loss, output, target = ACCEPTED[name]
    assert np.isfinite(loss(output, target if isinstance(target, ag.Tensor) else np.asarray(target)).item())


def test_probabilities_that_are_labels_are_swapped_arguments():
    """Plain arrays carry no gradient that would tell: but who predicts only 0 and 1, and learns what lies between?"""
    labels, p = np.array([[1.0, 0.0]]), np.array([[0.9, 0.2]])
    for loss in (nn.BCELoss(), F.binary_cross_entropy):
        with pytest.raises(
            ArgumentError, match="all outputs are 0 or 1 and targets lie between: the arguments are swap"
        ):
            loss(labels, p)
        assert loss(p, labels).item() == pytest.approx(0.16425, abs=1e-5)
        assert loss(labels, labels).item() == 0.0
        assert loss([[1.0, 1.0]], p).item() > 0  # one sure output may be wrong
    with ag.no_grad():
        output = ag.sigmoid(ag.Tensor([[2.0, -1.0]]))
        with pytest.raises(ArgumentError, match="the arguments are swapped"):
            nn.BCELoss()(labels, output)
    assert nn.BCELoss(check=False)(labels, p).item() > 10
