"""``detect_anomaly``: each planted nan or inf stops at its op and names the line, and what is healthy runs on."""

import contextlib
import threading

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.box import leaf_of
from autograd.errors import NonFiniteError
from autograd.graph import ancestors

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def leaf(value, name=None):
    return ag.Tensor(value, requires_grad=True, name=name)


def on(x, f):
    return f(x)


class Net(nn.Module):
    """Hold two layers, and an op between them that may fail."""

    def __init__(self, f, scale=1.0):
        super().__init__()
        self.a, self.b, self.f, self.scale = nn.Linear(2, 4, rng=0), nn.Linear(4, 1, rng=1), f, scale

    def forward(self, x):
        return self.b(self.f(self.a(x) * self.scale))


X = np.random.default_rng(0).normal(size=(16, 2))
P, Q = [1.0, -1.0, 2.0], [4.0, 0.0]

FORWARD = {  # name -> (program, op, element, operands, module, what the advice speaks of)
    "log": (lambda: np.log(leaf(P, "p")) * 2.0, "log", (1,), {"p": -1.0}, "", "1e-12"),
    "log by way of a method": (lambda: leaf(P, "p").log(), "log", (1,), {"p": -1.0}, "", "1e-12"),
    "sqrt of a scalar": (lambda: np.sqrt(leaf(-4.0, "x")), "sqrt", (), {"x": -4.0}, "", "root"),
    "division by zero": (lambda: 1.0 / leaf(Q, "q"), "divide", (1,), {"q": 0.0}, "", "divisor"),
    "exp that overflows": (lambda: np.exp(leaf([1.0, 1e3], "a")), "exp", (1,), {"a": 1e3}, "", "maximum"),
    "root of a negative number": (lambda: leaf(P, "p") ** 0.5, "power", (1,), {"p": -1.0}, "", "base"),
    "between modules": (lambda: Net(np.log)(X), "log", (0, 3), None, "Net", "1e-12"),
    "a product that overflows": (lambda: leaf([1e200], "a") * leaf([1e200], "b"), "multiply", (0,), None, "", "large"),
    "a matrix without inverse": (
        lambda: np.linalg.inv(leaf([[1e-320, 0.0], [0.0, 1.0]], "M")),
        *("inv", (0, 1), {}, "", "singular"),
    ),
    "one of several outputs": (lambda: np.sqrt(np.split(leaf(P, "p"), 3)[1]), "sqrt", (0,), None, "", "root"),
    "rows that are masked whole": (
        lambda: ag.softmax(np.where(np.zeros((2, 2), bool), leaf(np.ones((2, 2)), "s"), -np.inf)),
        *("softmax", (0, 0), {}, "", "masked whole"),
    ),
    "where a function of ours returns": (lambda: np.var(leaf([1e200, -1e200], "x")) * 1.0, "var", None, None, "", ""),
    "in a loss, at backward": (
        lambda: nn.MSELoss()(leaf([1e200], "x"), np.zeros(1)).backward(),
        *("mse_loss", (), {}, "MSELoss", "large"),
    ),
    "under a transform": (lambda: ag.grad(lambda t: np.log(t))(-1.0), "log", (), None, "", "1e-12"),
    "in a compiled function": (lambda: ag.compile(lambda t: np.log(t) * 2.0)(leaf(P)), "log", (1,), None, "", "1e-12"),
    "data that needs no gradient": (lambda: np.log(ag.Tensor(P, name="d")), "log", (1,), {"d": -1.0}, "", "1e-12"),
    "data that is scaled by nothing": (lambda: ag.Tensor(P) / np.zeros(3), "divide", (0,), None, "", "divisor"),
    "a complex number": (
        lambda: 1.0 / leaf(np.array([1j, 0j]), "z"),
        *("divide", (1,), {"z": 0j}, "", "divisor"),
    ),
    "in a checkpoint": (lambda: ag.checkpoint(lambda t: np.log(t) * 2.0)(leaf(P)), "log", (1,), None, "", "1e-12"),
}
BACKWARD = {
    "sqrt at 0": (lambda: np.sqrt(leaf(Q, "q")).sum().backward(), "sqrt", (1,), {"q": 0.0}, "", "infinite"),
    "a power below 1": (lambda: (leaf(Q, "q") ** 0.5).sum().backward(), "power", (1,), None, "", "infinite"),
    "behind a product": (lambda: on(leaf(0.0, "x"), lambda x: np.sqrt(x) * x).backward(), "sqrt", (), None, "", ""),
    "in a module": (
        lambda: Net(np.sqrt, 0.0)(X).sum().backward(),
        *("sqrt", (0, 0), None, "Net", "infinite"),
    ),
    "an upstream gradient that overflows": (
        lambda: (leaf([1.0], "x") * 1e200).backward(np.array([1e200])),
        *("multiply", (0,), None, "", ""),
    ),
    "with create_graph": (
        lambda: np.sqrt(leaf(0.0, "x")).backward(create_graph=True),
        *("sqrt", (), {"x": 0.0}, "", "infinite"),
    ),
    "in ag.grad": (lambda: ag.grad(lambda t: np.sqrt(t) ** 2)(0.0), "sqrt", (), None, "", "infinite"),
    "equal eigenvalues": (
        lambda: np.linalg.eigh(leaf(np.eye(2), "A"))[1][0, 0].backward(),
        *("eigh", None, {}, "", "eigenvalues"),
    ),
}


@pytest.mark.parametrize("name", [*FORWARD, *BACKWARD])
def test_it_stops_at_the_op(name):
    program, op, element, operands, module, advice = (FORWARD | BACKWARD)[name]
    with pytest.raises(NonFiniteError) as caught, ag.detect_anomaly():
        program()
    found, message = caught.value.found, str(caught.value)
    assert found.op == op
    assert element is None or found.element == element
    assert operands is None or found.operands == operands
    assert found.module == module
    assert found.kind == ("backward" if name in BACKWARD else "forward")
    assert advice in found.advice
    assert found.advice in message
    assert found.line.startswith("test_anomaly.py:")
    assert found.line in message
    assert isinstance(caught.value, FloatingPointError)


def test_the_message_whole():
    q = leaf(Q, "q")
    with ag.detect_anomaly():
        y = (np.sqrt(q) * 2.0).sum()
        with pytest.raises(NonFiniteError) as caught:
            y.backward()
    lines = str(caught.value).splitlines()
    number = lines[0].partition("test_anomaly.py:")[2].partition(":")[0]
    assert lines[0] == (
        "backward of v1 = sqrt(q) made inf of finite numbers: at element [1] q is 0 "
        f"(test_anomaly.py:{number}: y = (np.sqrt(q) * 2.0).sum())."
    )
    assert lines[1] == "On its way to the result: sqrt → multiply → sum."
    assert lines[2].startswith("Its derivative is infinite there: add a small number inside")
    assert q.grad is None  # nothing was written


def test_a_long_way_to_the_result_is_shortened():
    with ag.detect_anomaly(check_nan=False):
        y = np.log(leaf(-1.0, "x"))
        for _ in range(30):
            y = y * 2.0
    assert "log → multiply → multiply → multiply → … 23 more …" in ag.find_nonfinite(y).report


def test_an_input_that_is_not_finite_is_named_in_backward():
    x = leaf([1.0, np.nan], "x")
    holds = r"x holds nan at element \[1\]: it is an input"
    with pytest.raises(NonFiniteError, match=holds) as caught, ag.detect_anomaly():
        (x * 2.0).sum().backward()
    assert "Look at the data" in str(caught.value)


def attention():
    s = leaf(np.ones((3, 3)), "s")
    return ag.softmax(np.where(np.tri(3, dtype=bool), s, -np.inf), axis=1).sum()


HEALTHY = {
    "a mask of minus infinity": attention,
    "what a mask cuts off": lambda: np.where(np.array([True, False]), leaf(Q, "q") ** 0.5, 1.0).sum(),
    "0/0 inside a function of ours": lambda: np.sinc(leaf([0.0, 0.5])).sum(),
    "nan that a nan-function leaves out": lambda: np.nansum(leaf([1.0, np.nan])),
    "the mean without nan": lambda: np.nanmean(leaf([1.0, np.nan])),
    "a dead relu": lambda: ag.relu(leaf([-1.0, -2.0])).sum(),
    "logsumexp of large numbers": lambda: ag.logsumexp(leaf([1e3, 1e3])),
    "a sure wrong answer": lambda: F.binary_cross_entropy(leaf([0.0]), np.ones(1)),
    "a sure right answer": lambda: nn.CrossEntropyLoss()(leaf([[1e4, 0.0]]), np.array([0])),
    "a norm at 0": lambda: np.linalg.norm(leaf(np.zeros(3))),
    "a network": lambda: nn.MSELoss()(nn.MLP(2, [8, 1], rng=0)(X), X[:, :1]),
    "an LSTM": lambda: nn.LSTM(4, 8, rng=0)(np.ones((5, 2, 4)))[0].sum(),
    "attention": lambda: nn.MultiheadAttention(4, 2, rng=0)(*[np.ones((3, 2, 4), "f")] * 3)[0].sum(),
    "batch norm and dropout": lambda: nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.5, rng=0))(X).sum(),
    "data with a nan that is left out": lambda: np.nansum(ag.Tensor([1.0, np.nan]) * 2.0) * leaf(1.0),
    "in place": lambda: in_place(leaf([1.0, 2.0])),
}


def in_place(x):
    y = x * 2.0
    y[0] = 3.0
    y += x
    return y.sum()


@pytest.mark.parametrize("name", HEALTHY)
def test_what_is_healthy_runs_as_ever(name):
    """The same value, and the same gradients, to the last bit."""
    plain, watched = HEALTHY[name](), None
    with ag.detect_anomaly():
        watched = HEALTHY[name]()
        watched.backward()
    assert watched.data.tobytes() == plain.data.tobytes()
    plain.backward()
    assert [gradient(n) for n in leaves(watched)] == [gradient(n) for n in leaves(plain)]


def leaves(y):
    found = [node for node in ancestors(leaf_of(y)) if node.op is None and node.needs]
    return sorted(found, key=lambda node: -node.order)


def gradient(node):
    grad = node.grad
    return None if grad is None else np.asarray(getattr(grad, "data", grad)).tobytes()


def test_infinities_may_be_let_through():
    x = leaf([1.0, 1e3], "x")
    with ag.detect_anomaly(check_inf=False):
        y = np.where(x < 50.0, np.log1p(np.exp(x)), x).sum()
        y.backward()
    assert x.grad.data[1] == 1.0
    with pytest.raises(NonFiniteError, match="exp"), ag.detect_anomaly():
        np.exp(x)
    with pytest.raises(NonFiniteError, match="made nan"), ag.detect_anomaly(check_inf=False):
        np.log(-x)


def test_only_lines():
    """With check_nan=False nothing is raised, and find_nonfinite, why_none and the error know the line."""
    x = leaf(P, "x")
    with ag.detect_anomaly(check_nan=False):
        y = (np.log(x) * x).sum()
    y.backward()
    assert "(test_anomaly.py:" in str(ag.find_nonfinite(y))
    assert "y = (np.log(x) * x).sum()" in str(ag.find_nonfinite(y))
    assert "y = (np.log(x) * x).sum()" in str(ag.why_none(x, y))
    picture = ag.draw(y)
    assert [item.op for item in picture.view.items if item.alarm] == ["log"]
    assert "y = (np.log(x) * x).sum()" in picture.view.problems[0]


def test_the_modes_nest_and_end():
    x = leaf(P)
    with ag.detect_anomaly():
        with ag.no_grad():
            np.log(x)
            with ag.enable_grad(), pytest.raises(NonFiniteError):
                np.log(x)
        with ag.detect_anomaly(check_nan=False):
            np.log(x)
        with pytest.raises(NonFiniteError):
            np.log(x)
    np.log(x)

    @ag.detect_anomaly()
    def f():
        return np.log(x)

    with pytest.raises(NonFiniteError):
        f()


def test_other_threads_are_not_watched():
    seen = []
    with ag.detect_anomaly():
        thread = threading.Thread(target=lambda: seen.append(np.log(leaf(P))))
        thread.start()
        thread.join()
    assert len(seen) == 1


def test_a_forward_runs_once():
    calls = []

    def noted(x):
        calls.append(x)
        return x * 2.0

    double = ag.op(noted, vjp=lambda g: 2.0 * g, name="noted")
    with ag.detect_anomaly():
        double(leaf(P))
    assert len(calls) == 1


def test_a_released_graph_is_released_in_the_mode_too():
    x = leaf(np.ones(100))
    with ag.detect_anomaly():
        y = (np.exp(x) * x).sum()
        y.backward()
    with pytest.raises(ag.errors.GraphError, match="released"):
        y.backward()


def test_nodes_outside_know_no_line():
    outside = leaf(P) * 2.0
    with contextlib.suppress(NonFiniteError), ag.detect_anomaly():
        inside = leaf(P) * 2.0
    assert [graph.line for graph in ag.who_holds(outside)] == [""]
    (line,) = [graph.line for graph in ag.who_holds(inside)]
    assert line.endswith("inside = leaf(P) * 2.0")


class TestTrainer:
    def fit(self, model):
        trainer = nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.01))
        with pytest.raises(ag.errors.TrainingError) as caught:
            trainer.fit(X, X[:, :1], progress=False)
        return str(caught.value)

    def test_a_loss_that_is_not_finite_names_op_module_and_line(self):
        message = self.fit(Net(np.log))
        assert "log in Net" in message
        assert "return self.b(self.f(self.a(x) * self.scale))" in message

    def test_a_gradient_that_is_not_finite_names_them_too(self):
        message = self.fit(Net(np.sqrt, 0.0))
        assert "though the loss is: backward of" in message
        assert "sqrt(v" in message
        assert "in Net" in message
        assert "(test_anomaly.py:" in message
        assert "derivative is infinite" in message
