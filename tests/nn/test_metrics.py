"""Metrics equal scikit-learn's, and say what they cannot read."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from nn import metrics

RNG = np.random.default_rng(0)
BINARY = RNG.integers(0, 2, 60), RNG.uniform(size=60).round(1)
MANY = RNG.integers(0, 4, 80), RNG.normal(size=(80, 4))
NUMBERS = RNG.normal(size=(30, 2)), RNG.normal(size=(30, 2))


@pytest.fixture(scope="module")
def sk():
    return pytest.importorskip("sklearn.metrics")


@pytest.mark.parametrize("average", ["binary", "macro", "micro", "weighted", None])
@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
@pytest.mark.parametrize("case", ["binary", "many", "class never predicted"])
def test_precision_recall_f1(sk, name, average, case):
    true, score = BINARY if case == "binary" else MANY
    pred = score > 0.5 if case == "binary" else score.argmax(1)
    if case == "class never predicted":
        pred = np.where(pred == 3, 0, pred)
    if average == "binary" and case != "binary":
        with pytest.raises(ArgumentError, match=r"labels \[0, 1, 2, 3\] are not binary"):
            getattr(metrics, name)(true, score)
        return
    expected = getattr(sk, f"{name}_score")(true, pred, average=average, zero_division=0)
    given = pred if case == "class never predicted" else score
    np.testing.assert_allclose(getattr(metrics, name)(true, given, average), expected, rtol=1e-12)


def test_accuracy_and_confusion_matrix(sk):
    for true, pred, score in ((BINARY[0], BINARY[1] > 0.5, BINARY[1]), (MANY[0], MANY[1].argmax(1), MANY[1])):
        assert metrics.accuracy(true, score) == pytest.approx(sk.accuracy_score(true, pred))
        np.testing.assert_array_equal(metrics.confusion_matrix(true, score), sk.confusion_matrix(true, pred))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_top_k(sk, k):
    true, score = MANY[0], MANY[1].round()  # with ties
    assert metrics.top_k_accuracy(true, score, k) == pytest.approx(sk.top_k_accuracy_score(true, score, k=k))


def test_roc_auc(sk):
    true, score = BINARY
    assert metrics.roc_auc(true, score) == pytest.approx(sk.roc_auc_score(true, score))
    assert metrics.roc_auc(true, np.stack([1 - score, score], 1)) == pytest.approx(sk.roc_auc_score(true, score))
    two = np.stack([-score, score**2], 1)  # logits: their softmax is what scikit-learn wants
    assert metrics.roc_auc(true, two) == pytest.approx(sk.roc_auc_score(true, 1 / (1 + np.exp(two[:, 0] - two[:, 1]))))
    true, score = MANY
    p = np.exp(score) / np.exp(score).sum(1, keepdims=True)
    assert metrics.roc_auc(true, p) == pytest.approx(sk.roc_auc_score(true, p, multi_class="ovr"))


def test_regression(sk):
    true, pred = NUMBERS
    assert metrics.mse(true, pred) == pytest.approx(sk.mean_squared_error(true, pred))
    assert metrics.mae(true, pred) == pytest.approx(sk.mean_absolute_error(true, pred))
    assert metrics.r2(true, pred) == pytest.approx(sk.r2_score(true, pred))
    constant = np.stack([np.ones(4), np.arange(4.0)], 1)
    assert metrics.r2(constant, constant) == sk.r2_score(constant, constant) == 1
    assert metrics.r2(constant, constant + 1) == pytest.approx(sk.r2_score(constant, constant + 1))


STORED = {
    "accuracy": 0.5714285714285714,
    "precision": 0.5,
    "recall": 0.6666666666666666,
    "f1": 0.5714285714285715,
    "roc_auc": 0.7916666666666666,
}


@pytest.mark.parametrize("name", STORED)
def test_stored_values(name):
    """The values of scikit-learn 1.7, for machines without it."""
    true, score = [0, 1, 1, 0, 1, 0, 0], [0.1, 0.9, 0.4, 0.6, 0.7, 0.65, 0.4]
    assert getattr(metrics, name)(true, score) == pytest.approx(STORED[name], rel=1e-12)


@pytest.mark.parametrize(
    ("true", "pred"),
    [
        ([0, 1, 2], [[9, 0, 0], [0, 9, 0], [0, 9, 0]]),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[9.0, 0, 0], [0, 9, 0], [0, 9, 0]]),
        ([[0], [1], [1]], [[0.2], [0.7], [0.4]]),
        ([0, 1, 1], [[0.2], [0.7], [0.4]]),
        ([0.0, 1.0, 1.0], ag.Tensor([0.2, 0.7, 0.4], requires_grad=True)),
        (["a", "b", "c"], ["a", "b", "a"]),
        (np.array([True, False, True]), np.array([1, 0, 0])),
        ([[0, 1, 1]], np.array([[[0.9, 0.1, 0.8], [0.1, 0.9, 0.2]]])),
        ([[0, 1, 1]], np.array([[[0.9, 0.1], [0.1, 0.9], [0.8, 0.2]]])),
        ([[0, 1, 1]], np.array([[[0.9, 0.1, 0.8], [0.1, 0.9, 0.2], [0.0, 0.0, 0.0]]])),
        ([-1, 1, 1], [0.2, 0.7, 0.4]),
        ([-1, 1, 1], [-3.2, 7.5, -0.4]),
        ([0, 1, 1], [2.0, 1.0, 1.0]),
        ([-1.0, 1.0, 1.0], [[0.2], [0.7], [0.4]]),
    ],
)
def test_forms_of_labels(true, pred):
    assert metrics.accuracy(true, pred) == pytest.approx(2 / 3)


def test_threshold_of_logits():
    assert metrics.accuracy([0, 1], [-0.3, 0.2], threshold=0.0) == 1.0
    assert metrics.accuracy([0, 1], [-2.0, 3.0], threshold=0.0) == 1.0  # whole numbers, but not labels
    assert metrics.f1([-1, 1, 1], [-2.0, 3.0, -1.5], threshold=0.0) == pytest.approx(2 / 3)


def test_names():
    assert metrics.get("f1") is metrics.f1
    assert metrics.get(len) is len
    with pytest.raises(ArgumentError, match=r"unknown metric 'acuracy'. Did you mean 'accuracy'\?"):
        metrics.get("acuracy")


@pytest.mark.parametrize("name", metrics.NAMES)
def test_nan_is_refused(name):
    """NaN is never greater than a threshold, so it would count as a class."""
    with pytest.raises(ArgumentError, match=f"{name}: y_pred holds 1 NaN of 4 values"):
        getattr(metrics, name)([0, 1], [[0.2, 0.8], [0.3, np.nan]]) if name in ("accuracy", "top_k_accuracy") else (
            getattr(metrics, name)([0, 1, 1, 0], [0.2, np.nan, 0.3, 0.1])
        )


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: metrics.accuracy([], []), ArgumentError, "accuracy: there are no samples"),
        (
            lambda: metrics.accuracy([0, 1], [0, 1, 1]),
            ShapeError,
            r"accuracy: y_true of shape \(2,\) does not fit y_pred of shape \(3,\)",
        ),
        (lambda: metrics.mse([1.0], [[1.0]]), ShapeError, r"mse: y_true has shape \(1,\) and y_pred \(1, 1\)"),
        (
            lambda: metrics.f1([0, 1], [0, 1], "mean"),
            ArgumentError,
            "f1: average must be one of binary, macro, micro, weighted or None, got 'mean'",
        ),
        (lambda: metrics.roc_auc([1, 1], [0.1, 0.2]), ArgumentError, "roc_auc needs samples of both classes"),
        (lambda: metrics.roc_auc([0, 1, 2], [0.1, 0.2, 0.3]), ShapeError, r"3 classes need scores of shape \(N, 3\)"),
        (lambda: metrics.roc_auc([0, 1, 2], [0.1, 0.2]), ShapeError, r"roc_auc needs labels \(N,\) and scores"),
        (
            lambda: metrics.top_k_accuracy([0], [[1.0, 2.0]], 3),
            ArgumentError,
            "k must be between 1 and the 2 classes, got 3",
        ),
        (
            lambda: metrics.top_k_accuracy([0], [1.0]),
            ShapeError,
            r"top_k_accuracy needs labels \(N,\) and scores \(N, C\)",
        ),
        (lambda: metrics.r2([1.0], [1.0]), metrics.Undefined, "r2 needs at least 2 samples"),
        (
            lambda: metrics.accuracy([[1, 1], [0, 0]], [[0.9, 0.8], [0.1, 0.2]]),
            ArgumentError,
            r"accuracy: y_true has the shape \(2, 2\) of the scores, so its rows must be one-hot.*pass threshold=",
        ),
        (
            lambda: metrics.accuracy([0, 1], [-0.3, 0.2]),
            ArgumentError,
            r"accuracy: scores from -0.3 to 0.2 are no probabilities. Pass threshold=0.0 for logits",
        ),
        (
            lambda: metrics.accuracy([0, 1], [-2.0, 3.0]),
            ArgumentError,
            r"accuracy: scores from -2 to 3 are no probabilities. Pass threshold=0.0 for logits",
        ),
        (
            lambda: metrics.accuracy([0, 1, 2], [0.1, 0.9, 0.4]),
            ArgumentError,
            r"accuracy: y_true holds 0, 1, 2, and scores that are no labels need 0 and 1, or -1 and 1",
        ),
        (
            lambda: metrics.mae(np.ma.masked_array([1.0, 2.0], [False, True]), [1.0, 2.0]),
            ArgumentError,
            r"a metric's argument has masked values",
        ),
    ],
)
def test_messages(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
