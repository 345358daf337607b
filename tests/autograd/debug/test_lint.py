"""``lint``: each planted mistake is found and named, what is healthy is passed in silence, each kind is silenced."""

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, LintWarning

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 4)).astype("f")
LABELS = (X.sum(1) > 0).astype(int)
COLUMN = LABELS.reshape(-1, 1).astype("f")


def net(*between, out=2, hidden=8):
    return nn.Sequential(nn.Linear(4, hidden, rng=0), *(between or (nn.ReLU(),)), nn.Linear(hidden, out, rng=1))


def shifted(model, by, scale=1.0):
    """Move the biases of the first layer, so that its units get stuck."""
    model[0].weight.data *= scale
    model[0].bias.data += by
    return model


class TwoHeads(nn.Module):
    def __init__(self, detached=False):
        self.body, self.a, self.b, self.detached = nn.Linear(4, 3, rng=0), nn.Linear(3, 1, rng=1), None, detached
        if not detached:
            self.b = nn.Linear(3, 1, rng=2)

    def forward(self, x):
        h = self.body(x)
        return self.a(h.detach() if self.detached else h)


def classes(model):
    return model, nn.CrossEntropyLoss()(model(X), LABELS)


def numbers(model):
    return model, nn.MSELoss()(model(X), COLUMN)


def in_eval(model):
    return numbers(model.eval())


def frozen():
    model = net(out=1)
    model.requires_grad_(False)
    return model, nn.MSELoss()(model(X), COLUMN)


def replaced_layer():
    model = net(out=1)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    model[2] = nn.Linear(8, 1, rng=5)
    return model, None, optimizer


def half_of_it():
    model = net(out=1)
    return model, None, nn.optim.SGD(model[0].parameters(), lr=0.1)


def stepped(zero, optimizer=nn.optim.SGD, micro=1, steps=3):
    """Train a little, with and without zero_grad; return what the last loss was."""
    model = net(out=1)
    optimizer = optimizer(model.parameters(), lr=0.01)
    for step in range(steps):
        if step:
            optimizer.step()
        if zero:
            optimizer.zero_grad()
        for _ in range(micro):
            loss = nn.MSELoss()(model(X), COLUMN)
            loss.backward()
    return model, loss


def by_hand():
    w = nn.ModuleList([nn.Linear(4, 1, rng=0)])
    for step in range(3):
        if step:
            with ag.no_grad():
                for p in w.parameters():
                    p -= 0.01 * p.grad
        loss = nn.MSELoss()(w[0](X), COLUMN)
        loss.backward()
    return w, loss


class Plain(nn.Module):
    """Use np.maximum as a relu."""

    def __init__(self):
        self.a, self.b = nn.Linear(4, 8, rng=0), nn.Linear(8, 1, rng=1)
        self.a.bias.data -= 100.0

    def forward(self, x):
        return self.b(np.maximum(self.a(x), 0))


def convolution(bias):
    model = nn.Sequential(nn.Conv2d(1, 6, 3, rng=0), nn.ReLU(), nn.Flatten(), nn.Linear(24, 1, rng=1))
    model[0].bias.data += bias
    return model, nn.MSELoss()(model(RNG.normal(size=(8, 1, 4, 4)).astype("f")), np.zeros((8, 1), "f"))


PLANTED = {  # name -> (program giving model, loss, optimizer; code, places)
    "a head that the loss does not use": (lambda: numbers(TwoHeads()), "no-gradient", ["b.weight", "b.bias"]),
    "a body behind detach": (lambda: numbers(TwoHeads(True)), "no-gradient", ["body.weight", "body.bias"]),
    "a model that is frozen": (frozen, "no-gradient", [""]),
    "a loss under no_grad": (lambda: under_no_grad(net(out=1)), "no-gradient", [""]),
    "a layer that is never called": (lambda: unused_layer(), "no-gradient", ["spare.weight", "spare.bias"]),
    "biases far below": (lambda: classes(shifted(net(), -100.0)), "dead-relu", ["1"]),
    "np.maximum as relu": (lambda: numbers(Plain()), "dead-relu", ["Plain"]),
    "channels of a convolution": (lambda: convolution(-100.0), "dead-relu", ["1"]),
    "an MLP": (lambda: numbers(dead_mlp()), "dead-relu", ["layers.0"]),
    "a step that was too large": (lambda: exploded(), "dead-relu", ["1"]),
    "biases far above": (lambda: numbers(shifted(net(nn.Sigmoid(), out=1), 50.0)), "saturated", ["1"]),
    "on both sides": (lambda: numbers(shifted(net(nn.Tanh(), out=1), [50, -50] * 4)), "saturated", ["1"]),
    "inputs that are not scaled": (lambda: unscaled(nn.Tanh()), "saturated", ["1"]),
    "inputs that are not scaled, sigmoid": (lambda: unscaled(nn.Sigmoid()), "saturated", ["1"]),
    "some samples near 0": (lambda: unscaled(nn.Tanh(), 40.0 * X), "saturated", ["1"]),
    "weights far too large": (lambda: numbers(shifted(net(nn.Tanh(), out=1), 300.0, 50.0)), "saturated", ["1"]),
    "softmax into cross-entropy": (lambda: classes(net(nn.ReLU(), nn.Linear(8, 8, rng=3))), None, None),
    "softmax at the end": (lambda: classes(nn.Sequential(net(), nn.Softmax())), "softmax-twice", ["1"]),
    "ag.softmax in the forward": (lambda: functional(ag.softmax), "softmax-twice", [""]),
    "softmax of what is reshaped": (lambda: functional(reshaped), "softmax-twice", [""]),
    "softmax and soft labels": (lambda: functional(ag.softmax, np.full((32, 2), 0.5)), "softmax-twice", [""]),
    "sigmoid into BCE of logits": (lambda: sigmoid_twice(), "softmax-twice", ["1"]),
    "dropout is off": (lambda: in_eval(net(nn.ReLU(), nn.Dropout(rng=0), out=1)), "eval-mode", ["Dropout"]),
    "batch norm is off": (lambda: in_eval(net(nn.BatchNorm1d(8), out=1)), "eval-mode", ["BatchNorm1d"]),
    "both are off": (
        lambda: in_eval(net(nn.BatchNorm1d(8), nn.Dropout(rng=0), out=1)),
        *("eval-mode", ["BatchNorm1d, Dropout"]),
    ),
    "evaluation mode after a validation": (lambda: validated(), "eval-mode", ["Dropout"]),
    "a sublayer's dropout": (
        lambda: in_eval(nn.Sequential(net(nn.Dropout(rng=0)), nn.Linear(2, 1, rng=0))),
        *("eval-mode", ["Dropout"]),
    ),
    "no zero_grad, SGD": (lambda: stepped(False), "no-zero-grad", ["0.weight"]),
    "no zero_grad, Adam": (lambda: stepped(False, nn.optim.Adam), "no-zero-grad", ["0.weight"]),
    "no zero_grad, two steps": (lambda: stepped(False, steps=2), "no-zero-grad", ["0.weight"]),
    "no zero_grad, with accumulation": (lambda: stepped(False, micro=2), "no-zero-grad", ["0.weight"]),
    "no zero_grad, steps by hand": (by_hand, "no-zero-grad", ["0.weight"]),
    "a layer that was replaced": (replaced_layer, "not-in-optimizer", ["2.weight", "2.bias"]),
    "an optimizer of a part": (half_of_it, "not-in-optimizer", ["2.weight", "2.bias"]),
    "an optimizer of another model": (lambda: (net(out=1), None, of_another()), "not-in-optimizer", None),
    "a layer that was added": (lambda: added_layer(), "not-in-optimizer", ["1.weight", "1.bias"]),
    "a parameter that was added": (lambda: added_parameter(), "not-in-optimizer", ["scale"]),
}


def under_no_grad(model):
    with ag.no_grad():
        return numbers(model)


def unused_layer():
    model = net(out=1)
    model.spare = nn.Linear(2, 2, rng=0)
    return numbers(model)


def unused():
    model = net(out=1)
    model.spare = nn.Parameter([1.0])
    return numbers(model)


def dead_mlp():
    model = nn.MLP(4, [8, 1], rng=0)
    model.layers[0].bias.data -= 100.0
    return model


def exploded():
    model = net(out=1)
    optimizer = nn.optim.SGD(model.parameters(), lr=1e4)
    nn.MSELoss()(model(np.abs(X)), COLUMN + 100.0 * (model[2].weight.data.sum() < 0)).backward()
    optimizer.step()
    model[0].bias.data -= 1e6  # whatever the signs were, the step has gone too far
    return numbers(model)


def unscaled(activation, x=1000.0 + X):
    model = net(activation, out=1)
    model[0].weight.data *= 10.0
    return model, nn.MSELoss()(model(x), COLUMN)


def functional(f, target=LABELS):
    model = net()
    return model, F.cross_entropy(f(model(X)), target)


def reshaped(z):
    return ag.softmax(z.reshape(16, 2, 2), axis=-1).reshape(32, 2)


def sigmoid_twice():
    model = nn.Sequential(net(out=1), nn.Sigmoid())
    return model, nn.BCEWithLogitsLoss()(model(X), COLUMN)


def nll(f):
    model = net()
    return model, nn.NLLLoss()(f(model(X)), LABELS)


def validated():
    model = net(nn.ReLU(), nn.Dropout(rng=0), out=1)
    model.eval()
    with ag.no_grad():
        model(X)
    return numbers(model)


def of_another():
    return nn.optim.SGD(net(out=1).parameters(), lr=0.1)


def added_layer():
    model = nn.Sequential(nn.Linear(4, 4, rng=0))
    optimizer = nn.optim.Adam(model.parameters())
    model.append(nn.Linear(4, 1, rng=0))
    return model, None, optimizer


def added_parameter():
    model = net(out=1)
    optimizer = nn.optim.Adam(model.parameters())
    model.scale = nn.Parameter(1.0)
    return model, None, optimizer


def look(program, **kwargs):
    model, loss, *optimizer = program()
    return ag.lint(model, loss, optimizer=optimizer[0] if optimizer else None, **kwargs)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_found_and_nothing_else(name):
    program, code, places = PLANTED[name]
    found = look(program)
    assert found.codes == ([] if code is None else [code])
    assert places is None or [finding.place for finding in found] == places
    for finding in found:
        assert str(finding).startswith(f"{code}: ")
        assert str(finding).endswith(".")


@pytest.mark.parametrize("name", [name for name, (_, code, _) in PLANTED.items() if code])
def test_each_kind_is_silenced(name):
    program, code, _ = PLANTED[name]
    assert not look(program, ignore=code)
    assert not look(program, ignore=[code, "saturated"])


def accumulated():
    return stepped(True, micro=3)


def frozen_norm():
    model = net(nn.BatchNorm1d(8), nn.Dropout(rng=0), out=1)
    model[1].eval()
    return numbers(model)


HEALTHY = {
    "a network": lambda: classes(net()),
    "log_softmax and NLL": lambda: nll(ag.log_softmax),
    "sigmoid and BCE": lambda: bce(),
    "a sure output": lambda: bce(50.0),
    "one that has learnt": lambda: stepped(True, steps=30),
    "gradients added on purpose": accumulated,
    "zero_grad of the model": lambda: stepped(True, nn.optim.AdamW),
    "some units that are dead": lambda: classes(shifted(net(), [-100.0] * 3 + [0.0] * 5)),
    "few samples": lambda: few(),
    "frozen batch norm": frozen_norm,
    "evaluation": lambda: evaluated(),
    "softmax in the middle": lambda: classes(net(nn.Softmax())),
    "attention": lambda: attention(),
    "an LSTM": lambda: sequence(),
    "a convolution": lambda: convolution(0.0),
    "a part that is frozen": lambda: part_frozen(),
    "a whole optimizer": lambda: (lambda m: (*numbers(m), nn.optim.SGD(m.parameters(), lr=0.1)))(net(out=1)),  # noqa: PLC3002
}


def bce(shift=0.0):
    model = nn.Sequential(net(out=1), nn.Sigmoid())
    model[0][2].bias.data += shift
    return model, nn.BCELoss()(model(X), COLUMN)


def few():
    model = shifted(net(), -100.0)
    return model, nn.CrossEntropyLoss()(model(X[:4]), LABELS[:4])


def evaluated():
    model = net(nn.Dropout(rng=0), out=1).eval()
    with ag.no_grad():
        model(X)
    return model, None


def attention():
    model = nn.TransformerEncoderLayer(8, 2, 16, rng=0)
    return model, (model(RNG.normal(size=(5, 8, 8)).astype("f")) ** 2).mean()


def sequence():
    model = nn.LSTM(4, 8, rng=0)
    return model, (model(RNG.normal(size=(5, 8, 4)).astype("f"))[0] ** 2).mean()


def part_frozen():
    model = net(out=1)
    model[0].requires_grad_(False)
    return numbers(model)


@pytest.mark.parametrize("name", HEALTHY)
def test_what_is_healthy_is_passed_in_silence(name):
    found = look(HEALTHY[name])
    assert not found, str(found)
    assert str(found) == "nothing found"


def test_what_is_refused():
    with pytest.raises(ArgumentError, match="lint needs a module, got float"):
        ag.lint(3.0)
    with pytest.raises(ArgumentError, match=r"there is no code 'dead' to ignore\. Known are no-gradient, "):
        ag.lint(net(), ignore="dead")
    with pytest.raises(ArgumentError, match="lint needs a Tensor"):
        ag.lint(net(), 3.0)


class TestTrainer:
    def fit(self, model, loss="mse", epochs=1, **kwargs):
        trainer = nn.Trainer(model, loss, nn.optim.SGD(model.parameters(), lr=0.01), **kwargs)
        return trainer.fit(X, LABELS if loss == "cross_entropy" else COLUMN, epochs=epochs, progress=False)

    @pytest.mark.parametrize(
        ("model", "loss", "code"),
        [
            (lambda: unused()[0], "mse", "no-gradient: spare"),
            (lambda: shifted(net(out=1), -100.0), "mse", "dead-relu: 8 of 8 units of relu"),
            (lambda: shifted(net(nn.Tanh(), out=1), 50.0), "mse", "saturated: 100% of what tanh gives"),
            (lambda: nn.Sequential(net(), nn.Softmax()), "cross_entropy", "softmax-twice: cross_entropy"),
            (lambda: nn.Sequential(net(out=1), nn.Sigmoid()), nn.BCEWithLogitsLoss(), "softmax-twice: binary"),
        ],
    )
    def test_it_warns_once_and_can_be_silenced(self, model, loss, code):
        with pytest.warns(LintWarning, match=code) as caught:
            self.fit(model(), loss, epochs=4)
        assert len({str(w.message) for w in caught}) == len(caught)
        assert caught[0].filename == __file__
        assert "(Trainer(lint=False) silences this.)" in str(caught[0].message)
        self.fit(model(), loss, lint=False)

    def test_a_filter_silences_one_kind(self, recwarn):
        import warnings

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "dead-relu", LintWarning)
            self.fit(shifted(net(out=1), -100.0))

    def test_a_healthy_model_trains_in_silence(self):
        self.fit(net(out=1), epochs=3)
