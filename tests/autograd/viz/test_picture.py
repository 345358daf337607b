"""``draw`` and its file formats."""

import json
import re
import resource
import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from graphs import GRAPHS, chain, dense, expression, layers, leaf, neuron, states

import autograd as ag
import nn
from autograd.box import leaf_of
from autograd.errors import ArgumentError
from autograd.primitive import registry
from autograd.viz import engine
from autograd.viz.expand import open_ops
from autograd.viz.fitting import build
from autograd.viz.fold import WIRE, plan, wires
from autograd.viz.snapshot import Snapshot
from autograd.viz.theme import DARK, LIGHT


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("ran", [False, True])
def test_every_graph_draws_before_and_after_backward(name, ran):
    root, names = GRAPHS[name]()
    if ran:
        with np.errstate(all="ignore"):
            root.backward()
    picture = ag.draw(root, names=names)
    tree = ET.fromstring(picture.svg)
    assert tree.attrib["role"] == "img"
    ids = {element.get("id") for element in tree.iter()}
    assert {item.id for item in picture.view.items} <= ids
    assert len([i for i in ids if i]) == len([e for e in tree.iter() if e.get("id")])


@pytest.mark.graphviz
def test_save_chooses_by_suffix(tmp_path):
    picture = ag.draw(expression()[0])
    starts = {
        ".svg": b"<svg",
        ".png": b"\x89PNG",
        ".dot": b"digraph",
        ".json": b"{",
        ".html": b"<!DOCTYPE html>",
        ".txt": b"!",
    }
    for suffix, start in starts.items():
        picture.save(tmp_path / f"picture{suffix}")
        assert (tmp_path / f"picture{suffix}").read_bytes().startswith(start)
    with pytest.raises(
        ArgumentError, match=r"save: unknown suffix '\.bmp' of 'picture\.bmp'; choose one of \.svg, \.png"
    ):
        picture.save(tmp_path / "picture.bmp")


def test_svg_file_stands_alone(tmp_path):
    ag.draw(neuron()[0]).save(tmp_path / "n.svg")
    text = (tmp_path / "n.svg").read_text(encoding="utf-8")
    ET.fromstring(text)
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_auto_theme_follows_the_reader():
    svg = ag.draw(neuron()[0]).svg
    assert "prefers-color-scheme:dark" in svg
    assert DARK["ink"] in svg
    for theme, colours in (("light", LIGHT), ("dark", DARK)):
        fixed = ag.draw(neuron()[0], theme=theme).svg
        assert "prefers-color-scheme" not in fixed
        assert colours["page"] in fixed


def test_arguments_are_checked():
    root, _ = neuron()
    with pytest.raises(ArgumentError, match=r"theme must be one of auto, light, dark, colorblind; got 'pink'"):
        ag.draw(root, theme="pink")
    with pytest.raises(ArgumentError, match=r"rankdir must be one of LR, RL, TB, BT; got 'UP'"):
        ag.draw(root, rankdir="UP")
    with pytest.raises(ArgumentError, match=r"draw needs a Tensor .*, got float"):
        ag.draw(1.0)
    with pytest.raises(ArgumentError, match=r"got function\. Pass the result of the model, not the model"):
        ag.draw(neuron)
    with pytest.raises(ArgumentError, match=r"draw needs at least one Tensor, got an empty list"):
        ag.draw([])
    with pytest.raises(ArgumentError, match=r"depth must be None .* got -1"):
        ag.draw(root, depth=-1)
    with pytest.raises(ArgumentError, match=r"max_nodes must be at least 2, got 1"):
        ag.draw(root, max_nodes=1)
    with pytest.raises(ArgumentError, match=r"focus must be a Tensor that the drawn result depends on"):
        ag.draw(root, focus=leaf(1.0))
    with pytest.raises(ArgumentError, match=r"expand must be True, names of ops, or Tensors"):
        ag.draw(root, expand=[3])


def test_names_from_locals():
    a = ag.Tensor(2.0, requires_grad=True)
    product = a * a
    _hidden = product
    found = {item.name for item in build([product], names=locals()).items}
    assert found == {"a", "product"}


def test_own_name_gives_way_to_the_callers():
    a = leaf(2.0, "inner")
    y = a * a
    assert {item.name for item in build([y], names=dict(outer=a)).items if item.leaf} == {"outer"}


def test_constant_alone_and_several_roots():
    assert "grad not needed" in str(ag.draw(ag.Tensor(1.0)))
    a = leaf(2.0, "a")
    picture = ag.draw([a * 2.0, a * 3.0])
    assert sum(item.root for item in picture.view.items) == 2


def test_modules_are_frames_with_dotted_names():
    root, names = layers()
    view = build([root], names=names)
    assert [(g.path, g.kind, g.depth) for g in view.groups] == [
        ("MLP", "MLP", 0), ("layers.0", "Linear", 1), ("layers.1", "Linear", 1)]  # fmt: skip
    found = {item.name: item.module for item in view.items if item.leaf}
    frames = {g.path: g.id for g in view.groups}
    assert found["layers.0.weight"] == frames["layers.0"]
    assert found["x"] == ""


def test_depth_folds_modules():
    root, names = layers()
    root.backward()
    one = build([root], names=names, depth=1)
    folds = {item.name: dict(item.facts) for item in one.items if item.kind == "fold"}
    assert folds.keys() == {"layers.0", "layers.1"}
    assert folds["layers.0"]["in → out"] == "(4, 3) → (4, 2)"
    assert folds["layers.0"]["parameters"] == "8"
    assert {"rms grad parameters", "rms grad out"} <= folds["layers.0"].keys()
    assert one.folded == ["2 modules folded at depth 1"]
    whole = build([root], names=names, depth=0)
    assert [item.name for item in whole.items if item.kind == "fold"] == ["MLP"]
    assert build([root], names=names, depth=2).folded == []


def test_fold_shows_the_size_of_the_parameters_gradient():
    root, _ = layers()
    root.backward()
    grads = [node.grad for node in _leaves(root)]
    facts = next(dict(item.facts) for item in build([root], depth=0).items if item.kind == "fold")
    expected = np.sqrt(np.mean(np.concatenate([np.square(g).ravel() for g in grads])))
    assert float(facts["rms grad parameters"]) == pytest.approx(expected, rel=5e-4)


def _leaves(root):
    from autograd.viz.snapshot import Snapshot

    return [node for node in Snapshot([root]).nodes if node.op is None and node.needs]


def test_roll_keeps_the_newest_step():
    h = chain(30)
    h.backward()
    view = build([h], roll=True)
    (fold,) = [item for item in view.items if item.kind == "fold"]
    assert fold.name.startswith("9 repeats of")
    assert [item.op for item in view.items if item.op and item.kind == "value"] == ["multiply", "add", "tanh"]
    assert view.folded == ["9 repeats of 3 ops rolled up"]
    share = [arrow for arrow in view.arrows if arrow.target == fold.id and arrow.source == "v0"]
    direct = [arrow for arrow in view.arrows if arrow.source == "v0" and arrow.target != fold.id]
    leaf_grad = next(item.grad for item in view.items if item.id == "v0")
    assert float(share[0].share) + float(direct[0].share) == pytest.approx(float(leaf_grad), rel=1e-12)


def test_expand_opens_a_fused_op():
    nn = pytest.importorskip("nn")
    x = leaf(np.arange(6.0).reshape(2, 3), "x")
    w, b = leaf(np.ones((2, 3)), "w"), leaf(np.zeros(2), "b")
    y = (nn.functional.linear(x, w, b) ** 2).sum()
    y.backward()
    closed, opened = build([y]), build([y], expand=["linear"])
    assert "linear" in {item.op for item in closed.items}
    assert "linear" not in {item.op for item in opened.items}
    assert [g.path for g in opened.groups] == ["linear"]
    sums = {}
    for arrow in opened.arrows:
        if arrow.share is not None:
            sums[arrow.source] = sums.get(arrow.source, 0) + np.asarray(arrow.share)
    for item in opened.items:
        if item.leaf and item.grad is not None:
            np.testing.assert_allclose(sums[item.id], item.grad)
    assert opened.banner == ""


def test_model_of_nn():
    """Frames, dotted names and folding come from the modules; an opened op leaves its weights their names."""
    nn = pytest.importorskip("nn")
    model = nn.MLP(2, [4, 1], rng=0)
    loss = (model(np.ones((3, 2), np.float32)) ** 2).mean()
    loss.backward()
    view = build([loss], expand=["linear"])
    assert {"MLP", "layers.0", "layers.0.linear", "layers.1", "layers.1.linear"} == {
        group.path for group in view.groups
    }
    assert {"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"} <= {
        item.name for item in view.items
    }
    assert view.banner == ""
    (whole,) = [dict(item.facts) for item in build([loss], depth=0).items if item.kind == "fold"]
    assert whole["parameters"] == "17"
    assert whole["in → out"] == "(3, 2) → (3, 1)"
    squares = sum(float((p.grad.data**2).sum()) for p in model.parameters())
    assert float(whole["rms grad parameters"]) == pytest.approx(np.sqrt(squares / 17), abs=1e-3)


def test_dead_relu_in_a_fused_layer_is_masked():
    nn = pytest.importorskip("nn")
    layer = nn.Layer(2, 3, activation="relu", rng=0)
    layer.bias.data = np.full(3, -100.0, np.float32)
    y = layer(np.ones((4, 2), np.float32)).sum()
    y.backward()
    states = {item.name: item.state for item in build([y]).items if item.leaf and item.state != "const"}
    assert states == {"weight": "masked", "bias": "masked"}
    assert ag.why_none(layer.weight, y).kind == "masked"


def test_expand_says_what_it_cannot_open():
    nn = pytest.importorskip("nn")
    x, w = leaf(np.ones((20, 10)), "x"), leaf(np.ones((5, 10)), "w")
    y = nn.functional.linear(x, w, ag.Tensor(np.zeros(5))).sum()
    y.backward()
    view = build([y], expand=True)
    assert view.problems == ["linear stays closed: backward released its inputs (retain_graph=True keeps them)"]


def test_big_graph_is_folded_and_says_so():
    h = chain(3_000)
    h.backward()
    picture = ag.draw(h, max_nodes=100)
    assert picture.view.boxes <= 100
    assert picture.folded
    assert picture.folded[0] in picture.source
    assert "folded" in repr(picture) or "rolled" in repr(picture)


def irregular(n, seed=0):
    rng = np.random.default_rng(seed)
    nodes = [leaf(0.5, f"x{i}") for i in range(10)]
    ops = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: np.tanh(a - b)]
    for _ in range(n):
        nodes.append(ops[rng.integers(3)](nodes[-rng.integers(1, 10)], nodes[-rng.integers(1, 10)]))
    return nodes


def test_distance_from_the_focus_folds_what_has_no_pattern():
    nodes = irregular(2_000)
    nodes[-1].backward()
    near_root = ag.draw(nodes[-1], max_nodes=80)
    assert near_root.view.boxes <= 80
    assert "nodes farther from the root folded" in near_root.folded[-1]
    assert any(item.root for item in near_root.view.items)
    middle = next(t for t in nodes[1000:] if leaf_of(t) in set(_all(nodes[-1])))
    focused = ag.draw(nodes[-1], max_nodes=80, focus=middle, names=dict(here=middle))
    assert "here" in {item.name for item in focused.view.items}
    assert "farther from the focus folded" in focused.folded[-1]


def _all(root):
    from autograd.viz.snapshot import Snapshot

    return Snapshot([root]).nodes


def test_value_with_many_uses_stands_once():
    w = leaf(2.0, "w")
    y = w * 1.0
    for k in range(20):
        y = y + w * float(k)
    y.backward()
    view = build([y])
    refs = [item for item in view.items if item.kind == "ref"]
    assert {item.name for item in refs} == {"w"}
    shares = sum(float(arrow.share) for arrow in view.arrows if arrow.source in {item.id for item in refs})
    assert shares == float(w.grad) == 191.0
    assert "21 uses" in ag.draw(y, max_nodes=500).source


def test_json_holds_what_the_picture_shows():
    root, names = states()
    with np.errstate(all="ignore"):
        root.backward()
    data = json.loads(ag.draw(root, names=names).render("json"))
    by_name = {node["name"]: node for node in data["nodes"]}
    assert by_name["u"]["grad"] == "inf"
    assert by_name["x"]["state"] == "masked"
    assert by_name["big"]["grad"].keys() == {"mean", "std", "rms"}
    assert {edge["source"] for edge in data["edges"]} <= {node["id"] for node in data["nodes"]}


def test_notebook_pattern():
    shown = ag.draw(neuron()[0])._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert shown["text/html"].startswith('<img src="data:image/svg+xml;base64,')
    assert "data-svg=" in shown["text/html"]
    assert "<svg" not in shown["text/html"]
    assert shown["text/plain"].startswith("! Gradients are not computed yet")


def test_wide_characters_get_room():
    assert 'WIDTH="' in ag.draw(leaf(1.0, "日本語の名前")).source


def test_a_folded_module_counts_the_gradients_of_all_its_parameters():
    """Also of those over 64 elements, which keep theirs in .grad only."""
    model = nn.MLP(4, [32, 1], rng=0)
    root = model(np.ones((2, 4))).sum()
    root.backward()
    (box,) = (item for item in ag.draw(root, depth=0).view.items if item.kind == "fold")
    squares = np.concatenate([np.square(p.grad.data).ravel() for p in model.parameters()])
    assert float(dict(box.facts)["rms grad parameters"]) == pytest.approx(np.sqrt(squares.mean()), rel=1e-3)


def test_parameters_show_their_values_after_backward_released_them():
    """The module holds them; and the folded module is coloured by the gradients of its parameters."""
    model = nn.MLP(8, [16, 16, 1], rng=0)
    root = (model(np.ones((20, 8))) ** 2).mean()
    root.backward()
    found = {item.name: item for item in build([root]).items}
    np.testing.assert_array_equal(found["layers.1.weight"].value, model.layers[1].weight.data)
    view = build([root], depth=1)
    folds = [item for item in view.items if item.kind == "fold"]
    assert [item.state for item in folds] == ["ok"] * 3
    assert "rms grad out" not in dict(folds[0].facts)
    for item in folds:
        assert f"{item.size:.4g}" in dict(item.facts).values()


def test_folded_module_without_inputs_says_what_comes_out():
    """Its numbers were folded with it, so there is nothing to show on the way in."""
    neuron = nn.Neuron(2, rng=0)
    (fold,) = [item for item in build([neuron([1.0, 2.0])], depth=0).items if item.kind == "fold"]
    assert ("out", "scalar") in fold.facts


def test_every_label_has_the_colours_of_the_theme():
    """Also those of edges without a gradient: a default of the engine would be black on a dark page."""
    a = leaf([[2.0, 0.0], [0.0, 3.0]], "a")
    picture = ag.draw(np.linalg.eigh(a)[0].sum(), theme="dark")
    assert "[0]" in picture.source
    assert 'fill="black"' not in picture.svg
    assert set(re.findall(r'fill="(#\w+)"', picture.svg)) <= set(DARK.values())


def recurrence(n=2_500):
    x = y = leaf(0.3, "x")
    for _ in range(n):
        y = np.sin(y) * 1.0001
    return dict(x=x, y=y)


def half_way():
    found = recurrence(400)
    h = found["y"]
    y = h
    for _ in range(400):
        y = np.sin(y) * 1.0001
    return found | dict(h=h, y=y)


def linear():
    x = ag.Tensor([[1.0, 2.0]], name="x")
    out = nn.Linear(2, 1, rng=0)(x)
    return dict(x=x, y=out)


def inner():
    model = nn.MLP(2, [4, 1], rng=0)
    x = ag.Tensor(np.array([[1.0, 2.0]], np.float32))
    h = model.layers[0](x)
    return dict(h=h, x=x, y=model.layers[1](h) + h.sum())


def far():
    rng, values = np.random.default_rng(0), [leaf(0.5, "x")]
    for _ in range(300):
        a, b = rng.integers(0, len(values), 2)
        values.append(np.tanh(values[a] * values[b] + rng.normal()))
    return dict(x=values[0], h=values[100], y=sum(values))


FOLDED = {  # what to draw, how it is folded
    "repeats": (recurrence, {}),
    "repeats rolled": (lambda: recurrence(50), dict(roll=True)),
    "named half way": (half_way, {}),
    "a module": (linear, dict(depth=0)),
    "between modules": (inner, dict(depth=0)),
    "modules to fit": (inner, dict(max_nodes=4)),
    "the rest": (far, dict(max_nodes=60)),
}


@pytest.mark.parametrize("name", FOLDED)
@pytest.mark.parametrize("by", ["names", "own name"])
def test_results_and_names_are_never_folded_away(name, by):
    make, options = FOLDED[name]
    tensors = make()
    tensors["y"].backward()
    if by == "own name":
        for key, tensor in tensors.items():
            tensor.name = key
    picture = ag.draw(tensors["y"], names=tensors if by == "names" else None, **options)
    if by == "own name" and make is inner:
        del tensors["h"]  # made inside a module, which gives its own parts names as well
    assert picture.folded
    assert tensors.keys() <= {item.name for item in picture.view.items}
    assert [item.name for item in picture.view.items if item.root] == ["y"]
    assert picture.title.startswith("Graph of y: ")
    assert picture.svg.startswith("<svg")
    assert ag.replay(make()["y"], max_nodes=options.get("max_nodes", 60)).html


def test_all_results_of_a_list_are_seen():
    model = nn.MLP(2, [4, 1], rng=0)
    a, b = model(np.ones((1, 2))), model(np.zeros((1, 2)))
    picture = ag.draw([a, b], names=dict(a=a, b=b), depth=0)
    assert picture.title.startswith("Graph of a, b: ")
    assert [item.name for item in picture.view.items if item.root] == ["a", "b"]


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("given", [False, True])
def test_the_picture_carries_every_name_that_explain_and_replay_use(graph, given):
    root, names = GRAPHS[graph]()
    known = names if given else None
    source = ag.draw(root, names=known).source
    shown = set(re.findall(r">([^<>]+)<", source))
    said = "\n".join(ag.replay(root, names=known).steps)
    for tensor in names.values():
        if tensor.is_leaf and tensor.requires_grad:
            said += str(ag.explain(root, tensor, names=known))
    used = set(re.findall(r"\bv\d+\b", said))
    assert used <= shown
    assert used


@pytest.mark.parametrize("name", ["_", "__", "___", "_7", "_12"])
def test_what_a_notebook_calls_its_outputs_is_no_name(name):
    a = leaf(2.0, "a")
    h = a * 1.25
    y = h * h
    text = str(ag.draw(y, names={name: h, "y": y}))
    assert "v1 = multiply(a, 1.25)" in text
    assert "v2 y = multiply(v1, v1)" in text
    assert "v1 _h = " in str(ag.draw(y, names={"_h": h, name: h, "y": y}))


def unrolled(kind, steps):
    out, _ = kind(4, 8, rng=0)(np.ones((steps, 2, 4), "f"))
    return (out**2).sum()


LARGE = {  # graphs under the default limit of boxes whose wires are long
    "lstm": (lambda: unrolled(nn.LSTM, 11), dict(expand=True)),
    "gru": (lambda: unrolled(nn.GRU, 12), dict(expand=True)),
    "rnn": (lambda: unrolled(nn.RNN, 30), dict(expand=True)),
    "dense": (lambda: dense(230), {}),
    "shared": (lambda: chain(600), {}),
}


@pytest.mark.parametrize("name", LARGE)
def test_the_wires_of_a_picture_are_bounded(name):
    """The time that a layout takes follows their length: 2 s for the longest that are drawn by default."""
    make, options = LARGE[name]
    y = make()
    y.backward(retain_graph=True)
    snap = Snapshot([y], opened=open_ops(Snapshot([y]), True) if options else None)
    made = plan(snap, None, False, 500, None)
    assert made.boxes() <= 500
    assert sum(sum(spans) for at, spans in wires(made).items() if at not in made.hubs) <= WIRE * 500
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert ag.draw(y, **options).svg
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 5


def test_steps_of_a_module_are_rolled_up_before_it_is_folded_whole():
    picture = ag.draw(unrolled(nn.LSTM, 11), expand=True, max_nodes=500)
    assert picture.folded == ["10 repeats of 20 ops rolled up"]


NAMES = {
    "温度": "[U+6E29 U+5EA6]",
    "结果 a": "[U+7ED3 U+679C] a",
    "값": "[U+AC12]",
    "カナ": "[U+30AB U+30CA]",
    "😀": "[U+1F600]",
}


@pytest.mark.graphviz
@pytest.mark.parametrize("name", NAMES)
def test_names_that_the_wheel_has_no_letters_for_are_spelled_in_a_png(name, monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, engine.WHEEL)
    pictures = [ag.draw(leaf(1.5, each) * 1.0) for each in (name, f"{name}x")]
    assert pictures[0].png() != pictures[1].png()
    drawn = []
    monkeypatch.setattr("autograd.viz.picture.layout", lambda source, format: drawn.append(source) or b"")
    pictures[0].png()
    assert NAMES[name] in drawn[0]
    assert "stand by their code points; the SVG shows them" in drawn[0]
    assert name in pictures[0].source
    ag.draw(leaf(1.5, "né Ω") * 1.0).png()
    assert "né Ω" in drawn[1]
    assert "code points" not in drawn[1]


FONTS = {
    "no font for CJK": ("😀", "[U+6E29 U+5EA6] 😀"),
    "one that has all": ("温度😀", "温度 😀"),
    "one has some": ("温😀", "温[U+5EA6] 😀"),
}


@pytest.mark.dot
@pytest.mark.parametrize("fonts", FONTS)
def test_graphviz_spells_what_no_font_of_the_machine_has(fonts, monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, "dot")
    had, shown = FONTS[fonts]
    monkeypatch.setattr(engine, "_has_font", lambda characters: characters <= set(had))
    for format in ("png", "pdf"):
        source = ag.draw(leaf(1.5, "温度 😀") * 1.0)._spelled(format)
        assert shown in source
        assert ("code points" in source) == (had != "温度😀")


def test_fontconfig_is_asked_once_for_all():
    engine._has_font.cache_clear()
    assert engine.lacks("né Ω", "png") == frozenset()
    assert engine._has_font.cache_info().misses == 0
    assert engine._has_font(frozenset("\U000fffff")) in (False, shutil.which("fc-list") is None)  # no letter at all


@pytest.mark.graphviz
def test_a_film_spells_them_too(monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, engine.WHEEL)
    drawn = []
    monkeypatch.setattr("autograd.viz.frames.layout", lambda source, format, pinned=False: drawn.append(source) or b"")
    monkeypatch.setattr("autograd.viz.frames.places", lambda source: None)
    monkeypatch.setattr("autograd.viz.frames.pinned", lambda source, at: source)
    monkeypatch.setattr("autograd.viz.frames.captioned", lambda source, *rest: source)
    list(ag.replay(leaf(1.5, "温度") * 1.0).frames("png"))
    assert drawn
    assert all("[U+6E29 U+5EA6]" in source for source in drawn)


@pytest.mark.parametrize("ran", [False, True])
def test_modules_have_frames_before_and_after_backward(ran):
    y = nn.MLP(2, [4, 1], rng=0)([[1.0, 2.0]])
    if ran:
        y.backward()
    source = ag.draw(y, theme="light", max_nodes=500).source
    frames = [line for line in source.split("\n") if line.startswith("subgraph cluster_m")]
    assert len(frames) == 3
    assert all("peripheries=1" in line for line in frames)
    svg = ag.draw(y, theme="light", max_nodes=500).svg
    assert svg.count(f'stroke="{LIGHT["moduleline"]}"') >= 3


def test_no_two_ops_have_one_sign_unless_they_compute_the_same():
    alike = {
        "÷",
        "**",
        "[ ]",
        "cross entropy",
        "softmax(qkᵀ)v",
        "GELU",
        "σ",
        "x Wᵀ + b",
        "x Wᵀ",
    }  # fused forms and views
    signs = {}
    for name, row in registry.items():
        if hasattr(row, "op") and not name.startswith("scipy.") and row.op.symbol != row.op.name:
            signs.setdefault(row.op.symbol, set()).add(row.op.name)
    assert {sign for sign, names in signs.items() if len(names) > 1} <= alike
    a = leaf(np.ones((2, 3)), "a")
    view = ag.draw(np.einsum("ij,kj->ik", a, a).sum()).view
    assert [item.symbol for item in view.items if item.op] == ["einsum", "Σ"]
