"""``who_holds``: each graph that a program keeps alive by mistake is found with its holder, and no other."""

import collections
import gc
import types

import numpy as np
import pytest

import autograd as ag
import nn

N = 50_000


def leaf(value, name=None):
    return ag.Tensor(value, requires_grad=True, name=name)


def graph(x):
    return (np.tanh(x) ** 2).sum()


def in_a_list(x, keep):
    keep.history = [graph(x) for _ in range(3)]


def in_a_dict(x, keep):
    keep.logs = {"loss": graph(x)}


def in_a_closure(x, keep):
    y = graph(x)
    keep.callback = lambda: y


def as_an_attribute(x, keep):
    keep.model = types.SimpleNamespace(last=graph(x))


def in_an_array_of_objects(x, keep):
    keep.queue = collections.deque([graph(x)])


def nested(x, keep):
    keep.epochs = [{"losses": (graph(x), 1.0)}]


def in_a_running_sum(x, keep):
    keep.total = sum(graph(x) for _ in range(4))


def in_a_module(x, keep):
    keep.net = nn.Linear(2, 2, rng=0)
    keep.net.state = graph(x)


def as_a_hidden_state(x, keep):
    keep.h = x
    for _ in range(5):
        keep.h = np.tanh(keep.h)


PLANTED = {  # program -> holders, graphs, ops of each, arrays of N numbers that each keeps
    in_a_list: (["keep.history[0]", "keep.history[1]", "keep.history[2]"], 3, 1),
    in_a_dict: (["keep.logs['loss']"], 3, 1),
    in_a_closure: (["keep.callback (closed over)"], 3, 1),
    as_an_attribute: (["keep.model.last"], 3, 1),
    in_an_array_of_objects: (["keep.queue (a deque)"], 3, 1),
    nested: (["keep.epochs[0]['losses'][0]"], 3, 1),
    in_a_running_sum: (["keep.total"], 16, 4),
    in_a_module: (["keep.net.state"], 3, 1),
    as_a_hidden_state: (["keep.h"], 5, 5),
}


@pytest.mark.parametrize("program", PLANTED, ids=lambda program: program.__name__)
def test_a_graph_that_is_kept_is_found_with_its_holder(program):
    holders, ops, arrays = PLANTED[program]
    x, keep = leaf(np.ones(N)), types.SimpleNamespace()
    program(x, keep)
    found = ag.who_holds(x)
    where = " in test_a_graph_that_is_kept_is_found_with_its_holder"
    said = [graph.holders[0].replace(where, "") for graph in found]
    assert sorted(said) == sorted(holders)
    assert {graph.ops for graph in found} == {ops}
    assert {graph.bytes for graph in found} == {arrays * N * 8}
    assert not any(graph.released for graph in found)


def test_what_is_let_go_of_is_not_listed():
    x = leaf(np.ones(N))
    for _ in range(3):
        y = graph(x)
        y.backward()
    del y
    assert not ag.who_holds(x)
    assert str(ag.who_holds(x)) == "0 live graphs, 0 B kept for backward"


@pytest.mark.parametrize("use", [lambda y: y.item(), lambda y: y.detach(), lambda y: y.numpy().copy(), float])
def test_numbers_keep_no_graph(use):
    x, y = leaf(np.ones(N)), None
    y = graph(x)
    if use is float:
        y.backward()
    history = [use(y)]
    del y
    assert not ag.who_holds(x)
    assert len(history) == 1


def test_what_backward_released_is_said_to_be_small():
    x = leaf(np.ones(N))
    y = graph(x)
    y.backward()
    (found,) = ag.who_holds(x)
    assert found.released
    assert found.bytes < 100
    assert "released by backward" in str(found)


def test_the_line_that_made_it_where_somebody_watched():
    x = leaf(np.ones(N))
    with ag.detect_anomaly(check_nan=False):
        y = np.tanh(x).sum()
    (found,) = ag.who_holds(y)
    assert found.line.endswith("y = np.tanh(x).sum()")
    assert f"made at {found.line}" in str(found)


def test_the_text():
    x = leaf(np.ones(N))
    history = [np.tanh(x)]
    assert str(ag.who_holds(history[0])) == (
        f"1 live graph, 400.0 kB kept for backward\n  tanh ({N},): 1 op, 400.0 kB, held by history in test_the_text[0]"
    )


def test_without_an_argument_all_are_listed_the_largest_first():
    gc.collect()
    a, b = leaf(np.ones(N)), leaf(np.ones(10))
    large, small = graph(a), graph(b)
    found = [g.bytes for g in ag.who_holds()]
    assert found == sorted(found, reverse=True)
    assert {400_000, 160} <= {*found}
    assert large.size == small.size == 1


def test_nothing_is_kept_alive_by_asking():
    x = leaf(np.ones(N))
    y = graph(x)
    ag.who_holds()
    ag.who_holds(y)
    del y
    assert not ag.who_holds(x)


def test_what_is_refused():
    with pytest.raises(ag.AutogradError, match="who_holds needs a Tensor"):
        ag.who_holds(3.0)


class TestMemoryInPictures:
    def test_each_op_says_what_it_keeps(self):
        x = leaf(np.ones(N), "x")
        y = (np.exp(x) * np.tanh(x)).sum()
        picture = ag.draw(y, show="memory")
        notes = {item.op: item.note for item in picture.view.items if item.op}
        assert notes == {"exp": "keeps 400.0 kB", "tanh": "keeps 400.0 kB", "multiply": "", "sum": ""}
        assert "kept for backward: 800.0 kB" in str(picture)
        assert "keeps 400.0 kB" in picture.source
        assert "keeps 400.0 kB" not in ag.draw(y).source

    def test_after_backward_it_is_gone(self):
        y = graph(leaf(np.ones(N), "x"))
        y.backward()
        assert "(backward has let go of the large arrays)" in str(ag.draw(y, show="memory"))
        assert "400.0 kB" not in str(ag.draw(y, show="memory"))

    def test_a_module_that_is_folded_keeps_what_its_ops_keep(self):
        y = nn.MLP(4, [64, 64, 1], "tanh", rng=0)(np.ones((100, 4), "f")).sum()
        picture = ag.draw(y, depth=0, show="memory")
        (fold,) = [item for item in picture.view.items if item.kind == "fold"]
        assert dict(fold.facts)["keeps"].endswith("kB")

    def test_what_is_refused(self):
        with pytest.raises(ag.AutogradError, match="show must be 'memory'"):
            ag.draw(leaf(1.0) * 2.0, show="time")
