"""The SVG that is written is smaller than the engine's and shows the same."""

import re

import numpy as np
import pytest
from graphs import dense

import autograd as ag
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


def test_large_pictures_have_the_same_curves():
    root = dense(60)
    root.backward()
    picture = ag.draw(root)
    before = re.findall(r'<path[^>]* d="M([^"]*C[^"]*)"', finish(layout(picture.source, "svg").decode(), "", False))
    edges = sorted(tuple(np.round(numbers(path)).tolist()) for path in before if len(numbers(path)) != 50)
    after = re.findall(r' d="(M[^"]*c[^"]*)"', picture.svg)
    assert edges == sorted(tuple(absolute(path).ravel().tolist()) for path in after if len(numbers(path)) != 50)
    assert len(edges) > 100


def test_large_pictures_have_the_same_colours():
    """What an edge or op no longer says itself stands in the style sheet, in light and dark."""
    root = dense(60)
    root.backward()
    for theme in ("light", "auto"):
        picture = ag.draw(root, theme=theme)
        colours = set(re.findall(r"#[0-9a-f]{6}", layout(picture.source, "svg").decode()))
        found = set(re.findall(r"#[0-9a-f]{6}", picture.svg))
        assert colours <= found
        assert len(re.findall(r'class="edge k\d"', picture.svg)) > 60
        if theme == "auto":
            twins = {DARK[role] for role, colour in LIGHT.items() if colour in colours}
            assert twins <= found


@pytest.mark.parametrize("theme", ["dark", "colorblind"])
def test_a_fixed_theme_has_no_other_colours(theme):
    root = dense(60)
    assert "prefers-color-scheme" not in ag.draw(root, theme=theme).svg
