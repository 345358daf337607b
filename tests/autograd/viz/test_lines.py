"""The line of the user's program that made a value, in each view, where a debugger watched."""

import json

import numpy as np
import pytest
from graphs import leaf

import autograd as ag
import nn
from autograd.viz import table

HERE = "test_lines.py:"


def watched(x):
    with ag.detect_anomaly(check_nan=False):
        h = np.tanh(x)
        return ag.relu(h - 2.0).sum()


VIEWS = {
    "outline": lambda y, x: str(ag.draw(y)),
    "hover": lambda y, x: ag.draw(y).source,
    "table": lambda y, x: table.write(ag.draw(y).view),
    "json": lambda y, x: ag.draw(y).render("json").decode(),
    "page": lambda y, x: ag.draw(y).render("html").decode(),
    "expanded": lambda y, x: str(ag.draw(y, expand=True)),
    "explain": lambda y, x: str(ag.explain(y, x)),
    "explain in LaTeX": lambda y, x: ag.explain(y, x)._repr_latex_().replace("\\_", "_"),
    "replay": lambda y, x: "\n".join(ag.replay(y).steps),
    "diff": lambda y, x: str(ag.diff(y, np.sin(x).sum())),
}


@pytest.mark.parametrize("size", [3, 100])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_tells_the_line(view, size):
    """Arrays that the graph does not keep are computed again for a view, and know their lines all the same."""
    x = leaf(np.ones(size), "x")
    assert HERE in VIEWS[view](watched(x), x)


@pytest.mark.parametrize("size", [3, 100])
def test_after_backward_too(size):
    x = leaf(np.ones(size), "x")
    y = watched(x)
    y.backward()
    lines = [node["line"] for node in json.loads(ag.draw(y).render("json"))["nodes"] if node["op"]]
    assert len(lines) == 4
    assert all(line.startswith(HERE) for line in lines)
    assert f"masked at v3 = relu(v2) ({HERE}" in str(ag.why_none(x, y))


def test_what_a_fused_op_is_made_of_has_its_line():
    x, w = leaf(np.ones((2, 3)), "x"), leaf(np.ones((2, 3)), "w")
    with ag.detect_anomaly(check_nan=False):
        loss = nn.CrossEntropyLoss()(x * w, [0, 1])
    made = [item for item in ag.draw(loss, expand=True).view.items if item.op]
    assert len(made) > 3
    assert all(item.line.startswith(HERE) for item in made)


def test_the_table_has_no_empty_column():
    x = leaf(np.ones(3), "x")
    assert ">line<" not in table.write(ag.draw(np.tanh(x).sum()).view)
