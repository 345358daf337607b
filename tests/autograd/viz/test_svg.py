"""The SVG that is written is smaller than the engine's and shows the same."""

import re

import numpy as np
import pytest
from graphs import dense

import autograd as ag
from autograd.viz import dot, svg
from autograd.viz.engine import layout
from autograd.viz.svg import compact, finish
from autograd.viz.theme import DARK, LIGHT


def curve(points):
    first, *rest = [f"{x},{y}" for x, y in points]
    return f'<svg><path fill="none" stroke="#9aa3b1" d="M{first}C{" ".join(rest)}"/></svg>'


def test_an_edge_of_25_points_stays_a_curve():
    """A box with round corners is written in 25 points too, but it ends where it starts."""
    corners = [(k, 2 * k) for k in range(25)]
    assert "<rect" not in compact(curve(corners))
    assert "<rect" in compact(curve([*corners[:-1], corners[0]]))


def numbers(text):
    return [float(x) for x in re.findall(r"-?\d+\.?\d*", text)]


def absolute(path):
    """Read a curve back: where each of its points lies."""
    start, _, steps = path[1:].partition("c")
    points, moves = [np.array(numbers(start))], np.array(numbers(steps)).reshape(-1, 3, 2)
    for piece in moves:
        points += list(points[-1] + piece)
    return np.array(points)


@pytest.fixture(scope="module")
def large():
    """Lay a graph out once: what the engine wrote, and what each theme's picture is finished from."""
    root = dense(30)
    root.backward()
    view = ag.draw(root, max_nodes=500).view
    return {theme: layout(dot.write(view, theme=theme), "svg").decode() for theme in ("auto", "dark")}


@pytest.mark.graphviz
def test_large_pictures_have_the_same_curves(large, monkeypatch):
    monkeypatch.setattr(svg, "LARGE", 0)
    before = re.findall(r'<path[^>]* d="M([^"]*C[^"]*)"', large["auto"])
    edges = sorted(tuple(np.round(numbers(path)).tolist()) for path in before if len(numbers(path)) != 50)
    after = re.findall(r' d="(M[^"]*c[^"]*)"', compact(finish(large["auto"], "", True)))
    assert edges == sorted(tuple(absolute(path).ravel().tolist()) for path in after if len(numbers(path)) != 50)
    assert len(edges) > 60


@pytest.mark.graphviz
@pytest.mark.parametrize("theme", ["auto", "dark"])
def test_large_pictures_have_the_same_colours(large, theme, monkeypatch):
    """What an edge or op no longer says itself stands in the style sheet, in light and dark."""
    monkeypatch.setattr(svg, "LARGE", 0)
    picture = compact(finish(large[theme], "", theme == "auto"))
    colours, found = (set(re.findall(r"#[0-9a-f]{6}", text)) for text in (large[theme], picture))
    assert colours <= found
    assert len(re.findall(r'class="edge k\d"', picture)) > 30
    twins = {DARK[role] for role, colour in LIGHT.items() if colour in colours}
    assert twins <= found
    assert ("prefers-color-scheme" in picture) == (theme == "auto")


@pytest.mark.parametrize("start", [0, 5])
def test_a_round_box_keeps_its_corners(start):
    """The outline may start at any corner: boxes of values and of ops do so differently."""
    half = [(30, 0), (30, 0), (8, 0), (8, 0), (4, 0), (0, 4), (0, 8), (0, 8), (0, 12), (0, 12), (0, 16), (4, 20)]
    points = [*half, *((38 - x, 20 - y) for x, y in half)]
    turned = points[start:] + points[:start]
    assert 'x="0" y="0" width="38" height="20" rx="8"' in compact(curve([*turned, turned[0]]))
