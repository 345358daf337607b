"""The layout of our own, which draws where no Graphviz is: what must hold of every picture, and what it cannot draw."""

import itertools
import os
import platform
import re
import subprocess
import sys
import time
import tomllib
import xml.dom.minidom
from pathlib import Path

import numpy as np
import pytest
from graphs import GRAPHS, dense, expression, leaf, neuron
from nets import NETS, backward
from test_speed import best, work

import autograd as ag
from autograd import errors
from autograd.errors import ArgumentError, MissingExtra
from autograd.viz import builtin, engine
from autograd.viz.builtin.curves import smooth, spread, walk
from autograd.viz.builtin.layered import closing, lay_out
from autograd.viz.builtin.page import _Page
from autograd.viz.builtin.parts import Box, Cluster, Wire
from autograd.viz.builtin.simplex import simplex

ROOT, HERE = Path(__file__).parents[3], Path(__file__).parent
STORY = GRAPHS | NETS
WAYS = ("LR", "RL", "TB", "BT")


@pytest.fixture(autouse=True)
def chosen(monkeypatch):
    """The built-in layout, whatever else is there."""
    monkeypatch.setenv(engine.VARIABLE, engine.BUILT_IN)


def picture_of(name, **options):
    roots, names = STORY[name]()
    backward(roots)
    return ag.draw(roots, names=names, **options)


def page_of(name, **options):
    return _Page(builtin.read(picture_of(name, **options).source))


# ------------------------------------------------------------------------------------------- what holds of all pictures


def overlap(one, two):
    """How far two boxes reach into each other, along and across; positive in both if they overlap."""
    return tuple(
        (getattr(one, side) + getattr(two, side)) / 2 - abs(one.at[axis] - two.at[axis])
        for axis, side in enumerate(("along", "across"))
    )


def check_places(boxes, wires, clusters, extent):
    """No two boxes overlap, all lie in the picture, edges lead ahead, and clusters hold theirs and nothing else."""
    check_boxes(boxes, extent)
    check_edges(boxes, wires)
    check_clusters(boxes, clusters)


def check_boxes(boxes, extent):
    for (a, one), (b, two) in itertools.combinations(boxes.items(), 2):
        assert min(overlap(one, two)) <= 0.01, (a, b)
    for key, box in boxes.items():
        for axis, side in enumerate((box.along, box.across)):
            assert -0.01 <= box.at[axis] - side / 2 <= box.at[axis] + side / 2 <= extent[axis] + 0.01, key


def check_edges(boxes, wires):
    back = closing(boxes, wires)
    for k, wire in enumerate(wires):
        if wire.curve and boxes[wire.tail].at[0] != boxes[wire.head].at[0]:
            points = list(walk(wire.curve))[:: -1 if k in back else 1]
            assert points[0][0] < points[-1][0], wire
            assert all(x0 <= x1 + 0.01 for (x0, _), (x1, _) in itertools.pairwise(points)), wire


def check_clusters(boxes, clusters):
    def inside(key, name):
        while key not in ("", name):
            key = clusters[key].parent
        return key == name

    for name, cluster in clusters.items():
        x0, y0, x1, y1 = cluster.corners
        frame = Box(x1 - x0, y1 - y0, at=((x0 + x1) / 2, (y0 + y1) / 2))
        for key, box in boxes.items():
            into = overlap(frame, box)
            if inside(box.home, name):
                assert all(a >= b for a, b in zip(into, (box.along, box.across), strict=True)), (name, key)
            else:
                assert min(into) <= 0.01, (name, key)
        for other, two in clusters.items():
            a0, b0, a1, b1 = two.corners
            if not inside(name, other) and not inside(other, name):
                assert min(x1, a1) - max(x0, a0) <= 0.01 or min(y1, b1) - max(y0, b0) <= 0.01, (name, other)


@pytest.mark.parametrize(
    "options", [{}, {"max_nodes": 60}, {"rankdir": "TB", "max_nodes": 60}, {"rankdir": "RL"}], ids=str
)
@pytest.mark.parametrize("name", STORY)
def test_places_of_a_picture(name, options):
    page = page_of(name, **options)
    assert len(page.boxes) <= builtin.MOST
    extent = page.turned(page.extent)
    check_places(page.boxes, page.wires, page.clusters, extent)
    for wire in page.wires:  # an edge runs through no box that is not its own
        others = [box for key, box in page.boxes.items() if key not in (wire.tail, wire.head)]
        for x, y in walk(wire.curve):
            hits = [b for b in others if abs(x - b.at[0]) < b.along / 2 - 1 and abs(y - b.at[1]) < b.across / 2 - 1]
            assert hits == [], wire


def graph_of(rng, count, share, depth):
    """Boxes of any size with edges from earlier to later ones, some with labels, in clusters within clusters."""
    clusters = {
        f"c{k}": Cluster(f"c{rng.integers(k)}" if k and rng.random() < 0.5 else "", (4.0, 12.0), (50.0, 50.0))
        for k in range(depth)
    }
    boxes = {
        f"v{k}": Box(
            *map(float, rng.integers(20, 160, 2)),
            f"c{min(k * depth // count, depth - 1)}" if depth and rng.random() < 0.8 else "",
        )
        for k in range(count)
    }
    wires = []
    for k in range(1, count):
        for other in {int(i) for i in rng.integers(max(0, k - 12), k, 1 + (rng.random() < share))}:
            labelled = rng.random() < 0.6
            wires.append(Wire(f"v{other}", f"v{k}", 1, 1, *((40.0, 12.0, 3.0) if labelled else (0.0, 0.0, 0.0))))
    return boxes, wires, clusters


@pytest.mark.parametrize("seed", range(60))
def test_places_of_any_graph(seed):
    rng = np.random.default_rng(seed)
    boxes, wires, clusters = graph_of(rng, int(rng.integers(2, 40)), rng.random(), int(rng.integers(0, 5)))
    extent = lay_out(boxes, wires, clusters, 13.0, 20.0)
    held = {key for box in boxes.values() for key in _around(box.home, clusters)}
    check_places(boxes, wires, {key: each for key, each in clusters.items() if key in held}, extent)


def _around(key, clusters):
    while key:
        yield key
        key = clusters[key].parent


@pytest.mark.graphviz
@pytest.mark.parametrize("name", STORY)
def test_the_picture_is_that_of_graphviz(name, monkeypatch):
    """The same groups with the same hovers, the same words, the same colours in light and dark."""
    picture = picture_of(name)
    ours = picture.svg
    assert xml.dom.minidom.parseString(ours).documentElement.tagName == "svg"
    monkeypatch.setenv(engine.VARIABLE, engine.WHEEL)
    theirs = picture_of(name).svg

    def groups(svg):
        found = re.findall(r'<g id="([vfe]\d+o?)" class="([^"]*)">(?:<title>([^<]*)</title>)?', svg)
        return sorted((key, kind.removeprefix("node "), re.sub("&#160;", "\u00a0", tip)) for key, kind, tip in found)

    def words(svg):
        return sorted(re.findall(r"\S+", re.sub(r"<[^>]*>|&#160;|\u00a0", " ", svg[svg.index("</style>") :])))

    assert groups(ours) == groups(theirs)
    assert words(ours) == words(theirs)
    assert set(re.findall("#[0-9a-f]{6}", ours)) == set(re.findall("#[0-9a-f]{6}", theirs))


@pytest.mark.parametrize("way", WAYS)
def test_the_picture_runs_where_rankdir_says(way):
    page = page_of("micrograd", rankdir=way, max_nodes=60)
    axis, sign = (0, 1)[way in ("TB", "BT")], (1, -1)[way in ("RL", "BT")]
    for wire in page.wires:
        start, end = (page.at(page.boxes[key].at)[axis] for key in (wire.tail, wire.head))
        assert sign * (end - start) > 0


@pytest.mark.parametrize("name", NETS)
def test_rows_stand_in_the_order_of_the_computation(name):
    picture = picture_of(name)
    page = _Page(builtin.read(picture.source))
    starts = [page.boxes[key].at for key in picture.view.starts]
    assert len({along for along, _ in starts}) <= 1
    assert [across for _, across in starts] == sorted(across for _, across in starts)
    for arrow in picture.view.arrows:
        if not arrow.wraps and arrow.target in page.boxes:
            assert page.boxes[arrow.source].at[0] < page.boxes[arrow.target].at[0]


def test_the_same_bytes_whatever_the_hash_seed():
    code = (
        "import hashlib, nets, autograd as ag\n"
        "for name in ('transformer', 'residual'):\n"
        "    root, names = nets.NETS[name](); root.backward()\n"
        "    print(hashlib.sha256(ag.draw(root, names=names, max_nodes=60).svg.encode()).hexdigest())"
    )
    home = str(Path(ag.__file__).parent.parent)
    said = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=HERE, env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": home},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1", "42")
    }  # fmt: skip
    assert len(said) == 1


def woven(ops, seed):
    """A chain of scalar ops, each of which also uses any earlier value: as many long edges as there can be."""
    rng = np.random.default_rng(seed)
    values = [leaf(0.5, f"x{k}") for k in range(6)]
    for _ in range(ops):
        values.append(values[-1] * values[int(rng.integers(len(values)))])
    return values[-1]


def test_sixty_boxes_take_less_than_half_a_second():
    """On a machine of 2026, where ``work`` takes 5 ms."""
    for seed in range(3):
        root = woven(27, seed)
        root.backward()
        source = ag.draw(root, max_nodes=500).source
        assert 55 <= len(builtin.read(source).nodes) <= 60
        taken = best(3, lambda: engine.layout(source, "svg"), time.process_time)  # noqa: B023
        assert taken < 100 * best(15, work, time.process_time)


@pytest.mark.graphviz
@pytest.mark.parametrize("name", ["draw_dot", "make_dot"])
def test_the_pictures_of_other_libraries(name):
    root, _ = expression()
    root.backward()
    svg = getattr(ag, name)(root).pipe("svg", encoding="utf-8")
    xml.dom.minidom.parseString(svg)
    assert "12.0000" in svg or "MultiplyBackward" in svg
    assert "darkolivegreen1" not in svg


# ---------------------------------------------------------------------------------------------------------- its parts


@pytest.mark.parametrize("seed", range(40))
def test_simplex_finds_the_least_sum(seed):
    rng = np.random.default_rng(seed)
    count, edges = 5, []
    for tail, head in itertools.combinations(range(5), 2):
        if rng.random() < 0.6:
            edges.append((tail, head, int(rng.integers(0, 3)), int(rng.integers(0, 4))))

    def cost(x):
        return sum(weight * (x[head] - x[tail]) for tail, head, _, weight in edges)

    def fits(x):
        return all(x[head] - x[tail] >= least for tail, head, least, _ in edges)

    found = simplex(count, edges)
    assert fits(found)
    assert cost(found) == min(cost(x) for x in itertools.product(range(9), repeat=count) if fits(x))


def test_a_tree_is_drawn_without_crossings():
    boxes = {f"v{k}": Box(30.0, 20.0) for k in range(31)}
    order = np.random.default_rng(0).permutation(range(1, 31))
    wires = [Wire(f"v{(k - 1) // 2}", f"v{k}") for k in order]
    lay_out(boxes, wires, {}, 13.0, 20.0)
    for one, two in itertools.combinations(wires, 2):
        if boxes[one.tail].at[0] == boxes[two.tail].at[0]:
            (a, b), (c, d) = ((boxes[w.tail].at[1], boxes[w.head].at[1]) for w in (one, two))
            assert (a - c) * (b - d) >= 0


def test_a_chain_is_one_straight_line():
    boxes = {f"v{k}": Box(30.0, 20.0 + k) for k in range(9)}
    wires = [Wire(f"v{k}", f"v{k + 1}", along=30.0, before=12.0, after=3.0) for k in range(8)]
    lay_out(boxes, wires, {}, 13.0, 20.0)
    assert len({box.at[1] for box in boxes.values()}) == 1
    assert {y for wire in wires for _, y in wire.curve} == {boxes["v0"].at[1]}
    assert all(wire.spot[1] < boxes["v0"].at[1] for wire in wires)


@pytest.mark.parametrize("seed", range(20))
def test_a_curve_stays_between_its_stations(seed):
    rng = np.random.default_rng(seed)
    stations = list(zip(np.cumsum(rng.uniform(5, 50, 6)), rng.uniform(-50, 50, 6), strict=True))
    curve = smooth(stations)
    assert curve[::3] == stations
    for k in range(5):
        (_, y0), (_, y1) = stations[k : k + 2]
        assert all(min(y0, y1) - 1e-9 <= y <= max(y0, y1) + 1e-9 for _, y in walk(curve[3 * k : 3 * k + 4]))


@pytest.mark.parametrize("seed", range(20))
def test_ends_keep_apart_and_in_their_side(seed):
    rng = np.random.default_rng(seed)
    wanted = sorted(rng.uniform(-60, 60, int(rng.integers(1, 6))))
    found = spread(wanted, 7.0, 30.0)
    assert all(abs(place) <= 30.0 + 1e-9 for place in found)
    assert all(b - a >= 7.0 - 1e-9 for a, b in itertools.pairwise(found))


# ------------------------------------------------------------------------------------------------- what it cannot draw


def test_more_boxes_than_it_draws():
    root = dense(60)
    said = (
        r"this picture has \d+ boxes, and the built-in layout draws at most 60\. Fold it: max_nodes=60, or depth=1\. "
        r"Install an engine: python -m pip install \"graphviz-pure>=0\.2,<0\.3\", or Graphviz, so that `dot` is "
        r"on PATH\. picture\.source is the DOT text"
    )
    with pytest.raises(MissingExtra, match=said):
        _ = ag.draw(root, max_nodes=500).svg
    assert ag.draw(root, max_nodes=60).svg.startswith("<svg")
    shown = ag.draw(root, max_nodes=500)._repr_mimebundle_()["text/html"]
    assert "max_nodes=60" in shown
    assert "digraph gradients" in shown


CANNOT = {
    "png": (lambda p, folder: p.png(), "PNG needs Graphviz: the built-in layout writes SVG only. Install an engine"),
    "pdf": (lambda p, folder: p.save(folder / "x.pdf"), "PDF needs an engine .* SVG and HTML work without"),
    "gif": (
        lambda p, folder: ag.replay(neuron()[0]).save(folder / "x.gif"),
        "the pictures of single steps need Graphviz",
    ),
    "steps": (lambda p, folder: ag.replay(neuron()[0]).save(folder / "x.svg"), "the pictures of single steps need"),
}


@pytest.mark.parametrize("what", CANNOT)
def test_formats_that_it_does_not_write(what, tmp_path):
    ask, said = CANNOT[what]
    with pytest.raises(MissingExtra, match=said):
        ask(picture_of("neuron"), tmp_path)


def test_svg_and_html_and_replay_need_nothing(tmp_path):
    picture = picture_of("neuron")
    for suffix in ("svg", "html", "dot", "json", "txt"):
        picture.save(tmp_path / f"x.{suffix}")
    ag.replay(neuron()[0]).save(tmp_path / "replay.html")
    assert "<svg" in (tmp_path / "replay.html").read_text(encoding="utf-8")
    assert "no layout engine" not in picture._repr_mimebundle_()["text/html"]


def test_a_browser_is_told_of_nothing_that_is_not_there(monkeypatch, tmp_path):
    """In Pyodide no program runs and there is no wheel: the way out is another one."""
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(platform, "machine", lambda: "wasm32")
    for ask in (
        lambda: ag.draw(dense(60), max_nodes=500).svg,
        *(lambda f=f: f(picture_of("neuron"), tmp_path) for f, _ in CANNOT.values()),
    ):
        with pytest.raises(MissingExtra) as error:
            ask()
        assert "pip" not in str(error.value)
        assert "Save it as .dot or .html" in str(error.value)


INSTALLS = {
    ("linux", "onnx"): 'Install it: python -m pip install "onnx>=1.23"',
    ("emscripten", "onnx"): "There is none for this platform (emscripten).",
    ("emscripten", "mpi"): "There is none for this platform (emscripten).",
    ("emscripten", "files"): "Install it: import micropip; await micropip.install(['safetensors>=0.4.3'])",
    ("wasi", "files"): "There is none for this platform (wasi).",
}


@pytest.mark.parametrize(("system", "extra"), INSTALLS)
def test_a_message_names_what_can_be_had_there(system, extra, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    assert str(errors.missing("it", extra)).endswith(f" or newer. {INSTALLS[system, extra]}")


MACHINES = [
    ("linux", "x86_64", True), ("linux", "aarch64", True), ("linux", "armv7l", False), ("linux", "riscv64", False),
    ("linux", "i686", False), ("linux", "s390x", False), ("darwin", "arm64", True), ("darwin", "x86_64", True),
    ("win32", "AMD64", True), ("win32", "ARM64", True), ("win32", "x86", False), ("emscripten", "wasm32", False),
    ("ios", "arm64", False), ("android", "aarch64", False), ("freebsd14", "amd64", False), ("wasi", "wasm32", False),
]  # fmt: skip


@pytest.mark.parametrize(("system", "machine", "there"), MACHINES)
def test_the_engine_is_asked_for_where_there_is_a_wheel(system, machine, there, monkeypatch):
    """The wheels of graphviz-pure 0.2.2 and safetensors 0.8.0, what pyproject.toml asks for, what our messages say."""
    requirements = pytest.importorskip("packaging.requirements")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs = {need.name: need for need in map(requirements.Requirement, project["dependencies"])}
    here = {"sys_platform": system, "platform_machine": machine}
    assert needs["graphviz-pure"].marker.evaluate(here) is there
    assert needs["safetensors"].marker.evaluate(here) is (system in ("linux", "darwin", "win32"))
    assert needs["numpy"].marker is None
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert engine.has_wheel() is there


UNREADABLE = {
    "no graph": ("digraph", "it is no whole graph"),
    "half a graph": ("digraph { a [label=x", "it is no whole graph"),
    "letters": ("digraph { a > b }", "cannot read DOT at ' > b }'"),
    "half a table": ("digraph { a [label=<<TABLE><TR></TABLE>>] }", "cannot read the label '<TABLE><TR></TABLE>'"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_it_cannot_read(case):
    source, said = UNREADABLE[case]
    with pytest.raises(ArgumentError, match=said):
        engine.layout(source, "svg")


def test_an_edge_that_closes_a_cycle_runs_back():
    """A folded rest may both use a value and be used by it."""
    boxes = {key: Box(30.0, 20.0) for key in "abcd"}
    wires = [Wire(*ends) for ends in ("ab", "bc", "ca", "cd", "db")]
    lay_out(boxes, wires, {}, 13.0, 20.0)
    assert [box.at[0] for box in boxes.values()] == sorted(box.at[0] for box in boxes.values())
    assert [wire.curve[0][0] < wire.curve[-1][0] for wire in wires] == [True, True, False, True, False]


def test_a_loop_and_a_lone_box_are_drawn():
    assert engine.layout("digraph { a -> a; b }", "svg").count(b'class="node"') == 2
    assert engine.layout("digraph { }", "svg").startswith(b"<svg")


def test_names_are_shown_and_nothing_else():
    y = leaf(2.0, "<script>&amp;") * 3.0
    svg = ag.draw(y, names={}).svg
    assert "&lt;script&gt;&amp;amp;" in svg
    assert "<script" not in svg


def test_the_built_in_layout_can_be_chosen(monkeypatch):
    monkeypatch.delenv(engine.VARIABLE)
    engine.use_engine(engine.BUILT_IN)
    try:
        assert engine.find_engine() == engine.BUILT_IN
        assert engine.find_engine("png") is None
    finally:
        engine.use_engine(None)
