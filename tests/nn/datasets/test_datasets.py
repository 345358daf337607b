"""The data sets: the digits are the published ones, the points in the plane are what their docstrings say."""

import re

import numpy as np
import pytest

from autograd.errors import ArgumentError, AutogradError, ShapeError
from nn.datasets import circles, load_digits, ring, spirals, train_test_split, two_moons, xor

PLANAR = {
    "two_moons": (two_moons, 2),
    "circles": (circles, 2),
    "spirals": (spirals, 3),
    "ring": (ring, 8),
    "xor": (xor, 2),
}


def test_digits_are_those_of_scikit_learn():
    published = pytest.importorskip("sklearn.datasets").load_digits()
    images, labels = load_digits()
    np.testing.assert_array_equal(images * 16, published.images)
    np.testing.assert_array_equal(labels, published.target)


def test_digits_have_the_promised_form():
    images, labels = load_digits()
    assert (images.shape, images.dtype, labels.shape, labels.dtype) == ((1797, 8, 8), np.float32, (1797,), np.int64)
    assert (images.min(), images.max()) == (0.0, 1.0)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_digits_are_fresh_arrays():
    first, _ = load_digits()
    first[:] = 7
    assert load_digits()[0].max() == 1.0


@pytest.mark.parametrize("name", PLANAR)
@pytest.mark.parametrize("n", [8, 101, 256])
def test_planar_sets_are_balanced_in_every_slice(name, n):
    make, classes = PLANAR[name]
    x, y = make(n, rng=0)
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((n, 2), np.float64, (n,), np.int64)
    counts = np.bincount(y, minlength=classes)
    assert len(counts) == classes
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("make", [two_moons, circles, spirals])
@pytest.mark.parametrize("rows", [slice(160, 200), slice(0, 40), slice(77, 117)])
def test_a_slice_of_the_rows_covers_the_curves(make, rows):
    """Each point has one of the slice nearby, so that ``validation_split`` holds back no end of a curve."""
    x, y = make(200, noise=0.0)
    assert len(np.unique(x.round(9), axis=0)) == 200
    for label in np.unique(y):
        near = np.abs(x[y == label][:, None] - x[rows][y[rows] == label]).max(axis=2).min(axis=1)
        assert near.max() < 0.5


@pytest.mark.parametrize("name", PLANAR)
def test_same_seed_same_points(name):
    make, _ = PLANAR[name]
    np.testing.assert_array_equal(make(40, 0.1, rng=3)[0], make(40, 0.1, rng=np.random.default_rng(3))[0])
    assert not np.array_equal(make(40, 0.1, rng=3)[0], make(40, 0.1, rng=4)[0])


@pytest.mark.parametrize("name", PLANAR)
def test_noise_is_a_standard_deviation(name):
    make, _ = PLANAR[name]
    moved = make(20_000, 0.25, rng=5)[0] - make(20_000, 0.0)[0]
    assert moved.std() == pytest.approx(0.25, rel=0.02)
    assert np.abs(moved.mean(axis=0)).max() < 0.01


def test_moons_lie_on_two_half_circles():
    x, y = two_moons(100, noise=0.0)
    np.testing.assert_allclose(np.hypot(*x[y == 0].T), 1.0)
    np.testing.assert_allclose(np.hypot(*(x[y == 1] - [1.0, 0.5]).T), 1.0)
    assert x[y == 0][:, 1].min() >= 0
    assert x[y == 1][:, 1].max() <= 0.5


def test_circles_have_their_radii():
    x, y = circles(60, noise=0.0, factor=0.3)
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y == 0, 1.0, 0.3))


def test_spirals_wind_outwards():
    x, y = spirals(90, noise=0.0, arms=3, turns=1.0)
    arm = x[y == 1]
    arm = arm[np.argsort(np.hypot(*arm.T))]
    radius, angle = np.hypot(*arm.T), np.unwrap(np.arctan2(arm[:, 1], arm[:, 0]))
    np.testing.assert_allclose(radius, np.arange(1, 31) / 30)
    np.testing.assert_allclose(np.diff(angle), 2 * np.pi / 30)


def test_ring_has_its_modes_on_a_circle():
    x, y = ring(24, noise=0.0, modes=12, radius=2.0)
    np.testing.assert_allclose(np.hypot(*x.T), 2.0)
    assert len(np.unique(x.round(9), axis=0)) == 12
    np.testing.assert_allclose(x[:12], x[12:])
    assert y.max() == 11


def test_xor_is_its_truth_table():
    x, y = xor(8)
    np.testing.assert_array_equal(y, x.astype(int)[:, 0] ^ x.astype(int)[:, 1])
    assert len(np.unique(x, axis=0)) == 4


def test_split_keeps_rows_together_and_loses_none():
    x = np.arange(20).reshape(10, 2)
    x_train, x_test, y_train, y_test = train_test_split(x, x[:, 0], test_size=0.25, rng=1)
    assert (len(x_train), len(x_test)) == (7, 3)
    np.testing.assert_array_equal(x_train[:, 0], y_train)
    np.testing.assert_array_equal(x_test[:, 0], y_test)
    assert sorted([*y_train, *y_test]) == list(range(0, 20, 2))


def test_split_follows_its_seed():
    a = train_test_split(np.arange(50), rng=9)[1]
    np.testing.assert_array_equal(a, train_test_split(np.arange(50), rng=9)[1])
    assert not np.array_equal(a, train_test_split(np.arange(50), rng=10)[1])


ROWS = "give one or more arrays with the same number of rows."


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: two_moons(1), ArgumentError,
         "n=1 points cannot cover 2 classes; ask for at least one point per class."),
        (lambda: spirals(9, arms=0), ArgumentError,
         "n=9 points cannot cover 0 classes; ask for at least one point per class."),
        (lambda: ring(9, -0.1), ArgumentError, "noise=-0.1 is a standard deviation; it must be 0 or more."),
        (lambda: ring(9, float("nan")), ArgumentError, "noise=nan is a standard deviation; it must be 0 or more."),
        (lambda: circles(factor=1.5), ArgumentError,
         "circles: factor=1.5 must lie between 0 and 1, as class 1 is the inner circle."),
        (lambda: train_test_split(np.zeros(3), np.zeros(4)), ShapeError,
         f"train_test_split got arrays of lengths [3, 4]; {ROWS}"),
        (lambda: train_test_split(), ShapeError, f"train_test_split got arrays of lengths []; {ROWS}"),
        (lambda: train_test_split(np.zeros(3), test_size=3), ArgumentError,
         "train_test_split: test_size=3 of 3 rows leaves 0 to train on and 3 to test on; both parts need"),
    ],
)  # fmt: skip
def test_messages(call, error, message):
    with pytest.raises(error, match=re.escape(message)) as caught:
        call()
    assert isinstance(caught.value, AutogradError)


def test_split_leaves_frames_and_sparse_matrices_what_they_are():
    pd, sparse = pytest.importorskip("pandas"), pytest.importorskip("scipy.sparse")
    frame, names = pd.DataFrame({"a": [1, 2, 3, 4], "b": list("wxyz")}), pd.Series(list("abcd"))
    first, second, words, _, rows, _ = train_test_split(frame, names, sparse.csr_array(np.eye(4)), rng=0)
    assert len(first) == 3
    assert list(second.columns) == ["a", "b"]
    assert (first["a"].to_numpy() - 1).tolist() == words.index.tolist() == rows.toarray().argmax(1).tolist()
