"""A ShapeError inside a model tells the path so far: module, shape in, shape out, and the step that failed."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ShapeError
from autograd.viz.picture import Picture
from autograd.viz.theme import palette

X = np.ones((2, 5), "f")


class Residual(nn.Module):
    def __init__(self):
        self.f = nn.Linear(3, 4, rng=0)

    def forward(self, x):
        return x + self.f(x)


class Net(nn.Module):
    """Flatten an image into a layer that expects another size, with two ops between the modules."""

    def __init__(self):
        self.encoder = nn.Sequential(nn.Conv2d(1, 4, 3, rng=0), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.head = nn.Linear(99, 3, rng=0)

    def forward(self, x):
        h = self.encoder(x)
        return self.head(np.sqrt(h + 1.0))


class TwoInputs(nn.Module):
    def __init__(self):
        self.a, self.b = nn.Linear(5, 3, rng=0), nn.Linear(5, 4, rng=0)

    def forward(self, x, *, other):
        return np.concatenate([self.a(x), self.b(other)], axis=0)


class Steps(nn.Module):
    """Read the states of a recurrent layer as if batches came first."""

    def __init__(self):
        self.lstm, self.head = nn.LSTM(5, 8, rng=0), nn.Linear(6, 1, rng=0)

    def forward(self, x):
        states, _ = self.lstm(x)
        return self.head(states)


class Lists(nn.Module):
    def __init__(self):
        self.layers = [nn.Linear(5, 5, rng=k) for k in range(2)]

    def forward(self, x):
        parts = [layer(x) for layer in self.layers]
        return np.stack(parts) @ np.ones((4, 1))


PLANTED = {  # name -> (call, lines of the path)
    "a chain": (
        lambda: nn.Sequential(nn.Linear(5, 3, rng=0), nn.ReLU(), nn.Linear(4, 2, rng=0))(X),
        ["Linear 0  (2, 5) → (2, 3)", "ReLU 1  (2, 3) → (2, 3)", "Linear 2  (2, 3) → failed: "],
    ),
    "an image net": (
        lambda: Net()(np.ones((2, 1, 8, 8), "f")),
        [
            "Conv2d encoder.0  (2, 1, 8, 8) → (2, 4, 6, 6)",
            "ReLU encoder.1  (2, 4, 6, 6) → (2, 4, 6, 6)",
            "MaxPool2d encoder.2  (2, 4, 6, 6) → (2, 4, 3, 3)",
            "Flatten encoder.3  (2, 4, 3, 3) → (2, 36)",
            "add, sqrt in Net  (2, 36) → (2, 36)",
            "Linear head  (2, 36) → failed: Linear 'head' (99 -> 3) got x of shape (2, 36); the last axis must be 99.",
        ],
    ),
    "a residual of another width": (
        lambda: nn.Sequential(nn.Linear(5, 3, rng=0), Residual())(X),
        ["Linear 0  (2, 5) → (2, 3)", "Linear 1.f  (2, 3) → (2, 4)", "Residual 1  (2, 3) → failed: add got "],
    ),
    "two inputs, one by keyword": (
        lambda: TwoInputs()(X, other=X),
        ["Linear a  (2, 5) → (2, 3)", "Linear b  (2, 5) → (2, 4)", "TwoInputs  (2, 5), (2, 5) → failed: "],
    ),
    "the states of an LSTM": (
        lambda: Steps()(np.ones((3, 2, 5), "f")),
        ["LSTM lstm  (3, 2, 5), (2, 8) → (3, 2, 8)", "Linear head  (3, 2, 8) → failed: "],
    ),
    "what lies in a list": (
        lambda: Lists()(X),
        ["Linear layers.0  (2, 5) → (2, 5)", "Linear layers.1  (2, 5) → (2, 5)", "stack in Lists", "Lists  (2, 5) → f"],
    ),
    "a loss": (
        lambda: nn.MSELoss()(nn.Linear(5, 3, rng=0)(X), np.ones((2, 4))),
        ["Linear  (2, 5) → (2, 3)", "MSELoss  (2, 3), (2, 4) → failed: "],
    ),
    "a long model": (
        lambda: nn.Sequential(*[nn.Linear(5, 5, rng=0) for _ in range(30)], nn.Linear(4, 1, rng=0))(X),
        ["… 6 more", "Linear 6  (2, 5) → (2, 5)", "Linear 29", "Linear 30  (2, 5) → failed: "],
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_the_note_tells_the_path(name):
    call, lines = PLANTED[name]
    with pytest.raises(ShapeError) as caught:
        call()
    (note,) = caught.value.__notes__  # one, however deep the modules are
    said = [line.strip() for line in note.splitlines()]
    assert said[0] == "The path so far:"
    at = 0
    for line in lines:
        at = next(i for i, each in enumerate(said[at:], at + 1) if each.startswith(line))
    assert at == len(said)
    assert str(caught.value.path.steps[-1]) == said[-1]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PLANTED)
def test_the_path_is_a_picture(name, theme):
    """Each step is a box with its shapes, the one that failed is marked, and all lead to it."""
    with pytest.raises(ShapeError) as caught:
        PLANTED[name][0]()
    path = caught.value.path
    items = path.view.items
    assert [item.alarm for item in items] == [""] * (len(items) - 1) + ["failed"]
    for step, item in zip(path.steps, items, strict=True):
        assert dict(item.facts)["in"] == step.given
        assert dict(item.facts).get("out", "") == step.made
    leads = {arrow.source for arrow in path.view.arrows}
    assert leads == {item.id for item in items[:-1]}
    assert path.view.arrows[-1].target == items[-1].id
    drawn = Picture(path.view, theme=theme)
    assert palette(theme)["bad"] in drawn.svg
    assert "data:image/svg+xml" in path._repr_mimebundle_()["text/html"]
    assert path._repr_mimebundle_()["text/plain"] == str(path) == caught.value.__notes__[0]
    assert "The path so far" in path.svg


def test_where_the_path_forks():
    """A value that goes past a module leads to what failed as well."""
    with pytest.raises(ShapeError) as caught:
        PLANTED["a residual of another width"][0]()
    assert [step.sources for step in caught.value.path.steps] == [(), (0,), (0, 1)]


def test_under_no_grad_it_says_why_there_is_no_path():
    with pytest.raises(ShapeError) as caught, ag.no_grad():
        PLANTED["a chain"][0]()
    (note,) = caught.value.__notes__
    assert note.splitlines()[1:] == [
        "  (under no_grad() nothing is recorded of the modules before)",
        f"  {caught.value.path.steps[-1]}",
    ]


def test_the_message_itself_is_as_ever():
    with pytest.raises(ShapeError) as caught:
        PLANTED["an image net"][0]()
    assert str(caught.value) == "Linear 'head' (99 -> 3) got x of shape (2, 36); the last axis must be 99."


def test_a_trainer_tells_it_too():
    model = nn.Sequential(nn.Linear(5, 3, rng=0), nn.Linear(4, 1, rng=0))
    with pytest.raises(ShapeError) as caught:
        nn.Trainer(model, "mse", "sgd").fit(X, X[:, :1], progress=False)
    assert "Linear 0  (2, 5) → (2, 3)" in caught.value.__notes__[0]


def test_the_first_module_has_no_path_behind_it():
    with pytest.raises(ShapeError) as caught:
        nn.Sequential(nn.Linear(4, 2, rng=0), nn.ReLU())(X)
    assert not hasattr(caught.value, "__notes__")
    assert not caught.value.path
    assert caught.value.failed_in[:2] == ("0", "Linear")


def test_no_note_outside_of_a_module_and_none_on_other_errors():
    with pytest.raises(ShapeError) as caught:
        ag.Tensor(np.ones(2), requires_grad=True) + np.ones(3)
    assert not hasattr(caught.value, "__notes__")

    class Fails(nn.Module):
        def forward(self, x):
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as other:
        Fails()(X)
    assert not hasattr(other.value, "__notes__")


@pytest.mark.parametrize("call", [lambda: nn.Linear(5, 2, rng=0)(X), lambda: nn.MLP(5, [3, 1], rng=0)(X)])
def test_what_fits_is_passed_in_silence(call):
    assert call().shape[0] == 2
