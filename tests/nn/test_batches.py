"""What fit, evaluate and predict read: arrays, frames, sparse rows, several inputs, and sources of batches."""

import collections

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError, DTypeError, ShapeError
from nn import loss_names
from nn.batches import Batches
from nn.reading import each, leaves, size


def line(features=1):
    model = nn.Linear(features, 1, rng=0)
    model.load_state_dict({"weight": np.ones((1, features)), "bias": [0.0]})
    return model


def still(model, loss=None, **options):
    return nn.Trainer(model, loss or nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.0), **options)


# ------------------------------------------------------------------------------------------------------ masked arrays

MASKED = np.ma.masked_array([[1.0], [1e6]], [[False], [True]])
X, Y = np.ones((2, 1)), np.zeros((2, 1))
WAYS = {
    "fit x": lambda t, m: t.fit(m, Y, progress=False),
    "fit y": lambda t, m: t.fit(X, m, progress=False),
    "fit weights": lambda t, m: t.fit(X, Y, sample_weight=m[:, 0], progress=False),
    "fit batches": lambda t, m: t.fit([(m, Y)], progress=False),
    "fit targets of batches": lambda t, m: t.fit([(X, m)], progress=False),
    "validation": lambda t, m: t.fit(X, Y, validation_data=(m, Y), progress=False),
    "evaluate": lambda t, m: t.evaluate(m, Y),
    "predict": lambda t, m: t.predict(m),
    "predict a list": lambda t, m: t.predict(list(m)),
    "predict batches": lambda t, m: t.predict(iter([m])),
    "train_on_batch": lambda t, m: t.train_on_batch(X, m),
    "a layer": lambda t, m: t.model(m),
    "a loss": lambda t, m: nn.MSELoss()(t.model(X), m),
    "an output": lambda t, m: nn.MSELoss()(m, Y),
    "a metric": lambda t, m: nn.metrics.mae(m, Y),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("way", WAYS)
def test_what_lies_under_a_mask_is_never_read(way, dtype):
    with pytest.raises((ArgumentError, TypeError), match=r"masked|its mask would be lost"):
        WAYS[way](still(line()), MASKED.astype(dtype))


def test_a_mask_that_hides_nothing_is_an_array():
    whole = np.ma.masked_array([[1.0], [2.0]], False)
    assert still(line()).predict(whole).tolist() == [[1.0], [2.0]]


# ------------------------------------------------------------------------------------------------------------- frames


@pytest.fixture(scope="module")
def pd():
    return pytest.importorskip("pandas")


def test_frames_are_read_column_by_column(pd):
    frame = pd.DataFrame(
        {
            "float": [1.0, 2.0],
            "int": [3, 4],
            "bool": [True, False],
            "nullable int": pd.array([5, 6], dtype="Int64"),
            "nullable float": pd.array([0.5, 1.5], dtype="Float64"),
            "nullable bool": pd.array([True, False], dtype="boolean"),
            "objects": pd.Series([7, 8.5], dtype=object),
            "truths": pd.Series([True, False], dtype=object),
            "categories": pd.Categorical([9, 10]),
        }
    )
    expected = [[1, 3, 1, 5, 0.5, 1, 7, 1, 9], [2, 4, 0, 6, 1.5, 0, 8.5, 0, 10]]
    model = line(9)
    np.testing.assert_allclose(model(frame).numpy()[:, 0], np.sum(expected, 1))
    np.testing.assert_allclose(still(model).predict(frame)[:, 0], np.sum(expected, 1))
    y = pd.DataFrame({"y": pd.array([0, 1], dtype="Int64")})
    assert still(model).fit(frame, y, progress=False)["loss"][0] > 0
    weights = pd.Series([0, 1], index=[7, 8], dtype="Int64")
    assert still(model).evaluate(frame, y, sample_weight=weights)["loss"] == pytest.approx(
        (np.sum(expected[1]) - 1) ** 2
    )
    labels = pd.Series([0, 1], dtype="category")
    assert still(nn.Linear(9, 2, rng=0), nn.CrossEntropyLoss()).evaluate(frame, labels)["loss"] > 0
    assert still(line()).predict(frame[["bool"]]).tolist() == [[1.0], [0.0]]
    values = frame[["float", "bool"]].values  # objects, as the columns are of two types
    assert values.dtype == object
    np.testing.assert_allclose(still(line(2)).predict(values)[:, 0], [2, 2])
    with pytest.raises(DTypeError, match="x has dtype object; it must hold real numbers"):
        still(line(2)).predict(np.array([[1.0, None]], dtype=object))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["yes", "no"], r"x: column 'member' has dtype .* \('yes'\); it must hold real numbers. Encode it"),
        ([1, "no"], r"column 'member' has dtype object \(1\); it must hold real numbers"),
        (["2026-01-01", "2026-01-02"], "column 'member' has dtype"),
        ([1 + 2j, 3], "column 'member' has dtype complex128"),
    ],
)
def test_a_column_that_is_no_number_is_named(pd, values, message):
    frame = pd.DataFrame({"a": [1.0, 2.0], "member": values})
    for way in ("fit", "evaluate"):
        with pytest.raises(DTypeError, match=f"{way}: {message}" if message[0] == "x" else message):
            getattr(still(line(2)), way)(frame, Y)
    with pytest.raises(DTypeError, match="column 'member'"):
        still(line(2)).predict(frame)
    times = pd.DataFrame({"a": [1.0, 2.0], "member": pd.to_datetime(["2026-01-01", "2026-01-02"])})
    with pytest.raises(DTypeError, match=r"column 'member' has dtype datetime64"):
        still(line(2)).predict(times)


def test_a_missing_value_is_told(pd):
    for missing in (pd.array([1, None], dtype="Int64"), pd.Series([1.0, None], dtype=object), [1.0, np.nan]):
        with pytest.raises(ArgumentError, match=r"fit: x\[1, 1\] \(column 'b'\) is nan. Remove or replace"):
            still(line(2)).fit(pd.DataFrame({"a": [1.0, 2.0], "b": missing}), Y, progress=False)


# -------------------------------------------------------------------------------------------------------- sparse rows


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_matrix", "coo_array"])
def test_sparse_rows_become_dense_batch_by_batch(kind):
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(0)
    x = np.where(rng.random((20, 6)) < 0.3, rng.normal(size=(20, 6)), 0).astype(np.float32)
    y = rng.normal(size=(20, 1))
    s = getattr(sparse, kind)(x)
    fit = {"batch_size": 6, "rng": 0, "validation_split": 0.25, "progress": False}
    histories = [dict(still(line(6)).fit(data, y, **fit)) for data in (x, s)]
    assert histories[0] == histories[1]
    np.testing.assert_array_equal(still(line(6)).predict(s, batch_size=3), still(line(6)).predict(x, batch_size=3))
    assert still(line(6)).evaluate([(s, y)]) == still(line(6)).evaluate([(x, y)])
    wrong = s.tocsr().copy()
    wrong.data[0] = np.nan
    with pytest.raises(ArgumentError, match=r"is nan. Remove or replace"):
        still(line(6)).fit(wrong, y, progress=False)


# ---------------------------------------------------------------------------------------- several inputs and outputs


class Two(nn.Module):
    def __init__(self):
        self.line = line()

    def forward(self, a, b):
        return self.line(a) - b


class Both(nn.Module):
    """Give two outputs."""

    def __init__(self):
        self.line = line()

    def forward(self, x):
        return self.line(x), 2 * self.line(x)


N = 7
A, B, T = np.arange(float(N))[:, None], np.ones((N, 1)), np.zeros((N, 1))
INPUTS = {"a tuple": (A, B), "a dict": {"a": A, "b": B}, "a tuple of Tensors": (nn.Parameter(A), B)}


@pytest.mark.parametrize("kind", INPUTS)
def test_several_inputs(kind):
    x, expected = INPUTS[kind], float(np.mean((A - B) ** 2))
    t = still(Two(), metrics=["mae"])
    fit = {"batch_size": 3, "rng": 0, "progress": False}
    h = t.fit(x, T, validation_data=(x, T), **fit)
    assert h["loss"] == h["val_loss"] == pytest.approx([expected])
    assert h["val_mae"] == pytest.approx([float(np.mean(np.abs(A - B)))])
    assert t.evaluate(x, T, batch_size=2)["loss"] == pytest.approx(expected)
    np.testing.assert_array_equal(t.predict(x, batch_size=2), A - B)
    np.testing.assert_array_equal(t.predict(iter([(x, T), (x, T)])), np.concatenate([A - B] * 2))
    assert t.train_on_batch(x, T)["loss"] == pytest.approx(expected)
    assert t.fit([(x, T), (x, T, np.ones(N))], progress=False)["loss"][-1] == pytest.approx(expected)
    split = t.fit(x, T, validation_split=0.3, **fit)
    assert split["val_loss"][-1] == pytest.approx(float(np.mean((A - B)[-2:] ** 2)))


def test_several_outputs_and_targets():
    def loss(output, target):
        return sum(nn.functional.mse_loss(o, t) for o, t in zip(output, target, strict=True))

    def error(true, pred):
        return float(sum(np.abs(a - b).mean() for a, b in zip(true, pred, strict=True)))

    t = still(Both(), loss, metrics=[error])
    h = t.fit(A, (T, T), batch_size=3, validation_data=(A, (T, T)), progress=False)
    assert h["error"] == h["val_error"] == pytest.approx([9.0])
    assert h["loss"] == pytest.approx([float(5 * np.mean(A**2))])
    first, second = t.predict(A, batch_size=2)
    np.testing.assert_array_equal(second, 2 * first)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.GRU(1, 2, batch_first=True, rng=0), r"several outputs, among them one of shape \(1, 3, 2\) for 3 samples"),
        (nn.MultiheadAttention(1, 1, batch_first=True, rng=0), "several outputs, among them None for 3 samples"),
    ],
)
def test_several_outputs_without_a_row_for_each_sample(model, message):
    class Whole(nn.Module):
        def __init__(self):
            self.inner = model

        def forward(self, x):
            return self.inner(x) if isinstance(self.inner, nn.GRU) else self.inner(x, x, x, need_weights=False)

    with pytest.raises(ShapeError, match=message):
        still(Whole()).predict(np.ones((6, 2, 1)), batch_size=3)


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        ((A, B[:3]), T, ShapeError, "fit: x has 7 samples and another part of it has 3; they must be equal"),
        ((A, B), T[:3], ShapeError, "fit: x has 7 samples and y has 3"),
        (
            [A, B],
            T,
            ShapeError,
            r"x has 2 samples and y has 7; they must be equal. Several inputs are a tuple \(a, b\)",
        ),
        ((A, B * np.nan), T, ArgumentError, r"fit: x\[1\]\[0, 0\] is nan"),
        ({"a": A, "b": B.astype(str)}, T, DTypeError, r"fit: x\['b'\] has dtype <U"),
        ({}, T, ArgumentError, "fit: x is an empty dict"),
    ],
)
def test_several_inputs_that_do_not_fit(x, y, error, message):
    with pytest.raises(error, match=message):
        still(Two()).fit(x, y, progress=False)


def test_trees():
    assert size({"a": A, "b": (B, T)}) == N
    assert len(leaves(({"a": A}, B))) == 2
    assert each(np.sum, (B, {"b": B})) == (N, {"b": N})


# ---------------------------------------------------------------------------------------------------- validation_data


def test_two_validation_batches_are_no_x_and_y():
    a = np.arange(8.0).reshape(4, 2)
    swap = nn.Linear(2, 2, bias=False, rng=0)
    swap.load_state_dict({"weight": [[0, 1], [1, 0]]})
    first, second = (a[:2], a[:2]), (a[2:], a[2:] + 1)
    for batches in ((first, second), [first, second], ([*first], [*second]), (first, (*second, np.ones(2)))):
        h = still(swap).fit(a, a, validation_data=batches, progress=False)
        assert h["val_loss"] == [still(swap).evaluate([first, second])["loss"]] == [1.5]
    for whole in ((a, a), (a.tolist(), a.tolist()), (a, a, np.ones(4)), [(a, a)]):
        assert still(swap).fit(a, a, validation_data=whole, progress=False)["val_loss"] == [1.0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((A, T[:3]), "fit: validation_data: x has 7 samples and y has 3"),
        ((A * np.nan, T), r"fit: validation_data: x\[0, 0\] is nan"),
        ((A, T, -np.ones(N)), r"fit: validation_data: sample_weight\[0\] is -1"),
        ((A, T + 7), "targets lie from 0 to 1, got 7"),
        (3, "fit: validation_data: pass x and y, or an iterable"),
    ],
)
def test_validation_data_are_read_before_a_weight_moves(data, message):
    t = still(line(), nn.BCEWithLogitsLoss())
    with pytest.raises((ArgumentError, ShapeError), match=message):
        t.fit(A, T, validation_data=data, progress=False)
    assert t.step == 0


def test_held_out_samples_keep_their_weights():
    w = np.r_[np.ones(5), 0.0, 3.0]
    h = still(line()).fit(A, T, sample_weight=w, validation_split=0.3, progress=False)
    assert h["val_loss"] == pytest.approx([float(A[6, 0] ** 2)])


# -------------------------------------------------------------------------------------------------- sources of batches


class Sequence:
    """Be Keras' Sequence: a length, batches by number, and a word at the end of an epoch."""

    def __init__(self):
        self.ended = 0

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return np.zeros((3 - i, 1)), np.ones((3 - i, 1))

    def on_epoch_end(self):
        self.ended += 1


def endless():
    value = 0
    while True:
        yield np.full((2, 1), float(value)), np.zeros((2, 1))
        value += 1


def test_a_sequence_of_batches_by_number():
    source, t = Sequence(), still(line())
    h = t.fit(source, epochs=3, validation_data=Sequence(), progress=False)
    assert h["loss"] == h["val_loss"] == [1.0] * 3
    assert (t.step, source.ended) == (6, 3)
    assert t.evaluate(Sequence()) == {"loss": 1.0}
    assert t.predict(Sequence()).shape == (5, 1)


def test_pytorchs_loader():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.arange(7.0)[:, None], torch.zeros(7, 1))
    loader = torch.utils.data.DataLoader(data, batch_size=3)
    t = still(line())
    assert t.fit(loader, epochs=2, validation_data=loader, progress=False)["val_loss"] == pytest.approx([13.0] * 2)
    assert t.step == 6
    np.testing.assert_array_equal(t.predict(loader)[:, 0], np.arange(7))


def test_steps_per_epoch_go_on_where_the_last_epoch_stopped():
    t = still(line())
    h = t.fit(endless(), epochs=3, steps_per_epoch=2, progress=False)
    assert h["loss"] == [0.5, (4 + 9) / 2, (16 + 25) / 2]
    assert t.step == 6
    ends = [(np.full((1, 1), float(i)), np.zeros((1, 1))) for i in range(3)]
    assert still(line()).fit(ends, epochs=3, steps_per_epoch=2, progress=False)["loss"] == [0.5, 2.0, 2.5]


def test_an_endless_run_resumes_where_it_was(tmp_path):
    class Stop(nn.Callback):
        def on_batch_end(self, trainer):
            if trainer.step == 5:
                raise KeyboardInterrupt

    def trainer(*callbacks):
        model = line()
        return nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=1e-3), callbacks=callbacks)

    whole, cut, rest = trainer(), trainer(Stop()), trainer()
    fit = {"epochs": 3, "steps_per_epoch": 3, "progress": False}
    whole.fit(endless(), **fit)
    cut.fit(endless(), **fit)
    cut.save(tmp_path / "cut.safetensors")
    rest.fit(endless(), resume=tmp_path / "cut.safetensors", **fit)
    assert dict(rest.history) == dict(whole.history)
    assert rest.model.weight.item() == whole.model.weight.item()


def test_drop_last_leaves_a_short_batch_out():
    t = still(line())
    h = t.fit(A, T, batch_size=3, shuffle=False, drop_last=True, progress=False)
    assert t.step == 2
    assert h["loss"] == pytest.approx([float(np.mean(A[:6] ** 2))])


def test_a_last_batch_of_one_under_batch_norm():
    def normed():
        return nn.Sequential(nn.BatchNorm1d(1), line())

    with pytest.raises(
        ShapeError, match=r"BatchNorm1d '0'.*more than one value.*one sample out \(fit\(drop_last=True\)\)"
    ):
        still(normed()).fit(A, T, batch_size=3, progress=False)
    t = still(normed())
    t.fit(A, T, batch_size=3, drop_last=True, progress=False)
    assert t.step == 2


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t.fit(A, T, steps_per_epoch=2), ArgumentError, "steps_per_epoch is for iterables of batches"),
        (lambda t: t.fit(endless(), steps_per_epoch=0), ArgumentError, "steps_per_epoch must be at least 1, got 0"),
        (lambda t: t.fit([(A, T)], drop_last=True), ArgumentError, "drop_last is for arrays"),
        (
            lambda t: t.fit(A, T, batch_size=9, drop_last=True),
            ArgumentError,
            "drop_last=True leaves nothing of 7 samples",
        ),
        (
            lambda t: t.fit(iter([(A, T)] * 3), epochs=2, steps_per_epoch=2, progress=False),
            ArgumentError,
            "the iterable ended before steps_per_epoch=2, and cannot be walked again",
        ),
        (lambda t: t.fit({"x": A}), ArgumentError, "pass x and y, or an iterable of"),
        (lambda t: t.fit("data.csv"), ArgumentError, "pass x and y, or an iterable of .* got str"),
        (lambda t: t.fit([(A, T, None, None)]), ArgumentError, r"each batch must be \(x, y\) or \(x, y, weights\)"),
        (lambda t: t.fit(A, (T, T), class_weight="balanced"), ArgumentError, "class_weight needs targets in one array"),
    ],
)
def test_bad_sources(call, error, message):
    with pytest.raises(error, match=message):
        call(still(line()))


def test_an_unfinished_epoch_is_described():
    def of(x, y, **options):
        return Batches(x, y, None if y is None else 2, None, "fit", **options).describe()

    assert of(A, T) == of(A.copy(), T.tolist())
    others = [of(A + 1, T), of(A, T + 1), of(A[:6], T[:6]), of(A, T, drop_last=True), of(A.astype("f4"), T)]
    assert of(A, T) not in others
    assert of(collections.deque([(A, T)]), None) == {"batches": 1, "steps_per_epoch": None}


def test_losses_and_optimizers_by_name():
    model = nn.Sequential(nn.Linear(8, 1, rng=0), nn.Sigmoid())
    t = nn.Trainer(model, "binary_crossentropy", "adam", metrics=["accuracy"])
    h = t.fit(np.ones((4, 8)), np.ones((4, 1)), epochs=200, progress=False)
    assert h["loss"][-1] < h["loss"][0] / 2
    assert h["accuracy"][-1] == 1.0
    for name in loss_names.NAMES:
        assert isinstance(loss_names.get(name.upper()), nn.Module)
    for name in ("sgd", "Adam", "adamw", "rmsprop", "adagrad"):
        assert type(nn.Trainer(line(), "mse", name).optimizer).__name__.lower() == name.lower()


# ------------------------------------------------------------------------------------- names of columns, order of rows


def test_columns_are_those_of_fit(pd):
    x, y = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}), np.zeros((2, 1))
    t = still(line(2))
    t.fit(x, y, progress=False)
    ways = {
        "fit": lambda frame: t.fit(frame, y, progress=False),
        "fit: validation_data": lambda frame: t.fit(x, y, validation_data=(frame, y), progress=False),
        "evaluate": lambda frame: t.evaluate(frame, y),
        "predict": lambda frame: t.predict(frame),
    }
    for who, way in ways.items():
        with pytest.raises(
            ArgumentError, match=f"{who}: the columns are in another order than in fit. .* pass x\\[\\['a"
        ):
            way(x[["b", "a"]])
        with pytest.raises(ArgumentError, match=f"{who}: column 'a', which fit had, is missing"):
            way(x.rename(columns={"a": "z"}))
        with pytest.raises(ArgumentError, match=f"{who}: column 'c' is new"):
            way(x.assign(c=1.0))
        way(x)
        way(x.to_numpy())  # an array has no names


def test_columns_of_several_inputs(pd):
    a, b = pd.DataFrame({"a": A[:, 0]}), pd.DataFrame({"b": B[:, 0]})
    t = still(Two())
    t.fit((a, b), T, progress=False)
    assert t.predict((a, B)).shape == (N, 1)
    with pytest.raises(ArgumentError, match="predict: column 'b', which fit had, is missing"):
        t.predict((a, a))


def test_rows_are_pairs(pd):
    x = pd.DataFrame({"a": [1.0, 2.0, 3.0]}, index=["i", "j", "k"])
    y = pd.Series([1.0, 2.0, 3.0], index=["k", "i", "j"], name="y").to_frame()
    weights = pd.Series([1.0, 2.0, 3.0], index=["k", "j", "i"])
    right = y.loc[x.index]
    for way in (
        lambda t: t.fit(x, y, progress=False),
        lambda t: t.fit(x, y, validation_split=0.4, progress=False),
        lambda t: t.fit(x, right, validation_data=(x, y), progress=False),
        lambda t: t.evaluate(x, y),
    ):
        with pytest.raises(
            ArgumentError, match=r"x and y are tables with the same index in two orders.*y.loc\[x.index"
        ):
            way(still(line()))
    for way in (
        lambda t: t.fit(x, right, sample_weight=weights, progress=False),
        lambda t: t.evaluate(x, right, sample_weight=weights),
        lambda t: t.fit(x, right, validation_data=(x, right, weights), progress=False),
    ):
        with pytest.raises(ArgumentError, match=r"x and sample_weight are tables with the same index"):
            way(still(line()))
    assert still(line()).evaluate(x, right, sample_weight=weights.loc[x.index])["loss"] == pytest.approx(
        np.average([1.0, 1.0, 4.0], weights=[3.0, 2.0, 1.0])
    )
    for other in (y.reset_index(drop=True), y.set_axis(["u", "v", "w"]), y.to_numpy()):  # nothing says that it is wrong
        assert still(line()).evaluate(x, other)["loss"] == 0.0


# ------------------------------------------------------------------------------------------------- sources, once more


def test_a_batch_size_for_batches_is_refused():
    for way in (
        lambda: still(line()).fit([(A, T)], batch_size=3, progress=False),
        lambda: still(line()).evaluate([(A, T)], batch_size=3),
    ):
        with pytest.raises(ArgumentError, match="batch_size is for arrays; an iterable brings the batches that it has"):
            way()
    t = still(line())
    assert t.fit(A, T, batch_size=2, validation_data=[(A, T)], progress=False)["val_loss"] == pytest.approx([13.0])


class Endless(collections.UserList):
    """Have a length that it cannot tell, as a DataLoader of a stream does."""

    def __len__(self):
        raise TypeError("object of type 'Stream' has no len()")


def test_a_length_that_cannot_be_told_is_none():
    t = still(line())
    assert t.fit(Endless([(A[:4], T[:4]), (A[4:], T[4:])]), epochs=2, progress=False)["loss"] == pytest.approx(
        [13.0] * 2
    )
    assert t.step == 4


def test_a_data_loader_of_a_stream():
    torch = pytest.importorskip("torch")

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(list(zip(A, T, strict=True)))

    t = still(line())
    assert t.fit(torch.utils.data.DataLoader(Stream(), batch_size=3), epochs=2, progress=False)[
        "loss"
    ] == pytest.approx([13.0] * 2)
    assert t.step == 6


@pytest.mark.parametrize("kind", ["requires grad", "bfloat16"])
def test_what_numpy_cannot_read_is_told(kind):
    torch = pytest.importorskip("torch")
    x = torch.ones(2, 1, requires_grad=True) if kind == "requires grad" else torch.ones(2, 1).bfloat16()
    for way in (
        lambda: still(line()).fit(x, Y, progress=False),
        lambda: still(line()).fit([(x, Y)], progress=False),
        lambda: still(line()).predict(x),
        lambda: line()(x),
    ):
        with pytest.raises(DTypeError, match=r"x cannot be read as an array: .*(requires grad|BFloat16)"):
            way()


class Samples:
    """Give one sample at a time, as a Dataset of PyTorch does."""

    def __len__(self):
        return N

    def __getitem__(self, i):
        return np.ones(3), np.ones(1)


def test_a_source_of_single_samples_is_told():
    with pytest.raises(
        ShapeError, match=r"x has 3 samples and y has 1; .* A batch holds several samples: .* DataLoader"
    ):
        still(line(3)).fit(Samples(), progress=False)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ((A,), r"Two.forward\(a, b\) does not take what x holds, 1 in order: missing a required argument: 'b'"),
        ((A, B, B), r"Two.forward\(a, b\) does not take what x holds, 3 in order: too many positional arguments"),
        ({"a": A, "c": B}, r"does not take what x holds, inputs named 'a', 'c'"),
        ({"a": A}, r"does not take what x holds, inputs named 'a': missing a required argument: 'b'"),
        (A, r"does not take what x holds, 1 in order"),
    ],
)
def test_inputs_that_forward_does_not_take(x, message):
    for way in ("fit", "evaluate"):
        with pytest.raises(ArgumentError, match=message):
            getattr(still(Two()), way)(x, T)
    with pytest.raises(ArgumentError, match="or a dict by their names"):
        still(Two()).predict(x)


def test_a_type_error_of_the_users_own_stays():
    class Wrong(nn.Module):
        def __init__(self):
            self.line = line()

        def forward(self, x):
            return self.line(x) + len(3)

    with pytest.raises(TypeError, match="object of type 'int' has no len"):
        still(Wrong()).fit(A, T, progress=False)


def test_a_list_of_inputs_is_told():
    with pytest.raises(ShapeError, match=r"fit: x is a list of arrays of several shapes. Several inputs are a tuple"):
        still(Two()).fit([A, np.ones((N, 3))], T, progress=False)


def test_sparse_batches_and_the_place_of_what_is_not_finite():
    sparse = pytest.importorskip("scipy.sparse")
    x = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [2.0, 0.0, np.nan]])
    clean = sparse.csr_array(np.nan_to_num(x))
    t = still(line(3))
    np.testing.assert_array_equal(t.predict(iter([clean[:1], clean[1:]]))[:, 0], [1.0, 0.0, 2.0])
    for kind in ("csr_array", "csc_array", "coo_array", "lil_array"):
        with pytest.raises(ArgumentError, match=r"evaluate: x\[2, 2\] is nan"):
            t.evaluate(getattr(sparse, kind)(x), np.zeros((3, 1)))
