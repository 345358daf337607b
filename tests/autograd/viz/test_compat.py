"""The calls of micrograd, torchviz, DeZero and MyGrad."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from graphs import chain, expression, layers, leaf, neuron

import autograd as ag
from autograd import viz
from autograd.errors import ArgumentError
from autograd.viz import build_graph, draw_dot, get_dot_graph, make_dot, plot_dot_graph


@pytest.mark.graphviz
def test_draw_dot_has_micrograds_labels():
    g, names = expression()
    g.backward()
    dot = draw_dot(g, names=names)
    assert "{ a | data -4.0000 | grad 12.0000 }" in dot.source
    assert "{ g | data 4.5000 | grad 1.0000 }" in dot.source
    assert dot.format == "svg"
    assert "rankdir=LR" in dot.source


@pytest.mark.graphviz
def test_draw_dot_before_backward_writes_a_dash():
    source = draw_dot(neuron()[0]).source
    assert "grad –" in source
    assert "grad 0" not in source


def test_draw_dot_checks_its_arguments():
    with pytest.raises(ArgumentError, match="rankdir must be 'LR' or 'TB', got 'RL'"):
        draw_dot(neuron()[0], rankdir="RL")
    with pytest.raises(ArgumentError, match="format must be svg, png or pdf; got 'bmp'"):
        draw_dot(neuron()[0], format="bmp")
    with pytest.raises(ArgumentError, match="draw_dot needs a Tensor"):
        draw_dot(3)


@pytest.mark.graphviz
def test_draw_dot_folds():
    dot = draw_dot(chain(3_000), max_nodes=60)
    assert dot.folded
    assert "folded:" in dot.source


@pytest.mark.graphviz
def test_digraph_renders_without_dot(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    dot = draw_dot(neuron()[0])
    assert ET.fromstring(dot.pipe("svg")).tag.endswith("svg")
    assert dot.pipe(encoding="utf-8").startswith("<?xml")
    written = dot.render(filename="pic", directory=tmp_path, cleanup=True)
    assert written.endswith("pic.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["pic.svg"]
    dot.render(outfile=tmp_path / "other.png")
    assert (tmp_path / "other.png").read_bytes().startswith(b"\x89PNG")
    assert "image/svg+xml" in dot._repr_mimebundle_()


@pytest.mark.graphviz
def test_make_dot_has_torchviz_colours():
    root, names = layers()
    source = make_dot(root, params={"w": leaf(1.0)}).source
    assert "MatmulBackward" in source
    assert re.search(r"layers.0.weight\\n \(3, 2\).*lightblue", source)
    assert "darkolivegreen1" in source
    assert "orange" not in source
    shown = make_dot(root, params=names, show_attrs=True, show_saved=True).source
    assert "orange" in shown
    assert "result:" in shown


@pytest.mark.graphviz
def test_make_dot_names_parameters():
    x = ag.Tensor(2.0, requires_grad=True)
    assert '"theta\\n ()"' in make_dot(x * 2.0, params=dict(theta=x)).source


@pytest.mark.graphviz
def test_plot_dot_graph(tmp_path):
    o, names = neuron()
    text = get_dot_graph(o, names=names)
    assert text.startswith("digraph g {")
    assert "color=orange" in text
    assert "color=lightblue" in text
    plot_dot_graph(o, to_file=tmp_path / "g.png")
    assert (tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ArgumentError, match=r"to_file must end in \.svg, \.png or \.pdf, got 'g\.gif'"):
        plot_dot_graph(o, to_file=tmp_path / "g.gif")


@pytest.mark.graphviz
def test_build_graph(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = leaf(np.arange(3.0))
    y = (x * 2.0).sum()
    dot = build_graph(y, names=locals(), render=False, dims=True, dtypes=True, sum_stats=True, save=True)
    assert "x\\ndims: (3,)\\ndtype: float64\\ndata: 1.00 ± 0.82" in dot.source
    assert (tmp_path / "computational_graph.svg").exists()


@pytest.mark.graphviz
@pytest.mark.parametrize("shape", [(2, 3), (5,), ()])
@pytest.mark.parametrize("call", ["draw_dot", "make_dot", "plot_dot_graph", "build_graph"])
def test_a_tensor_alone_is_one_box(call, shape):
    source = getattr(viz, call)(ag.Tensor(np.ones(shape), name="t")).source
    assert source.count("label=") == 1
    assert "t" in source


@pytest.mark.graphviz
def test_make_dot_writes_in_a_font_whose_width_the_engines_know():
    svg = ag.make_dot(leaf(1.5) * 2.0).pipe("svg").decode()
    (box,) = re.findall(r'<polygon fill="lightgrey"[^>]* points="([^"]*)"', svg)
    xs = [float(point.split(",")[0]) for point in box.split()]
    assert max(xs) - min(xs) >= len("MultiplyBackward") * 6.0
    assert "Courier" in svg
