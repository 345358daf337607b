"""The table of NumPy's names is whole and true: every verdict is what a call shows, and none is plain in silence."""

import warnings

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.primitive import dispatch
from autograd.tree import flatten
from tests.autograd import numpy_page
from tests.autograd.numpy_table import (
    CONSTANT,
    CREATES,
    DERIVATIVE,
    NAMES,
    OTHER,
    PLAIN,
    REFUSED,
    SAMPLES,
    SPACES,
    VERDICT,
    WRITE_FILES,
    public_names,
)
from tests.autograd.rows import ROWS, samples, tensors

pytestmark = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="the table is that of NumPy 2.4; older ones have other names"
)
HERE = [name for name in public_names() if VERDICT.get(name, OTHER) != OTHER]


def function(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names on their way out
        prefix, _, last = name.rpartition(".")
        return getattr(SPACES[f"{prefix}." if prefix else ""], last)


def results(name):
    """Call a name on a Tensor that records, and list what it gives."""
    t = Tensor([0.25, 0.5, 0.8], requires_grad=True)
    f = function(name)
    row = next((row for row, ours in ROWS.items() if dispatch.get(f) is ours), None) if callable(f) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in SAMPLES or row is None:
            y = SAMPLES[name](t) if name in SAMPLES else f(t)
        else:
            args, kwargs = next(samples(row))
            y = f(*tensors(args)[0], **kwargs)
    return flatten(y)[0]


def test_every_public_name_has_one_verdict():
    """A name that a newer NumPy adds gets its verdict in the table; until then this fails."""
    assert sorted(set(public_names()) - set(VERDICT)) == []
    listed = [name for names in NAMES.values() for name in names.split()]
    assert sorted({name for name in listed if listed.count(name) > 1}) == []


def test_a_new_name_would_be_noticed(monkeypatch):
    monkeypatch.setattr(np, "__all__", [*np.__all__, "brand_new"])
    assert "brand_new" in set(public_names()) - set(VERDICT)


@pytest.mark.parametrize("name", [name for name in HERE if VERDICT[name] == DERIVATIVE])
def test_has_a_derivative(name):
    found = results(name)
    assert any(isinstance(y, Tensor) and y.requires_grad for y in found)
    assert all(isinstance(y, Tensor) for y in found)


@pytest.mark.parametrize("name", [name for name in HERE if VERDICT[name] == CONSTANT])
def test_is_piecewise_constant(name):
    found = results(name)
    assert found
    assert all(isinstance(y, Tensor) and not y.requires_grad for y in found)


INTEGERS = {"bitwise_and", "bitwise_or", "bitwise_invert", "bitwise_not", "invert"}


@pytest.mark.parametrize("name", [name for name in HERE if VERDICT[name] == PLAIN and name not in WRITE_FILES])
def test_is_plain_as_it_is_no_number_that_changes(name):
    """Not a floating-point number: an index, a truth value, a shape, a type, a text."""
    if name in INTEGERS:
        with pytest.raises(TypeError):
            results(name)
        return
    for y in results(name):
        assert not isinstance(y, Tensor)
        kind = np.asarray(y).dtype.kind
        assert kind in "biuOUS"


@pytest.mark.parametrize("name", [name for name in HERE if VERDICT[name] == REFUSED])
def test_is_refused_by_an_error_that_helps(name):
    with pytest.raises((ag.AutogradError, TypeError, ValueError)) as caught:
        results(name)
    text = numpy_page.advice(caught.value)
    assert text


@pytest.mark.parametrize("name", [name for name in HERE if VERDICT[name] == CREATES])
def test_takes_no_tensor_for_a_size(name):
    with pytest.raises((ag.AutogradError, TypeError)):
        results(name)


def test_no_function_gives_a_plain_number_in_silence():
    """Of all names, whatever their verdict: a floating-point result of a recording Tensor is a Tensor, or refused."""
    silent = []
    for name in HERE:
        if name in WRITE_FILES:
            continue
        try:
            found = results(name)
        except (ag.AutogradError, TypeError, ValueError):
            continue
        silent += [name for y in found if not isinstance(y, Tensor) and np.asarray(y).dtype.kind in "fc"]
    assert silent == []


def test_what_writes_files_writes_the_numbers(tmp_path):
    t = Tensor([0.25, 0.5], requires_grad=True)
    np.save(tmp_path / "a.npy", t)
    np.savetxt(tmp_path / "a.txt", t)
    np.savez(tmp_path / "a.npz", t)
    np.savez_compressed(tmp_path / "b.npz", t)
    read = np.load(tmp_path / "a.npy"), np.loadtxt(tmp_path / "a.txt"), np.load(tmp_path / "b.npz")["arr_0"]
    assert all(array.tolist() == [0.25, 0.5] for array in (*read, np.load(tmp_path / "a.npz")["arr_0"]))


# ----------------------------------------------------------------------------------------------------------- methods


ARRAY_METHODS = [name for name in dir(np.ndarray) if not name.startswith("_")]


@pytest.mark.parametrize("name", ARRAY_METHODS)
def test_methods_of_arrays_are_there_or_name_the_word_that_is(name):
    t = Tensor([0.25, 0.5, 0.8], requires_grad=True)
    if hasattr(Tensor, name):
        return
    with pytest.raises(ag.errors.UnknownName, match=rf"'Tensor' object has no attribute '{name}': \w"):
        getattr(t, name)


def test_the_page_is_fresh():
    """Write it anew with ``python -m tests.autograd.numpy_page``."""
    if not set(VERDICT) - {"complex192", "float96"} - numpy_page.GONE <= set(public_names()):
        pytest.skip("the page tells of a newer NumPy")
    assert numpy_page.PAGE.read_text(encoding="utf-8") == numpy_page.text()
