"""The default picture belongs on a slide: large enough to be read, no staircase, with all that has a name."""

import os
import re
import time

import numpy as np
import pytest
from graphs import chain, leaf
from nets import NETS, backward

import autograd as ag
import nn
from autograd.viz import engine

SLIDE = 1920, 1080


def measure(picture):
    """Give width to height, and the size in pixels of the smallest text in a box when the picture fills the slide."""
    svg = picture.svg
    width, height = (float(x) for x in re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', svg).groups())
    boxes = dict(re.findall(r'<g id="([vf][^"]*)" class="[^"]*">(.*?)</g>', svg, re.DOTALL))
    assert boxes.keys() == {item.id for item in picture.view.items}  # else nothing was measured
    texts = [text for box in boxes.values() for text in re.findall("<text([^>]*)>", box)]
    assert len(texts) > len(boxes)
    sizes = [re.search(r'font-size="([\d.]+)', text) for text in texts]
    least = min(float(size[1]) if size else 12.0 for size in sizes)  # what says nothing has the size of the picture
    assert f'font-size="{12}"' in svg
    return width / height, least * min(SLIDE[0] / width, SLIDE[1] / height)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("engine_name", [engine.WHEEL, "dot", engine.BUILT_IN])
@pytest.mark.parametrize("ran", ["before", "after", "kept"])
def test_default_picture_fits_a_slide(name, engine_name, ran, monkeypatch):
    if engine_name != engine.BUILT_IN and engine._locate(engine_name) is None:
        pytest.skip(f"no {engine_name} here")
    monkeypatch.setenv(engine.VARIABLE, engine_name)
    roots, names = NETS[name]()
    if ran == "after":
        backward(roots)
    elif ran == "kept":
        for root in roots if isinstance(roots, list) else [roots]:
            root.backward(retain_graph=True)
    start = time.process_time()
    picture = ag.draw(roots, names=names)
    source = picture.source
    drawing = time.process_time() - start
    started = os.times()
    engine.layout(source, "svg")
    ended = os.times()
    layout = ended.children_user + ended.children_system - started.children_user - started.children_system
    aspect, text = measure(picture)
    assert 0.8 <= aspect <= 2.4
    assert text >= 12.0
    assert 0.0 < layout + drawing <= 2.0  # seconds of processor time


@pytest.mark.parametrize("name", NETS)
def test_nothing_changes_its_place_by_backward(name):
    """Direction, rows and boxes come from the structure alone."""
    roots, names = NETS[name]()
    before = ag.draw(roots, names=names).view
    backward(roots)
    after = ag.draw(roots, names=names).view
    assert (before.rankdir, before.starts) == (after.rankdir, after.starts)
    assert [item.id for item in before.items] == [item.id for item in after.items]
    assert [arrow.wraps for arrow in before.arrows] == [arrow.wraps for arrow in after.arrows]


def places(source):
    """Ask the engine where the middle of each box is."""
    plain = engine.layout(source, "plain").decode()
    lines = [line.split() for line in plain.splitlines() if line.startswith("node")]
    return {name: (float(x), float(y)) for _, name, x, y, *_ in lines}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("engine_name", [engine.WHEEL, "dot"])
def test_rows_stand_in_the_order_of_the_computation(name, engine_name, monkeypatch):
    """The first boxes of the rows stand in one line, one row below (or beside) the other, and so do all that follow."""
    if engine._locate(engine_name) is None:
        pytest.skip(f"no {engine_name} here")
    monkeypatch.setenv(engine.VARIABLE, engine_name)
    roots, names = NETS[name]()
    picture = ag.draw(roots, names=names)
    at, view = places(picture.source), picture.view
    along, across = (0, 1) if view.rankdir == "LR" else (1, 0)
    starts = [at[start] for start in view.starts]
    sign = -1 if view.rankdir == "LR" else 1
    assert [sign * place[across] for place in starts] == sorted(sign * place[across] for place in starts)
    assert len({round(place[along], 1) for place in starts}) <= 1
    for arrow in view.arrows:
        if not arrow.wraps and at.keys() >= {arrow.source, arrow.target}:
            ahead = at[arrow.target][along] - at[arrow.source][along]
            assert ahead * (1 if view.rankdir == "LR" else -1) > 0


def test_the_model_has_the_name_that_the_caller_gave():
    model = nn.MLP(2, [4, 1], rng=0)
    y = model([[1.0, 2.0]])
    picture = ag.draw(y, names={"model": model, "y": y})
    assert "[model (MLP)]" in str(picture)
    assert {item.place for item in picture.view.items if item.place} <= {
        "model.layers.0 Layer",
        "layers.1 Layer",
        "model.layers.1 Layer",
    }
    assert [item.name for item in ag.draw(y, names={"model": model}, depth=0).view.items if item.kind == "fold"] == [
        "model"
    ]


HOLDERS = {
    "a list": (lambda h: {"h": [h]}, "h[0]"),
    "a tuple": (lambda h: {"h": (None, h)}, "h[1]"),
    "a dict": (lambda h: {"h": {"gate": h}}, "h['gate']"),
    "a name of its own first": (lambda h: {"all": [h], "h": h}, "h"),
    "what a notebook printed": (lambda h: {"Out": {3: h}, "_3": h, "_i3": h, "__": h, "_oh": {3: h}}, ""),
    "hidden": (lambda h: {"_h": h}, "_h"),
}


@pytest.mark.parametrize("case", HOLDERS)
def test_names_of_what_lists_hold(case):
    names, name = HOLDERS[case]
    h = leaf(2.0) * 3.0
    (item,) = [item for item in ag.draw(h * h, names=names(h)).view.items if item.id == "v1"]
    assert item.name == name


@pytest.mark.parametrize("name", NETS)
def test_names_and_results_are_there(name):
    """Every result has a box, and every Tensor with a name (ten steps of data are new Tensors, without one)."""
    roots, names = NETS[name]()
    roots = roots if isinstance(roots, list) else [roots]
    items = ag.draw(roots, names=names).view.items
    named = {key for key, x in names.items() if isinstance(x, ag.Tensor)} - ({"x"} if name == "lstm" else set())
    results = {key for key, x in names.items() if any(x is y for y in roots)}
    assert len(results) == len(roots)
    assert named <= {item.name for item in items}
    assert results == {item.name for item in items if item.root}


DATA = {"a matrix": [[1.0, 2.0]], "a large one": np.ones((40, 2)), "a row": [1.0, 2.0]}


@pytest.mark.parametrize("data", DATA)
def test_a_name_stays_where_a_layer_converts_the_data(data):
    """A Tensor of doubles in a layer of float32 is still what the caller calls x, and one box for all its uses."""
    x, m = ag.Tensor(DATA[data]), nn.Linear(2, 2, rng=0)
    y = (m(x) + m(x)).sum()
    y.backward()
    assert [item.name for item in ag.draw(y, names=dict(x=x, y=y)).view.items].count("x") == 1


def test_a_number_in_a_product_has_no_name_that_nobody_gave():
    (card,) = [item for item in ag.draw(leaf(2.0, "w") * ag.Tensor(3.0)).view.items if item.op]
    assert [(part.name, part.unnamed) for part in card.parts] == [("", False)]


def test_weights_stand_in_the_card_of_their_layer():
    y = nn.Linear(3, 2, rng=0)(np.ones((4, 3), "f")).sum()
    y.backward()
    (card,) = [item for item in ag.draw(y).view.items if item.parts]
    assert card.says == "v2 Wᵀ + b"
    assert card.place == "Linear"
    assert [(part.name, part.shape) for part in card.parts] == [("weight", (2, 3)), ("bias", (2,))]
    np.testing.assert_array_equal(card.parts[1].grad, [4.0, 4.0])
    assert "weight (2, 3) float32 | data" in str(ag.draw(y))


SAID = {
    "slice": (lambda a: a[2:5], "a[2:5]"),
    "rows": (lambda a: a[:, None], "a[:, None]"),
    "sum": (lambda a: a.sum(), "sum(a)"),
    "product": (lambda a: a * 2.0, "a · 2"),
    "square": (lambda a: a**2, "a²"),
    "tanh": (lambda a: np.tanh(a), "tanh(a)"),
    "einsum": (lambda a: np.einsum("i,i->", a, a), "einsum i,i→"),
}


@pytest.mark.parametrize("name", SAID)
def test_a_card_says_what_it_is(name):
    f, said = SAID[name]
    view = ag.draw(f(leaf(np.arange(6.0), "a"))).view
    assert [item.says for item in view.items if item.root] == [said]


def test_blocks_of_one_form_are_one_box():
    loss, names = NETS["residual"]()
    loss.backward()
    picture = ag.draw(loss, names=names)
    assert [item.name for item in picture.view.items if item.kind == "fold"] == ["model.blocks.0 … 5 (×6)"]
    assert picture.folded == ["6 Blocks of one form: blocks.0 … 5 (×6)"]


@pytest.mark.parametrize("depth", [3, 6, 9])
def test_numbered_modules_with_numbered_modules_inside_are_one_box(depth):
    layers = [nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, rng=k) for k in range(depth)]
    model, x = nn.Sequential(*layers), np.random.default_rng(0).normal(size=(2, 5, 8)).astype("f")
    loss = model(x).mean()
    loss.backward()
    picture = ag.draw(loss, names={"model": model, "loss": loss})
    assert [item.name for item in picture.view.items if item.kind == "fold"] == [f"model.0 … {depth - 1} (×{depth})"]
    assert "skip : main path" in str(picture)


def test_layers_in_turns_are_rolled_up():
    model = nn.Sequential(*[layer for k in range(9) for layer in (nn.Linear(6, 6, rng=k), nn.Tanh())])
    loss = model(np.ones((20, 6), "f")).mean()
    loss.backward()
    assert ag.draw(loss).folded == ["8 repeats of 2 ops rolled up"]


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.RNN])
def test_weights_of_an_op_with_several_results_stand_in_its_card(kind):
    out, _ = kind(3, 5, rng=0)(np.ones((6, 2, 3), "f"))
    loss = (out**2).mean()
    loss.backward()
    picture = ag.draw(loss)
    (card,) = [item for item in picture.view.items if any(part.state != "const" for part in item.parts)]
    names = [part.name for part in card.parts if part.state == "ok"]
    assert names == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    assert "<B>weight_ih_l0</B>" in picture.source


def test_three_calls_of_one_module_are_three_cards_with_one_weight():
    f = nn.Linear(3, 3, rng=0)
    y = f(f(f(np.ones((1, 3), "f")))).sum()
    y.backward()
    view = ag.draw(y).view
    first, second, third = [item for item in view.items if item.op == "linear"]
    assert [first.says, second.says, third.says] == [f"{x} Wᵀ + b" for x in ("v2", first.id, second.id)]
    assert len([arrow for arrow in view.arrows if arrow.source == "v0"]) == 3


def test_three_calls_of_a_folded_module_are_three_boxes():
    """A GAN's judge sees what is real, what is not, and that again for the generator; its weights count once."""
    losses, names = NETS["gan"]()
    backward(losses)
    view = ag.draw(losses, names=names).view
    boxes = {item.id: dict(item.facts) for item in view.items if item.name == "judge"}
    assert [facts["call"] for facts in boxes.values()] == ["1 of 3", "2 of 3", "3 of 3"]
    assert [facts["parameters"] for facts in boxes.values()] == ["33", *["33, those of call 1"] * 2]
    assert {facts["in → out"] for facts in boxes.values()} == {"(16, 2) → (16, 1)"}
    assert not [arrow for arrow in view.arrows if {arrow.source, arrow.target} <= boxes.keys()]
    (fake,) = [arrow.target for arrow in view.arrows if arrow.source == "v11"]
    assert boxes[fake]["call"] == "3 of 3"


def test_calls_that_follow_each_other_are_one_box_that_counts_them():
    loss, names = NETS["lstm"]()
    loss.backward()
    (cell,) = [item for item in ag.draw(loss, names=names).view.items if item.name == "cell"]
    assert dict(cell.facts)["each used"] == "10 times"
    first, last = map(float, dict(cell.facts)["rms grad first … last use"].split(" … "))
    assert 0 < first < last  # the gradient vanishes on its way back through the steps


def test_a_number_in_a_module_stands_in_the_card():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.s = nn.Parameter(np.float32(2.0))

        def forward(self, x):
            return x * self.s

    y = Scale()(leaf(np.ones(3), "x")).sum()
    y.backward()
    assert "<svg" in ag.draw(y).svg


def test_a_graph_of_many_ops_is_folded_until_it_fits():
    picture = ag.draw(chain(3_000))
    _, text = measure(picture)
    assert picture.folded
    assert text >= 12.0


def test_more_results_than_fit_are_all_drawn():
    """None of them may be folded away, so the picture is larger than a slide."""
    results = [leaf(float(k), f"r{k}") for k in range(60)]
    assert {item.name for item in ag.draw(results).view.items} == {f"r{k}" for k in range(60)}
    assert "<svg" in ag.draw(results).svg
