"""Where modules are found: every container with an order, slots, dataclasses, the class; what has none is refused."""

import copy
import dataclasses
import pickle
import types
import weakref
from collections import ChainMap, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError
from nn import checkpoint, members


def linear():
    return nn.Linear(2, 2, rng=0)


class Own(Mapping):
    """Be a mapping that no other class knows."""

    def __init__(self, **items):
        self.items_ = items

    def __getitem__(self, key):
        return self.items_[key]

    def __iter__(self):
        return iter(self.items_)

    def __len__(self):
        return len(self.items_)


class Row(Sequence):
    """Be a sequence that no other class knows."""

    def __init__(self, *items):
        self.items_ = items

    def __getitem__(self, i):
        return self.items_[i]

    def __len__(self):
        return len(self.items_)


Pair = namedtuple("Pair", "a b")


@dataclasses.dataclass
class Record:
    """Be data with a module in it."""

    a: nn.Module
    size: int = 2


def objects(*items):
    array = np.empty(len(items), object)
    for i, item in enumerate(items):
        array[i] = item
    return array


CONTAINERS = {
    "list": (lambda m: [0, m], "x.1"),
    "tuple": (lambda m: (m,), "x.0"),
    "dict": (lambda m: {"a": m}, "x.a"),
    "OrderedDict": (lambda m: OrderedDict(a=m), "x.a"),
    "defaultdict": (lambda m: defaultdict(list, a=[m]), "x.a.0"),
    "deque": (lambda m: deque([m]), "x.0"),
    "UserDict": (lambda m: UserDict(a=m), "x.a"),
    "UserList": (lambda m: UserList([m]), "x.0"),
    "ChainMap": (lambda m: ChainMap({}, {"a": m}), "x.a"),
    "mappingproxy": (lambda m: types.MappingProxyType({"a": m}), "x.a"),
    "own mapping": (lambda m: Own(a=m), "x.a"),
    "own sequence": (lambda m: Row(0, m), "x.1"),
    "namedtuple": (lambda m: Pair(m, 1), "x.0"),
    "values of a dict": (lambda m: {"a": m}.values(), "x.0"),
    "dataclass": (lambda m: Record(m), "x.a"),
    "namespace": (lambda m: types.SimpleNamespace(a=m), "x.a"),
    "array of objects": (lambda m: objects(m, None), "x.0"),
    "nested": (lambda m: deque([{"a": Pair(0, Record([m]))}]), "x.0.a.1.a.0"),
}


class Net(nn.Module):
    def __init__(self, x):
        self.x = x


@pytest.mark.parametrize(("build", "path"), CONTAINERS.values(), ids=CONTAINERS)
def test_containers(build, path):
    inner = linear()
    net = Net(build(inner))
    assert list(net.state_dict()) == [f"{path}.weight", f"{path}.bias"]
    assert dict(net.named_modules())[path] is inner
    assert list(net.parameters()) == [inner.weight, inner.bias]


@pytest.mark.parametrize(("build", "path"), CONTAINERS.values(), ids=CONTAINERS)
def test_parameters_in_containers(build, path):
    parameter = nn.Parameter([1.0])
    assert dict(Net(build(parameter)).named_parameters()) == {path: parameter}


class Slotted(nn.Module):
    __slots__ = ("__own", "layer", "unset")

    def __init__(self):
        self.layer, self.__own = linear(), [linear()]

    def forward(self, x):
        return self.__own[0](self.layer(x))


def test_slots():
    net = Slotted()
    names = ["layer.weight", "layer.bias", "_Slotted__own.0.weight", "_Slotted__own.0.bias"]
    assert sorted(net.state_dict()) == sorted(names)
    x = np.ones((1, 2), np.float32)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), copy.copy(net)):
        assert sorted(other.state_dict()) == sorted(names)
        np.testing.assert_array_equal(other(x).data, net(x).data)


class OfClass(nn.Module):
    shared = nn.Linear(2, 2, rng=0)
    blocks = (nn.Linear(2, 1, rng=0),)


def test_attributes_of_the_class():
    names = ["shared.weight", "shared.bias", "blocks.0.weight", "blocks.0.bias"]
    net = OfClass()
    assert list(net.state_dict()) == names
    net.shared = linear()  # hides that of the class
    assert dict(net.named_children())["shared"] is net.shared
    OfClass.late = nn.Parameter([1.0])
    assert "late" in net.state_dict()
    del OfClass.late


@dataclasses.dataclass
class Times(nn.Module):
    factor: float
    inner: nn.Module = dataclasses.field(default_factory=linear)

    def forward(self, x):
        return self.inner(x) * self.factor


@dataclasses.dataclass(slots=True)
class Slim(nn.Module):
    inner: nn.Module

    def forward(self, x):
        return self.inner(x)


def test_a_dataclass_may_be_a_module():
    net = nn.Sequential(Times(2.0), nn.Tanh(), Slim(linear()), Times(2.0))
    assert net(np.ones((3, 2))).shape == (3, 2)
    assert [name for name, _ in net.named_modules()] == ["", "0", "0.inner", "1", "2", "2.inner", "3", "3.inner"]
    assert len(net.state_dict()) == 6
    assert list(copy.deepcopy(net).state_dict()) == list(net.state_dict())


def test_what_weak_containers_and_numbers_hold_is_not_ours():
    inner = linear()
    assert not Net(weakref.WeakValueDictionary(a=inner)).state_dict()
    assert not Net([1.0, "text", range(3), np.ones(2), np.array(["text"])]).state_dict()


def test_a_container_that_holds_itself_is_no_trap():
    items = [linear()]
    items.append({"again": items})
    assert list(Net(items).state_dict()) == ["x.0.weight", "x.0.bias"]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda m: {m}, r"Net.x is a set, which has no order. Use a list or a dict: the modules in it have no names"),
        (lambda m: [0, frozenset([m])], r"Net.x\[1\] is a frozenset, which has no order"),
        (lambda m: {m: 1}, "Net.x has modules as its keys. Let them be its values"),
        (lambda m: {m: 1}.keys(), "Net.x is a dict_keys, which has no order"),
    ],
)
def test_what_has_no_names_is_refused(build, message):
    net = Net(build(linear()))
    for walk in (net.state_dict, lambda: list(net.parameters()), lambda: nn.optim.SGD(net.parameters())):
        with pytest.raises(ArgumentError, match=message):
            walk()


class Norm(nn.Module):
    def __init__(self):
        self.register_buffer("mean", np.zeros(1))


COLLISIONS = {
    "dots": ({"a.b": linear(), "a": {"b": linear()}}, "x['a.b'].weight", "x['a']['b'].weight"),
    "number and text": ({0: linear(), "0": linear()}, "x[0].weight", "x['0'].weight"),
    "parameters": ({"a.0": nn.Parameter([1.0]), "a": [nn.Parameter([2.0])]}, "x['a.0']", "x['a'][0]"),
    "buffers": ({"a.b": Norm(), "a": {"b": Norm()}}, "x['a.b'].mean", "x['a']['b'].mean"),
}


@pytest.mark.parametrize(("held", "one", "other"), COLLISIONS.values(), ids=COLLISIONS)
def test_two_parts_of_one_name_are_an_error(held, one, other):
    with pytest.raises(ArgumentError, match="a state could hold one of them only") as caught:
        Net(held).state_dict()
    assert f"{one} and {other} have one name" in str(caught.value)


def test_one_part_twice_under_one_name_is_none():
    shared = linear()
    assert len(Net({"a.b": shared, "a": {"b": shared}}).state_dict()) == 2


def test_a_new_container_is_seen_by_paths():
    class Where(nn.Module):
        def forward(self, x):
            self.seen = ag.current_scope().path
            return x

    net = Net(deque([Where()]))
    net.forward = lambda x: net.x[0](x)
    net(np.ones(1, np.float32))
    first = net.x[0].seen
    net.x = OrderedDict(late=Where())
    net.forward = lambda x: net.x["late"](x)
    net(np.ones(1, np.float32))
    assert (first, net.x["late"].seen) == ("x.0", "x.late")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("trainable", False, r"Linear.trainable has no effect: call .requires_grad_\(False\) to freeze or unfreeze"),
        ("requires_grad", True, r"Linear.requires_grad has no effect: call .requires_grad_\(True\)"),
        ("eval", True, r"Linear.eval = a bool would hide the method eval\(\) of every module. Call it, or choose"),
        ("parameters", [], r"Linear.parameters = a list would hide the method parameters\(\)"),
        ("apply", nn.ReLU(), r"Linear.apply = a ReLU would hide the method apply\(\)"),
    ],
)
def test_attributes_that_nothing_reads(name, value, message):
    with pytest.raises(ArgumentError, match=message):
        setattr(linear(), name, value)


@pytest.mark.parametrize("made", [nn.Neuron(2, "relu"), nn.Layer(2, 3, "relu")])
def test_an_activation_that_would_only_be_shown(made):
    who = type(made).__name__
    with pytest.raises(ArgumentError, match=f"{who}.activation has no effect once the {who} is made: make a new one"):
        made.activation = "tanh"
    assert made.activation == "relu"


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (nn.Linear(2, 3), "out_features"),
        (nn.Conv2d(2, 3, 1), "out_channels"),
        (nn.ConvTranspose1d(2, 3, 1), "kernel_size"),
        (nn.LSTM(2, 3), "hidden_size"),
        (nn.GRUCell(2, 3), "input_size"),
        (nn.Embedding(2, 3), "num_embeddings"),
        (nn.BatchNorm1d(2), "num_features"),
        (nn.BatchNorm1d(2), "affine"),
        (nn.Layer(2, 3), "out_features"),
        (nn.TransformerEncoder(nn.Identity(), 2), "num_layers"),
    ],
)
def test_sizes_that_would_only_be_shown(made, name):
    """The weights have their shapes by then."""
    with pytest.raises(ArgumentError, match=f"{name} has no effect once the .* is made: make a new one with it"):
        setattr(made, name, 5)


@pytest.mark.parametrize(("build", "path"), CONTAINERS.values(), ids=CONTAINERS)
def test_random_generators_are_saved_wherever_they_are(build, path, tmp_path):
    def make():
        model = nn.Linear(2, 1, rng=0)
        model.noise = build(np.random.default_rng(5))
        return nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters()))

    one, other = make(), make()
    (drawn,) = checkpoint.generators(one.model)
    drawn.random(7)
    one.save(tmp_path / "t")
    other.load(tmp_path / "t")
    assert checkpoint.generators(other.model)[0].random() == drawn.random()


def test_a_class_may_use_such_names_itself():
    class Frozen(nn.Module):
        trainable = True

    net = Frozen()
    net.trainable = False
    net.forward = lambda x: x
    assert net(3.0) == 3.0
    assert net.trainable is False


def test_kinds_are_told_by_type():
    assert members.is_container([])
    assert not members.is_container("text")
    assert not members.is_container(np.ones(2))
    assert not members.is_container(Record)
