"""Metrics know what the loss knows, and are those of all samples, whatever the batches."""

import functools

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError, ShapeError
from nn import metrics

F = nn.functional
RNG = np.random.default_rng(0)


class Table(nn.Module):
    """Give the outputs of a table, by the number of the sample."""

    def __init__(self, outputs):
        self.w = nn.Parameter(1.0)
        self.outputs = np.asarray(outputs, np.float32)

    def forward(self, x):
        return self.outputs[np.asarray(x)[:, 0].astype(int)] * self.w


def still(table, loss, **options):
    model = Table(table)
    return nn.Trainer(model, loss, nn.optim.SGD(model.parameters(), lr=0.0), **options)


def measured(outputs, y, loss, metric, batch_size=2, said=None):
    """Give a metric by fit, by validation in it, and by evaluate; they must agree."""
    t = still(outputs, loss, metrics={"m": metric}, outputs=said)
    x, y = np.arange(float(len(y)))[:, None], np.asarray(y)
    h = t.fit(x, y, batch_size=batch_size, rng=0, validation_data=(x, y), progress=False)
    whole = t.evaluate(x, y, batch_size=batch_size)["m"]
    assert h["m"] == pytest.approx([whole])
    assert h["val_m"] == pytest.approx([whole])
    return whole


def own_loss(output, target):
    return F.mse_loss(output, output.detach() * 0 + np.float32(1))


class Focal(nn.BCEWithLogitsLoss):
    def forward(self, input, target):
        return super().forward(input * 2, target)


class Said(nn.Module):
    outputs = "logits"

    def forward(self, output, target):
        return own_loss(output, target)


LOGITS, BINARY = [[0.3], [0.4], [-0.2], [-0.3]], [[1], [1], [0], [0]]
PROBABILITIES = [[0.6], [0.7], [0.4], [0.2]]
WHOLE = [[2.0], [3.0], [-1.0], [-2.0]]  # logits that look like labels

BINARY_LOSSES = {
    "logits": (nn.BCEWithLogitsLoss(), LOGITS, BINARY),
    "whole logits": (nn.BCEWithLogitsLoss(), WHOLE, BINARY),
    "a name": ("bce_with_logits", LOGITS, BINARY),
    "a function": (F.binary_cross_entropy_with_logits, LOGITS, BINARY),
    "a partial": (functools.partial(F.binary_cross_entropy_with_logits, pos_weight=2.0), LOGITS, BINARY),
    "a subclass": (Focal(), LOGITS, BINARY),
    "one that says it": (Said(), LOGITS, BINARY),
    "hinge": (nn.HingeLoss(), LOGITS, 2 * np.array(BINARY) - 1),
    "hinge function": (F.hinge_loss, WHOLE, 2 * np.array(BINARY) - 1),
    "probabilities": (nn.BCELoss(), PROBABILITIES, BINARY),
    "probabilities function": (F.binary_cross_entropy, PROBABILITIES, BINARY),
    "Keras' name": ("binary_crossentropy", PROBABILITIES, BINARY),
    "numbers": (nn.MSELoss(), [[0.9], [1.7], [0.2], [-0.3]], BINARY),
    "numbers -1 and 1": (nn.L1Loss(), LOGITS, 2 * np.array(BINARY) - 1),
}
AS = {
    "by name": "accuracy",
    "a function": metrics.accuracy,
    "a partial": functools.partial(metrics.accuracy),
    "wrapped": lambda true, pred: metrics.accuracy(true, pred),
    "of a column": lambda true, pred: metrics.accuracy(true[:, 0], pred[:, 0]),
    "f1": "f1",
    "precision": metrics.precision,
    "recall, macro": functools.partial(metrics.recall, average="macro"),
}


@pytest.mark.parametrize("way", AS)
@pytest.mark.parametrize("name", BINARY_LOSSES)
def test_the_loss_says_what_outputs_are(name, way):
    loss, outputs, y = BINARY_LOSSES[name]
    assert measured(outputs, y, loss, AS[way]) == 1.0


@pytest.mark.parametrize("way", AS)
def test_a_loss_that_does_not_say_it_needs_an_argument(way):
    assert measured(LOGITS, BINARY, own_loss, AS[way], said="logits") == 1.0
    assert measured(PROBABILITIES, BINARY, own_loss, AS[way], said="probabilities") == 1.0
    t = still(LOGITS, own_loss, metrics={"m": AS[way]})
    with pytest.raises(
        ArgumentError, match=r"Trainer: own_loss does not say what the outputs are.*Pass outputs='logits' or"
    ):
        t.fit(np.arange(4.0)[:, None], BINARY, progress=False)
    assert t.step == 0


def test_what_a_function_makes_of_the_outputs_is_its_own():
    """Of an array that the Trainer did not hand out nothing is known."""

    def of_probabilities(true, pred):
        return metrics.accuracy(true, 1 / (1 + np.exp(-pred)))

    assert measured(LOGITS, BINARY, nn.BCEWithLogitsLoss(), of_probabilities) == 1.0


def test_more_axes_of_classes_need_no_word():
    assert measured([[1.0, 2], [3, 1], [0, 5]], [1, 0, 0], own_loss, "accuracy") == pytest.approx(2 / 3)
    with pytest.raises(ArgumentError, match=r"accuracy has to know for targets of the outputs' own shape \(2, 2\)"):
        measured([[1.0, 2], [3, 1]], [[0, 1], [1, 0]], own_loss, "accuracy")
    t = still([[1.0, 2], [3, 1]], nn.MSELoss(), metrics=["accuracy"])
    with pytest.raises(ArgumentError, match="MSELoss does not say what the outputs are, and accuracy has to know"):
        t.fit([[0.0], [1.0]], [[0, 1], [1, 0]], progress=False)
    assert t.step == 0
    assert measured([[1.0, 2], [3, 1]], [[0, 1], [1, 0]], nn.MSELoss(), "accuracy", said="classes") == 1.0


CLASSES = np.log([[0.2, 0.7, 0.1], [0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.3, 0.6, 0.1]])
HOT = np.eye(3)


@pytest.mark.parametrize(
    "loss", [nn.CrossEntropyLoss, nn.NLLLoss, F.cross_entropy, F.nll_loss], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("ignored", [-100, 0, 255, -1])
@pytest.mark.parametrize("steps", [False, True], ids=["samples", "steps"])
def test_ignored_labels_are_no_mistakes(loss, ignored, steps):
    """Three labels of which two are right, and others that do not count, in batches of which some count nothing."""
    loss = functools.partial(loss, ignore_index=ignored)
    loss = loss() if isinstance(loss.func, type) else loss
    outputs = CLASSES[[1, 2, 0, 0, 3, 3, 2]]
    labels = np.array([ignored, 2, ignored, ignored, ignored, 2, 1])
    if steps:
        outputs, labels = np.stack([outputs, outputs], 2), np.stack([labels, np.full(7, ignored)], 1)
    for metric, expected in (
        ("accuracy", 1 / 3),
        (metrics.accuracy, 1 / 3),
        (lambda true, pred: float(np.mean(pred.argmax(1) == true)), 1 / 3),
        (lambda true, pred: float(len(true)), 3),
        (functools.partial(metrics.recall, average="micro"), 1 / 3),
        (functools.partial(metrics.top_k_accuracy, k=2), 2 / 3),
    ):
        assert measured(outputs, labels, loss, metric) == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["accuracy", functools.partial(metrics.f1, average="micro")])
def test_one_hot_rows_are_classes_for_a_loss_over_classes(metric):
    assert measured(CLASSES, HOT[[1, 0, 2, 0]], nn.CrossEntropyLoss(), metric) == 0.75
    assert measured(CLASSES, HOT[[1, 0, 2, 0]] * 0.8 + 0.2 / 3, nn.CrossEntropyLoss(), metric) == 0.75
    maps = np.moveaxis(np.broadcast_to(CLASSES[:, None, None], (4, 2, 2, 3)), -1, 1)
    targets = np.moveaxis(np.broadcast_to(HOT[[1, 0, 2, 0]][:, None, None], (4, 2, 2, 3)), -1, 1)
    assert measured(maps, targets, nn.CrossEntropyLoss(), metric) == 0.75


def test_several_labels_count_one_by_one():
    """Also where each row happens to hold one 1, which is no class."""
    z = np.array([[2.0, 1.0, -1.0], [3.0, -1.0, -2.0]])
    y = np.array([[1, 0, 0], [0, 0, 1]])
    bce = nn.BCEWithLogitsLoss()
    assert measured(z, y, bce, "accuracy") == pytest.approx(3 / 6)
    assert measured(z, y, bce, "f1") == pytest.approx(2 / 5)
    assert measured(z, y, bce, functools.partial(metrics.recall, average="macro")) == pytest.approx(1 / 3)
    assert measured(1 / (1 + np.exp(-z)), y, nn.BCELoss(), "accuracy") == pytest.approx(3 / 6)


@pytest.mark.parametrize("average", ["macro", "weighted", None, "micro"])
def test_several_labels_have_the_values_of_scikit_learn(average):
    sk = pytest.importorskip("sklearn.metrics")
    y, z = RNG.integers(0, 2, (30, 4)), RNG.normal(size=(30, 4))
    for name in ("precision", "recall", "f1"):
        expected = getattr(sk, f"{name}_score")(y, z > 0, average=average, zero_division=0)
        np.testing.assert_allclose(getattr(metrics, name)(y, z, average, threshold=0.0), expected, rtol=1e-12)
    assert metrics.roc_auc(y, z) == pytest.approx(sk.roc_auc_score(y, z))


@pytest.mark.parametrize("shape", [(1, 4, 4), (4, 4), (2, 4, 4), (5,)])
def test_masks_have_the_shape_of_the_outputs(shape):
    masks = np.zeros((3, *shape))
    masks[..., :2] = 1
    z = 8 * masks - 4
    z[0, ..., 0] *= -1
    wrong = (z[0, ..., 0]).size / masks.size
    assert measured(z, masks, nn.BCEWithLogitsLoss(), "accuracy") == pytest.approx(1 - wrong)
    assert measured(1 / (1 + np.exp(-z)), masks, nn.BCELoss(), "accuracy") == pytest.approx(1 - wrong)
    hits = masks.sum()
    assert measured(z, masks, nn.BCEWithLogitsLoss(), "recall") == pytest.approx((hits - wrong * masks.size) / hits)


N = 23
SCORES, TWO = RNG.normal(size=(N, 1)), RNG.integers(0, 2, (N, 1))
MANY, LABELS = RNG.normal(size=(N, 3)), RNG.integers(0, 3, N)
REAL, NUMBERS = RNG.normal(size=(N, 2)), RNG.normal(size=(N, 2))
SHARES = np.exp(MANY) / np.exp(MANY).sum(1, keepdims=True)
WHOLE_DATA = {
    "f1": (nn.BCEWithLogitsLoss(), SCORES, TWO, "f1", metrics.f1(TWO, SCORES, threshold=0)),
    "precision": (nn.BCEWithLogitsLoss(), SCORES, TWO, "precision", metrics.precision(TWO, SCORES, threshold=0)),
    "recall": (nn.BCEWithLogitsLoss(), SCORES, TWO, "recall", metrics.recall(TWO, SCORES, threshold=0)),
    "roc_auc": (nn.BCEWithLogitsLoss(), SCORES, TWO, "roc_auc", metrics.roc_auc(TWO, SCORES)),
    "roc_auc of many": (nn.CrossEntropyLoss(), MANY, LABELS, "roc_auc", metrics.roc_auc(LABELS, SHARES)),
    "roc_auc of logarithms": (nn.NLLLoss(), np.log(SHARES), LABELS, "roc_auc", metrics.roc_auc(LABELS, SHARES)),
    "roc_auc of one-hot": (nn.CrossEntropyLoss(), MANY, np.eye(3)[LABELS], "roc_auc", metrics.roc_auc(LABELS, SHARES)),
    "roc_auc of two": (
        nn.CrossEntropyLoss(),
        MANY[:, :2],
        TWO[:, 0],
        "roc_auc",
        metrics.roc_auc(TWO[:, 0], MANY[:, 1] - MANY[:, 0]),
    ),
    "macro": (
        nn.CrossEntropyLoss(),
        MANY,
        LABELS,
        functools.partial(metrics.f1, average="macro"),
        metrics.f1(LABELS, MANY, "macro"),
    ),
    "accuracy": (nn.CrossEntropyLoss(), MANY, LABELS, "accuracy", metrics.accuracy(LABELS, MANY)),
    "top_k": (nn.CrossEntropyLoss(), MANY, LABELS, "top_k_accuracy", metrics.top_k_accuracy(LABELS, MANY)),
    "r2": (nn.MSELoss(), REAL, NUMBERS, "r2", metrics.r2(NUMBERS, REAL)),
    "mse": (nn.MSELoss(), REAL, NUMBERS, "mse", metrics.mse(NUMBERS, REAL)),
    "mae": (nn.MSELoss(), REAL, NUMBERS, "mae", metrics.mae(NUMBERS, REAL)),
    "own": (
        nn.MSELoss(),
        REAL,
        NUMBERS,
        lambda true, pred: np.median(np.abs(true - pred)),
        np.median(np.abs(NUMBERS - REAL)),
    ),
}


@pytest.mark.parametrize("name", WHOLE_DATA)
def test_metrics_are_those_of_all_samples(name):
    """At batch sizes 1, 2, 3, 7 and n, by fit, validation and evaluate."""
    loss, outputs, y, metric, expected = WHOLE_DATA[name]
    for size in (1, 2, 3, 7, N):
        assert measured(outputs, y, loss, metric, batch_size=size) == pytest.approx(expected, rel=1e-5)


def test_logs_of_a_batch_hold_the_means_so_far():
    seen = []

    class Look(nn.Callback):
        def on_batch_end(self, trainer):
            seen.append(dict(trainer.logs))

    t = still(MANY, nn.CrossEntropyLoss(), metrics=["accuracy", "roc_auc"], callbacks=[Look()])
    t.fit(np.arange(float(N))[:, None], LABELS, batch_size=10, shuffle=False, progress=False)
    assert [list(row) for row in seen] == [["loss", "accuracy"]] * 3
    assert seen[1]["accuracy"] == pytest.approx(metrics.accuracy(LABELS[:20], MANY[:20]))
    assert list(t.logs) == ["loss", "accuracy", "roc_auc"]


def test_what_is_kept_survives_an_interruption(tmp_path):
    class Stop(nn.Callback):
        def on_batch_end(self, trainer):
            raise KeyboardInterrupt

    x = np.arange(float(N))[:, None]
    fit = {"batch_size": 5, "rng": 3, "progress": False}
    t, u = (still(MANY, nn.CrossEntropyLoss(), metrics=["roc_auc", "accuracy"], callbacks=c) for c in ([Stop()], []))
    t.fit(x, LABELS, **fit)
    t.save(tmp_path / "t.safetensors")
    u.fit(x, LABELS, resume=tmp_path / "t.safetensors", **fit)
    assert u.history["roc_auc"][0] == pytest.approx(metrics.roc_auc(LABELS, SHARES))
    assert u.history["accuracy"][0] == pytest.approx(metrics.accuracy(LABELS, MANY))


def test_a_source_may_use_its_arrays_again():
    class Reused:
        def __iter__(self):
            x, y = np.zeros((1, 1)), np.zeros(1, int)
            for i in range(N):
                x[0, 0], y[0] = i, LABELS[i]
                yield x, y

    t = still(MANY, nn.CrossEntropyLoss(), metrics=["roc_auc"])
    assert t.fit(Reused(), progress=False)["roc_auc"][0] == pytest.approx(metrics.roc_auc(LABELS, SHARES))


def test_rows_of_other_lengths_have_no_common_metric():
    class Ragged:
        def __iter__(self):
            return iter([(np.zeros((1, 2)), np.zeros((1, 2))), (np.zeros((1, 3)), np.zeros((1, 3)))])

    model = nn.Identity()
    model.w = nn.Parameter(1.0)
    t = nn.Trainer(model, nn.MSELoss(), nn.optim.SGD([model.w], lr=0.0), metrics=["mae"])
    assert t.evaluate(Ragged()) == {"loss": 0.0, "mae": 0.0}
    t = nn.Trainer(model, nn.MSELoss(), nn.optim.SGD([model.w], lr=0.0), metrics=["r2"])
    with pytest.raises(
        ShapeError, match=r"batches with rows of shapes \(2,\), \(3,\) cannot be put together.*Pad them"
    ):
        t.evaluate(Ragged())


# -------------------------------------------------------------------------------------- metrics of one's own, once more


def line(w=1.0):
    model = nn.Linear(1, 1, rng=0)
    model.load_state_dict({"weight": [[w]], "bias": [0.0]})
    return model


def applied(model, loss, **options):
    return nn.Trainer(model, loss, nn.optim.SGD(model.parameters(), lr=0.0), **options)


def own_accuracy(true, pred):
    """Look at some of the samples only."""
    chosen = true[:, 0] >= 0
    return nn.metrics.accuracy(true[chosen], pred[chosen])


def test_a_copy_of_a_part_of_the_outputs_is_known_for_what_it_is():
    x = np.array([[0.3], [0.4], [-0.2], [-0.3]])
    for scale in (1.0, 10.0):  # logits that could pass for probabilities, and some that could not
        t = applied(line(scale), nn.BCEWithLogitsLoss(), metrics=[own_accuracy])
        assert t.evaluate(x[:2], [[1], [0]])["own_accuracy"] == 0.5
        assert t.evaluate(x, [[1], [1], [0], [0]])["own_accuracy"] == 1.0

    def of_probabilities(true, pred):
        return nn.metrics.accuracy(true, 1 / (1 + np.exp(-pred)))

    t = applied(line(), nn.BCEWithLogitsLoss(), metrics=[of_probabilities])
    assert t.evaluate(x, [[1], [1], [0], [0]])["of_probabilities"] == 1.0


@pytest.mark.parametrize(
    ("loss", "last", "labels"),
    [
        (nn.BCEWithLogitsLoss(), [], "output > 0"),
        (nn.BCELoss(), [nn.Sigmoid()], "output > 0.5"),
        (nn.CrossEntropyLoss(), [nn.Linear(1, 2, rng=0)], r"output.argmax\(1\)"),
    ],
)
def test_a_function_of_somebody_elses_gets_the_outputs_as_they_are(loss, last, labels):
    def accuracy_score(true, pred):
        if pred.dtype.kind == "f":
            raise ValueError("Classification metrics can't handle continuous targets")
        return float(np.mean(true == pred))

    x, y = np.array([[0.3], [-0.4]]), np.array([1, 0]) if last and isinstance(last[0], nn.Linear) else [[1], [0]]
    t = applied(nn.Sequential(line(), *last), loss, metrics=[accuracy_score])
    message = (
        rf"metric 'accuracy_score' was given .* as they are, {loss.outputs}, and says: Classification .*{labels}\)\}}"
    )
    with pytest.raises(ArgumentError, match=message) as caught:
        t.evaluate(x, y)
    assert isinstance(caught.value.__cause__, ValueError)


def test_scikit_learns_functions_work_as_the_message_says():
    sk = pytest.importorskip("sklearn.metrics")
    x, y = np.array([[0.3], [-0.4], [0.2]]), np.array([[1], [0], [0]])
    t = applied(line(), nn.BCEWithLogitsLoss(), metrics=[sk.accuracy_score])
    with pytest.raises(ArgumentError, match="metric 'accuracy_score' was given the targets and the outputs"):
        t.evaluate(x, y)
    wrapped = {"accuracy_score": lambda target, output: sk.accuracy_score(target, output > 0)}
    t = applied(line(), nn.BCEWithLogitsLoss(), metrics=wrapped)
    assert t.evaluate(x, y, batch_size=1)["accuracy_score"] == pytest.approx(2 / 3)


def test_errors_of_other_kinds_are_the_users_own():
    def broken(true, pred):
        return {}["nothing"]

    with pytest.raises(KeyError, match="nothing"):
        applied(line(), nn.MSELoss(), metrics=[broken]).evaluate([[1.0]], [[1.0]])


def test_a_metric_by_name_compares_one_output():
    class Two(nn.Module):
        def __init__(self):
            self.line = line()

        def forward(self, x):
            return self.line(x), -self.line(x)

    def loss(output, target):
        return nn.functional.mse_loss(output[0], target[0])

    x, y = np.array([[0.3], [-0.4]]), np.array([[1.0], [0.0]])
    with pytest.raises(
        ArgumentError, match=r"mae compares one output .*lambda target, output: nn.metrics.mae\(target\[0"
    ):
        applied(Two(), loss, metrics=["mae"]).evaluate(x, (y, y))
    picked = {"first": lambda target, output: nn.metrics.accuracy(target[0], output[0], threshold=0.0)}
    assert applied(Two(), loss, metrics=picked).evaluate(x, (y, y))["first"] == 1.0
