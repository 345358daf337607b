"""The Trainer compiles forward and loss where it can; what it learns is the same, and what it cannot is said."""

import logging

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, TraceError

X = np.random.default_rng(0).standard_normal((23, 4)).astype("f4")
Y = (X[:, :1] > 0).astype("f4")


def dense():
    return nn.Sequential(nn.Linear(4, 8, rng=0), nn.ReLU(), nn.Linear(8, 1, rng=1))


def normalized():
    return nn.Sequential(nn.Linear(4, 8, bias=False, rng=0), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1, rng=1))


def dropping():
    return nn.Sequential(nn.Linear(4, 8, rng=0), nn.Dropout(0.5, rng=3), nn.Linear(8, 1, rng=1))


class Branching(nn.Module):
    def __init__(self):
        self.linear = nn.Linear(4, 1, rng=0)

    def forward(self, x):
        y = self.linear(x)
        return y if y.sum().item() > -1e9 else -y


class Counting(nn.Module):
    def __init__(self):
        self.linear, self.calls = nn.Linear(4, 1, rng=0), 0

    def forward(self, x):
        self.calls += 1
        return self.linear(x)


def trained(make, compile, **options):
    model = make()
    adam = nn.optim.Adam(model.parameters(), lr=0.05)
    trainer = nn.Trainer(model, nn.BCEWithLogitsLoss(), adam, metrics=["accuracy"], compile=compile, **options)
    trainer.fit(X, Y, epochs=3, batch_size=5, rng=0, progress=False)
    return trainer


class Own(nn.Module):
    """A model written out by hand: a function of the parameters and x."""

    def __init__(self, function, **shapes):
        rng = np.random.default_rng(0)
        self.function = function
        self.p = {name: nn.Parameter(0.5 * rng.standard_normal(shape, np.float32)) for name, shape in shapes.items()}

    def forward(self, x):
        return self.function(x, **self.p)


def often(function, x):
    """Apply a function to the rows of x several times, so that its products are of a size that rounds."""
    return np.reshape(function(np.tile(x, (9, 1))), (9, -1, 1)).mean(axis=0)


class Steps(nn.Module):
    def __init__(self, kind):
        self.steps, self.head = (
            kind(1, 3, num_layers=2, bidirectional=True, batch_first=True, rng=0),
            nn.Linear(6, 1, rng=1),
        )

    def forward(self, x):
        return self.head(self.steps(x[:, :, None])[0][:, -1])


def images(*layers):
    return nn.Sequential(Own(lambda x: x.reshape(-1, 1, 2, 2)), *layers, nn.Flatten(), nn.Linear(8, 1, rng=1))


SYSTEMS = {  # what a layer, a hand-written model or a layout in memory could round otherwise as a program
    "bias by hand": lambda: Own(lambda x, w, b, v: np.tanh(x @ w + b) @ v, w=(4, 7), b=7, v=(7, 1)),
    "transposed": lambda: Own(lambda x, w, b, v: (v @ np.tanh(w @ x.T + b)).T, w=(7, 4), b=(7, 1), v=(1, 7)),
    "tied": lambda: Own(lambda x, w, g: (np.tanh(x @ w) @ w.T * g)[:, :1], w=(4, 7), g=4),
    "sums over rows": lambda: Own(lambda x, w: x @ w / np.sqrt(((x @ w) ** 2).sum(axis=0) + 1), w=(4, 1)),
    "affine": lambda: Own(lambda x, g, b: (x * g + b).sum(axis=1, keepdims=True), g=4, b=4),
    "attention by hand": lambda: Own(
        lambda x, q, k, v, o: often(lambda x: ag.softmax((x @ q) @ (x @ k).T) @ (x @ v) @ o, x),
        q=(4, 67),
        k=(4, 67),
        v=(4, 67),
        o=(67, 1),
    ),
    "squares of x w": lambda: Own(lambda x, w: often(lambda x: (x @ w @ w.T @ x.T).sum(1)[:, None], x) / 99, w=(4, 67)),
    "wide and transposed": lambda: Own(
        lambda x, w, v: often(lambda x: (v @ np.tanh(w @ x.T)).T, x), w=(67, 4), v=(1, 67)
    ),
    "powers": lambda: Own(lambda x, w, v: ((x @ w) ** 3 + 0.3 * (1.7 * (x @ w)) ** 2 / 1.3) @ v, w=(4, 7), v=(7, 1)),
    "einsum": lambda: Own(lambda x, w: np.einsum("ni,ij,nj->n", x, w, x)[:, None], w=(4, 4)),
    "weight norm": lambda: Own(lambda x, g, v: nn.functional.linear(x, g * v / np.linalg.norm(v)), g=(), v=(1, 4)),
    "RMSNorm": lambda: nn.Sequential(nn.Linear(4, 8, rng=0), nn.RMSNorm(8), nn.Linear(8, 1, rng=1)),
    "LayerNorm": lambda: nn.Sequential(nn.Linear(4, 8, rng=0), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 1, rng=1)),
    "CNN": lambda: images(nn.Conv2d(1, 2, 3, padding=1, rng=0), nn.BatchNorm2d(2), nn.ReLU()),
    "RMSNorm of a CNN": lambda: images(nn.Conv2d(1, 2, 1, rng=0), nn.Flatten(), nn.RMSNorm(8)),
    "pooled": lambda: images(
        nn.ConvTranspose2d(1, 2, 2, stride=2, rng=0), nn.AvgPool2d(2), nn.Flatten(), nn.RMSNorm(8)
    ),
    "LSTM": lambda: Steps(nn.LSTM),
    "GRU": lambda: Steps(nn.GRU),
    "attention": lambda: nn.Sequential(
        Own(lambda x: x[:, :, None] + np.ones(4, "f4")),
        nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True, rng=0),
        nn.Flatten(),
        nn.Linear(16, 1, rng=1),
    ),
    "large sums": lambda: Own(
        lambda x, w, u: x[:, :1] + np.square(np.tanh(w) * 2 - u.T).sum() / 1e4, w=(360, 370), u=(370, 360)
    ),
    "large and transposed": lambda: Own(
        lambda x, w: x[:, :1] + (np.square(np.tanh(w.T) * 2 + w.T)).mean(), w=(360, 370)
    ),
}


@pytest.mark.parametrize(
    "make", [dense, normalized, dropping, *SYSTEMS.values()], ids=["dense", "normalized", "dropping", *SYSTEMS]
)
@pytest.mark.parametrize("options", [{}, {"accumulate": 2}, {"clip_grad_norm": 0.1}], ids=str)
def test_it_learns_the_same_bit_for_bit(make, options):
    plain, compiled = trained(make, False, **options), trained(make, True, **options)
    assert compiled.forward.why == ""
    assert plain.forward.why == "compile=False"
    for (name, a), b in zip(plain.model.state_dict().items(), compiled.model.state_dict().values(), strict=True):
        assert a.tobytes() == b.tobytes(), name
    assert dict(plain.history) == dict(compiled.history)


def test_an_optimizer_of_whole_matrices_moves_them_the_same_bit_for_bit():
    results = []
    for compile in (False, True):
        model = nn.Sequential(nn.Linear(4, 8, bias=False, rng=0), nn.Tanh(), nn.Linear(8, 1, bias=False, rng=1))
        trainer = nn.Trainer(model, nn.MSELoss(), nn.optim.Muon(model.parameters(), lr=0.01), compile=compile)
        trainer.fit(X, Y, epochs=3, batch_size=5, rng=0, progress=False)
        results.append(b"".join(value.tobytes() for value in model.state_dict().values()))
    assert results[0] == results[1]


@pytest.mark.parametrize("make", [dense, normalized, dropping])
def test_a_resumed_run_ends_with_the_same_bits(make, tmp_path):
    """It traces at another batch than the run that went through, in which that one was run as a program."""
    x = np.random.default_rng(1).standard_normal((160, 4)).astype("f4")
    y = np.abs(x[:, :1]) % 1

    class Stop(nn.Callback):
        def on_batch_end(self, trainer):
            if trainer.step == 7:
                trainer.save(tmp_path / "half.train")

    def fit(callbacks=(), resume=None):
        model = make()
        adam = nn.optim.Adam(model.parameters(), lr=0.05)
        trainer = nn.Trainer(model, nn.BCEWithLogitsLoss(), adam, callbacks=callbacks, compile=True)
        trainer.fit(x, y, epochs=4, batch_size=32, rng=0, progress=False, resume=resume)
        return trainer

    whole = fit([Stop()])
    resumed = fit(resume=tmp_path / "half.train")
    assert resumed.step == whole.step == 20
    for a, b in zip(whole.model.state_dict().values(), resumed.model.state_dict().values(), strict=True):
        assert a.tobytes() == b.tobytes()


def test_what_cannot_be_compiled_runs_as_it_is_and_is_said(caplog):
    with caplog.at_level(logging.INFO, "nn.trainer"):
        auto = trained(Branching, "auto")
    assert len(caplog.records) == 1
    assert "runs uncompiled" in caplog.text
    assert "test_compiled.py" in caplog.text
    plain = trained(Branching, False)
    for a, b in zip(plain.model.state_dict().values(), auto.model.state_dict().values(), strict=True):
        assert a.tobytes() == b.tobytes()
    with pytest.raises(TraceError, match=r"Trainer\(compile=True\): .*test_compiled.py"):
        trained(Branching, True)


def test_a_module_that_counts_its_calls_counts_each_once():
    assert trained(Counting, "auto").model.calls == 3 * 5 == trained(Counting, False).model.calls
    assert "changes loss.model.calls while it runs" in trained(Counting, "auto").forward.why


def test_weights_of_samples_take_the_plain_way_and_leave_the_rest_compiled():
    model = dense()
    trainer = nn.Trainer(model, nn.BCEWithLogitsLoss(), nn.optim.SGD(model.parameters(), lr=0.1), compile=True)
    trainer.fit(X, Y, sample_weight=np.ones(len(X)), progress=False)
    trainer.fit(X, Y, progress=False)
    assert trainer.forward.why == ""


def test_several_inputs_and_outputs():
    class Two(nn.Module):
        def __init__(self):
            self.a, self.b = nn.Linear(4, 1, rng=0), nn.Linear(4, 2, rng=1)

        def forward(self, left, right):
            return {"one": self.a(left), "two": self.b(right)}

    def loss(output, target):
        return (output["one"] ** 2).mean() + (output["two"] * target).mean()

    results = []
    for compile in (False, True):
        model = Two()
        trainer = nn.Trainer(model, loss, nn.optim.SGD(model.parameters(), lr=0.1), compile=compile)
        trainer.fit({"left": X, "right": X}, Y, epochs=2, rng=0, progress=False)
        results.append(model.state_dict())
    for a, b in zip(*[list(state.values()) for state in results], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_another_word_is_refused():
    with pytest.raises(ArgumentError, match="compile must be 'auto', True or False, got 'yes'"):
        trained(dense, "yes")


@pytest.mark.parametrize("y", [[-100, 1, 0, 1, 2, -100], [0, 1, -100, -100, 2, 2], [-100, -100, 1, 1, 1, 0]])
def test_batches_with_and_without_ignored_labels(y):
    """Which labels count is a mask in one batch and None in the next."""
    x, found = np.random.default_rng(0).standard_normal((6, 3)).astype("f4"), []
    for compile in (False, "auto"):
        model = nn.Linear(3, 3, rng=0)
        trainer = nn.Trainer(model, nn.CrossEntropyLoss(), "adam", metrics=["accuracy"], compile=compile)
        history = trainer.fit(x, np.array(y), batch_size=2, epochs=3, shuffle=False, progress=False)
        found.append([*history["loss"], *history["accuracy"], *model.weight.numpy().ravel()])
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)
