"""Module: the tree, the state, the modes, the scopes and the look."""

import copy
import gc
import pickle
import re
import threading
import weakref
from collections import OrderedDict

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, ShapeError


class Block(nn.Module):
    """Have a parameter, a buffer, a child, and lists of both."""

    def __init__(self):
        self.scale = nn.Parameter([1.0, 2.0])
        self.register_buffer("seen", np.zeros(2, np.float32))
        self.register_buffer("cache", np.ones(1), persistent=False)
        self.inner = nn.Linear(2, 2, rng=0)
        self.heads = [nn.Linear(2, 1, rng=1), {"extra": nn.Parameter(3.0)}]

    def forward(self, x):
        return self.heads[0](self.inner(x) * self.scale) + self.heads[1]["extra"]


NAMES = ["scale", "heads.1.extra", "inner.weight", "inner.bias", "heads.0.weight", "heads.0.bias"]


def test_finds_parameters_in_attributes_and_lists():
    block = Block()
    assert [name for name, _ in block.named_parameters()] == NAMES
    assert [name for name, _ in block.named_modules()] == ["", "inner", "heads.0"]
    assert [name for name, _ in block.named_children()] == ["inner", "heads.0"]
    assert [name for name, _ in block.named_buffers()] == ["seen", "cache"]
    assert next(block.parameters()) is block.scale
    assert next(block.children()) is block.inner
    assert len(list(block.modules())) == 3
    assert len(list(block.buffers())) == 2


def test_gradients_reach_every_parameter():
    block = Block()
    block([[1.0, 2.0]]).sum().backward()
    assert all(p.grad is not None for p in block.parameters())
    block.zero_grad()
    assert all(p.grad is None for p in block.parameters())


def test_a_shared_module_comes_once_and_is_saved_under_both_names():
    shared = nn.Linear(2, 2)
    model = nn.Sequential(shared, nn.ReLU(), shared)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert "2: Linear(2 -> 2)   shared" in re.sub(" +", " ", repr(model)).replace(" shared", "   shared")


def test_a_module_that_holds_its_parent_is_no_trap():
    block = Block()
    block.inner.parent = block
    assert [name for name, _ in block.named_parameters()] == NAMES
    assert len(block.state_dict()) == 7
    assert "parent" not in repr(block)


# ------------------------------------------------------------------------------------------------------------- state


def test_state_dict_holds_copies_in_order():
    block = Block()
    state = block.state_dict()
    assert list(state) == [
        "scale",
        "heads.1.extra",
        "seen",
        "inner.weight",
        "inner.bias",
        "heads.0.weight",
        "heads.0.bias",
    ]
    state["scale"][...] = 7
    assert block.scale.data.tolist() == [1.0, 2.0]


def test_load_writes_into_the_arrays_that_are_there():
    block, other = Block(), Block()
    other.scale.data[...] = 5
    other.seen += 1
    array, seen = block.scale.data, block.seen
    assert block.load_state_dict(other.state_dict()) == ([], [])
    assert block.scale.data is array
    assert array.tolist() == [5.0, 5.0]
    assert block.seen is seen
    assert seen.tolist() == [1.0, 1.0]


def test_load_swaps_values_without_mixing_them():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1))
    first, second = (m.weight.data.copy() for m in model)
    model.load_state_dict({"0.weight": model[1].weight.data, "1.weight": model[0].weight.data}, strict=False)
    np.testing.assert_array_equal(model[0].weight.data, second)
    np.testing.assert_array_equal(model[1].weight.data, first)


def test_load_lists_all_problems_and_changes_nothing():
    block = Block()
    before = block.state_dict()
    state = {
        **before,
        "scale": np.zeros(3),
        "inner.weight": np.zeros((2, 2)),
        "surplus": np.zeros(1),
        "inner.bias": ["a", "b"],
    }
    del state["heads.0.bias"]
    with pytest.raises(ShapeError) as caught:
        block.load_state_dict(state)
    assert str(caught.value).splitlines() == [
        "Block.load_state_dict changed nothing, as the state does not fit:",
        "  wrong shape: scale is (3,), needs (2,)",
        "  unreadable: inner.bias (dtype <U1; pass real numbers)",
        "  missing: heads.0.bias",
        "  unexpected: surplus",
    ]
    for name, value in block.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_load_not_strict_gives_what_did_not_fit():
    block = Block()
    state = block.state_dict()
    del state["scale"]
    missing, unexpected = block.load_state_dict({**state, "more": 1}, strict=False)
    assert (missing, unexpected) == (["scale"], ["more"])
    with pytest.raises(ArgumentError, match="Pass strict=False to load what fits"):
        block.load_state_dict(state)
    with pytest.raises(ArgumentError, match="load_state_dict got list; pass a dict of arrays"):
        block.load_state_dict([1])


def test_load_ignores_the_batch_counter_of_pytorch():
    linear = nn.Linear(1, 1)
    assert linear.load_state_dict({**linear.state_dict(), "bn.num_batches_tracked": np.array(3)}) == ([], [])


def test_load_casts_and_is_noticed_by_a_graph_that_used_the_old_values():
    linear = nn.Linear(2, 1, rng=0)
    y = linear(ag.Tensor([[1.0, 2.0]], requires_grad=True))
    linear.load_state_dict({"weight": [[1, 2]], "bias": np.float64([3])})
    assert linear.weight.dtype == linear.bias.dtype == np.float32
    with pytest.raises(ag.errors.InPlaceError, match="'weight'"):
        y.sum().backward()


def test_astype_converts_parameters_and_buffers():
    block = Block()
    assert block.astype(np.float64) is block
    assert {p.dtype for p in block.parameters()} == {np.dtype(np.float64)}
    assert block.seen.dtype == np.float64
    assert block([[1, 2]]).dtype == np.float64
    bare = nn.Sequential(nn.LayerNorm(2, elementwise_affine=False), nn.BatchNorm1d(2, 0.1, 0.1, False, False))
    assert bare.astype(np.float64)([[1, 2], [3, 5]]).dtype == np.float64  # no parameter says so
    with pytest.raises(ArgumentError, match=r"Block.astype\(int64\): parameters must be floating point"):
        block.astype(int)


def test_copies_and_pickles():
    block = Block()
    block([[1.0, 2.0]])
    for other in (copy.deepcopy(block), pickle.loads(pickle.dumps(block))):
        assert [name for name, _ in other.named_parameters()] == NAMES
        other.scale.data[...] = 9
        assert block.scale.data.tolist() == [1.0, 2.0]
        assert other([[1.0, 2.0]]).shape == (1, 1)


def test_a_dropped_module_is_freed_at_once():
    gc.collect()
    gc.disable()
    try:
        model = nn.MLP(2, [4, 1])
        model([[1.0, 2.0]]).backward()
        watch = weakref.ref(model.layers[0].weight)
        del model
        assert watch() is None
    finally:
        gc.enable()


# ------------------------------------------------------------------------------------------------- attributes, modes


def test_a_parameter_cannot_become_something_else_by_mistake():
    linear = nn.Linear(2, 1)
    with pytest.raises(
        TypeError, match=r"Linear.weight is a Parameter and cannot become an array of shape \(1, 2\). Set weight.data"
    ):
        linear.weight = np.zeros((1, 2))
    linear.bias = None
    assert [name for name, _ in linear.named_parameters()] == ["weight"]
    assert linear([1.0, 2.0]).shape == (1,)
    linear.weight = nn.Parameter(np.ones((1, 2), np.float32))
    assert linear([1.0, 2.0]).data.tolist() == [3.0]


def test_parameter_takes_the_name_of_its_attribute_and_is_float32_from_lists():
    linear = nn.Linear(2, 1)
    assert linear.weight.name == "weight"
    assert nn.Parameter([1, 2]).dtype == np.float32
    assert nn.Parameter(np.zeros(2)).dtype == np.float64
    assert nn.Parameter(1.0, dtype=np.float64).dtype == np.float64
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad


def test_buffers():
    block = Block()
    block.seen = np.full(2, 4.0)
    assert dict(block.named_buffers())["seen"].tolist() == [4.0, 4.0]
    del block.cache
    assert [name for name, _ in block.named_buffers()] == ["seen"]
    with pytest.raises(ArgumentError, match="'inner' is taken or is no attribute name"):
        block.register_buffer("inner", 1.0)
    block.register_buffer("none", None)
    assert "none" not in block.state_dict()


def test_train_and_eval_reach_the_whole_tree():
    model = nn.Sequential(nn.Dropout(0.5, rng=0), nn.Sequential(nn.Dropout(0.5, rng=1)))
    assert model.eval() is model
    assert [m.training for m in model.modules()] == [False] * 4
    assert model(np.ones(3)).data.tolist() == [1, 1, 1]
    model.train()
    assert all(m.training for m in model.modules())


def test_freezing_saves_the_work():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
    model[0].requires_grad_(False)
    y = model(np.ones((2, 3)))
    y.sum().backward()
    assert model[0].weight.grad is None
    assert model[2].weight.grad is not None
    assert not model[0](np.ones((2, 3))).requires_grad
    assert "frozen" in repr(model)
    assert model.requires_grad_(True)[0].weight.requires_grad


def test_apply_goes_from_the_leaves_to_the_root():
    seen = []
    model = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU()))
    assert model.apply(lambda m: seen.append(type(m).__name__)) is model
    assert seen[-1] == "Sequential"
    assert len(seen) == 4


def test_forward_hooks():
    linear, calls = nn.Linear(1, 1), []
    first = linear.register_forward_hook(lambda module, args, y: calls.append((module, args, y)))
    second = linear.register_forward_hook(lambda module, args, y: y * 0)
    x = ag.Tensor([[1.0]])
    assert linear(x).item() == 0
    assert calls[0][0] is linear
    assert calls[0][1] == (x,)
    second.remove()
    second.remove()
    assert linear(x).item() != 0
    first.remove()
    linear(x)
    assert len(calls) == 2


def test_without_forward():
    with pytest.raises(NotImplementedError, match="Plain has no forward"):
        type("Plain", (nn.Module,), {})()()


# ------------------------------------------------------------------------------------------------------------ scopes


class Where(nn.Module):
    """Give the place in which it was called."""

    def __init__(self, log):
        self.log = lambda: log.append((ag.current_scope().path, ag.current_scope().kind))

    def forward(self, x):
        self.log()
        return x


def test_paths_are_relative_to_the_outermost_module_called():
    log = []
    leaf = Where(log)
    model = nn.Sequential(nn.Sequential(leaf), leaf)
    model(1)
    model[0](1)
    leaf(1)
    assert log == [("0.0", "Where"), ("0.0", "Where"), ("0", "Where"), ("Where", "Where")]


def test_paths_follow_a_change_of_the_tree():
    log = []
    model = nn.Sequential(OrderedDict(a=Where(log), b=nn.Identity()))
    model(1)
    model._items["c"] = model._items.pop("a")
    model[0] = nn.ReLU()
    model(np.ones(1))
    assert [path for path, _ in log] == ["a", "c"]


def test_paths_inside_lists_and_no_grad_and_user_scopes():
    log = []

    class Holder(nn.Module):
        def __init__(self):
            self.parts = [nn.ModuleList([Where(log)])]

        def forward(self, x):
            with ag.scope("stage"):
                return self.parts[0][0](x)

    holder = Holder()
    with ag.no_grad():
        holder(1)
    holder(1)
    Where(log)(1)
    assert [path for path, _ in log] == ["stage.parts.0.0", "stage.parts.0.0", "Where"]
    assert ag.current_scope() is None


def test_scope_is_left_when_forward_raises():
    model = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(ShapeError, match="Linear '0'"):
        model(np.ones((1, 3)))
    assert ag.current_scope() is None


def test_two_threads_call_one_model():
    log, failures = [], []
    model = nn.Sequential(Where(log), nn.Sequential(Where(log)))

    def run():
        try:
            for _ in range(200):
                model(1)
                assert ag.current_scope() is None
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert set(log) == {("0", "Where"), ("1.0", "Where")}


# -------------------------------------------------------------------------------------------------------- containers


def test_sequential():
    a, b, c = nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)
    model = nn.Sequential(a, b, c)
    assert (len(model), model[0], model[-1], list(model)) == (3, a, c, [a, b, c])
    assert list(model[1:].state_dict()) == ["1.weight", "1.bias"]
    assert model.append(nn.Sigmoid())([[1.0, 2.0]]).shape == (1, 1)
    named = nn.Sequential({"first": a, "second": b})
    assert named.first is a
    assert list(named.state_dict()) == ["first.weight", "first.bias"]
    assert named[:1].first is a
    with pytest.raises(AttributeError, match="no attribute 'third'"):
        _ = named.third
    with pytest.raises(IndexError, match="Sequential has 2 modules; there is no index 5"):
        _ = named[5]


def test_module_list():
    layers = nn.ModuleList([nn.Linear(1, 1) for _ in range(2)])
    extra = nn.ReLU()
    layers.append(extra).extend([nn.Tanh()])
    layers.insert(0, nn.Sigmoid())
    assert extra in layers
    assert [type(m).__name__ for m in layers] == ["Sigmoid", "Linear", "Linear", "ReLU", "Tanh"]
    del layers[0]
    layers[0] = nn.Linear(2, 2)
    assert list(layers.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert len(layers[1:3]) == 2
    with pytest.raises(NotImplementedError, match="ModuleList only holds modules"):
        layers(1)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: nn.Sequential(nn.ReLU), "item '0' is the class ReLU; call it"),
        (
            lambda: nn.Sequential(nn.ReLU(), np.tanh),
            "Sequential holds modules; item '1' is ufunc. Wrap a function in a Module",
        ),
        (lambda: nn.ModuleList([1]), "ModuleList holds modules; item '0' is int"),
    ],
)
def test_containers_hold_modules_only(build, message):
    with pytest.raises(TypeError, match=message):
        build()


def test_names_in_sequential():
    with pytest.raises(ArgumentError, match=r"'a\.b' cannot name a module"):
        nn.Sequential({"a.b": nn.ReLU()})


# -------------------------------------------------------------------------------------------------------------- look


def test_repr():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 1, bias=False)))
    model[0].bias.requires_grad = False
    assert repr(model).splitlines() == [
        "Sequential                      48  parameters",
        "  0: Linear(4 -> 8)             40  weight (8, 4), bias (8,) frozen",
        "  1: ReLU",
        "  2: Sequential                  8",
        "    0: Linear(8 -> 1, no bias)   8  weight (1, 8)",
    ]
    assert repr(nn.ReLU()) == "ReLU"
    assert repr(nn.MSELoss("sum")) == "MSELoss(sum)"


def test_control_characters_in_names_are_written_out():
    model = nn.Sequential({"a\x1b[2J\nb": nn.Tanh()})
    model.held = {"c\x1b": nn.Parameter([1.0])}
    for text in (repr(model), model._repr_html_()):
        assert r"a\x1b[2J\nb: Tanh" in text
        assert r"held.c\x1b (1,)" in text
        assert "\x1b" not in text
    with pytest.raises(ArgumentError, match=r"missing: held.c\\x1b"):
        model.load_state_dict({})


def test_html():
    page = nn.Sequential({"<b>": nn.Linear(4, 8)})._repr_html_()
    assert "&lt;b&gt;: Linear(4 -&gt; 8)" in page
    assert "<b>" not in page
    assert "weight (8, 4)" in page
    assert page.count("<tr>") == 3


def test_the_names_of_many_modules_are_found_in_one_go(monkeypatch):
    """Each looked up by itself, n modules took n² steps: 20 s for 3,000."""
    model = nn.Sequential(*[nn.ReLU() for _ in range(150)])
    looks = []
    find = nn.Sequential.named_modules
    monkeypatch.setattr(nn.Sequential, "named_modules", lambda self, **how: looks.append(1) or find(self, **how))
    steps = ag.record(model, ag.Tensor(np.ones((2, 3)), requires_grad=True)).steps
    assert [step.scope.path for step in steps] == [str(i) for i in range(150)]  # also where a run is cut into chains
    assert len(looks) == 1


def test_a_module_put_into_a_plain_list_later_has_its_name():
    class Net(nn.Module):
        def __init__(self):
            self.steps = [nn.ReLU()]

        def forward(self, x):
            for step in self.steps:
                x = step(x)
            return x

    net, x = Net(), ag.Tensor(np.ones((2, 3)), requires_grad=True)
    assert [step.scope.path for step in ag.record(net, x).steps] == ["steps.0"]
    net.steps.append(nn.Tanh())
    assert [step.scope.path for step in ag.record(net, x).steps] == ["steps.0", "steps.1"]


class Counting(nn.Module):
    def __init__(self):
        self.weight = nn.Parameter(np.ones(2))
        self.register_buffer("seen", np.zeros(2, np.int64))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"weight": np.array([1.0, 1e300])}, r"too large: weight \(holds 1e\+300, which float32 cannot\)"),
        ({"seen": np.array([1.0, 0.5])}, r"not whole: seen \(its dtype is int64\)"),
        ({"seen": np.array([1.0, np.nan])}, r"not whole: seen"),
    ],
)
def test_numbers_that_would_be_lost_are_refused(state, message):
    model = Counting().astype(np.float32)
    before = model.state_dict()
    with pytest.raises(ArgumentError, match=message):
        model.load_state_dict({**before, **state})
    for name, value in model.state_dict().items():
        assert np.array_equal(value, before[name])


def test_numbers_that_round_are_taken():
    model = Counting().astype(np.float32)
    model.load_state_dict({"weight": np.array([0.1, np.inf]), "seen": np.array([1.0, 2.0])})
    assert model.weight.numpy().tolist() == [np.float32(0.1), np.inf]
    assert model.seen.tolist() == [1, 2]
