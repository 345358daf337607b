"""Every view of three hundred random graphs, before and after each kind of backward: no crash, nothing untrue."""

import numpy as np
import pytest
from random_graphs import random_graph

import autograd as ag
from autograd.errors import GraphError

BACKWARDS = {
    "before": lambda root: None,
    "plain": lambda root: root.backward(),
    "kept": lambda root: root.backward(retain_graph=True),
    "twice": lambda root: (root.backward(retain_graph=True), root.backward()),
    "create_graph": lambda root: root.backward(create_graph=True),
}
GROUPS = [0, *(pytest.param(group, marks=pytest.mark.whole) for group in range(1, 6))]  # of 10 graphs each


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def attempt(f):
    """Give a result, or what the error says."""
    try:
        return f(), ""
    except GraphError as error:
        return None, str(error)


def is_foul(text):
    return any(ord(c) < 32 and c != "\n" for c in text)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("ran", BACKWARDS)
def test_views_of_random_graphs(ran, group):
    start = 1_000 * list(BACKWARDS).index(ran) + 10 * group
    for seed in range(start, start + 10):
        root, pool, names = random_graph(seed)
        BACKWARDS[ran](root)
        chosen = names if seed % 2 else None
        pictures = [
            ag.draw(root, names=chosen),
            ag.draw([root, *pool[-2:]], names=chosen),
            ag.draw(root, max_nodes=500),
        ]
        for picture in pictures:
            assert not is_foul(str(picture))
            assert not is_foul(picture.source)
            picture.render("json")
        agrees(pictures[-1].view, seed)
        replayed, error = attempt(lambda root=root, chosen=chosen: ag.replay(root, names=chosen))
        if replayed is None:
            assert "retain_graph=True" in error
            assert ran in ("plain", "twice")
        else:
            assert not is_foul("".join(replayed.steps))
        for x in [x for x in pool if x.is_leaf and x.requires_grad and x.size][:2]:
            explained(root, x, chosen, ran)


def explained(root, x, names, ran):
    """The explained derivative of the first element is the one that backward gives, or it is said why there is none."""
    index = (0,) * x.ndim if x.ndim else None
    explanation, error = attempt(lambda: ag.explain(root, x, names=names, index=index))
    if explanation is None:
        assert "why_none" in error or ("retain_graph=True" in error and ran in ("plain", "twice"))
        return
    assert not is_foul(str(explanation) + explanation._repr_latex_())
    if x.grad is not None and ran != "twice":
        np.testing.assert_allclose(explanation.total, x.grad.numpy()[index or ()], rtol=1e-9, atol=1e-12)


def agrees(view, seed):
    """The colour of a number is that of its size, and a value with one use has what its edge added."""
    uses = {}
    for arrow in view.arrows:
        uses.setdefault(arrow.source, []).append(arrow)
    for item in view.items:
        if item.kind != "value" or item.grad is None or not np.size(item.grad):
            continue
        if item.state == "ok":
            size = np.sqrt(np.mean(np.square(np.asarray(item.grad, np.float64))))
            assert item.size == pytest.approx(size, rel=1e-6), seed
        shares = [arrow.share for arrow in uses.get(item.id, []) if arrow.state != "made"]
        if len(shares) == 1 and shares[0] is not None and not item.root:
            np.testing.assert_allclose(shares[0], item.grad, rtol=1e-9, atol=1e-12)
