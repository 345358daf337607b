"""ModuleDict: a dict with a place in the tree."""

import copy
import pickle

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError


class Heads(nn.Module):
    """Apply one of several heads."""

    def __init__(self):
        self.heads = nn.ModuleDict({"age": nn.Linear(2, 1, rng=0), "items": nn.Linear(2, 3, rng=1)})

    def forward(self, x, name):
        return self.heads[name](x)


def test_it_is_a_dict():
    a, b = nn.Linear(1, 1), nn.ReLU()
    held = nn.ModuleDict([("a", a)])
    held["b"] = b
    assert (list(held), len(held), "b" in held, "c" in held) == (["a", "b"], 2, True, False)
    assert list(held.items()) == [("a", a), ("b", b)]
    assert (list(held.keys()), list(held.values())) == (["a", "b"], [a, b])
    held.update({"a": b})
    assert held["a"] is b
    assert held.pop("a") is b
    del held["b"]
    held["c"] = a
    held.clear()
    assert len(held) == 0


def test_its_modules_stand_in_the_tree_under_their_names():
    model = Heads()
    assert [name for name, _ in model.named_parameters()] == [
        "heads.age.weight", "heads.age.bias", "heads.items.weight", "heads.items.bias",
    ]  # fmt: skip
    assert model([[1.0, 2.0]], "items").shape == (1, 3)
    model.heads["sex"] = nn.Linear(2, 2, rng=2)
    assert "heads.sex.bias" in model.state_dict()
    del model.heads["age"]
    assert "heads.age.bias" not in model.state_dict()
    assert not model.eval().heads["sex"].training
    assert repr(model).splitlines()[1:3] == [
        "  heads: ModuleDict        15",
        "    items: Linear(2 -> 3)   9  weight (3, 2), bias (3,)",
    ]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))], ids=["copy", "pickle"])
def test_copies(copied):
    model = Heads()
    other = copied(model)
    other.heads["age"].weight.data[...] = 0
    assert model.heads["age"].weight.data.any()
    assert list(other.state_dict()) == list(model.state_dict())


@pytest.mark.torch
def test_pytorchs_state_loads():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.ModuleDict({"age": torch.nn.Linear(2, 1), "sex": torch.nn.Linear(2, 3)})
    ours = nn.ModuleDict({"age": nn.Linear(2, 1), "sex": nn.Linear(2, 3)})
    ours.load_state_dict(theirs.state_dict())
    np.testing.assert_array_equal(ours["sex"].weight.data, theirs["sex"].weight.detach().numpy())


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: nn.ModuleDict({"a.b": nn.ReLU()}), ArgumentError, "'a.b' cannot name a module; use a string without"),
        (lambda: nn.ModuleDict({1: nn.ReLU()}), ArgumentError, "ModuleDict: 1 cannot name a module"),
        (lambda: nn.ModuleDict({"a": nn.ReLU}), TypeError, "item 'a' is the class ReLU; call it."),
        (lambda: nn.ModuleDict({"a": abs}), TypeError, "holds modules; item 'a' is builtin_function_or_method."),
        (lambda: nn.ModuleDict({"a": nn.ReLU()})["b"], KeyError, "ModuleDict has no module 'b', only 'a'."),
        (lambda: nn.ModuleDict().pop("b"), KeyError, "ModuleDict has no module 'b', only none."),
        (lambda: nn.ModuleDict()(1), NotImplementedError, "ModuleDict only holds modules. Call its items"),
    ],
)  # fmt: skip
def test_messages(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


def test_a_refused_item_changes_nothing():
    held = nn.ModuleDict({"a": nn.ReLU()})
    with pytest.raises(TypeError):
        held.update({"b": nn.ReLU(), "c": abs})
    assert list(held) == ["a"]
