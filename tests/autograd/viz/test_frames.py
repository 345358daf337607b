"""A replay as a film: the layout of ``draw``, one frame for each step, and in each only what has arrived."""

import io
import re
import sys
from itertools import pairwise

import numpy as np
import pytest
from graphs import double, expression, layers, leaf, neuron
from nets import NETS

import autograd as ag
from autograd.errors import ArgumentError, MissingExtra
from autograd.viz import engine
from autograd.viz.frames import moment_view

Image = pytest.importorskip("PIL.Image")


@pytest.mark.parametrize("name", NETS)
def test_the_layout_is_that_of_draw(name):
    roots, names = NETS[name]()
    played, drawn = ag.replay(roots, names=names).picture.view, ag.draw(roots, names=names).view
    assert [item.id for item in played.items] == [item.id for item in drawn.items]
    assert [(arrow.source, arrow.target, arrow.wraps) for arrow in played.arrows] == [
        (arrow.source, arrow.target, arrow.wraps) for arrow in drawn.arrows
    ]
    assert (played.rankdir, played.starts) == (drawn.rankdir, drawn.starts)


@pytest.mark.parametrize("engine_name", [engine.WHEEL, "dot"])
@pytest.mark.parametrize("graph", [neuron, double, layers, expression])
def test_nothing_moves_from_frame_to_frame(graph, engine_name, monkeypatch):
    if engine._locate(engine_name) is None:
        pytest.skip(f"no {engine_name} here")
    monkeypatch.setenv(engine.VARIABLE, engine_name)
    root, names = graph()
    replay = ag.replay(root, names=names)
    frames = [frame.decode() for frame in replay.frames()]
    assert len(frames) == len(replay.steps)
    curves = [re.findall(r'<g id="(e\d+)".*?<path[^>]* d="([^"]*)"', frame, re.DOTALL) for frame in frames]
    assert curves[0]
    assert all(curve == curves[0] for curve in curves)
    boxes = [set(re.findall(r'<g id="(\w+)" class="node', frame)) for frame in frames]
    assert all(box == boxes[0] for box in boxes)
    assert "caption" in boxes[0]


def test_a_frame_knows_only_what_has_arrived():
    o, names = neuron()
    replay = ag.replay(o, names=names)
    whole, moments = replay.picture.view, replay._moments
    for k in range(len(moments)):
        view = moment_view(whole, moments, k)
        known = {item.name for item in view.items if item.grad is not None}
        arrived = {item.name for item in whole.items if item.id in {moment.target for moment in moments[: k + 1]}}
        assert known == arrived
        drawn = {arrow.id for arrow in view.arrows if arrow.share is not None}
        assert drawn == {moment.arrow for moment in moments[: k + 1]} - {""}
        assert moments[k].target in view.now
    assert {item.name for item in whole.items if item.grad is None} == set()  # the picture itself is untouched


def test_a_sum_grows():
    y, names = double()
    replay = ag.replay(y, names=names)
    sums = [
        float(item.grad)
        for k in range(len(replay.steps))
        for item in moment_view(replay.picture.view, replay._moments, k).items
        if item.name == "a" and item.grad is not None
    ]
    assert sums == sorted(sums)
    assert sums[-1] == 12.0


def test_a_weight_in_a_card_gets_its_gradient_in_its_step():
    loss, names = NETS["mlp"]()
    replay = ag.replay(loss, names=names)
    targets = [moment.target for moment in replay._moments]
    inside = [target for target in targets if "/" in target]
    assert len(inside) == len(set(inside)) == 6
    k = targets.index(inside[0])
    before, after = (moment_view(replay.picture.view, replay._moments, at) for at in (k - 1, k))
    box, n = inside[0].split("/")
    for view, known in ((before, False), (after, True)):
        (item,) = [item for item in view.items if item.id == box]
        assert (item.parts[int(n)].grad is not None) is known


def test_folded_parts_tell_nothing_before_its_time():
    loss, names = NETS["residual"]()
    replay = ag.replay(loss, names=names)
    (fold,) = [item for item in moment_view(replay.picture.view, replay._moments, 0).items if item.kind == "fold"]
    facts = dict(fold.facts)
    assert facts["skip : main path"] == facts["rms grad out"] == "–"
    assert facts["parameters"] == "1,776"


@pytest.mark.parametrize("name", ["expression", "mlp"])
def test_a_gif_has_a_frame_for_each_step(name, tmp_path):
    roots, names = NETS[name]()
    replay = ag.replay(roots, names=names)
    replay.save(tmp_path / "y.gif")
    film = Image.open(io.BytesIO((tmp_path / "y.gif").read_bytes()))
    assert film.format == "GIF"
    assert film.n_frames == len(replay.steps)
    assert film.info["loop"] == 0
    frames = []
    for k in range(film.n_frames):
        film.seek(k)
        frames.append(np.asarray(film.convert("RGB")))
    assert all((a != b).any() for a, b in pairwise(frames))


def test_dark_films_are_dark():
    root, names = neuron()
    frame = next(ag.replay(root, names=names, theme="dark").frames("png"))
    assert max(Image.open(io.BytesIO(frame)).convert("RGB").getpixel((2, 2))) < 40


def test_svg_files_are_numbered(tmp_path):
    root, names = neuron()
    ag.replay(root, names=names).save(tmp_path / "step.svg")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == [f"step-{k:02}.svg" for k in range(10)]
    assert (tmp_path / "step-00.svg").read_text(encoding="utf-8").startswith("<svg")


def test_the_caption_is_what_the_step_says():
    root, names = neuron()
    replay = ag.replay(root, names=names)
    second = list(replay.frames())[1].decode()
    assert "adds" in second
    assert "∂o/∂n" in second


def test_other_suffixes_are_refused():
    with pytest.raises(ArgumentError, match=r"save as .html \(a page\), .gif \(a film\), .*not 'y.mp4'"):
        ag.replay(neuron()[0]).save("y.mp4")


def test_too_many_steps_ask_for_a_page():
    x = leaf(0.5, "x")
    y = x
    for _ in range(200):
        y = np.sin(y)
    replay = ag.replay(y, max_nodes=1_000)
    with pytest.raises(ArgumentError, match=r"201 steps are too many .* Save the page as .html"):
        list(replay.frames())


def test_without_pillow_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtra, match=r'a .gif needs pillow 10 or newer. Install it: .*"pillow>=10"'):
        ag.replay(neuron()[0]).save(tmp_path / "y.gif")
