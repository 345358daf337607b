"""One way through the engine: each guard holds everywhere, on shared memory, for empty arrays and odd names."""

import numpy as np
import pytest

import autograd as ag
import nn
from tests.autograd.laws.oracle import plain

X = np.random.default_rng(0).standard_normal((40, 3)).astype("f4")

# ------------------------------------------------------------------- inside a Sequential all is as with one by one

CHAINS = {
    "Linear, Tanh": lambda: [nn.Linear(3, 1, rng=0), nn.Tanh()],
    "Linear, ReLU, Linear": lambda: [nn.Linear(3, 4, rng=0), nn.ReLU(), nn.Linear(4, 1, rng=1)],
    "Linear alone": lambda: [nn.Linear(3, 2, rng=0)],
    "Tanh, Linear": lambda: [nn.Tanh(), nn.Linear(3, 2, rng=0)],
    "Linear, LayerNorm": lambda: [nn.Linear(3, 4, rng=0), nn.LayerNorm(4)],
    "Linear, Sigmoid, Identity": lambda: [nn.Linear(3, 4, rng=0), nn.Sigmoid(), nn.Identity()],
    "Layer, Layer": lambda: [nn.Layer(3, 4, "tanh", rng=0), nn.Layer(4, 2, rng=1)],
}


def one_by_one(parts, x):
    for part in parts:
        x = part(x)
    return x


def in_a_list(parts):
    modules = nn.ModuleList(parts)
    return lambda x: one_by_one(modules, x)


RUNS = {
    "one by one": lambda parts: lambda x: one_by_one(parts, x),
    "Sequential": lambda parts: nn.Sequential(*parts),
    "Sequential of Sequential": lambda parts: nn.Sequential(nn.Sequential(*parts)),
    "ModuleList": in_a_list,
}
runs = pytest.mark.parametrize("run", RUNS)
chains = pytest.mark.parametrize("chain", CHAINS)


def gradients(parts):
    return [plain(p.grad) for part in parts for p in part.parameters()]


def unspoilt(chain):
    parts = CHAINS[chain]()
    one_by_one(parts, ag.Tensor(X)).sum().backward()
    return gradients(parts)


CHANGES = {
    "x += 1": lambda x: x.__iadd__(1),
    "x[0] = 0": lambda x: x.__setitem__(0, 0.0),
    "x *= 2": lambda x: x.__imul__(2),
    "x.data = …": lambda x: setattr(x, "data", x.data * 2),
    "x.T[0] = 0": lambda x: x.T.__setitem__(0, 0.0),
    "a view": lambda x: x[:5].__iadd__(1),
}


@pytest.mark.parametrize("change", CHANGES)
@runs
@chains
def test_an_input_changed_before_backward(chain, run, change):
    """The gradient at the values of the forward pass, or an error: never that of the new values."""
    parts, x = CHAINS[chain](), ag.Tensor(X)
    y = RUNS[run](parts)(x).sum()
    CHANGES[change](x)
    try:
        y.backward()
    except ag.AutogradError:
        return
    for found, right in zip(gradients(parts), unspoilt(chain), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6)


@runs
@chains
def test_an_array_changed_before_backward(chain, run):
    parts, x = CHAINS[chain](), X.copy()
    y = RUNS[run](parts)(x).sum()
    x += 1
    try:
        y.backward()
    except ag.AutogradError:
        return
    for found, right in zip(gradients(parts), unspoilt(chain), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6)


@runs
@chains
def test_a_weight_changed_before_backward_is_noticed(chain, run):
    parts = CHAINS[chain]()
    y = RUNS[run](parts)(ag.Tensor(X, requires_grad=True)).sum()
    weight = next(part for part in parts if list(part.parameters())).weight
    weight.data = weight.data * 3
    try:
        y.backward()
    except ag.AutogradError:
        return
    for found, right in zip(gradients(parts), unspoilt(chain), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6)


class Scaled(nn.Linear):
    """Weight normalization by hand: the weight is a property."""

    weight = property(lambda self: self.v * self.g, lambda self, w: setattr(self, "v", w))

    def __init__(self, *sizes):
        self.g = nn.Parameter(1.0)
        super().__init__(*sizes, rng=0)


@runs
def test_a_weight_that_is_a_property(run):
    parts = [Scaled(3, 2), nn.ReLU(), nn.Identity()]
    model = RUNS[run](parts)
    before = plain(model(X))
    parts[0].g.data = np.float32(5)
    assert not np.array_equal(plain(model(X)), before)
    model(X).sum().backward()
    assert parts[0].g.grad is not None


@runs
def test_a_patched_forward(run):
    parts = [nn.Linear(3, 2, rng=0), nn.Tanh()]
    model = RUNS[run](parts)
    model(X)
    parts[0].forward = lambda x: np.zeros((40, 2), np.float32) + 0.5
    np.testing.assert_allclose(plain(model(X)), np.tanh(0.5), rtol=1e-6)


@runs
def test_a_forward_patched_on_the_class(run, monkeypatch):
    parts = [nn.Linear(3, 2, rng=0), nn.Tanh()]
    model = RUNS[run](parts)
    model(X)
    monkeypatch.setattr(nn.Tanh, "forward", lambda self, x: x * 0 + 7.0)
    np.testing.assert_array_equal(plain(model(X)), 7.0)


@runs
def test_a_weight_written_past_setattr(run):
    parts = [nn.Linear(3, 2, rng=0), nn.Tanh()]
    model = RUNS[run](parts)
    model(X)
    parts[0].__dict__["weight"] = nn.Parameter(np.zeros((2, 3), np.float32))
    parts[0].__dict__["bias"] = nn.Parameter(np.zeros(2, np.float32))
    np.testing.assert_array_equal(plain(model(X)), 0.0)


@runs
def test_a_subclass_with_a_forward_of_its_own(run):
    class Twice(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    parts = [Twice(3, 2, rng=0), nn.Identity()]
    np.testing.assert_allclose(plain(RUNS[run](parts)(X)), 2 * plain(nn.Linear(3, 2, rng=0)(X)), rtol=1e-6)


# -------------------------------------------------------------------------------------------- two Tensors on one memory


def shared_by_copy_false():
    a = np.array([1.0, 2.0])
    return ag.Tensor(a, requires_grad=True, copy=False), ag.Tensor(a, copy=False)


def shared_by_data():
    x, y = ag.Tensor([1.0, 2.0], requires_grad=True), ag.Tensor([0.0, 0.0])
    y.data = x.data
    return x, y


def overlapping():
    a = np.array([1.0, 2.0, 3.0])
    return ag.Tensor(a[:2], requires_grad=True, copy=False), ag.Tensor(a[1:], copy=False)


def view_of_the_base():
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    return ag.Tensor(a[0], requires_grad=True, copy=False), ag.Tensor(a, copy=False)


SHARED = {f.__name__: f for f in (shared_by_copy_false, shared_by_data, overlapping, view_of_the_base)}
WRITES = {
    "+=": lambda y: y.__iadd__(1),
    "*=": lambda y: y.__imul__(3),
    "[...] =": lambda y: y.__setitem__(..., 9.0),
    "[0] =": lambda y: y.__setitem__(0, 9.0),
    "through a view": lambda y: y[:1].__iadd__(5),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("pair", SHARED)
def test_a_write_through_one_is_noticed_by_the_graph_of_the_other(pair, write):
    """Right is the gradient at the values of the forward pass, or an error when sharing, writing, or in backward."""
    try:
        x, y = SHARED[pair]()
        loss = (x * x).sum()
        WRITES[write](y)
        loss.backward()
    except ag.AutogradError:
        return
    np.testing.assert_array_equal(plain(x.grad), [2, 4])


@pytest.mark.parametrize("pair", SHARED)
def test_a_write_before_the_forward_pass_is_no_error(pair):
    try:
        x, y = SHARED[pair]()
    except ag.AutogradError:
        return
    y += 1
    (x * x).sum().backward()
    np.testing.assert_array_equal(plain(x.grad), 2 * plain(x))


# ------------------------------------------------------------------------------------------------- nothing, and names

EMPTY = np.zeros((0, 3), "f4")
TAKES_NOTHING = {
    "GELU": nn.GELU,
    "ReLU": nn.ReLU,
    "Tanh": nn.Tanh,
    "Sigmoid": nn.Sigmoid,
    "SiLU": nn.SiLU,
    "ELU": nn.ELU,
    "LeakyReLU": nn.LeakyReLU,
    "Softplus": nn.Softplus,
    "Softmax": lambda: nn.Softmax(-1),
    "LogSoftmax": lambda: nn.LogSoftmax(-1),
    "Identity": nn.Identity,
    "Linear": lambda: nn.Linear(3, 2, rng=0),
    "Layer": lambda: nn.Layer(3, 2, "relu", rng=0),
    "MLP": lambda: nn.MLP(3, [4, 2], rng=0),
    "Sequential": lambda: nn.Sequential(nn.Linear(3, 2, rng=0), nn.Tanh()),
    "LayerNorm": lambda: nn.LayerNorm(3),
    "BatchNorm1d in eval": lambda: nn.BatchNorm1d(3).eval(),
    "Dropout": lambda: nn.Dropout(0.5, rng=0),
    "Flatten": nn.Flatten,
}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", TAKES_NOTHING)
def test_an_empty_batch(name, create_graph):
    x, model = ag.Tensor(EMPTY, requires_grad=True), TAKES_NOTHING[name]()
    y = model(x)
    assert y.shape[0] == 0
    y.sum().backward(create_graph=create_graph)
    assert x.grad.shape == (0, 3)
    for p in model.parameters():
        assert p.grad is None or not plain(p.grad).any()
        p.grad = None
    x.grad = None


FUNCTIONS_OF_NOTHING = {
    "sum": np.sum,
    "prod": np.prod,
    "concatenate": lambda x: np.concatenate([x, x]),
    "stack": lambda x: np.stack([x, x]),
    "matmul": lambda x: x @ np.ones((3, 2)),
    "transposed matmul": lambda x: x.T @ x,
    "einsum": lambda x: np.einsum("ij,ij->i", x, x),
    "where": lambda x: np.where(x > 0, x, 1.0),
    "clip": lambda x: np.clip(x, 0, 1),
    "exp": np.exp,
    "softmax": lambda x: ag.softmax(x, axis=1),
    "logsumexp": lambda x: ag.logsumexp(x, axis=1),
    "cumsum": lambda x: np.cumsum(x, axis=0),
    "sort": lambda x: np.sort(x, axis=1),
    "slice": lambda x: x[1:],
    "boolean index": lambda x: x[np.zeros((0, 3), bool)],
    "reshape": lambda x: x.reshape(3, 0),
    "max over the other axis": lambda x: x.max(axis=1),
    "std over the other axis": lambda x: np.std(x, axis=1),
    "norm": np.linalg.norm,
    "broadcast": lambda x: x + np.ones(3),
    "pad": lambda x: np.pad(x, 1),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "diff": lambda x: np.diff(x, axis=1),
}


@pytest.mark.parametrize("name", FUNCTIONS_OF_NOTHING)
def test_an_empty_array(name):
    f = FUNCTIONS_OF_NOTHING[name]
    right = f(np.zeros((0, 3)))
    x = ag.Tensor(np.zeros((0, 3)), requires_grad=True)
    y = f(x)
    np.testing.assert_array_equal(plain(y), right)
    np.sum(y).backward()
    assert x.grad.shape == (0, 3)


ODD = "a\x1b[2Jb"


def named():
    x = ag.Tensor([1.0, 2.0], requires_grad=True, name=ODD)
    return x, (x * x).sum()


SHOWN = {
    "explain": lambda: _explained(),
    "repr of a Tensor": lambda: repr(named()[0]),
    "str of a Tensor": lambda: str(named()[0]),
    "repr of a Sequential": lambda: repr(nn.Sequential({ODD: nn.Tanh()})),
    "why_none": lambda: str(ag.why_none(ag.Tensor([1.0], name=ODD))),
    "name of an own op": lambda: _message_of_an_op(),
    "module's path in a message": lambda: _message_of_a_module(),
}


def _explained():
    x, y = named()
    return str(ag.explain(y, x))


def _message_of_an_op():
    f = ag.op(lambda x: x * 2, vjp=lambda g: 2 * g, name=ODD)
    with pytest.raises(ag.AutogradError) as caught:
        ag.check_grads(ag.op(lambda x: x * x, vjp=lambda g, x: 3 * g * x, name=ODD), np.array([1.0, 2.0]))
    return str(caught.value) + repr(f(ag.Tensor(1.0, requires_grad=True)))


def _message_of_a_module():
    with pytest.raises(ag.AutogradError) as caught:
        nn.Sequential({ODD: nn.Linear(3, 2, rng=0)})(np.ones((2, 5), "f4"))
    return str(caught.value)


@pytest.mark.parametrize("name", SHOWN)
def test_control_characters_are_written_out(name):
    assert "\x1b" not in SHOWN[name]()
