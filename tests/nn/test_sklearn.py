"""The scikit-learn estimators: scikit-learn's own suite, what they compute, and where they are put to use."""

import functools
import itertools
import os
import pickle
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError, ShapeError

pytest.importorskip("sklearn", minversion="1.6")
base, datasets, ensemble, exceptions, pipeline, selection = (
    pytest.importorskip(f"sklearn.{name}")
    for name in ("base", "datasets", "ensemble", "exceptions", "pipeline", "model_selection")
)
StandardScaler = pytest.importorskip("sklearn.preprocessing").StandardScaler
checks = pytest.importorskip("sklearn.utils.estimator_checks")

NNClassifier, NNRegressor = nn.sklearn.NNClassifier, nn.sklearn.NNRegressor
BOTH = pytest.mark.parametrize("kind", [NNClassifier, NNRegressor])


def small(kind=NNClassifier, **options):
    """Make an estimator that trains in a moment."""
    return kind(**{"hidden": (8,), "lr": 0.02, "epochs": 15, "random_state": 0, **options})


def scaled(**options):
    """Put a small classifier behind a scaler."""
    return pipeline.Pipeline([("scale", StandardScaler()), ("net", small(**options))])


@pytest.fixture(scope="module")
def cancer():
    """Load real data of two classes."""
    return datasets.load_breast_cancer(return_X_y=True)


@pytest.fixture(scope="module")
def iris():
    """Load real data of three classes, whose labels are texts."""
    data = datasets.load_iris()
    return StandardScaler().fit_transform(data.data), data.target_names[data.target]


def task(kind=NNClassifier, n=60):
    """Draw points in the plane, and a class or a number for each."""
    x = np.random.default_rng(0).normal(size=(n, 2))
    return x, (x[:, 0] * x[:, 1] > 0).astype(int) if kind is NNClassifier else x[:, 0] - 0.5 * x[:, 1] ** 2


class Perceptron:
    """Make a network; its repr is the same in every process, as the name of a test must be."""

    def __init__(self, dropout=0.0):
        self.dropout = dropout

    def __call__(self, n_in, n_out, rng):
        first, last = nn.Linear(n_in, 16, rng=rng), nn.Linear(16, n_out, rng=rng)
        return nn.Sequential(first, nn.Tanh(), nn.Dropout(self.dropout, rng=rng), last)

    def __repr__(self):
        return f"Perceptron({self.dropout})"


# ------------------------------------------------------------------------------------------- scikit-learn's own suite

STOPPED = {
    "check_sample_weight_equivalence_on_dense_data": "copies of a sample are held out singly, its weight as a whole",
}


def suite(*estimators, failing=None, in_turn=False):
    """Give scikit-learn's ``parametrize_with_checks`` with a list of rows, as newer pytest wants it.

    ``in_turn`` lets the estimators take the checks in turn; the other rows are there where the whole suite runs.
    """
    mark = checks.parametrize_with_checks(list(estimators), expected_failed_checks=lambda estimator: failing or {})
    names, rows = mark.args
    rows, turns = list(rows), defaultdict(itertools.count)
    if in_turn:
        starts = {str(estimator): i for i, estimator in enumerate(estimators)}
        for i, (estimator, check) in enumerate(rows):
            turn = next(turns[str(estimator)]) + starts[str(estimator)]
            if turn % len(estimators):
                rows[i] = pytest.param(estimator, check, marks=pytest.mark.whole)
    return pytest.mark.parametrize(names, rows, ids=mark.kwargs["ids"])


@suite(NNClassifier(), NNRegressor())
def test_scikit_learns_suite(estimator, check):
    check(estimator)


@suite(
    NNClassifier(12, loss="bce", lr=0.02, epochs=40),
    NNClassifier((8, 8), ("tanh", "gelu"), loss="hinge", optimizer="rmsprop", lr=0.01, epochs=40),
    NNRegressor(module=Perceptron(), loss="huber", lr=0.02, epochs=40),
    in_turn=True,
)
def test_scikit_learns_suite_with_other_parts(estimator, check):
    check(estimator)


@suite(NNClassifier(lr=0.01, epochs=40, early_stopping=True, validation_fraction=0.2), failing=STOPPED)
def test_scikit_learns_suite_with_early_stopping(estimator, check):
    check(estimator)


# ------------------------------------------------------------------------------------------------------ what is learnt


def test_two_classes(cancer):
    x, x_test, y, y_test = selection.train_test_split(*cancer, test_size=0.5, random_state=0)
    model = scaled().fit(x, y)
    assert model.score(x_test, y_test) > 0.95
    probability = model.predict_proba(x_test)
    assert probability.shape == (len(x_test), 2)
    np.testing.assert_allclose(probability.sum(1), 1)
    decision = model.decision_function(x_test)
    np.testing.assert_allclose(probability[:, 1], 1 / (1 + np.exp(-decision)), atol=1e-12)
    assert np.array_equal(model.predict(x_test), (decision > 0).astype(int))


@pytest.mark.parametrize("loss", ["auto", "cross_entropy", "bce", "hinge", nn.CrossEntropyLoss(label_smoothing=0.1)])
def test_losses_on_three_classes_of_text(iris, loss):
    x, y = iris
    model = small(loss=loss, epochs=40).fit(x, y)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert model.score(x, y) > 0.95
    assert model.decision_function(x).shape == (150, 3)
    assert np.array_equal(model.predict(x), model.classes_[model.decision_function(x).argmax(1)])


def test_probabilities_of_one_against_the_rest(iris):
    model = small(loss="bce").fit(*iris)
    share = 1 / (1 + np.exp(-model.decision_function(iris[0])))
    np.testing.assert_allclose(model.predict_proba(iris[0]), share / share.sum(1, keepdims=True), rtol=1e-12)


def test_one_logit_for_two_classes():
    x, y = task()
    model = small(loss=nn.BCEWithLogitsLoss).fit(x, y)
    assert model._trainer.predict(x).shape == (60, 1)
    p = 1 / (1 + np.exp(-model.decision_function(x)))
    np.testing.assert_allclose(model.predict_proba(x), np.stack([1 - p, p], 1), rtol=1e-12)


def test_module_with_log_probabilities(iris):
    def module(n_in, n_out, rng):
        return nn.Sequential(nn.Linear(n_in, n_out, rng=rng), nn.LogSoftmax(-1))

    model = small(module=module, loss=nn.NLLLoss(), epochs=40).fit(*iris)
    assert model.score(*iris) > 0.9
    np.testing.assert_allclose(model.predict_proba(iris[0]), np.exp(model._trainer.predict(iris[0])), rtol=1e-12)


def test_hinge_has_no_probabilities():
    for loss in ("hinge", nn.HingeLoss, nn.HingeLoss(margin=2.0)):
        model = small(loss=loss).fit(*task())
        assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError) as raised:
        model.predict_proba(task()[0])
    assert "a hinge loss gives no probabilities. Use decision_function, or another loss." in str(raised.value.__cause__)


@BOTH
def test_early_stopping_takes_no_pieces(kind):
    model = small(kind, early_stopping=True)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as raised:
        model.partial_fit(*task(kind))
    message = "partial_fit sees the data piece by piece and cannot stop early: set early_stopping=False."
    assert message in str(raised.value.__cause__)


@pytest.mark.parametrize("loss", ["auto", "hinge"])
def test_several_labels(loss):
    x = task()[0]
    y = np.stack([x[:, 0] > 0, x[:, 1] > 0, x[:, 0] > x[:, 1]], 1).astype(int)
    model = small(loss=loss, epochs=60).fit(x, y)
    assert model.score(x, y) > 0.85
    assert set(model.predict(x).ravel().tolist()) == {0, 1}
    if loss == "auto":
        p = model.predict_proba(x)
        assert np.array_equal(model.predict(x), p > 0.5)
        assert not np.allclose(p.sum(1), 1)


@pytest.mark.parametrize("loss", ["auto", "mse", "l1", "huber", nn.HuberLoss(delta=0.5), nn.functional.mse_loss])
def test_regression_losses(loss):
    x, y = task(NNRegressor, 100)
    model = small(NNRegressor, loss=loss, hidden=(16,), epochs=80).fit(x, y)
    assert model.score(x, y) > 0.9
    assert model.predict(x).shape == y.shape


def test_several_outputs():
    x, y = task(NNRegressor)
    both = np.stack([y, -2 * x[:, 0]], 1)
    model = small(NNRegressor, epochs=80).fit(x, both)
    assert model.predict(x).shape == (60, 2)
    assert model.score(x, both) > 0.9


# ------------------------------------------------------------------------------------------------------- the parameters


def test_activation_and_dropout_per_layer():
    model = small(hidden=(6, 5), activation=("tanh", np.abs), dropout=(0.0, 0.25)).fit(*task()).module_
    assert [str(part).split("(")[0].split()[0] for part in model] == ["Layer", "Layer", "Dropout", "Layer"]
    assert (model[0].activation, model[1].activation, model[3].activation) == ("tanh", np.abs, None)
    assert model[2].p == 0.25


def test_module_as_function_and_as_module():
    x, y = task()
    assert [type(part) for part in small(module=Perceptron()).fit(x, y).module_] == [
        nn.Linear,
        nn.Tanh,
        nn.Dropout,
        nn.Linear,
    ]
    given = nn.MLP(2, [8, 2], rng=5)
    start = given.state_dict()
    model = small(module=given).fit(x, y)
    assert model.module_ is not given
    assert all(np.array_equal(given.state_dict()[name], start[name]) for name in start)
    assert not np.array_equal(model.module_.state_dict()["layers.0.weight"], start["layers.0.weight"])


def test_optimizers():
    x, y = task()
    momentum = functools.partial(nn.optim.SGD, momentum=0.9)
    for kind in ("adam", "adamw", "sgd", "rmsprop", "adagrad", momentum):
        model = small(optimizer=kind, weight_decay=0.01, epochs=3).fit(x, y)
        (group,) = model._trainer.optimizer.param_groups
        assert (group["lr"], group["weight_decay"]) == (0.02, 0.01)
        assert model.history_["loss"][-1] < model.history_["loss"][0]
    assert group["momentum"] == 0.9


@BOTH
def test_dtype_follows_the_data(kind):
    x, y = task(kind)
    for dtype, used in (("float32", "float32"), ("float64", "float64"), ("int64", "float64")):
        model = small(kind, epochs=1).fit((4 * x).astype(dtype), y)
        assert {p.dtype.name for p in model.module_.parameters()} == {used}
        assert model._trainer.predict((4 * x).astype(used)).dtype == used


def test_early_stopping_keeps_the_best_weights(cancer):
    x, y = StandardScaler().fit_transform(cancer[0]), cancer[1]
    model = small(early_stopping=True, validation_fraction=0.2, patience=3, epochs=200, lr=0.05).fit(x, y)
    history = model.history_
    assert list(history) == ["loss", "val_loss"]
    assert history.epochs < 200
    assert history.epochs == history.best("val_loss") + 1 + 3
    stopper = model._trainer.callbacks[0]
    assert stopper.best == min(history["val_loss"])
    for name, value in model.module_.state_dict().items():
        assert np.array_equal(value, stopper.weights[name])


def test_rare_classes_do_not_prevent_early_stopping():
    x, _ = task(n=20)
    y = np.array([2] + [0, 1] * 9 + [1])
    assert small(early_stopping=True).fit(x, y).classes_.tolist() == [0, 1, 2]


class Recorder(nn.Callback):
    """Count epochs and note the learning rate."""

    def __init__(self):
        self.rates = []

    def on_epoch_end(self, trainer):
        self.rates.append(trainer.optimizer.lr)


def halving(optimizer):
    return nn.LRSchedule(nn.optim.StepLR(optimizer, 1, 0.5))


def test_callbacks_are_copied_and_schedules_made():
    x, y = task()
    recorder = Recorder()
    model = small(callbacks=[halving, recorder], epochs=3, lr=0.08).fit(x, y)
    assert recorder.rates == []
    assert model._trainer.callbacks[1].rates == [0.04, 0.02, 0.01]
    assert model.fit(x, y)._trainer.callbacks[1].rates == [0.04, 0.02, 0.01]


# ---------------------------------------------------------------------------------------------------------- the weights


@BOTH
def test_weight_0_is_no_sample_at_all(kind):
    x, y = task(kind)
    weight = np.random.default_rng(1).integers(0, 2, 60)
    without = small(kind, batch_size=8).fit(x[weight > 0], y[weight > 0], np.ones(weight.sum()))
    assert np.array_equal(small(kind, batch_size=8).fit(x, y, weight).predict(x), without.predict(x))


@BOTH
def test_weight_2_is_the_sample_twice(kind):
    x, y = task(kind)
    weight = np.random.default_rng(1).integers(1, 4, 60)
    options = dict(batch_size=1000, epochs=5)
    repeated = small(kind, **options).fit(x.repeat(weight, 0), y.repeat(weight))
    weighted = small(kind, **options).fit(x, y, weight)
    for a, b in zip(repeated.module_.parameters(), weighted.module_.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-9, atol=1e-12)


def test_class_weights_are_sample_weights():
    x, y = task(n=64)
    y = np.where(np.arange(64) % 4, "often", y.astype(str))
    dictionary = {"0": 3.0, "1": 2.0, "often": 0.5}
    counts = {label: (y == label).sum() for label in dictionary}
    for given, weights in (
        (dictionary, dictionary),
        ("balanced", {label: 64 / (3 * count) for label, count in counts.items()}),
    ):
        by_class = small(class_weight=given).fit(x, y, np.full(64, 2.0))
        by_sample = small().fit(x, y, 2.0 * np.array([weights[label] for label in y]))
        assert np.array_equal(by_class.predict_proba(x), by_sample.predict_proba(x))


# ---------------------------------------------------------------------------------------- randomness, pieces and copies


def state(model):
    return [p.data.tobytes() for p in model.module_.parameters()]


@BOTH
def test_random_state(kind):
    x, y = task(kind)

    def fit(seed):
        return state(small(kind, dropout=0.2, epochs=2, random_state=seed).fit(x, y))

    assert fit(3) == fit(3) == fit(np.int64(3))
    assert fit(np.random.RandomState(3)) == fit(np.random.RandomState(3))
    assert fit(np.random.default_rng(3)) == fit(np.random.default_rng(3))
    assert len({fit(seed)[0] for seed in (3, 4, None, None, np.random.RandomState(3), np.random.default_rng(3))}) == 6


@BOTH
def test_epochs_in_pieces(kind):
    x, y = task(kind)
    pieces = small(kind, dropout=0.2, batch_size=16)
    for _ in range(4):
        pieces.partial_fit(x, y, **({"classes": [0, 1]} if kind is NNClassifier else {}))
    assert state(pieces) == state(small(kind, dropout=0.2, batch_size=16, epochs=4).fit(x, y))
    assert pieces.history_.epochs == 4


@BOTH
def test_pickled_between_pieces(kind):
    x, y = task(kind)
    model = small(kind, module=Perceptron(0.2), callbacks=[halving, Recorder()]).fit(x, y)
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(copy.predict(x), model.predict(x))
    assert state(copy.partial_fit(x, y)) == state(model.partial_fit(x, y))
    assert copy.history_["loss"] == model.history_["loss"]


def test_classes_that_come_later():
    x, y = task()
    model = small().partial_fit(x[y == 0], y[y == 0], classes=[0, 1, 7])
    assert model.classes_.tolist() == [0, 1, 7]
    assert model.partial_fit(x, y).predict_proba(x).shape == (60, 3)


def test_interrupted_fit_ends_the_search_and_leaves_a_model():
    class Interrupt(nn.Callback):
        def on_batch_end(self, trainer):
            if trainer.step == 3:
                raise KeyboardInterrupt

    x, y = task()
    model = small(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y)
    assert model.predict(x).shape == y.shape


@BOTH
def test_parameters_are_kept_as_given(kind):
    given = {"hidden": [4, 3], "callbacks": [Recorder()], "loss": nn.MSELoss(), "module": nn.MLP(2, [1])}
    model = kind(**given)
    assert all(model.get_params()[name] is value for name, value in given.items())
    copy = base.clone(model)
    assert copy.hidden == [4, 3]
    assert type(copy.module) is nn.MLP
    assert repr(kind(lr=0.5)) == f"{kind.__name__}(lr=0.5)"


def test_feature_names(iris):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(iris[0], columns=list("abcd"))
    model = small(epochs=1).fit(frame, iris[1])
    assert model.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[list("dcba")])


# --------------------------------------------------------------------------------------------------------- put to use


def test_grid_search_in_a_pipeline(cancer):
    grid = {"net__hidden": [(4,), (8, 8)], "net__activation": ["tanh"], "net__lr": [1e-5, 0.02]}
    search = selection.GridSearchCV(scaled(epochs=8), grid, cv=3).fit(*cancer)
    assert search.best_params_["net__lr"] == 0.02
    assert search.best_score_ > 0.95


def test_random_search(cancer):
    stats = pytest.importorskip("scipy.stats")
    choices = {
        "net__hidden": stats.randint(4, 12),
        "net__dropout": stats.uniform(0, 0.3),
        "net__lr": stats.loguniform(0.01, 0.1),
    }
    search = selection.RandomizedSearchCV(scaled(epochs=8), choices, n_iter=3, cv=3, random_state=0).fit(*cancer)
    assert search.best_score_ > 0.95


@pytest.mark.slow
def test_scores_in_two_processes(cancer):
    one = selection.cross_val_score(scaled(), *cancer, cv=3, n_jobs=1)
    two = selection.cross_val_score(scaled(), *cancer, cv=3, n_jobs=2)
    assert np.array_equal(one, two)
    assert one.mean() > 0.95


def test_ensembles(cancer):
    logistic = pytest.importorskip("sklearn.linear_model").LogisticRegression(solver="liblinear")
    members = [("relu", scaled()), ("hinge", scaled(loss="hinge")), ("linear", logistic)]
    x, y = cancer[0] / cancer[0].max(0), cancer[1]
    voting = ensemble.VotingClassifier([members[0], members[2]], voting="soft").fit(x, y)
    stacking = ensemble.StackingClassifier(members, logistic, cv=3).fit(x, y)
    assert voting.score(x, y) > 0.95
    assert stacking.score(x, y) > 0.95


def test_weights_through_a_pipeline(cancer):
    x, y = cancer
    weight = np.where(y == 1, 1.0, 0.0)
    assert scaled(epochs=3).fit(x, y, net__sample_weight=weight).predict(x).mean() > 0.95


# --------------------------------------------------------------------------------------------------------- the messages

X, Y = task()
MESSAGES = {
    "layers": (dict(hidden=(4, 4), activation=("relu",)), "activation has 1 entries for 2 hidden layers; give one for"),
    "size": (dict(hidden=(4, 0)), "Layer: out_features must be a positive integer, got 0."),
    "activation": (dict(activation="rleu"), "unknown activation 'rleu'. Did you mean 'relu'?"),
    "optimizer": (
        dict(optimizer="adma"),
        "unknown optimizer 'adma'. Did you mean 'adam'? Known are adagrad, adam, adamw, lion",
    ),
    "optimizer type": (
        dict(optimizer=3),
        "optimizer must be a name or a class such as nn.optim.SGD (with options: func",
    ),
    "loss": (
        dict(loss="cros_entropy"),
        "unknown loss 'cros_entropy'. Did you mean 'cross_entropy'? Known are 'auto', 'cross_entropy', ",
    ),
    "loss type": (dict(loss=3), "loss must be a name, a loss of nn or a function (output, target), got int."),
    "module": (dict(module=3), "module must be a Module, or a function (n_in, n_out, rng) that makes one; got int."),
    "module made": (dict(module=lambda *_: 3), "or a function (n_in, n_out, rng) that makes one; got int."),
    "module shape": (
        dict(module=nn.MLP(2, [3])),
        "NNClassifier: the module gives an output of shape (1, 3) for one sample; this task with this loss needs (1, 2",
    ),
    "callbacks": (
        dict(callbacks=[3]),
        "callbacks must hold nn.Callback objects, or functions of the optimizer that make",
    ),
    "random_state": (
        dict(random_state="a"),
        "random_state must be None, an integer, a RandomState or a Generator, got str",
    ),
    "class_weight": (dict(class_weight=3), "class_weight must be a dict by label, 'balanced' or None, got 3."),
    "class_weight label": (
        dict(class_weight={0: 1, 2: 1}),
        "class_weight has the label 2, which is not among the classes [0, 1].",
    ),
    "class_weight sign": (dict(class_weight={0: -1}), "class_weight must not be negative, got -1 for label 0."),
    "validation": (
        dict(early_stopping=True, validation_fraction=1.5),
        "validation_fraction must be between 0 and 1, got 1.5",
    ),
    "batch": (dict(batch_size=0), "fit: batch_size must be at least 1, got 0."),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_of_parameters(name):
    options, message = MESSAGES[name]
    with pytest.raises((ArgumentError, ShapeError)) as raised:
        small(**options).fit(X, Y)
    assert message in str(raised.value)


SEVERAL = np.stack([Y, 1 - Y, Y], 1)
CALLS = {
    "no classes": (lambda: small().partial_fit(X, Y), "the first call of partial_fit needs classes"),
    "new label": (
        lambda: small().fit(X, Y).partial_fit(X, Y + 1),
        "y has the label 2, which is not among the classes [0, 1].",
    ),
    "other classes": (
        lambda: small().fit(X, Y).partial_fit(X, Y, classes=[0, 2]),
        "partial_fit: classes are [0, 2]; the first call had [0, 1].",
    ),
    "labels, then one": (
        lambda: small().fit(X, SEVERAL).partial_fit(X, Y),
        "partial_fit: y has shape (60,); the first call said 3 columns of 0 and 1.",
    ),
    "one, then labels": (
        lambda: small().fit(X, Y).partial_fit(X, SEVERAL),
        "partial_fit: y has shape (60, 3); the first call said one label per sample.",
    ),
    "balance": (
        lambda: small(class_weight="balanced").partial_fit(X, Y, classes=[0, 1]),
        "partial_fit cannot know how often classes will come: pass class_weight as a dict.",
    ),
    "labels by softmax": (
        lambda: small(loss="cross_entropy").fit(X, SEVERAL),
        "loss='cross_entropy' cannot learn several labels per sample; use 'bce' or 'hinge'.",
    ),
    "labels with weights": (
        lambda: small(class_weight={0: 1}).fit(X, SEVERAL),
        "class_weight is for one label per sample; for several pass loss=nn.BCEWithLogitsLoss(pos_weight=…).",
    ),
    "outputs": (
        lambda: small(NNRegressor).fit(X, X).partial_fit(X, Y),
        "partial_fit: y has 1 outputs; the first call had 2.",
    ),
    "negative": (lambda: small().fit(X, Y, -np.ones(60)), "weights must not be negative."),
    "all 0": (lambda: small().fit(X, Y, np.zeros(60)), "Sample weights must contain at least one non-zero number."),
    "weight shape": (lambda: small().fit(X, Y, X), "sample_weight must be a 1-D array, got shape (60, 2)."),
}


@pytest.mark.parametrize("name", CALLS)
def test_messages_of_calls(name):
    call, message = CALLS[name]
    with pytest.raises((ArgumentError, ShapeError)) as raised:
        call()
    assert message in str(raised.value)


@BOTH
def test_predict_before_fit(kind):
    model = small(kind, hidden=(0,))
    with pytest.raises(exceptions.NotFittedError):
        model.predict(X)
    with pytest.raises(ArgumentError):
        model.fit(X, Y)
    with pytest.raises(exceptions.NotFittedError):  # a failed fit is no fit
        model.predict(X)


def test_without_scikit_learn(tmp_path):
    code = "import sys; sys.modules['sklearn'] = None; import nn; print('still here'); nn.sklearn"
    environment = {**os.environ, "PYTHONPATH": str(Path(nn.__file__).parents[1])}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert said.stdout == "still here\n"
    assert "MissingExtra: nn.sklearn needs scikit-learn 1.6 or newer (" in said.stderr
    assert 'Install it: python -m pip install "scikit-learn>=1.6"' in said.stderr


def test_no_such_part():
    name = "sklaern"
    with pytest.raises(AttributeError, match="module 'nn' has no attribute 'sklaern'"):
        getattr(nn, name)


def test_a_rate_set_before_partial_fit_counts():
    x, y = np.array([[1.0], [2.0]]), np.array([1.0, 2.0])
    r = NNRegressor((), lr=0.1, epochs=2, random_state=0).fit(x, y)
    before = r.predict(x)
    np.testing.assert_array_equal(r.set_params(lr=0.0).partial_fit(x, y + 4).predict(x), before)
    assert (r.set_params(lr=0.1).partial_fit(x, y + 4).predict(x) > before).all()
    r.set_params(weight_decay=0.5).partial_fit(x, y)
    assert r._trainer.optimizer.param_groups[0]["weight_decay"] == 0.5


def test_a_rate_that_a_schedule_changed_is_left_alone():
    callback = lambda made: nn.LRSchedule(nn.optim.ExponentialLR(made, 0.5))  # noqa: E731
    r = NNRegressor((), lr=0.1, callbacks=[callback], random_state=0)
    for _ in range(2):
        r.partial_fit([[1.0], [2.0]], [1.0, 2.0])
    assert r._trainer.optimizer.lr == 0.025


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"hidden": (3,)}, r"made with hidden=\[2\]. Set it back, or call fit to start anew"),
        ({"activation": "tanh"}, "partial_fit goes on with the network that is there, .* activation='relu'"),
        ({"dropout": 0.5}, "made with dropout=0.0"),
        ({"optimizer": "sgd"}, "made with optimizer='adam'"),
        ({"loss": "l1"}, "made with loss='auto'"),
        ({"random_state": 1}, "made with random_state=0"),
        ({"callbacks": [nn.CSVLogger("log.csv")]}, r"made with callbacks=\(\)"),
        ({"lr": -1.0}, "Adam: lr must not be negative"),
        ({"lr": "fast"}, "Adam: lr must be a number, got 'fast'"),
    ],
)
def test_what_a_network_was_made_with_cannot_change_in_silence(changed, message):
    r = NNRegressor([2], random_state=0).partial_fit([[1.0], [2.0]], [1.0, 2.0])
    before = r.get_params()
    with pytest.raises(ArgumentError, match=message):
        r.set_params(**changed).partial_fit([[1.0], [2.0]], [1.0, 2.0])
    r.set_params(**{name: before[name] for name in changed}).partial_fit([[1.0], [2.0]], [1.0, 2.0])
    r.set_params(**changed)
    if "lr" not in changed and "callbacks" not in changed:
        r.fit([[1.0], [2.0]], [1.0, 2.0])


def test_a_list_changed_in_place_is_noticed():
    r = NNRegressor([2], random_state=0).partial_fit([[1.0], [2.0]], [1.0, 2.0])
    r.hidden.append(3)
    with pytest.raises(ArgumentError, match=r"made with hidden=\[2\]"):
        r.partial_fit([[1.0], [2.0]], [1.0, 2.0])


def test_one_class_alone_is_refused():
    with pytest.raises(ArgumentError, match="y holds one class, 'a': a classifier needs two or more classes"):
        nn.sklearn.NNClassifier((2,), epochs=1).fit(np.ones((4, 2)), ["a"] * 4)
