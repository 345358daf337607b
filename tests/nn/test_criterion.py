"""Means are over what was counted: one number whatever the batch size, and weights have one shape rule."""

import functools

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError, ShapeError
from nn.criterion import Criterion

F = nn.functional
N, T, C = 12, 5, 3
RNG = np.random.default_rng(0)
LABELS, STEPS = RNG.integers(0, C, N), RNG.integers(0, C, (N, T))
PIXELS = RNG.integers(0, C, (N, 2, 3))
SOFT = RNG.dirichlet(np.ones(C), N)
IGNORED = np.where(np.arange(N) < 7, -100, LABELS)  # whole batches of 1, 2 and 3 without a label that counts
STEPS_IGNORED = np.where(RNG.random((N, T)) < 0.4, 0, STEPS)
BINARY, MASKS = RNG.integers(0, 2, (N, 1)).astype(float), RNG.integers(0, 2, (N, 1, 2, 3))
SEVERAL = RNG.integers(0, 2, (N, 4))
NUMBERS = RNG.normal(size=(N, 4))
CLASS_WEIGHTS = [0.2, 1.0, 5.0]


class Given(nn.Module):
    """Give outputs of a shape that depend on the input, and learn nothing."""

    def __init__(self, shape, make=np.tanh):
        self.shape, self.make, self.w = shape, make, nn.Parameter([1.0])
        self.table = np.random.default_rng(1).normal(size=(N, *shape))

    def forward(self, x):
        return self.make(self.table[np.asarray(x)[:, 0].astype(int)]).astype(np.float32) * self.w


def still(model, loss, **options):
    return nn.Trainer(model, loss, nn.optim.SGD(model.parameters(), lr=0.0), **options)


def log_softmax(z):
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


X = np.arange(float(N))[:, None]
PER_SAMPLE, PER_STEP = RNG.uniform(0, 2, N), RNG.uniform(0, 2, (N, T))
PER_SAMPLE[:4] = 0

# loss, shape of an output, targets, options of fit, and what makes outputs of numbers
MEANS = {
    "mse": (nn.MSELoss(), (4,), NUMBERS, {}),
    "mse, weights": (nn.MSELoss(), (4,), NUMBERS, {"sample_weight": PER_SAMPLE}),
    "mse, weights per element": (nn.MSELoss(), (4,), NUMBERS, {"sample_weight": np.abs(NUMBERS)}),
    "l1, sum": (nn.L1Loss("sum"), (4,), NUMBERS, {}),
    "huber, sum, weights": (nn.HuberLoss("sum"), (4,), NUMBERS, {"sample_weight": PER_SAMPLE}),
    "hinge": (nn.HingeLoss(), (1,), 2 * BINARY - 1, {"sample_weight": PER_SAMPLE}),
    "bce": (nn.BCELoss(), (1,), BINARY, {"class_weight": {0: 1, 1: 3}}, sigmoid),
    "bce with logits": (nn.BCEWithLogitsLoss(pos_weight=[2.0]), (1,), BINARY, {"class_weight": "balanced"}),
    "several labels": (nn.BCEWithLogitsLoss(weight=[1.0, 2, 3, 4]), (4,), SEVERAL, {"class_weight": [1, 5]}),
    "masks": (nn.BCEWithLogitsLoss(), (1, 2, 3), MASKS, {"class_weight": {0: 0.1, 1: 1}}),
    "masks, weights": (nn.BCEWithLogitsLoss(), (1, 2, 3), MASKS, {"sample_weight": PER_SAMPLE}),
    "labels": (nn.CrossEntropyLoss(), (C,), LABELS, {}),
    "labels, weights": (nn.CrossEntropyLoss(weight=CLASS_WEIGHTS), (C,), LABELS, {"sample_weight": PER_SAMPLE}),
    "labels, class_weight": (nn.CrossEntropyLoss(), (C,), LABELS, {"class_weight": CLASS_WEIGHTS}),
    "labels, both": (
        nn.CrossEntropyLoss(),
        (C,),
        LABELS,
        {"class_weight": {0: 1, 1: 2, 2: 3}, "sample_weight": PER_SAMPLE},
    ),
    "smoothed": (nn.CrossEntropyLoss(weight=CLASS_WEIGHTS, label_smoothing=0.2), (C,), LABELS, {}),
    "ignored": (nn.CrossEntropyLoss(), (C,), IGNORED, {}),
    "ignored, ones": (nn.CrossEntropyLoss(), (C,), IGNORED, {"sample_weight": np.ones(N)}),
    "ignored, balanced": (nn.CrossEntropyLoss(), (C,), IGNORED, {"class_weight": "balanced"}),
    "ignored, sum": (nn.CrossEntropyLoss(reduction="sum"), (C,), IGNORED, {}),
    "class 0 ignored": (nn.NLLLoss(ignore_index=0, weight=CLASS_WEIGHTS), (C,), LABELS, {}, log_softmax),
    "function": (functools.partial(F.cross_entropy, ignore_index=0), (C,), LABELS, {"sample_weight": PER_SAMPLE}),
    "steps": (nn.CrossEntropyLoss(ignore_index=0), (C, T), STEPS_IGNORED, {}),
    "steps, weights": (nn.CrossEntropyLoss(ignore_index=0), (C, T), STEPS_IGNORED, {"sample_weight": PER_STEP}),
    "steps, class_weight": (nn.CrossEntropyLoss(ignore_index=0), (C, T), STEPS_IGNORED, {"class_weight": "balanced"}),
    "pixels": (nn.CrossEntropyLoss(weight=CLASS_WEIGHTS), (C, 2, 3), PIXELS, {"class_weight": CLASS_WEIGHTS}),
    "probabilities": (nn.CrossEntropyLoss(weight=CLASS_WEIGHTS), (C,), SOFT, {"sample_weight": PER_SAMPLE}),
    "one-hot": (nn.CrossEntropyLoss(), (C,), np.eye(C)[LABELS], {"class_weight": CLASS_WEIGHTS}),
}


def trainer_of(name, **options):
    loss, shape, y, given, *make = MEANS[name]
    return still(Given(shape, *make), loss, **options), y, given


@pytest.mark.parametrize("name", MEANS)
def test_one_number_whatever_the_batch_size(name):
    """History, validation and evaluate give Σ w l / Σ w at every batch size, shuffled or not."""
    found = []
    for size in (1, 2, 3, 7, N):
        t, y, given = trainer_of(name)
        own = given.get("sample_weight")
        h = t.fit(X, y, batch_size=size, rng=0, progress=False, validation_data=(X, y, own), **given)
        found.append(h["loss"][0])
        assert h["val_loss"][0] == pytest.approx(t.evaluate(X, y, sample_weight=own)["loss"], rel=1e-5)
        if "class_weight" not in given:
            assert h["val_loss"][0] == pytest.approx(found[0], rel=1e-5)
    np.testing.assert_allclose(found, found[0], rtol=1e-5)


@pytest.mark.parametrize("name", MEANS)
def test_accumulated_batches_are_one_batch(name):
    """Also where they are of different sizes, and where some of them count nothing."""
    seen = {}
    for size, accumulate in ((N, 1), (5, 3), (1, 12), (1, 5)):
        t, y, given = trainer_of(name, accumulate=accumulate)
        sums = []

        class Look(nn.Callback):
            def on_gradients(self, trainer, sums=sums):
                grad = trainer.model.w.grad
                sums.append(0.0 if grad is None else grad.item())

        t.callbacks.append(Look())
        t.fit(X, y, batch_size=size, shuffle=False, progress=False, **given)
        seen[size, accumulate] = sums
    for key in ((5, 3), (1, 12)):
        np.testing.assert_allclose(seen[key], seen[N, 1], rtol=2e-4, atol=1e-6)
    assert len(seen[1, 5]) == 3  # two groups of five, and the two that remain


def plain(name):
    """Compute Σ w l / Σ w of a row of the table anew."""
    loss, shape, y, given, *make = MEANS[name]
    z = Given(shape, *make)(X).numpy().astype(float)
    if name.startswith(("mse", "l1", "huber")):
        d = z - y
        each = (
            d * d if name[0] == "m" else np.abs(d) if name[0] == "l" else np.where(abs(d) <= 1, d * d / 2, abs(d) - 0.5)
        )
        w = np.ones(y.shape)
    else:
        p = np.exp(log_softmax(z))
        rows = np.moveaxis(p, 1, -1)
        if y.shape == z.shape:
            classes = np.ones(C) if loss.weight is None else np.array(loss.weight)
            each, w = -(y * np.log(p) * classes).sum(1), np.ones(N)
        else:
            classes = np.ones(C) if getattr(loss, "weight", None) is None else np.array(loss.weight)
            ignored = loss.keywords["ignore_index"] if isinstance(loss, functools.partial) else loss.ignore_index
            safe = np.where(y == ignored, 0, y)
            each = -np.log(np.take_along_axis(rows, safe[..., None], -1)[..., 0])
            w = classes[safe] * (y != ignored)
        if "class_weight" in given:
            table = given["class_weight"]
            labels = y.argmax(1) if y.shape == z.shape else y
            w = w * np.array([table[i] for i in labels.ravel()]).reshape(labels.shape)
    own = given.get("sample_weight")
    w = w if own is None else w * own.reshape(own.shape + (1,) * (w.ndim - own.ndim))
    return (w * each).sum() / w.sum()


@pytest.mark.parametrize(
    "name",
    [
        "mse",
        "mse, weights",
        "mse, weights per element",
        "l1, sum",
        "huber, sum, weights",
        "labels",
        "labels, weights",
        "labels, class_weight",
        "labels, both",
        "ignored",
        "ignored, ones",
        "ignored, sum",
        "class 0 ignored",
        "function",
        "steps",
        "steps, weights",
        "pixels",
        "probabilities",
        "one-hot",
    ],
)
def test_the_number_is_the_weighted_mean(name):
    t, y, given = trainer_of(name)
    assert t.fit(X, y, batch_size=5, progress=False, **given)["loss"][0] == pytest.approx(plain(name), rel=1e-5)


def test_weights_of_one_change_nothing():
    for name in ("mse", "labels, class_weight", "ignored", "steps", "masks", "probabilities"):
        t, y, _ = trainer_of(name)
        without = t.evaluate(X, y)["loss"]
        for shape in {(N,), y.shape if name != "probabilities" else (N,)}:
            assert t.evaluate(X, y, sample_weight=np.ones(shape))["loss"] == pytest.approx(without, rel=1e-6)
    with pytest.raises(ShapeError, match=r"weights of shape \(12, 3\) for losses of shape \(12,\)"):
        t.evaluate(X, y, sample_weight=np.ones(y.shape))


def test_a_batch_without_labels_that_count_moves_nothing():
    model = nn.Linear(1, C, rng=0)
    before = model.state_dict()
    t = nn.Trainer(model, nn.CrossEntropyLoss(), nn.optim.SGD(model.parameters(), lr=1.0), metrics=["accuracy", "f1"])
    assert t.train_on_batch(X[:3], [-100] * 3) == {}
    assert all(np.array_equal(before[name], value) for name, value in model.state_dict().items())
    with pytest.raises(
        ArgumentError, match="evaluate: no target counts: all weights are 0, or all targets are ignored"
    ):
        t.evaluate(X[:3], [-100] * 3)


WRONG_WEIGHTS = {
    "negative": (np.r_[1.0, -3, np.ones(N - 2)], LABELS, ArgumentError, r"weight\[1\] is -3; weights must be finite"),
    "negative step": (-PER_STEP - 1, STEPS, ArgumentError, r"weight\[0, 0\] is -.*; weights must be"),
    "nan": (np.r_[np.nan, np.ones(N - 1)], LABELS, ArgumentError, r"weight\[0\] is nan"),
    "inf": (np.r_[np.inf, np.ones(N - 1)], LABELS, ArgumentError, r"weight\[0\] is inf"),
    "short": (
        np.ones(N - 1),
        LABELS,
        ShapeError,
        rf"must be {N} numbers that are not negative.*got shape \({N - 1},\)",
    ),
    "one number": (2.0, LABELS, ShapeError, f"must be {N} numbers.*got one number"),
    "words": (["a"] * N, LABELS, TypeError, "weight has dtype <U1; it must hold real numbers"),
    "a column": (
        np.ones((N, 1)),
        LABELS,
        ShapeError,
        rf"has shape \({N}, 1\) for y of shape \({N},\). Give one per sam",
    ),
    "other steps": (np.ones((N, T - 1)), STEPS, ShapeError, rf"has shape \({N}, {T - 1}\) for y of shape \({N}, {T}\)"),
    "masked": (np.ma.masked_array(np.ones(N), np.arange(N) == 2), LABELS, ArgumentError, "weight has masked values"),
    "none of them": (np.zeros(N), LABELS, ArgumentError, "not all of them 0|no target counts"),
}


@pytest.mark.parametrize("way", ["fit", "evaluate", "fit batches", "evaluate batches", "train_on_batch"])
@pytest.mark.parametrize("name", WRONG_WEIGHTS)
def test_wrong_weights_are_refused_at_the_start(name, way):
    weight, y, error, message = WRONG_WEIGHTS[name]
    t = still(Given((C, *y.shape[1:])), nn.CrossEntropyLoss())
    calls = {
        "fit": lambda: t.fit(X, y, sample_weight=weight, progress=False),
        "evaluate": lambda: t.evaluate(X, y, sample_weight=weight),
        "fit batches": lambda: t.fit([(X, y, weight)], progress=False),
        "evaluate batches": lambda: t.evaluate([(X, y, weight)]),
        "train_on_batch": lambda: t.train_on_batch(X, y, weight),
    }
    if name == "none of them" and way == "train_on_batch":
        calls[way]()  # a batch may count nothing
        return
    with pytest.raises(error, match=message):
        calls[way]()


WRONG_CLASS_WEIGHTS = [
    ({0: 1, 1: 1}, "class_weight has no weight for class 2. Give one for each class that occurs"),
    ({0: 1, 1: 1, 2: -1}, "the class_weight of 2 is -1; weights must be finite and not negative"),
    ({0: 1, 1: 1, 2: np.nan}, "the class_weight of 2 is nan"),
    ([1.0, 2.0], "class_weight has 2 numbers for 3 classes"),
    ([1.0, 2.0, 3.0, 4.0], "class_weight has 4 numbers for 3 classes"),
    ("even", "class_weight must be 'balanced', a dict or an array, got 'even'"),
    (3.0, "class_weight must be 'balanced', a dict by label or one number per class, got 3.0"),
    ([[1.0, 2.0]], "class_weight must be 'balanced', a dict by label or one number per class"),
    ({0: 0, 1: 0, 2: 0}, "not all of them 0"),
]


@pytest.mark.parametrize("y", [LABELS, STEPS, PIXELS, np.eye(C)[LABELS]], ids=["labels", "steps", "pixels", "one-hot"])
@pytest.mark.parametrize(("given", "message"), WRONG_CLASS_WEIGHTS)
def test_wrong_class_weights_are_refused_at_the_start(given, message, y):
    t = still(Given((C, *(y.shape[1:] if y.dtype.kind == "i" else ()))), nn.CrossEntropyLoss())
    with pytest.raises(ArgumentError, match=message):
        t.fit(X, y, class_weight=given, batch_size=2, progress=False)
    assert t.step == 0


def test_class_weights_are_the_weights_of_the_labels():
    """For labels, steps, pixels, one-hot rows, one column and several labels; "balanced" is n / (K n_c)."""
    for y, shape, loss in (
        (LABELS, (C,), nn.CrossEntropyLoss()),
        (STEPS, (C, T), nn.CrossEntropyLoss()),
        (PIXELS, (C, 2, 3), nn.CrossEntropyLoss()),
        (BINARY, (1,), nn.BCEWithLogitsLoss()),
        (SEVERAL, (4,), nn.BCEWithLogitsLoss()),
        (MASKS, (1, 2, 3), nn.BCEWithLogitsLoss()),
    ):
        labels, counts = np.unique(y, return_counts=True)
        table = y.size / (len(labels) * counts)
        each = table[np.searchsorted(labels, y)]
        losses = [
            still(Given(shape), loss).fit(X, y, batch_size=5, progress=False, **given)["loss"][0]
            for given in (
                {"sample_weight": each},
                {"class_weight": "balanced"},
                {"class_weight": table},
                {"class_weight": dict(zip(labels.tolist(), table, strict=True))},
            )
        ]
        np.testing.assert_allclose(losses, losses[0], rtol=1e-6)
    hot = still(Given((C,)), nn.CrossEntropyLoss()).fit(X, np.eye(C)[LABELS], class_weight="balanced", progress=False)
    flat = still(Given((C,)), nn.CrossEntropyLoss()).fit(X, LABELS, class_weight="balanced", progress=False)
    assert hot["loss"] == pytest.approx(flat["loss"], rel=1e-6)


def test_steps_with_one_1_per_row_are_steps():
    """(N, T) labels are not taken for one-hot rows, which have the shape of the outputs."""

    class Two(nn.Module):
        def __init__(self):
            self.w = nn.Parameter([[-1.0], [1.0]])

        def forward(self, x):
            return np.stack([x[..., 0] * self.w[i] for i in (0, 1)], axis=1)

    x, y = np.ones((2, 2, 1), np.float32), np.array([[1, 0], [0, 1]])
    h = still(Two(), nn.CrossEntropyLoss()).fit(x, y, class_weight={0: 1, 1: 10}, progress=False)
    low, high = np.log1p(np.exp(-2.0)), np.log1p(np.exp(2.0))
    assert h["loss"][0] == pytest.approx((2 * high + 20 * low) / 22, rel=1e-5)


class Own(nn.Module):
    """Be a loss of one's own that says what it is."""

    outputs, reduction, ignore_index = "classes", "mean", 2

    def forward(self, output, target):
        return F.cross_entropy(output, target, ignore_index=2, reduction=self.reduction)


def test_a_loss_of_ones_own_may_say_what_counts():
    found = [still(Given((C,)), Own(), metrics=["accuracy"]).evaluate(X, LABELS, batch_size=b) for b in (1, 5, N)]
    expected = still(Given((C,)), nn.CrossEntropyLoss(ignore_index=2), metrics=["accuracy"]).evaluate(X, LABELS)
    for row in found:
        assert row == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_loss_by_class_is_one_per_sample(reduction):
    """As the divergence of Kullback and Leibler: its mean is over classes too, and weights of one change nothing."""

    class Divergence(nn.Module):
        outputs = "classes"

        def __init__(self):
            self.reduction = reduction

        def forward(self, output, target):
            each = target * (np.log(target) - output)
            return each if self.reduction == "none" else each.mean() if self.reduction == "mean" else each.sum()

    t = still(Given((C,), log_softmax), Divergence())
    plain = [t.evaluate(X, SOFT.astype(np.float32), batch_size=b)["loss"] for b in (1, 5, N)]
    ones = t.evaluate(X, SOFT.astype(np.float32), sample_weight=np.ones(N))["loss"]
    np.testing.assert_allclose(plain, ones, rtol=1e-5)


def test_a_loss_that_says_nothing_but_its_reduction():
    """Its losses may have more axes than there are weights."""

    class Mine(nn.Module):
        reduction = "mean"

        def forward(self, output, target):
            each = (output - target) ** 2
            return each if self.reduction == "none" else each.mean()

    t = still(Given((4,)), Mine())
    y = NUMBERS.astype(np.float32)
    plain = t.evaluate(X, y)["loss"]
    for weight in (np.ones(N), np.ones((N, 4))):
        assert t.evaluate(X, y, sample_weight=weight, batch_size=5)["loss"] == pytest.approx(plain, rel=1e-5)


def test_weights_need_losses_before_they_are_reduced():
    def mine(output, target):
        return F.mse_loss(output, target)

    with pytest.raises(ArgumentError, match=r"weights need a loss with a reduction, such as nn.MSELoss\(\); mine has"):
        still(Given((4,)), mine).evaluate(X, NUMBERS, sample_weight=PER_SAMPLE)


def test_functions_are_read_as_the_losses_they_are():
    for function, outputs in (
        (F.mse_loss, "numbers"),
        (F.hinge_loss, "logits"),
        (F.binary_cross_entropy, "probabilities"),
        (functools.partial(F.nll_loss, ignore_index=3), "classes"),
        (lambda z, y: F.mse_loss(z, y), None),
    ):
        assert Criterion(function).outputs == outputs
    assert Criterion(functools.partial(F.nll_loss, ignore_index=3)).loss.ignore_index == 3
    assert Criterion(functools.partial(F.mse_loss, reduction="sum")).summed
    assert Criterion(lambda z, y: z, "logits").outputs == "logits"


def test_a_loss_that_takes_the_targets_first_is_refused():
    def loss(y_true, y_pred):
        return -(y_true * np.log(y_pred)).mean()

    class Loss(nn.Module):
        def forward(self, target, output):
            return ((target - output) ** 2).mean()

    with pytest.raises(
        ArgumentError, match=r"the loss loss\(y_true, y_pred\) takes the targets first.*Swap its parameters"
    ):
        Criterion(loss)
    with pytest.raises(ArgumentError, match=r"the loss Loss\(target, output\) takes the targets first"):
        Criterion(Loss())
    for right in (lambda y_pred, y_true: y_pred, lambda x, y: x, lambda output, target: output, np.hypot):
        Criterion(right)


SHAPES = {
    "labels (N,)": (nn.CrossEntropyLoss(), (C,), LABELS, [(N,)]),
    "steps (N, T)": (nn.CrossEntropyLoss(), (C, T), STEPS, [(N,), (N, T)]),
    "pixels (N, H, W)": (nn.CrossEntropyLoss(), (C, 2, 3), PIXELS, [(N,), (N, 2), (N, 2, 3)]),
    "one-hot (N, C)": (nn.CrossEntropyLoss(), (C,), np.eye(C)[LABELS], [(N,)]),
    "one-hot steps (N, C, T)": (nn.CrossEntropyLoss(), (C, T), np.moveaxis(np.eye(C)[STEPS], -1, 1), [(N,), (N, T)]),
    "a column (N, 1)": (nn.BCEWithLogitsLoss(), (1,), BINARY, [(N,), (N, 1)]),
    "several labels (N, L)": (nn.BCEWithLogitsLoss(), (4,), SEVERAL, [(N,), (N, 4)]),
    "masks (N, 1, H, W)": (nn.BCEWithLogitsLoss(), (1, 2, 3), MASKS, [(N,), (N, 1), (N, 1, 2), (N, 1, 2, 3)]),
    "numbers (N,)": (nn.MSELoss(), (), NUMBERS[:, 0], [(N,)]),
    "numbers (N, K)": (nn.HuberLoss(), (4,), NUMBERS, [(N,), (N, 4)]),
}
EVERY = [(N,), (N, 1), (N, 2), (N, T), (N, 4), (N, 1, 2), (N, 2, 3), (N, 1, 2, 3), (N, C), (N - 1,), (1,), (T, N)]


@pytest.mark.parametrize("name", SHAPES)
def test_weights_are_laid_along_the_first_axes_of_the_losses(name):
    """Each shape that fits gives Σ w l / Σ w of the losses one by one; each other is refused, at every batch size."""
    loss, shape, y, fitting = SHAPES[name]
    model = Given(shape)
    each = type(loss)(reduction="none")(model(X), y).numpy().astype(float)
    for size in EVERY:
        w = np.random.default_rng(3).uniform(0, 2, size)
        for batch in (1, 5, N):
            t = still(model, loss)
            if size not in fitting:
                with pytest.raises(ShapeError, match=r"sample_weight|weights of shape"):
                    t.fit(X, y, sample_weight=w, batch_size=batch, progress=False)
                assert t.step == 0
                continue
            laid = np.broadcast_to(w.reshape(w.shape + (1,) * (each.ndim - w.ndim)), each.shape)
            expected = pytest.approx((laid * each).sum() / laid.sum(), rel=1e-5)
            assert t.fit(X, y, sample_weight=w, batch_size=batch, progress=False)["loss"][0] == expected
            assert t.evaluate(X, y, sample_weight=w, batch_size=batch)["loss"] == expected


WRONG_OWN_WEIGHTS = {
    "negative": ([1.0, -2.0, 1.0], r"weight\[1\] is -2; weights must be finite and not negative"),
    "nan": ([np.nan, 1.0, 1.0], r"weight\[0\] is nan"),
    "inf": ([1.0, 1.0, np.inf], r"weight\[2\] is inf"),
    "of Tensors": (nn.Parameter([1.0, 1.0, -1.0], requires_grad=False), r"weight\[2\] is -1"),
}


@pytest.mark.parametrize("name", WRONG_OWN_WEIGHTS)
def test_weights_of_a_loss_are_looked_at_when_it_is_made(name):
    weight, message = WRONG_OWN_WEIGHTS[name]
    for kind in (nn.CrossEntropyLoss, nn.NLLLoss, nn.BCELoss, nn.BCEWithLogitsLoss, nn.CategoricalCrossEntropyLoss):
        with pytest.raises(ArgumentError, match=f"{kind.__name__}: {message}"):
            kind(weight=weight)
    with pytest.raises(ArgumentError, match=f"BCEWithLogitsLoss: pos_{message}"):
        nn.BCEWithLogitsLoss(pos_weight=weight)
    z, numbers = np.zeros((2, 3)), np.asarray(getattr(weight, "data", weight))
    for call in (
        lambda: F.cross_entropy(z, [0, 1], weight=numbers),
        lambda: F.nll_loss(z, [0, 1], weight=numbers),
        lambda: F.binary_cross_entropy(z + 0.5, z, weight=numbers),
        lambda: F.binary_cross_entropy_with_logits(z, z, weight=numbers),
        lambda: F.binary_cross_entropy_with_logits(z, z, pos_weight=numbers),
    ):
        with pytest.raises(ArgumentError, match=message):
            call()


@pytest.mark.parametrize("wrong", [3, -1, 200])
@pytest.mark.parametrize("where", ["fit", "validation", "held out", "evaluate"])
@pytest.mark.parametrize("shape", [(), (T,), (2, 3)], ids=["labels", "steps", "pixels"])
def test_a_label_without_a_class_is_refused_before_a_weight_moves(where, wrong, shape):
    """It stands in the last batch, or only in the data that is held out."""
    y = np.zeros((N, *shape), int)
    bad = y.copy()
    bad[-1] = wrong
    t = still(Given((C, *shape)), nn.CrossEntropyLoss())
    calls = {
        "fit": lambda: t.fit(X, bad, batch_size=2, shuffle=False, progress=False),
        "validation": lambda: t.fit(X, y, validation_data=(X, bad), batch_size=2, progress=False),
        "held out": lambda: t.fit(X, bad, validation_split=0.25, batch_size=2, progress=False),
        "evaluate": lambda: t.evaluate(X, bad, batch_size=2),
    }
    with pytest.raises(ArgumentError, match=rf"Trainer: target {wrong} is out of range for 3 classes \(0 to 2\)"):
        calls[where]()
    assert t.step == 0
    t.fit(X, y, batch_size=2, progress=False)  # what was refused is forgotten
    ignoring = still(Given((C, *shape)), nn.CrossEntropyLoss(ignore_index=wrong))
    assert np.isfinite(ignoring.fit(X, bad, batch_size=2, progress=False)["loss"]).all()


def test_numbers_have_no_class_weights():
    for loss, shape, y in ((nn.MSELoss(), (4,), NUMBERS), (nn.BCEWithLogitsLoss(), (1,), np.full((N, 1), 0.3))):
        for given in ("balanced", {0: 1, 1: 2}):
            with pytest.raises(ArgumentError, match=r"class_weight weighs labels, and y holds .*, which is none"):
                still(Given(shape), loss).fit(X, y, class_weight=given, progress=False)
    still(Given((1,)), nn.MSELoss()).fit(X, BINARY, class_weight="balanced", progress=False)  # labels as numbers


def test_names_of_parameters_in_keras_order():
    for loss in (
        lambda y_true, y_pred: 0,
        lambda targets, predictions: 0,
        lambda actual, predicted: 0,
        lambda labels, logits: 0,
        lambda y, y_hat: 0,
    ):
        with pytest.raises(ArgumentError, match="takes the targets first"):
            Criterion(loss)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 2.0, 3.0], "class_weight has 3 numbers for 2 classes. Give one for each, or a dict"),
        ({0: "a", 1: 1}, "the class_weight of 0 must be a number, got 'a'"),
        ({0: None, 1: 1}, "the class_weight of 0 must be a number, got None"),
        ({0: 1, 1: [1, 2]}, r"the class_weight of 1 must be a number, got \[1, 2\]"),
    ],
)
def test_a_class_has_one_number(weights, message):
    x, y = np.array([[1.0], [-1.0]]), np.array([0, 1])
    cases = [
        (nn.Linear(1, 2, rng=0), nn.CrossEntropyLoss(), y),
        (nn.Linear(1, 2, rng=0), nn.CrossEntropyLoss(), np.eye(2)[y]),
        (nn.Linear(1, 1, rng=0), nn.BCEWithLogitsLoss(), y[:, None]),
    ]
    for model, loss, target in cases:
        before = model.weight.numpy().copy()
        with pytest.raises(ArgumentError, match=message):
            nn.Trainer(model, loss, "sgd").fit(x, target, class_weight=weights, progress=False)
        assert np.array_equal(before, model.weight.numpy())
