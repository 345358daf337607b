"""What NumPy gives as a view is a view, what it copies a copy: for each function of the registry, on its samples."""

import warnings

import numpy as np
import pytest

import autograd as ag
from autograd.box import unbox
from autograd.primitive import dispatch
from autograd.tree import flatten
from tests.autograd.rows import ROWS, samples

TARGETS = {id(row): target for target, row in dispatch.items()}
NAMES = [name for name, row in ROWS.items() if id(row) in TARGETS]


def looks_at(y, x):
    return isinstance(unbox(y), np.ndarray) and bool(np.shares_memory(unbox(y), unbox(x)))


@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_as_numpy(name, recording):
    function = TARGETS[id(ROWS[name])]
    for args, kwargs in samples(name):
        arrays = [np.array(x) if isinstance(x, np.ndarray) else x for x in args]
        places = [i for i, x in enumerate(arrays) if isinstance(x, np.ndarray) and x.ndim and x.dtype.kind == "f"]
        tensors = [ag.Tensor(x, requires_grad=True) if i in places else x for i, x in enumerate(arrays)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            right = flatten(function(*arrays, **kwargs))[0]
            with ag.enable_grad() if recording else ag.no_grad():
                found = flatten(function(*tensors, **kwargs))[0]
        for y, z in zip(right, found, strict=True):
            for i in places:
                if isinstance(y, np.ndarray):
                    assert looks_at(z, tensors[i]) == looks_at(y, arrays[i]), (args, kwargs)


EDGES = {  # arguments with which a function has nothing to do
    "pad": lambda x: np.pad(x, 0),
    "roll": lambda x: np.roll(x, 0),
    "tile": lambda x: np.tile(x, 1),
    "repeat": lambda x: np.repeat(x, 1),
    "delete": lambda x: np.delete(x, []),
    "insert": lambda x: np.insert(x, [], []),
    "append": lambda x: np.append(x, []),
    "concatenate": lambda x: np.concatenate([x]),
    "sum": lambda x: np.sum(x, axis=()),
    "max": lambda x: np.max(x, axis=()),
    "nan_to_num": np.nan_to_num,
    "real": np.real,
    "trim_zeros": np.trim_zeros,
    "resize": lambda x: np.resize(x, x.shape),
    "diff": lambda x: np.diff(x, n=0),
    "flip": lambda x: np.flip(x, ()),
    "moveaxis": lambda x: np.moveaxis(x, 0, 0),
    "take": lambda x: np.take(x, np.arange(len(x)), axis=0),
    "take, one row": lambda x: np.take(x[None], 0, axis=0),
    "compress": lambda x: np.compress([True] * len(x), x),
    "astype": lambda x: x.astype(float),
    "astype, copy=False": lambda x: x.astype(float, copy=False),
    "round": lambda x: np.round(x, 20),
    "where": lambda x: np.where(True, x, x),
    "block": np.block,
    "broadcast_to": lambda x: np.broadcast_to(x, x.shape),
    "split": lambda x: np.split(x, 1)[0],
    "reshape": lambda x: x.reshape(x.shape),
    "flatten": lambda x: x.flatten(),
    "einsum": lambda x: np.einsum("i->i", x),
    "polyder": lambda x: np.polyder(x, 0),
    "polyint": lambda x: np.polyint(x, 0),
    "positive": np.positive,
    "clip": lambda x: np.clip(x, -np.inf, np.inf),
    "an index": lambda x: x[np.arange(len(x))],
    "a mask": lambda x: x[x > -9],
    "all": lambda x: x[...],
}


@pytest.mark.parametrize("name", EDGES)
def test_where_there_is_nothing_to_do(name):
    x = np.arange(1.0, 5.0)
    right = EDGES[name](x)
    for t in (ag.Tensor(x), ag.Tensor(x, requires_grad=True), ag.Tensor(x, requires_grad=True) * 1):
        found = EDGES[name](t)
        assert looks_at(found, t) == looks_at(right, x)
        np.testing.assert_array_equal(unbox(found), right)
