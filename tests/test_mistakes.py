"""What newcomers type: each mistake of the table is refused, and the message says what happened and what to do.

``mistakes.txt`` has the mistake in one line, and under it the error with its message, where ``…`` is anything.
"""

import importlib
import math
import pickle
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn

TEXT = (Path(__file__).parent / "mistakes.txt").read_text(encoding="utf-8")
ROWS = re.findall(r"^(\S.*)\n    (\w+): (.*)$", TEXT, re.MULTILINE)
LIBRARIES = {"plt": "matplotlib.pyplot", "pd": "pandas", "scipy": "scipy.special", "nn.onnx": "onnx"}


class NoSuper(nn.Module):
    def __init__(self):
        self.fc = nn.Linear(3, 4)

    def forward(self, x):
        return self.fc(x)


class NoneForward(NoSuper):
    def forward(self, x):
        self.fc(x)


class NoForward(nn.Module):
    pass


class BadAttr(NoSuper):
    def forward(self, x):
        return self.fc2(x)


class ListChildren(nn.Module):
    def __init__(self):
        self.layers = [nn.Linear(3, 4), nn.Linear(4, 1)]


def full_tensor(*shape):
    return ag.Tensor(np.arange(1.0, 1 + math.prod(shape)).reshape(shape), requires_grad=True)


@pytest.fixture
def session(tmp_path, monkeypatch):
    """Give the names that somebody in the middle of a lesson has."""
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "model.npz", a=np.ones(2))
    (tmp_path / "model.npz").rename("model.pt")  # PyTorch's files are zip archives as well
    model, x, y = nn.MLP(3, [4, 1], rng=0), np.ones((8, 3), np.float32), np.ones((8, 1), np.float32)
    names = {
        "ag": ag,
        "nn": nn,
        "np": np,
        "math": math,
        "pickle": pickle,
        "model": model,
        "x": x,
        "y": y,
        "pred": model(x),
    }
    names |= {kind.__name__: kind for kind in (NoSuper, NoneForward, NoForward, BadAttr, ListChildren)}
    names |= {"t": full_tensor(3), "t2": full_tensor(2, 3), "s": full_tensor() + 1, "u": full_tensor(3)}
    names |= {"i": ag.Tensor([1, 2, 3]), "a": np.zeros(3), "labels": np.array([0, 1, 2, 3, 0, 1, 2, 3])}
    names["logits"] = ag.Tensor(np.random.default_rng(0).normal(size=(8, 4)), requires_grad=True)
    names["other"] = nn.MLP(3, [4, 1], rng=1)
    names["trainer"] = nn.Trainer(model, nn.MSELoss(), nn.optim.Adam(model.parameters()))
    return names


def run(code, names):
    for word, library in LIBRARIES.items():
        if f"{word}." in code:
            found = pytest.importorskip(library)
            names[word] = importlib.import_module(word) if library.startswith(word) else found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a figure is no matter here
        exec(code, names)  # noqa: S102 (a row of the table)


@pytest.mark.parametrize(("code", "kind", "message"), ROWS, ids=[code for code, _, _ in ROWS])
def test_a_mistake_is_told_what_to_do(code, kind, message, session):
    with pytest.raises(Exception) as caught:  # noqa: PT011  # which one, and what it says, stands in the table
        run(code, session)
    assert type(caught.value).__name__ == kind
    words = [str(caught.value), *getattr(caught.value, "__notes__", ())]  # a note may say where, or the path so far
    said = {" ".join(" ".join(some).split()) for some in (words[:1], words)}
    pattern = ".*".join(map(re.escape, message.split("…")))
    assert any(re.fullmatch(pattern, each) for each in said), said


def test_the_table_is_long_and_has_nothing_twice():
    assert len(ROWS) >= 450
    assert len({code for code, _, _ in ROWS}) == len(ROWS)
    assert TEXT.count("\n    ") == len(ROWS), "a row is written in another way"


RIGHT = {  # what looks like one, and works
    "a module without super().__init__()": "assert NoSuper()(x).shape == (8, 4)",
    "layers in a plain list": "assert len(list(ListChildren().parameters())) == 4",
    "whole numbers that learn": "assert ag.Tensor([1, 2], requires_grad=True).dtype == float",
    "a list as input": "assert nn.Linear(3, 4)([1, 2, 3]).shape == (4,)",
    "names for loss and optimizer": "nn.Trainer(model, 'mse', 'adam').fit(x, y, progress=False)",
    "one metric": "nn.Trainer(model, 'mse', 'adam', metrics='mae').fit(x, y, progress=False)",
    "a format": "assert f'{s:.2f}' == '2.00'",
    "Python's own sorted": "assert [v.item() for v in sorted(t)] == [1, 2, 3]",
    "a property that fails says why": "assert not hasattr(model, 'no_such_thing')",
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_looks_like_a_mistake_and_works(name, session):
    run(RIGHT[name], session)


def test_the_error_inside_a_property_is_the_one_that_is_told():
    class Model(nn.Module):
        @property
        def width(self):
            return self.layer.out_features

    with pytest.raises(AttributeError, match=r"'Model' object has no attribute 'layer'\."):
        Model().width  # noqa: B018
