"""What a picture says about each gradient, and that the edges add up."""

import numpy as np
import pytest
from graphs import GRAPHS, chain, double, expression, leaf, states

import autograd as ag
import nn
from autograd.viz.fitting import build
from autograd.viz.ledger import Ledger
from autograd.viz.snapshot import Snapshot
from autograd.viz.theme import LIGHT, STATES, THEMES, check_palettes
from autograd.viz.wording import grad_text


def items(root, names=None, **options):
    return {item.name or item.id: item for item in build([root], names=names, **options).items}


def test_before_backward_nothing_is_shown_as_zero():
    root, names = expression()
    view = build([root], names=names)
    assert {item.state for item in view.items if item.kind == "value"} == {"none"}
    assert all(item.grad is None for item in view.items)
    assert view.banner == "Gradients are not computed yet: call .backward() on the result, then draw again."
    assert "0.0000 | grad 0" not in str(ag.draw(root, names=names))
    assert grad_text(view.items[0]) == "–"


def test_each_state_after_backward():
    root, names = states()
    with np.errstate(all="ignore"):
        root.backward()
    found = items(root, names)
    expected = dict(x="masked", z="zero", u="bad", w="ok", k="const", big="ok", y="ok")
    assert {name: found[name].state for name in expected} == expected
    lost = [item for item in found.values() if item.op == "sin"]
    assert [item.state for item in lost] == ["lost"]
    assert set(expected.values()) | {"lost", "none"} == set(STATES)


def test_states_differ_in_more_than_colour():
    words = [(words, border) for _, _, border, words, _ in STATES.values()]
    assert len(set(words)) >= len(words) - 1
    assert STATES["zero"][3] != STATES["none"][3]


def test_legend_explains_the_states_that_occur():
    root, names = states()
    with np.errstate(all="ignore"):
        root.backward()
    source = ag.draw(root, names=names).source
    for state in ("zero", "masked", "bad", "lost", "const"):
        assert STATES[state][4] in source
    assert STATES["none"][4] not in source
    assert "size of the gradient" in source


@pytest.mark.parametrize("name", GRAPHS)
def test_gradient_is_the_sum_of_its_edges(name):
    root, names = GRAPHS[name]()
    with np.errstate(all="ignore"):
        root.backward(retain_graph=True)
    view = build([root], names=names)
    assert view.banner == ""
    sums = {}
    for arrow in view.arrows:
        if arrow.share is not None:
            sums[arrow.source] = sums.get(arrow.source, 0) + np.asarray(arrow.share)
    for item in view.items:
        if item.grad is not None and not item.root:
            np.testing.assert_allclose(sums[item.id], item.grad, rtol=1e-12)
    checked = [item for item in view.items if item.leaf and item.grad is not None]
    for item in checked:
        np.testing.assert_allclose(item.grad, names.get(item.name, item).grad if item.name in names else item.grad)
    assert checked


def test_accumulation_is_visible():
    y, names = double()
    y.backward()
    view = build([y], names=names)
    shares = [float(arrow.share) for arrow in view.arrows if arrow.source == "v0"]
    assert sorted(shares) == [3.0, 3.0, 6.0]
    assert float(names["a"].grad) == 12.0
    assert "grad 12.0000 = +3.0000 +3.0000 +6.0000" in str(ag.draw(y))


def test_a_wrong_gradient_is_noticed():
    """The ledger is a check: what was recorded must be the sum of what the rules give."""
    x = leaf(2.0)
    a = x * 3
    y, z = a * a, a * 5
    y.backward(retain_graph=True)
    z.backward()
    view = build([y])
    assert view.banner.startswith("Another backward passed through here since")
    assert [item.note for item in view.items if item.op and item.grad == 5.0] == ["≠"]


def test_backward_through_another_root_is_said():
    a = leaf(2.0, "a")
    b = a * a
    first, second = b * 3.0, b * 5.0
    first.backward(retain_graph=True)
    second.backward()
    assert build([first]).banner.startswith("Another backward")
    assert build([second]).banner == ""


def test_accumulated_grad_stands_beside_that_of_the_last_backward():
    a = leaf(2.0, "a")
    for _ in range(2):
        y = a * 3.0
        y.backward()
    assert float(items(y)["a"].total) == 6.0
    assert "grad 3.0000 | .grad 6.0000" in str(ag.draw(y))


@pytest.mark.parametrize(
    "value", [2.0, [1.0, 2.0], np.eye(2), np.eye(3), np.ones((4, 1)), np.ones((3, 4)), np.eye(2) - 1]
)
@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("steps", [[2.0, 2.0], [2.0, 0.0], [np.inf, 1.0]])
def test_accumulated_grad_is_drawn_for_any_shape(value, steps):
    w = leaf(value, "w")
    for step in steps:
        y = (w * step).sum()
        y.backward()
    assert ".grad" in ag.draw(y).svg
    assert ag.draw(y).svg.startswith("<svg")


def test_masked_reaches_back_through_the_graph():
    x, w = leaf(-1.0, "x"), leaf(2.0, "w")
    y = ag.relu(x * w)
    y.backward()
    found = items(y)
    assert [found[name].state for name in ("x", "w", "v2")] == ["masked"] * 3


@pytest.mark.parametrize(
    "cut",
    [
        lambda x: np.where(x > 0, x, 0.0),
        lambda x: np.clip(x, 0.0, 1.0),
        lambda x: np.maximum(x, 0.0),
        lambda x: ag.relu(x),
        lambda x: np.minimum(x, -5.0),
    ],
    ids=["where", "clip", "maximum", "relu", "minimum"],
)
def test_masks(cut):
    x = leaf(-1.0, "x")
    cut(x * 1.0).backward()
    root = leaf(0.0) + cut(x * 1.0)
    root.backward()
    assert {"masked"} <= {item.state for item in build([root]).items}


def test_masked_elements_of_an_array_are_counted():
    x = leaf([-1.0, 2.0, -3.0], "x")
    ag.relu(x).sum().backward()
    y = ag.relu(x).sum()
    y.backward()
    (cut,) = [arrow for arrow in build([y]).arrows if arrow.masked]
    assert (cut.masked, cut.state) == (2, "ok")
    assert "+[0  1  0], 2 of 3 masked" in ag.draw(y).source


def test_drawing_changes_nothing():
    root, names = expression()
    root.backward()
    before = [(t.data.copy(), None if t.grad is None else float(t.grad)) for t in names.values()]
    cots = [node.cotangent for node in Snapshot([root]).nodes]
    for _ in range(2):
        ag.draw(root, names=names).render("dot")
    assert [(t.data.copy(), None if t.grad is None else float(t.grad)) for t in names.values()] == before
    assert all(a is b for a, b in zip(cots, [node.cotangent for node in Snapshot([root]).nodes], strict=True))


def test_drawing_keeps_nothing_alive():
    root, _ = expression()
    picture = ag.draw(root)
    del root
    assert "v0" in picture.source


def test_values_changed_since_are_not_used():
    """After an optimizer step the ledger must not be worked out from the new weights."""
    w = leaf(2.0, "w")
    y = w * w
    y.backward()
    w.data = np.float64(5.0)
    view = build([y])
    assert [arrow.share for arrow in view.arrows] == [None, None]
    assert float(next(item for item in view.items if item.name == "w").grad) == 4.0


def test_float32_result_is_seen_as_computed():
    x = leaf(np.ones((2, 1), np.float32), "x")
    y = x.mean()
    y.backward()
    assert build([y]).banner == ""


def test_large_gradients_are_worked_out_when_the_graph_is_kept():
    x = leaf(np.linspace(0.0, 1.0, 100), "x")
    y = np.exp(np.sin(x)).sum()
    y.backward(retain_graph=True)
    states = [item.state for item in build([y]).items]
    assert states == ["ok"] * 4


def test_outputs_of_one_op_are_values_of_their_own():
    a = leaf([[2.0, 0.0], [0.0, 3.0]], "a")
    values, vectors = np.linalg.eigh(a)
    y = values.sum() + vectors[0, 0]
    y.backward()
    view = build([y])
    kinds = {item.kind for item in view.items}
    assert "outputs" in kinds
    assert sorted(arrow.argument for arrow in view.arrows if arrow.argument.startswith("[")) == ["[0]", "[1]"]


def test_palettes():
    assert check_palettes() == []
    assert all(theme.keys() == LIGHT.keys() for theme in THEMES.values())


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_legible(theme):
    """WCAG AA asks for a contrast of 4.5 between text and what it stands on."""
    c = THEMES[theme]
    pairs = [("ink", role) for role in ("page", "value", "leaf", "root", "zero", *(f"s{k}" for k in range(7)))]
    pairs += [("opink", "op"), ("badink", "bad"), ("maskedink", "masked"), ("noticeink", "notice"), ("ink", "fold")]
    pairs += [(f"t{k}", "page") for k in range(7)] + [("muted", "page"), ("muted", "value")]
    for text, ground in pairs:
        high, low = sorted((luminance(c[text]), luminance(c[ground])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)


def test_the_colour_scale_is_one_for_all_pictures_with_a_step_for_each_decade():
    view = build([leaf(1.0)])
    sizes = [1e-30, 9.9e-4, 1e-3, 0.02, 0.1, 0.999, 1.0, 10.0, 99.0, 100.0, 1e30]
    assert [view.step(size) for size in sizes] == [0, 0, 1, 2, 3, 3, 4, 5, 5, 6, 6]
    assert [view.step(size) for size in (None, 0.0, np.nan, np.inf)] == [None] * 4


SIZES = {  # programs in which a has the larger number, and b the longer array
    "ones and halves": lambda a, b: a.sum() + (b * 0.5).sum(),
    "by the mean": lambda a, b: a.mean() * 4.0 + b.mean() * 400.0,
    "of either sign": lambda a, b: (a * np.array([1.0, -1.0] * 2)).sum() + (b * np.tile([0.4, -0.4], 20_000)).sum(),
    "scalars beside arrays": lambda a, b: a[0] * 3.0 + (b * 0.3).sum(),
}


@pytest.mark.parametrize("name", SIZES)
def test_colours_and_widths_follow_the_numbers_in_the_boxes(name):
    a, b = leaf(np.ones(4), "a"), leaf(np.ones(40_000), "b")
    y = SIZES[name](a, b)
    y.backward(retain_graph=True)
    view = build([y])
    found = {item.name: item for item in view.items}
    for item in found["a"], found["b"]:
        assert item.size == pytest.approx(np.sqrt(np.mean(np.square(item.grad))))
    assert found["a"].size > found["b"].size
    assert view.step(found["a"].size) > view.step(found["b"].size)
    for item in view.items:  # a value that is used once has the colour of its edge
        (*arrows,) = (arrow for arrow in view.arrows if arrow.source == item.id and arrow.share is not None)
        if len(arrows) == 1:
            assert view.step(arrows[0].size) == view.step(item.size)
    assert f"rms {found['b'].size:.4g}" in ag.draw(y).source
    assert "root mean square" in ag.draw(y).source


def test_deep_chain():
    h = chain(30_000)
    h.backward()
    ledger = Ledger(snap := Snapshot([h]), range(len(snap.nodes)))
    assert len(ledger.grads) == 30_002


KEPT = {  # a leaf of more than 64 elements whose Tensor is there, and whose value no rule reads
    "before backward": (lambda x: (x * 2.0).sum(), None),
    "kept": (lambda x: (x * 2.0).sum(), dict(retain_graph=True)),
    "after backward": (lambda x: (x * 2.0).sum(), {}),
    "read": (lambda x: (x * x).sum(), {}),
    "summed": (lambda x: x.sum(), {}),
}


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("make", [lambda: leaf(np.full(65, 0.75)), lambda: nn.Parameter(np.full((5, 13), 0.75))])
def test_a_leaf_is_shown_while_somebody_holds_it(name, make):
    x = make()
    f, options = KEPT[name]
    y = f(x)
    if options is not None:
        y.backward(**options)
    picture = ag.draw(y)
    assert "data all 0.75" in str(picture)
    assert "released" not in str(picture) + picture.source


def test_what_nobody_holds_is_not_kept():
    y = (leaf(np.full(65, 0.75), "x") * 2.0).sum()
    assert "v0 x (65,) float64 | data not kept | grad –" in str(ag.draw(y))
    y.backward()
    assert "v1 = multiply(x, 2) (65,) float64 | data not kept | grad all 1" in str(ag.draw(y))


def shifted(w):
    with ag.no_grad():
        w -= 0.5


def assigned(w):
    w.data = w.data * 10.0


CHANGES = {"in place": shifted, "assigned": assigned}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("value", "f"),
    [
        (0.6, lambda w: (w * 2.0) ** 2),
        (0.6, lambda w: np.tanh(w) * w),
        ([0.6, 0.2], lambda w: (w * 2.0).sum()),
        ([0.6, 0.2], lambda w: (w * w).sum()),
        (np.full(99, 0.6), lambda w: (w * w).sum()),
        (np.full(99, 0.6), lambda w: (w * 2.0).sum()),
    ],
)
def test_a_value_of_today_never_stands_beside_results_of_yesterday_in_silence(value, f, change):
    w = leaf(value, "w")
    before = np.array(value)
    y = f(w)
    y.backward(retain_graph=True)
    assert items(y)["w"].note == ""
    CHANGES[change](w)
    shown = items(y)["w"]
    assert shown.note
    if shown.note == "changed since":
        np.testing.assert_array_equal(shown.value, w.data)
    else:
        np.testing.assert_array_equal(shown.value, before)
        assert shown.note.startswith("now ")
    assert shown.note in ag.draw(y).source
    assert items(f(w))["w"].note == ""


def test_an_array_that_is_used_twice_is_one_value():
    x, w = np.ones((1, 3)), leaf(np.eye(3), "w")
    view = build([(x @ w + x).sum()])
    (constant,) = [item for item in view.items if item.state == "const"]
    assert len([arrow for arrow in view.arrows if arrow.source == constant.id]) == 2


@pytest.mark.parametrize("size", [3, 99])
def test_arrays_that_only_look_alike_are_two(size):
    w = leaf(np.ones(size), "w")
    view = build([(np.ones(size) * w + np.ones(size) * w).sum()])
    assert len([item for item in view.items if item.state == "const"]) == 2


def test_an_array_that_was_changed_in_between_is_two_values():
    x, w = np.ones(3), leaf(np.ones(3), "w")
    first = x * w
    x += 1.0
    view = build([(first + x * w).sum()])
    assert [item.value[0] for item in view.items if item.state == "const"] == [1.0, 2.0]


def test_an_input_of_a_block_and_of_its_skip_edge_is_one():
    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(3, 3, rng=0)

        def forward(self, x):
            return x + self.f(x)

    for depth in (None, 0, 1):
        view = build([Skip()(np.ones((1, 3), "f")).sum()], depth=depth)
        assert len([item for item in view.items if item.state == "const"]) == 1


ONE_INPUT = {  # ops of which only one input needs a gradient, so that the rule of the other keeps nothing
    "power": lambda x: x**2.0,
    "divide": lambda x: 3.0 / (x + 2.0),
    "maximum": lambda x: np.maximum(x, 0.5),
    "hypot": lambda x: np.hypot(x, 1.0),
    "matmul": lambda x: x.reshape(1, -1) @ np.ones((99, 2)),
    "a module": lambda x: nn.Linear(99, 99, rng=0)(x.reshape(1, 99).astype("f4")),
    "a module expanded": lambda x: nn.Linear(99, 99, rng=0)(x.reshape(1, 99).astype("f4")),
}


@pytest.mark.parametrize("name", ONE_INPUT)
def test_every_gradient_of_a_graph_that_was_kept_is_shown(name):
    x = leaf(np.linspace(0.1, 1.0, 99), "x")
    y = (ONE_INPUT[name](x) ** 2.0).sum()
    y.backward(retain_graph=True)
    view = build([y], expand="expanded" in name)
    assert {item.state for item in view.items if item.kind == "value"} <= {"ok", "const"}
    np.testing.assert_allclose(next(item for item in view.items if item.name == "x").grad, x.grad.numpy(), rtol=1e-5)


def test_after_a_plain_backward_the_edge_of_a_value_with_one_use_shows_its_gradient():
    model = nn.MLP(2, [16, 16, 1], rng=0)
    loss = nn.MSELoss()(model(np.ones((32, 2))), np.zeros((32, 1)))
    loss.backward()
    view = build([loss])
    known = {item.id: item for item in view.items}
    shown = {known[arrow.source].name for arrow in view.arrows if arrow.share is not None}
    assert {"layers.0.weight", "layers.0.bias", "layers.1.bias", "layers.2.weight", "layers.2.bias"} <= shown
    for arrow in view.arrows:
        if arrow.share is not None:
            np.testing.assert_array_equal(arrow.share, known[arrow.source].grad)
    assert "layers.1.weight" in shown  # computed again: all that it came from is there
